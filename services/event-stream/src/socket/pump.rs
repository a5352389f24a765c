//! What one Socket.IO client is sent: every event under its own name; from its first subscription on, frames that it
//! acknowledges.

use std::sync::Arc;
use std::time::Duration;

use engineioxide::{DisconnectReason, ProtocolVersion, Socket, Str};
use pas_service::clock;
use pas_types::Error;
use pas_types::error::ErrorEnvelope;
use pas_types::event::{EventFilter, Gauges, Subscribe, SubscribeMode, Subscribed};
use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::waiting::Waiting;
use super::{Link, packet};
use crate::app::App;
use crate::core::window::{Rules, Window};
use crate::subscribers::{Kind, Listed};
use crate::tail::{End, Part, Tail};

/// A client that has not come in by then has lost its way.
const ENTRANCE: Duration = Duration::from_secs(45);
/// How often it is looked whether a full connection has room again.
const ROOM: Duration = Duration::from_millis(5);
/// The longest that the last word to a connection is waited for.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long a share of what the connection has taken may be kept when nothing follows it.
const SETTLE: Duration = Duration::from_millis(100);
/// A client that wants nothing of what happens is told where it is this often, or it would fall behind what is kept.
const PROGRESS: Duration = Duration::from_secs(5);

/// What a client wants.
#[derive(Debug)]
pub(super) enum Command {
    /// To come in.
    Enter,
    /// To come in where nothing is.
    Elsewhere(String),
    /// To be sent frames.
    Subscribe { request: String, ack: Option<u64> },
    /// It has taken a frame.
    Acknowledged(u64),
}

/// One client.
pub(super) struct Pump {
    app: App,
    socket: Arc<Socket<Link>>,
    commands: Receiver<Command>,
    rules: Rules,
    /// Between two frames; what comes meanwhile goes together.
    pause: Duration,
    gauges: watch::Receiver<Option<Arc<Gauges>>>,
    waiting: Waiting,
}

/// Why a way of sending ends.
enum Turn {
    /// The client subscribes.
    Subscribe { request: String, ack: Option<u64> },
    /// The connection is to be closed.
    Close,
}

/// A subscription.
struct Framed {
    tail: Tail,
    filter: EventFilter,
    window: Window,
    /// The end of the last frame.
    from: u64,
    /// Not before this is the next one sent.
    next: Instant,
}

impl Pump {
    pub(super) fn new(
        app: App,
        socket: Arc<Socket<Link>>,
        commands: Receiver<Command>,
        rules: Rules,
        pause: Duration,
    ) -> Self {
        let gauges = app.shared.gauges.subscribe();
        let waiting = Waiting::new(app.shared.counts.waiting_bytes.clone());
        Self { app, socket, commands, rules, pause, gauges, waiting }
    }

