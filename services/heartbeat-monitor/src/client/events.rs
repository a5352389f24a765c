use pas_proto::events::v1::events_client::EventsClient;
use pas_proto::events::v1::subscribe_response::Message;
use pas_proto::events::v1::{self as proto, SubscribeRequest, SubscribeResponse};
use pas_service::rpc;
use pas_types::Error;
use pas_types::alert::HeartbeatAlert;
use pas_types::event::{Cursor, EventType, Recorded};
use tonic::Streaming;
use tonic::transport::Channel;

use super::{CallError, begun};
use crate::core::Heard;

/// The event stream, as the monitor reads it.
#[derive(Debug, Clone)]
pub struct Events {
    rpc: EventsClient<Channel>,
}

impl Events {
    /// The event stream at `url`; the connection is made when it is needed.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        Ok(Self { rpc: EventsClient::new(rpc::channel(url)?) })
    }

    /// Every alert after the place `after`.
    pub async fn alerts(&self, after: Cursor) -> Result<Alerts, CallError> {
        let wanted = SubscribeRequest {
            after: Some(proto::Cursor { epoch: after.epoch, seq: after.seq }),
            types: vec![EventType::Alert.to_string()],
            ..SubscribeRequest::default()
        };
        let mut rpc = self.rpc.clone();
        Ok(Alerts(begun(rpc.subscribe(wanted)).await?))
    }
}

/// Alerts, as they come.
#[derive(Debug)]
pub struct Alerts(Streaming<SubscribeResponse>);

impl Alerts {
    /// The next message.
    pub async fn next(&mut self) -> Result<Heard, CallError> {
        heard(self.0.message().await?.ok_or(CallError::Ended)?).map_err(CallError::Unreadable)
    }
}

/// A message of the stream. An alert that can't be kept is passed over: the rest must go on.
fn heard(message: SubscribeResponse) -> Result<Heard, String> {
    match message.message {
        Some(Message::Hello(hello)) => Ok(Heard { reset: hello.reset, ..Heard::default() }),
        Some(Message::Delivery(delivery)) => {
            let mut heard = Heard { to: Some(cursor(delivery.to)?), ..Heard::default() };
            for event in &delivery.events {
                match alert(event) {
                    Ok(alert) => heard.alerts.push(alert),
                    Err(error) => {
                        heard.passed_over += 1;
                        tracing::warn!(%error, "an alert of another service can't be kept; it is passed over");
                    }
                }
            }
            Ok(heard)
        }
        Some(Message::Progress(progress)) => Ok(Heard { to: Some(cursor(progress.at)?), ..Heard::default() }),
        None => Err("a message of an unknown kind".to_owned()),
    }
}

fn cursor(at: Option<proto::Cursor>) -> Result<Cursor, String> {
    at.map(|proto::Cursor { epoch, seq }| Cursor { epoch, seq })
        .ok_or_else(|| "a message without its place".to_owned())
}

fn alert(event: &[u8]) -> Result<HeartbeatAlert, Error> {
    let event = Recorded::read(event)?.event;
    let is_none = || Error::invalid("event_type", "it is no alert");
    let alert = event.into_alert().ok_or_else(is_none)?;
    alert.validate()?;
    Ok(alert)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(service: &str) -> Value {
        json!({
            "seq": 1, "event_type": "alert", "ts": "2025-11-06T10:30:00.000Z", "service_name": service,
            "alert_id": "018f0000-0000-7000-8000-000000000001", "alert_type": "breaker_open",
            "severity": "warning", "missed_beats": 0, "last_seen": null, "action": "none", "acked": false,
        })
    }

    #[test]
    fn an_alert_that_can_not_be_kept_is_passed_over_and_the_place_moves_on() {
        let mut unknown = event("gateway");
        unknown["alert_type"] = json!("levitation");
        let log = json!({"seq": 2, "event_type": "log", "ts": "2025-11-06T10:30:00.000Z", "message": "x"});
        let events = [event("gateway"), unknown, log, event(""), json!("no object")];
        let delivery = proto::Delivery {
            events: events.iter().map(|event| event.to_string().into_bytes()).collect(),
            to: Some(proto::Cursor { epoch: 3, seq: 9 }),
        };
        let heard = heard(SubscribeResponse { message: Some(Message::Delivery(delivery)) }).unwrap();
        let services: Vec<_> = heard.alerts.iter().map(|alert| alert.service_name.as_str()).collect();
        let at = Some(Cursor { epoch: 3, seq: 9 });
        assert_eq!((services, heard.passed_over, heard.to), (vec!["gateway"], 4, at));
    }

    #[test]
    fn a_message_that_is_not_whole_is_refused() {
        let of = |message| heard(SubscribeResponse { message });
        assert_eq!(of(None), Err("a message of an unknown kind".to_owned()));
        let nowhere = Message::Progress(proto::Progress { at: None });
        assert_eq!(of(Some(nowhere)), Err("a message without its place".to_owned()));
    }
}
