//! A connection that whoever uses it drives: with each step of the answer, not in a task of its own. What comes is there in
//! the very poll in which it was read, and nobody is switched to and woken for it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::{Bytes, BytesMut};
use futures_util::task::AtomicWaker;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;

use crate::connect::Stream;

/// Bytes of a head.
const HEAD_BYTES: usize = 256 * 1024;

type Driver = http1::Connection<TokioIo<Stream>, Full<Bytes>>;

/// A connection. Dropped, it is closed.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// None once it has ended.
    driver: Option<Pin<Box<Driver>>>,
    bell: Arc<Bell>,
    /// Rings the bell.
    waker: Waker,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

/// Wakes who drives a connection, but for what he does himself meanwhile.
#[derive(Debug, Default)]
struct Bell {
    task: AtomicWaker,
    is_driven: AtomicBool,
    has_rung: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::SeqCst);
        if !self.is_driven.load(Ordering::SeqCst) {
            self.task.wake();
        }
    }
}

impl Connection {
    pub(crate) async fn over(stream: Stream) -> hyper::Result<Self> {
        let handshake = http1::Builder::new().max_buf_size(HEAD_BYTES).handshake(TokioIo::new(stream));
        let (sender, driver) = handshake.await?;
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        Ok(Self { sender, driver: Some(Box::pin(driver)), bell, waker })
    }

    /// Whether a request can be sent now; also notices what the peer has done while nobody looked.
    pub(crate) fn is_ready(&mut self) -> bool {
        self.drive();
        self.driver.is_some() && self.sender.is_ready()
    }

    /// Whether it is of no more use.
    pub(crate) fn is_closed(&self) -> bool {
        self.driver.is_none() || self.sender.is_closed()
    }

    /// Sends a request, and waits for the head of its answer.
    pub(crate) async fn send(mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Answer>> {
        let mut answer = std::pin::pin!(self.sender.send_request(request));
        let (driver, bell, waker) = (&mut self.driver, &self.bell, &self.waker);
        let response = poll_fn(|context| {
            with(bell, context, || {
                drive(driver, waker);
                answer.as_mut().poll(&mut Context::from_waker(waker))
            })
        });
        Ok(response.await?.map(|body| Answer { body, connection: self }))
    }

    fn drive(&mut self) {
        drive(&mut self.driver, &self.waker);
    }
}

fn drive(driver: &mut Option<Pin<Box<Driver>>>, waker: &Waker) {
    let ended = driver.as_mut().map(|driver| driver.as_mut().poll(&mut Context::from_waker(waker)));
    if let Some(Poll::Ready(ended)) = ended {
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection upstream ended");
        }
        *driver = None;
    }
}

/// Looks with `poll`, which drives the connection: what that sets off itself needs to wake nobody. All else that comes
/// meanwhile, as from another thread, does.
fn with<T>(bell: &Bell, context: &Context<'_>, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
    bell.task.register(context.waker());
    bell.is_driven.store(true, Ordering::SeqCst);
    bell.has_rung.store(false, Ordering::SeqCst);
    let polled = poll();
    bell.is_driven.store(false, Ordering::SeqCst);
    if polled.is_pending() && bell.has_rung.load(Ordering::SeqCst) {
        context.waker().wake_by_ref();
    }
    polled
}

/// The body of an answer, and the connection that it comes over. Dropped before its end, the connection is closed.
#[derive(Debug)]
pub struct Answer {
    body: Incoming,
    connection: Connection,
}

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// It broke off.
    #[error("broke off in the middle of its answer")]
    Cut,
    /// It has more than is taken.
    #[error("answered more than is taken")]
    TooLarge,
}

impl Answer {
    /// Reads all of it, of at most `limit` bytes.
    pub async fn read(&mut self, limit: usize) -> Result<Bytes, Unread> {
        // What comes in one piece, as most do, is not copied.
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(frame) = self.frame().await {
            let Ok(data) = frame.map_err(|_| Unread::Cut)?.into_data() else { continue };
            if first.len() + rest.len() + data.len() > limit {
                return Err(Unread::TooLarge);
            }
            if first.is_empty() && rest.is_empty() {
                first = data;
            } else {
                rest.extend_from_slice(&std::mem::take(&mut first));
                rest.extend_from_slice(&data);
            }
        }
        Ok(if rest.is_empty() { first } else { rest.freeze() })
    }

    /// The connection; that the body has come to its end is the caller's word.
    pub(crate) fn into_connection(self) -> Connection {
        // Nobody waits for it any more.
        drop(self.connection.bell.task.take());
        self.connection
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let Self { body, connection: Connection { driver, bell, waker, .. } } = &mut *self;
        // Only who drives the connection brings anything: nobody else need wake who waits for it.
        let mut frame = || Pin::new(&mut *body).poll_frame(&mut Context::from_waker(Waker::noop()));
        with(bell, context, || {
            // That a frame is wanted must be known before more is read.
            if let ready @ Poll::Ready(_) = frame() {
                return ready;
            }
            bell.has_rung.store(false, Ordering::SeqCst);
            drive(driver, waker);
            frame()
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pas_testkit::{Provider, Script};
    use tokio::task::JoinSet;

    use super::*;
    use crate::{Connector, Pool, Root};

    /// In as many threads as there may be: whoever hears of what came is another than who drives the connection then.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn nothing_that_comes_while_a_connection_is_driven_is_missed() {
        let provider = Provider::start().unwrap();
        provider.script(Script { split_bytes: Some(16), chunks: Some(40), ..Script::default() }.forever());
        let root = Root::read(&provider.url()).unwrap();
        let pool = Arc::new(Pool::new(root.origin, Connector::default()));
        let mut calls = JoinSet::new();
        for _ in 0..32 {
            let pool = Arc::clone(&pool);
            calls.spawn(async move {
                for _ in 0..20 {
                    let body = r#"{"model":"scripted-1","stream":true,"messages":[]}"#;
                    let request = || {
                        Request::post("/v1/chat/completions").body(Full::from(body)).map_err(drop).unwrap()
                    };
                    let sent = pool.send(request(), || Some(request()), true, Duration::from_secs(30));
                    let mut answer = sent.await.unwrap().response.into_body();
                    let mut text = Vec::new();
                    while let Some(frame) = answer.frame().await {
                        text.extend_from_slice(&frame.unwrap().into_data().unwrap());
                    }
                    assert!(text.ends_with(b"data: [DONE]\n\n"));
                    pool.give_back(answer);
                }
            });
        }
        let all = tokio::time::timeout(pas_testkit::PATIENCE, calls.join_all()).await;
        assert_eq!(all.map(|all| all.len()), Ok(32));
    }

    #[tokio::test]
    async fn a_connection_that_was_closed_while_it_was_kept_is_noticed() {
        let provider = Provider::start().unwrap();
        let root = Root::read(&provider.url()).unwrap();
        let pool = Pool::new(root.origin, Connector::default());
        let ask = async || {
            let request = Request::get("/v1/models").body(Full::default()).unwrap();
            let sent = pool.send(request, || None, true, Duration::from_secs(30)).await.unwrap();
            let mut answer = sent.response.into_body();
            while answer.frame().await.is_some() {}
            pool.give_back(answer);
            (sent.connect.is_some(), provider.accepted())
        };
        assert_eq!((ask().await, ask().await), ((true, 1), (false, 1)));
        pool.shed();
        assert_eq!(pool.kept(), 1);
        provider.close_idle();
        pas_testkit::until("it is shed", async || {
            pool.shed();
            (pool.kept() == 0).then_some(())
        })
        .await;
        assert_eq!(ask().await, (true, 2));
    }
}
