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

/// Subscribers that are told one by one in `/health`; `/metrics` has all.
const TOLD: usize = 10;

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

/// How far subscribers are at `head`, in words: those furthest behind one by one, and how many more there are. None when
/// nobody reads.
pub fn in_words(standings: &[Standing], head: u64) -> Option<String> {
    let mut behind: Vec<_> = standings.iter().map(|it| (head.saturating_sub(it.at), it)).collect();
    // Of two that are as far, the one that came first.
    behind.sort_by_key(|(lag, standing)| (std::cmp::Reverse(*lag), standing.id));
    let told = behind.iter().take(TOLD);
    let told: Vec<_> = told.map(|(lag, it)| format!("{} {} by {lag}", it.kind.as_str(), it.id)).collect();
    let more = behind.len().saturating_sub(TOLD);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    (!told.is_empty()).then(|| format!("{} read; behind by events: {}{more}", behind.len(), told.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(id: u64, kind: Kind, at: u64) -> Standing {
        Standing { id, kind, at }
    }

    #[test]
    fn the_ten_furthest_behind_are_told_one_by_one_and_the_rest_is_counted() {
        assert_eq!(in_words(&[], 7), None);
        let few = [standing(4, Kind::Sse, 100), standing(5, Kind::SocketIo, 40), standing(9, Kind::Rpc, 101)];
        let words = "3 read; behind by events: socket_io 5 by 60, sse 4 by 0, grpc 9 by 0";
        assert_eq!(
            in_words(&few, 100).unwrap(),
            words,
            "one that is ahead of the head that was read is at it"
        );
        let many: Vec<_> = (1..=412).map(|id| standing(id, Kind::SocketIo, 1_000 - id)).collect();
        let words = in_words(&many, 1_000).unwrap();
        assert!(
            words.starts_with("412 read; behind by events: socket_io 412 by 412, socket_io 411 by 411, ")
        );
        assert!(words.ends_with(", socket_io 403 by 403, and 402 more"), "{words}");
    }
}
