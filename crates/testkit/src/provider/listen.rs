//! Accepts connections, and stops and starts doing so.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection;
use super::shared::Shared;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: u32 = 4096;

/// Listens on a port of 127.0.0.1; 0 is a free one.
pub(super) fn listen(port: u16) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.listen(BACKLOG)
}

/// Accepts until the shutdown. Whenever nobody is to listen, the port is closed, and every connection.
pub(super) async fn accept(
    listener: TcpListener,
    port: u16,
    shared: Arc<Shared>,
    shutdown: CancellationToken,
) {
    let mut wanted = shared.wanted.subscribe();
    let mut listener = Some(listener);
    while !shutdown.is_cancelled() {
        let (tasks, stop) = (TaskTracker::new(), shutdown.child_token());
        if let Some(listener) = listener.take() {
            while *wanted.borrow_and_update() {
                tokio::select! {
                    accepted = listener.accept() => {
                        if let Ok((stream, _)) = accepted {
                            spawn(stream, &shared, &tasks, &stop);
                        }
                    }
                    _ = wanted.changed() => {}
                    () = shutdown.cancelled() => break,
                }
            }
        }
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        shared.listening.send_replace(false);
        tokio::select! {
            () = again(&shared) => {}
            () = shutdown.cancelled() => return,
        }
        // Somebody else may have the port; who waits for it to be open will say so.
        listener = listen(port).ok();
        shared.listening.send_replace(listener.is_some());
    }
}

/// Waits until somebody is to listen again.
async fn again(shared: &Shared) {
    let (mut wanted, mut at) = (shared.wanted.subscribe(), shared.reopen_at.subscribe());
    loop {
        let due = *at.borrow_and_update();
        tokio::select! {
            _ = wanted.wait_for(|wanted| *wanted) => return,
            _ = at.changed() => {}
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                shared.reopen_at.send_replace(None);
                shared.wanted.send_replace(true);
            }
        }
    }
}

fn spawn(stream: TcpStream, shared: &Arc<Shared>, tasks: &TaskTracker, stop: &CancellationToken) {
    // What can't be set is no reason to refuse a client.
    drop(stream.set_nodelay(true));
    let number = shared.accepted.fetch_add(1, Ordering::Relaxed);
    shared.open.send_modify(|open| *open += 1);
    let (shared, stop) = (Arc::clone(shared), stop.clone());
    tasks.spawn(async move {
        stop.run_until_cancelled(connection::serve(stream, number, Arc::clone(&shared))).await;
        shared.open.send_modify(|open| *open -= 1);
    });
}
