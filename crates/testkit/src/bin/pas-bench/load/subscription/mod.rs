//! Subscriptions to the event stream over Socket.IO, as cheap as clients must be that share the machine with it.

mod packet;

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use pas_types::event::{Cursor, Subscribe, SubscribeMode, Subscribed};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async};

use packet::{CONNECT, PONG, Packet};

/// Time for a connection and the answer to `subscribe`.
const BEGINNING: Duration = Duration::from_secs(30);
/// The server pings every 10 s; a subscriber that hears nothing for so long has lost its connection.
const SILENCE: Duration = Duration::from_secs(30);

/// A subscription that is open. It ends with this.
#[derive(Debug)]
pub(crate) struct Subscription {
    socket: WebSocketStream<TcpStream>,
    cursor: Cursor,
}

/// What comes at once; of each event as much as is asked for.
#[derive(Debug, Deserialize)]
struct Frame<Event> {
    from: Cursor,
    to: Cursor,
    events: Vec<Event>,
}

impl Subscription {
    /// Connects to `port` of this machine and subscribes. Fails when what came after `since` is not to be had.
    pub(crate) async fn open(port: u16, wanted: &Subscribe) -> anyhow::Result<Self> {
        timeout(BEGINNING, begin(port, wanted)).await.context("no beginning in time")?
    }

    /// Opens so many at the same time.
    pub(crate) async fn open_many(port: u16, wanted: &Subscribe, count: usize) -> anyhow::Result<Vec<Self>> {
        let mut opening = JoinSet::new();
        for _ in 0..count {
            let wanted = wanted.clone();
            opening.spawn(async move { Self::open(port, &wanted).await });
        }
        let mut open = Vec::with_capacity(count);
        while let Some(opened) = opening.join_next().await {
            open.push(opened??);
        }
        Ok(open)
    }

    /// Up to where everything has come.
    pub(crate) fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// The events of the next frame, which is acknowledged. Fails when what was before them is missing.
    pub(crate) async fn next<Event: DeserializeOwned>(&mut self) -> anyhow::Result<Vec<Event>> {
        loop {
            let text = self.message().await?;
            let Some(Packet::Event(event)) = Packet::read(&text) else { continue };
            if event.name != "events" {
                continue;
            }
            if let Some(ack_id) = event.ack_id {
                self.socket.send(Message::text(packet::ack(ack_id))).await?;
            }
            let frame: Frame<Event> = serde_json::from_str(event.argument)?;
            ensure!(frame.from == self.cursor, "a frame begins at {}, not {}", frame.from, self.cursor);
            self.cursor = frame.to;
            return Ok(frame.events);
        }
    }

    /// The next message that is a packet and not the end; pings are answered meanwhile.
    async fn message(&mut self) -> anyhow::Result<Utf8Bytes> {
        loop {
            let message = timeout(SILENCE, self.socket.next()).await.context("nothing was said")?;
            let Message::Text(text) = message.context("the connection was closed")?? else { continue };
            match Packet::read(&text) {
                Some(Packet::Ping) => self.socket.send(Message::text(PONG)).await?,
                Some(Packet::Ended) => bail!("the server ended the connection: {text}"),
                Some(Packet::Open | Packet::Connected | Packet::Event(_)) => return Ok(text),
                None => bail!("not understood: {text}"),
            }
        }
    }

    /// Waits for a message that `accept` takes something from.
    async fn until<T>(&mut self, accept: impl Fn(Packet<'_>) -> Option<T>) -> anyhow::Result<T> {
        loop {
            let text = self.message().await?;
            if let Some(accepted) = Packet::read(&text).and_then(&accept) {
                return Ok(accepted);
            }
        }
    }
}

async fn begin(port: u16, wanted: &Subscribe) -> anyhow::Result<Subscription> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.set_nodelay(true)?;
    let url = format!("ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket");
    let (socket, _) = client_async(url, stream).await?;
    let mut subscription = Subscription { socket, cursor: Cursor { epoch: 0, seq: 0 } };
    subscription.until(|packet| (packet == Packet::Open).then_some(())).await?;
    subscription.socket.send(Message::text(CONNECT)).await?;
    subscription.until(|packet| (packet == Packet::Connected).then_some(())).await?;
    subscription.socket.send(Message::text(packet::emit("subscribe", wanted)?)).await?;
    let answer = subscription.until(|packet| match packet {
        Packet::Event(event) if ["subscribed", "refused"].contains(&event.name) => Some(
            serde_json::from_str::<Subscribed>(event.argument).with_context(|| event.argument.to_owned()),
        ),
        _ => None,
    });
    let Subscribed { epoch, head, mode, .. } = answer.await?.context("not subscribed")?;
    let live = Cursor { epoch, seq: head };
    subscription.cursor = wanted.since.unwrap_or(live);
    ensure!(mode == SubscribeMode::Delta, "there is no way back to {}", subscription.cursor);
    Ok(subscription)
}

