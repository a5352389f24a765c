use pas_testkit::{Process, binary, http, until};
use pas_types::catalog;
use serde_json::{Value, json};

/// The event stream as a process, and somebody who publishes.
pub(crate) struct Stream {
    pub(crate) process: Process,
    http: reqwest::Client,
    _data: tempfile::TempDir,
}

impl Stream {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let path = binary(catalog::EVENT_STREAM.binary).unwrap();
        let process = Process::start(&catalog::EVENT_STREAM, &path, data.path(), arguments).unwrap();
        Self { process, http: http(), _data: data }
    }

    pub(crate) fn url(&self) -> String {
        self.process.url()
    }

    /// Publishes an event or a batch, which must be taken.
    pub(crate) async fn publish(&self, event: Value) -> Value {
        let answer = self.http.post(self.url() + "/events").json(&event).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    /// Publishes each of these, in this order, through whatever happens to the event stream meanwhile: one that wasn't
    /// answered is sent again, and kept once.
    pub(crate) async fn publish_surely(&self, url: &str, messages: impl Iterator<Item = String>) {
        for message in messages {
            let mut event = log(&message);
            event["idempotency_key"] = json!(message);
            until(&format!("{message} is taken"), async || {
                let answer = self.http.post(format!("{url}/events")).json(&event).send().await.ok()?;
                answer.status().is_success().then_some(())
            })
            .await;
        }
    }

    /// What `GET /events` has, oldest first.
    pub(crate) async fn history(&self, query: &str) -> Vec<Value> {
        let url = format!("{}/events?limit=1000&{query}", self.url());
        let page: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        assert_eq!(page["next_cursor"], Value::Null, "all of it fits on a page");
        page["events"].as_array().unwrap().clone()
    }

    /// Who is there, by the gauge.
    pub(crate) async fn subscribers(&self) -> Option<f64> {
        Some(self.metrics("subscribers{").await?.into_iter().sum())
    }

    /// What `/metrics` says under names that begin so.
    pub(crate) async fn metrics(&self, name: &str) -> Option<Vec<f64>> {
        let url = self.url() + "/metrics";
        let text = self.http.get(url).send().await.ok()?.text().await.ok()?;
        let name = format!("pas_event_stream_{name}");
        let lines = text.lines().filter(|line| line.starts_with(&name));
        lines.map(|line| line.rsplit(' ').next()?.parse().ok()).collect()
    }

    /// The place of the oldest event that is kept.
    pub(crate) async fn oldest(&self) -> u64 {
        let page = self.page().await;
        page["oldest"].as_u64().ok_or_else(|| format!("it does not say which is the oldest: {page}")).unwrap()
    }

    /// Up to where each subscriber was sent everything, by its lag.
    pub(crate) async fn places(&self) -> Vec<u64> {
        let head = self.page().await["head"].as_u64().unwrap();
        let lags = self.metrics("subscriber_lag{").await.unwrap();
        lags.into_iter().map(|lag| head - lag as u64).collect()
    }

    async fn page(&self) -> Value {
        self.http.get(self.url() + "/events?limit=1").send().await.unwrap().json().await.unwrap()
    }
}

/// An event that says this.
pub(crate) fn log(message: &str) -> Value {
    json!({"event_type": "log", "message": message})
}

/// An event that an agent says.
pub(crate) fn progress(agent: &str) -> Value {
    json!({"event_type": "status_update", "agent": agent, "event": "progress"})
}

/// An alert of a service.
pub(crate) fn alert(service: &str) -> Value {
    json!({
        "event_type": "alert", "alert_id": "01938f3d-1a2b-7e6f-9b4d-8c7f6e5d4c3b", "alert_type": "heartbeat_miss",
        "severity": "warning", "service_name": service, "missed_beats": 1, "last_seen": null,
        "action": "marked_degraded", "acked": false,
    })
}

/// What an event is: the one that was published, as far as it says.
pub(crate) fn messages(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["message"].as_str()).collect()
}

/// The query for what came after an event, by the answer to it.
pub(crate) fn after(published: &Value) -> String {
    format!("since={}:{}", published["epoch"], published["seq"])
}
