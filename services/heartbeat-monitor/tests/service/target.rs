//! A service that is probed: a tiny HTTP server that answers what the test wants, and counts.

use std::sync::{Arc, Mutex};

use pas_service::Sockets;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The first byte of a caller that wants TLS.
const TLS_HANDSHAKE: u8 = 0x16;

/// The server; it ends when it is dropped.
pub(crate) struct Target {
    port: u16,
    answer: Arc<Mutex<String>>,
    requests: Arc<Mutex<Vec<String>>>,
    _server: JoinSet<()>,
}

impl Target {
    /// Answers each request with `answer`, whole HTTP; an empty one leaves the caller waiting.
    pub(crate) async fn start(answer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = Arc::new(Mutex::new(answer.to_owned()));
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let mut server = JoinSet::new();
        server.spawn(accept(listener, Arc::clone(&answer), Arc::clone(&requests)));
        Self { port, answer, requests, _server: server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on it answers this.
    pub(crate) fn answer(&self, answer: &str) {
        *self.answer.lock().unwrap() = answer.to_owned();
    }

    /// The first lines of all requests.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// A whole answer.
pub(crate) fn http(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

/// A URL at which nobody listens.
pub(crate) fn nobody() -> String {
    format!("http://127.0.0.1:{}", Sockets::loopback().unwrap().port())
}

async fn accept(listener: TcpListener, answer: Arc<Mutex<String>>, requests: Arc<Mutex<Vec<String>>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&answer), Arc::clone(&requests)));
    }
}

async fn serve(mut stream: TcpStream, answer: Arc<Mutex<String>>, requests: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    // A caller that begins with TLS is answered at once: it waits before it says more.
    while head.first() != Some(&TLS_HANDSHAKE) && !head.ends_with(b"\r\n\r\n") {
        match stream.read_buf(&mut head).await {
            Ok(read) if read > 0 => {}
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    requests.lock().unwrap().extend(head.lines().next().map(str::to_owned));
    let answer = answer.lock().unwrap().clone();
    if answer.is_empty() {
        std::future::pending::<()>().await;
    }
    // The caller may have read enough and be gone.
    let _ = stream.write_all(answer.as_bytes()).await;
}
