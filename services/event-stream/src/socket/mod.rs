//! Socket.IO, for npm clients 2.x to 4.x, over the Engine.IO of a library. The few packets of the protocol that are needed
//! are our own: a frame is put together once from the journal's text, and a client that is cut off loses its connection,
//! rather than being told to leave, so that it comes back by itself.

mod packet;
mod pump;
mod waiting;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use engineioxide::config::EngineIoConfig;
use engineioxide::handler::EngineIoHandler;
use engineioxide::service::EngineIoService;
use engineioxide::{DisconnectReason, ProtocolVersion, Socket, Str};
use tokio::sync::mpsc::{Sender, channel};

use crate::app::App;
use crate::config::Config;
use crate::core::window;

use packet::Incoming;
use pump::{Command, Pump};

const PATH: &str = "/socket.io/";
/// Packets that wait for a slow connection; their bytes are bounded too, see [`waiting::BYTES`].
const WAITING: usize = 256;
/// Packets of a client that wait to be looked at; who sends more at once is cut off.
const INBOX: usize = 64;
/// Bytes of a message from a client: a subscription with all its names fits.
const MESSAGE_BYTES: usize = 256 * 1024;
/// A client is asked whether it lives as often, and has as long to answer.
const PING: Duration = Duration::from_secs(10);

/// Adds the Socket.IO endpoint.
pub fn attach(routes: Router, app: App, config: &Config) -> Router {
    let settings = EngineIoConfig::builder()
        .req_path(PATH)
        .ping_interval(PING)
        .ping_timeout(PING)
        .max_buffer_size(WAITING)
        .max_payload(MESSAGE_BYTES as u64)
        .ws_max_message_size(MESSAGE_BYTES)
        .ws_max_frame_size(MESSAGE_BYTES)
        .build();
    let door = Door { app, window: config.window(), pause: Duration::from_millis(config.frame_ms) };
    routes.route_service(PATH, EngineIoService::with_config(Arc::new(door), settings))
}

/// Whom connections come to.
#[derive(Debug)]
struct Door {
    app: App,
    window: window::Rules,
    pause: Duration,
}

/// What belongs to a connection: the way to its pump.
#[derive(Debug, Default)]
struct Link(OnceLock<Sender<Command>>);

impl EngineIoHandler for Door {
    type Data = Link;

    fn on_connect(self: Arc<Self>, socket: Arc<Socket<Link>>) {
        let (inbox, commands) = channel(INBOX);
        // Clients of before version 3 don't ask: to be connected is to be in.
        if socket.protocol == ProtocolVersion::V3 {
            let _ = inbox.try_send(Command::Enter);
        }
        let _ = socket.data.0.set(inbox);
        let pump = Pump::new(self.app.clone(), socket, commands, self.window, self.pause);
        self.app.shared.tasks.spawn(pump.run());
    }

    fn on_disconnect(&self, _: Arc<Socket<Link>>, reason: DisconnectReason) {
        tracing::debug!(?reason, "a Socket.IO client is gone");
    }

    fn on_message(self: &Arc<Self>, message: Str, socket: Arc<Socket<Link>>) {
        let command = match packet::parse(message.as_str()) {
            Ok(Incoming::Connect { namespace: "/" }) => Command::Enter,
            Ok(Incoming::Connect { namespace }) => Command::Elsewhere(namespace.to_owned()),
            Ok(Incoming::Event { name, argument, ack }) if name == "subscribe" => {
                Command::Subscribe { request: argument.unwrap_or("{}").to_owned(), ack }
            }
            // Nothing else is asked for here.
            Ok(Incoming::Event { .. }) => return,
            Ok(Incoming::Ack(number)) => Command::Acknowledged(number),
            Ok(Incoming::Disconnect) => return socket.close(DisconnectReason::TransportClose),
            Err(malformed) => {
                tracing::info!(%malformed, "a Socket.IO client is cut off");
                return socket.close(DisconnectReason::PacketParsingError);
            }
        };
        if socket.data.0.get().is_some_and(|inbox| inbox.try_send(command).is_err()) {
            socket.close(DisconnectReason::TransportClose);
        }
    }

    fn on_binary(self: &Arc<Self>, _: Bytes, socket: Arc<Socket<Link>>) {
        socket.close(DisconnectReason::PacketParsingError);
    }
}