    /// Runs until the client is gone or cut off, or the service stops. The connection is then closed, which a client takes
    /// as a reason to come back.
    pub(super) async fn run(mut self) {
        let (socket, shutdown) = (Arc::clone(&self.socket), self.app.shared.shutdown.clone());
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = socket.closed() => {}
            () = self.serve() => {}
        }
        socket.close(DisconnectReason::TransportClose);
    }

    async fn serve(&mut self) {
        let Ok(Some(start)) = timeout(ENTRANCE, self.enter()).await else { return };
        let listed = Listed::new(&self.app, Kind::SocketIo, start);
        let mut tail = Tail::new(self.app.clone(), EventFilter::default(), start);
        let mut turn = self.named(&mut tail, &listed).await;
        let mut framed: Option<Framed> = None;
        while let Turn::Subscribe { request, ack } = turn {
            framed = self.subscribe(&request, ack, &listed).await.or(framed);
            turn = match &mut framed {
                Some(framed) => self.framed(framed, &listed).await,
                // It was refused, and stays what it was.
                None => self.named(&mut tail, &listed).await,
            };
        }
    }

    /// Waits until it comes in; answers the place from which on it is sent everything.
    async fn enter(&mut self) -> Option<u64> {
        let is_old = self.socket.protocol == ProtocolVersion::V3;
        loop {
            match self.commands.recv().await {
                Some(Command::Enter) => {
                    let id = self.socket.id.to_string();
                    // Once it knows that it is in, it misses nothing.
                    let start = self.app.head();
                    return self.say(packet::connected((!is_old).then_some(&id))).await.then_some(start);
                }
                Some(Command::Elsewhere(namespace)) => {
                    if !self.say(packet::no_such_namespace(&namespace, !is_old)).await {
                        return None;
                    }
                }
                Some(_) => {}
                None => return None,
            }
        }
    }

    /// Every event under its own name.
    async fn named(&mut self, tail: &mut Tail, listed: &Listed) -> Turn {
        loop {
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Subscribe { request, ack }) => return Turn::Subscribe { request, ack },
                    Some(command) => self.ignore(command).await,
                    None => return Turn::Close,
                },
                part = tail.next() => match part {
                    Ok(part) => {
                        for entry in &part.events {
                            let name = entry.header.event_type.as_str();
                            if !self.say(packet::event(name, entry.line.get())).await {
                                return Turn::Close;
                            }
                            listed.is_at(entry.seq);
                        }
                        listed.is_at(part.to);
                    }
                    Err(End::Gone) => {
                        let (news, at) = self.reset();
                        if !self.say(packet::event_of("reset", &news)).await {
                            return Turn::Close;
                        }
                        *tail = Tail::new(self.app.clone(), EventFilter::default(), at);
                    }
                    Err(End::Failed(_)) => return Turn::Close,
                },
                Ok(()) = self.gauges.changed() => self.gauge(),
                () = sleep(SETTLE), if !self.waiting.is_empty() => self.waiting.settle(),
            }
        }
    }

    /// Begins a subscription; none when it was refused.
    async fn subscribe(&mut self, request: &str, ack: Option<u64>, listed: &Listed) -> Option<Framed> {
        let wanted = match Subscribe::read(request.as_bytes()) {
            Ok(wanted) => wanted,
            Err(error) => {
                let refusal = ErrorEnvelope::new(&error, self.socket.id.to_string());
                self.answer("refused", &refusal, ack).await;
                return None;
            }
        };
        let head = self.app.head();
        let placed = wanted.since.map_or(Ok(head), |since| self.app.locate(since));
        let (mode, at) = match placed {
            Ok(at) => (SubscribeMode::Delta, at),
            Err(_) => (SubscribeMode::Reset, head),
        };
        self.answer("subscribed", &self.app.subscribed(head, mode), ack).await;
        listed.is_at(at);
        let filter = wanted.filter();
        let tail = Tail::new(self.app.clone(), filter.clone(), at);
        Some(Framed { tail, filter, window: Window::new(self.rules), from: at, next: Instant::now() })
    }

    /// Frames, each to be acknowledged.
    async fn framed(&mut self, framed: &mut Framed, listed: &Listed) -> Turn {
        loop {
            let now = clock::monotonic();
            let overdue = framed.window.deadline().map(|deadline| deadline.saturating_sub(now));
            let Framed { tail, window, next, .. } = framed;
            let part = async {
                sleep_until(*next).await;
                tail.next().await
            };
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Subscribe { request, ack }) => return Turn::Subscribe { request, ack },
                    Some(Command::Acknowledged(number)) => {
                        window.acknowledge(number, clock::monotonic());
                    }
                    Some(command) => self.ignore(command).await,
                    None => return Turn::Close,
                },
                part = part, if window.is_open() => match part {
                    Ok(part) => {
                        if !self.deliver(framed, &part, listed).await {
                            return Turn::Close;
                        }
                    }
                    Err(End::Gone) => {
                        let (news, at) = self.reset();
                        if !self.say(packet::event_of("subscribed", &news)).await {
                            return Turn::Close;
                        }
                        framed.tail = Tail::new(self.app.clone(), framed.filter.clone(), at);
                        framed.from = at;
                    }
                    Err(End::Failed(_)) => return Turn::Close,
                },
                () = sleep(overdue.unwrap_or_default()), if overdue.is_some() => {
                    self.cut_off("it acknowledges nothing");
                    self.farewell().await;
                    return Turn::Close;
                }
                Ok(()) = self.gauges.changed() => self.gauge(),
                () = sleep(SETTLE), if !self.waiting.is_empty() => self.waiting.settle(),
            }
        }
    }

    async fn deliver(&mut self, framed: &mut Framed, part: &Part, listed: &Listed) -> bool {
        listed.is_at(part.to);
        let now = Instant::now();
        if part.events.is_empty() && now < framed.next + PROGRESS {
            return true;
        }
        let (from, to) = (self.app.cursor(framed.from), self.app.cursor(part.to));
        let number = framed.window.send(clock::monotonic());
        let lines = part.events.iter().map(|entry| entry.line.get());
        framed.from = part.to;
        framed.next = now + self.pause;
        self.say(packet::frame(number, from, to, lines)).await
    }

    /// Where it goes on when what comes next isn't kept any more.
    fn reset(&self) -> (Subscribed, u64) {
        let head = self.app.head();
        (self.app.subscribed(head, SubscribeMode::Reset), head)
    }

    async fn answer<T: serde::Serialize>(&mut self, name: &str, value: &T, ack: Option<u64>) {
        // Who is gone, or cut off, is seen at the next packet.
        let _ = self.say(packet::event_of(name, value)).await;
        if let Some(number) = ack {
            let _ = self.say(packet::answer(number, value)).await;
        }
    }

    /// What may come at any time and changes nothing.
    async fn ignore(&mut self, command: Command) {
        if let Command::Elsewhere(namespace) = command {
            let is_old = self.socket.protocol == ProtocolVersion::V3;
            let _ = self.say(packet::no_such_namespace(&namespace, !is_old)).await;
        }
    }

    /// The latest gauges; a connection that isn't free for them misses them.
    fn gauge(&mut self) {
        if let Some(frame) = self.gauges.borrow_and_update().clone() {
            self.socket.emit_volatile(packet::event_of("gauges", &*frame));
        }
    }

    /// Sends a packet, waiting while the connection is full: in packets, or in bytes. False when it is closed, or was full
    /// for too long.
    async fn say(&mut self, packet: String) -> bool {
        let mut packet = Str::from(packet);
        let until = Instant::now() + self.rules.patience;
        loop {
            if self.waiting.has_room() {
                let share = packet.clone();
                packet = match self.socket.emit(packet) {
                    Ok(()) => {
                        self.waiting.add(share);
                        return true;
                    }
                    Err(TrySendError::Closed(_)) => return false,
                    Err(TrySendError::Full(packet)) => packet,
                };
            }
            if Instant::now() >= until {
                self.cut_off("it takes nothing");
                return false;
            }
            sleep(ROOM).await;
        }
    }

    fn cut_off(&self, reason: &str) {
        tracing::info!(socket = %self.socket.id, reason, "a Socket.IO client is cut off");
        self.app.shared.counts.cut_off.inc();
    }

    /// Says why the connection ends, and gives it a moment to take that.
    async fn farewell(&mut self) {
        let message =
            "nothing was acknowledged: call the callback that comes with each frame; the connection ends";
        let refusal = ErrorEnvelope::new(&Error::invalid("events", message), self.socket.id.to_string());
        if !self.say(packet::event_of("refused", &refusal)).await {
            return;
        }
        let until = Instant::now() + FAREWELL;
        while !self.waiting.is_empty() && Instant::now() < until {
            sleep(ROOM).await;
            self.waiting.settle();
        }
    }
}
