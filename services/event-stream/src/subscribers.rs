//! Who reads the stream, and how far each has come.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How a subscriber is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Socket.IO.
    SocketIo,
    /// Server-sent events.
    Sse,
    /// gRPC.
    Rpc,
}

impl Kind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SocketIo => "socket_io",
            Self::Sse => "sse",
            Self::Rpc => "grpc",
        }
    }
}

/// All subscribers.
#[derive(Debug, Default)]
pub struct Subscribers {
    all: Mutex<BTreeMap<u64, Arc<Subscriber>>>,
    next: AtomicU64,
}

#[derive(Debug)]
struct Subscriber {
    kind: Kind,
    at: AtomicU64,
}

/// One subscriber on the list, until it is dropped.
#[derive(Debug)]
pub struct Listed {
    app: crate::app::App,
    id: u64,
    subscriber: Arc<Subscriber>,
}

/// One subscriber as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its number.
    pub id: u64,
    /// How it is connected.
    pub kind: Kind,
    /// The place up to which it was sent everything.
    pub at: u64,
}

impl Listed {
    /// Puts a subscriber on the list.
    pub fn new(app: &crate::app::App, kind: Kind, at: u64) -> Self {
        let subscribers = &app.shared.subscribers;
        let id = subscribers.next.fetch_add(1, Ordering::Relaxed) + 1;
        let subscriber = Arc::new(Subscriber { kind, at: AtomicU64::new(at) });
        subscribers.lock().insert(id, Arc::clone(&subscriber));
        Self { app: app.clone(), id, subscriber }
    }

    /// It was sent everything up to here.
    pub fn is_at(&self, at: u64) {
        self.subscriber.at.store(at, Ordering::Relaxed);
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.app.shared.subscribers.lock().remove(&self.id);
    }
}

impl Subscribers {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Arc<Subscriber>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Each of them.
    pub fn standings(&self) -> Vec<Standing> {
        let all = self.lock();
        let standing = |(id, subscriber): (&u64, &Arc<Subscriber>)| Standing {
            id: *id,
            kind: subscriber.kind,
            at: subscriber.at.load(Ordering::Relaxed),
        };
        all.iter().map(standing).collect()
    }
}