#[cfg(test)]
mod tests {
    use pas_types::event::EventType;
    use serde_json::json;
    use tokio::net::TcpListener;
    use tokio_tungstenite::accept_async;

    use super::*;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    struct Place {
        seq: u64,
    }

    /// Plays a server: `>` is said, `<` must be heard. Returns when the client has gone.
    async fn play(listener: TcpListener, script: &[&str]) {
        let mut socket = accept_async(listener.accept().await.unwrap().0).await.unwrap();
        for line in script {
            match line.split_at(2) {
                ("> ", said) => socket.send(Message::text(said)).await.unwrap(),
                (_, expected) => {
                    assert_eq!(socket.next().await.unwrap().unwrap().to_text().unwrap(), expected);
                }
            }
        }
        while let Some(Ok(_)) = socket.next().await {}
    }

    const HANDSHAKE: [&str; 5] = [
        r#"> 0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100000}"#,
        "< 40",
        r#"> 40{"sid":"b"}"#,
        r#"> 42["log",{"seq":6}]"#,
        r#"< 42["subscribe",{"types":["log"]}]"#,
    ];

    /// What a subscriber makes of a server that says this after the handshake.
    async fn subscriber<T>(script: &[&str], act: impl AsyncFnOnce(anyhow::Result<Subscription>) -> T) -> T {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = [&HANDSHAKE, script].concat();
        let wanted = Subscribe { types: vec![EventType::Log], ..Subscribe::default() };
        let client = async { act(Subscription::open(port, &wanted).await).await };
        tokio::join!(play(listener, &script), client).1
    }

    #[tokio::test]
    async fn frames_are_acknowledged_pings_answered_and_gauges_passed_over() {
        let script = [
            r#"> 42["subscribed",{"epoch":3,"head":6,"oldest":1,"mode":"delta"}]"#,
            r#"> 42["gauges",{}]"#,
            "> 2",
            "< 3",
            r#"> 420["events",{"from":"3:6","to":"3:9","events":[{"seq":7},{"seq":9}]}]"#,
            "< 430[]",
        ];
        let (cursors, events) = subscriber(&script, async |subscription| {
            let mut subscription = subscription.unwrap();
            let before = subscription.cursor();
            let events = subscription.next::<Place>().await.unwrap();
            ([before, subscription.cursor()], events)
        })
        .await;
        assert_eq!(cursors, [6, 9].map(|seq| Cursor { epoch: 3, seq }));
        assert_eq!(events, [7, 9].map(|seq| Place { seq }));
    }

    #[tokio::test]
    async fn a_gap_between_frames_is_no_success() {
        let script = [
            r#"> 42["subscribed",{"epoch":3,"head":6,"oldest":1,"mode":"delta"}]"#,
            r#"> 420["events",{"from":"3:7","to":"3:9","events":[]}]"#,
            "< 430[]",
        ];
        let error = subscriber(&script, async |subscription| {
            subscription.unwrap().next::<Place>().await.unwrap_err().to_string()
        });
        assert_eq!(error.await, "a frame begins at 3:7, not 3:6");
    }

    #[tokio::test]
    async fn a_subscription_that_is_refused_or_reset_is_no_success() {
        let refused = json!({"error": {"code": "invalid_argument"}}).to_string();
        let said = format!(r#"> 42["refused",{refused}]"#);
        let why =
            async |subscription: anyhow::Result<Subscription>| format!("{:#}", subscription.unwrap_err());
        assert!(subscriber(&[&said], why).await.starts_with(&format!("not subscribed: {refused}")));
        let said = r#"> 42["subscribed",{"epoch":3,"head":6,"oldest":4,"mode":"reset"}]"#;
        assert_eq!(subscriber(&[said], why).await, "there is no way back to 3:6");
        assert_eq!(subscriber(&["> 41"], why).await, "the server ended the connection: 41");
    }
}
