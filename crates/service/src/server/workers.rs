//! Threads that share the connections of one listener, each with those that it was given for good.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::task::TaskTracker;

use super::{Accept, Held};

/// So many of them. All take from the same queues: who is free takes the next connection, and hands it to who has the fewest.
pub(super) fn crew(
    size: usize,
    accept: &Accept,
    listeners: &[std::net::TcpListener],
) -> io::Result<Vec<Worker>> {
    let (mates, inboxes): (Vec<_>, Vec<_>) = (0..size).map(|_| Mate::new()).unzip();
    let mates: Arc<[Mate]> = mates.into();
    let worker = |inbox| {
        let listeners = listeners.iter().map(std::net::TcpListener::try_clone).collect::<io::Result<_>>()?;
        Ok(Worker { accept: Accept { mates: Arc::clone(&mates), ..accept.clone() }, listeners, inbox })
    };
    inboxes.into_iter().map(worker).collect()
}

/// Hands a connection to the thread that has the fewest; back comes one that there are no threads for.
pub(super) fn hand_over(mates: &[Mate], stream: TcpStream, held: Held) -> Option<(TcpStream, Held)> {
    let Some(mate) = mates.iter().min_by_key(|mate| mate.open.load(Ordering::Relaxed)) else {
        return Some((stream, held));
    };
    let held = Held { _among: Some(Among::new(&mate.open)), ..held };
    match stream.into_std() {
        // Should nobody take it any more, everything is about to stop.
        Ok(stream) => drop(mate.inbox.send((stream, held))),
        Err(error) => tracing::warn!(%error, "a connection could not be handed over"),
    }
    None
}

/// A thread that serves by itself.
pub(super) struct Worker {
    accept: Accept,
    listeners: Vec<std::net::TcpListener>,
    inbox: UnboundedReceiver<Accepted>,
}

impl Worker {
    pub(super) async fn run(self) {
        let Self { accept, listeners, mut inbox } = self;
        let tasks = TaskTracker::new();
        let accept = Accept { tasks: tasks.clone(), ..accept };
        for listener in listeners {
            match TcpListener::from_std(listener) {
                Ok(listener) => {
                    tasks.spawn(accept.clone().run(listener));
                }
                Err(error) => tracing::error!(%error, "a thread can't listen"),
            }
        }
        while let Some(Some((stream, held))) = accept.serving.shutdown.run_until_cancelled(inbox.recv()).await
        {
            match TcpStream::from_std(stream) {
                Ok(stream) => accept.serve(stream, held),
                Err(error) => tracing::warn!(%error, "a connection could not be handed over"),
            }
        }
        tasks.close();
        tasks.wait().await;
    }
}

/// One of the threads that share the connections, as the others see it.
pub(super) struct Mate {
    /// How many it has.
    open: Arc<AtomicUsize>,
    /// Where it is given more.
    inbox: UnboundedSender<Accepted>,
}

/// A connection on its way from one thread to another.
type Accepted = (std::net::TcpStream, Held);

impl Mate {
    fn new() -> (Self, UnboundedReceiver<Accepted>) {
        // As many can lie there as there are places for connections.
        let (inbox, taken) = unbounded_channel();
        (Self { open: Arc::default(), inbox }, taken)
    }
}

/// One connection among those of a thread.
#[derive(Debug)]
pub(super) struct Among(Arc<AtomicUsize>);

impl Among {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for Among {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
