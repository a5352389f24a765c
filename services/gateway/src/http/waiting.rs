//! An answer that is held until it is whole, while its client is told that it is worked on.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body as ResponseBody;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, header};
use hyper::body::{Body, Frame};
use pas_dialects::error::in_stream;
use pas_dialects::said;
use pas_types::id::CallId;
use pas_types::invoke::Delivery;
use pas_types::routing::Dialect;
use pas_types::{Error, ErrorCode};
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use super::encode;
use crate::app::App;
use crate::call::{Call, Form};
use crate::pipeline::{self, Passing, Reply};

/// How long the status waits, and between two signs of life then.
const SIGN: Duration = Duration::from_secs(15);

type Coming = Pin<Box<dyn Future<Output = (Call, Reply)> + Send>>;

/// Whether a call's answer is to be held until it is whole.
pub(super) fn is_wanted(app: &App, call: &Call) -> bool {
    pipeline::delivery(app, call) == Delivery::Atomic
}

/// Answers when it is whole; if that takes long, a first sign of life comes before.
pub(super) async fn answer(app: App, call: Call) -> Response {
    let (run_id, form, dialect, request_id) =
        (call.run_id.clone(), call.form, call.dialect, call.request_id.clone());
    let mut coming: Coming = Box::pin(async move {
        let reply = pipeline::run(&app, &call).await;
        (call, reply)
    });
    if let Ok((call, reply)) = tokio::time::timeout(SIGN, &mut coming).await {
        return encode::reply(&call, reply);
    }
    let mut signs = interval_at(tokio::time::Instant::now(), SIGN);
    signs.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let held = Held::Coming { coming, signs };
    response(&run_id, form, Waiting { form, dialect, request_id, held })
}

fn response(run_id: &CallId, form: Form, body: Waiting) -> Response {
    let mut response = Response::new(ResponseBody::new(body));
    let kind = if form == Form::List { "application/json" } else { "text/event-stream" };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    encode::name(response.headers_mut(), run_id, None);
    response
}

struct Waiting {
    form: Form,
    dialect: Dialect,
    request_id: String,
    held: Held,
}

enum Held {
    Coming { coming: Coming, signs: Interval },
    Here(Box<Passing>),
    Last(Bytes),
    Done,
}

impl Body for Waiting {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            match &mut self.held {
                Held::Coming { coming, signs } => {
                    if let Poll::Ready((_, reply)) = coming.as_mut().poll(context) {
                        self.held = self.of(reply);
                        continue;
                    }
                    ready!(signs.poll_tick(context));
                    // A list may have blanks before it.
                    let sign: &[u8] = if self.form == Form::List { b"\n" } else { b": still working\n\n" };
                    return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(sign)))));
                }
                Held::Here(passing) => return Pin::new(&mut **passing).poll_frame(context),
                Held::Last(last) => {
                    let last = std::mem::take(last);
                    self.held = Held::Done;
                    return Poll::Ready(Some(Ok(Frame::data(last))));
                }
                Held::Done => return Poll::Ready(None),
            }
        }
    }
}

impl Waiting {
    fn of(&self, reply: Reply) -> Held {
        let error = match reply {
            Reply::Passing(streaming) => return Held::Here(Box::new(streaming.body)),
            Reply::Refused(refused) => refused.error,
            // A provider's own refusal: its status can't be told any more.
            Reply::Whole(answered) => {
                let said = said::read(&answered.body).unwrap_or_default();
                let message = format!(
                    "the provider refused the request with {}: {}",
                    answered.status.as_u16(),
                    said.message
                );
                Error::new(ErrorCode::UpstreamError, message)
            }
        };
        let event = in_stream(self.dialect, &error, &self.request_id, &Default::default());
        Held::Last(match (self.form, pas_dialects::sse::data(&event)) {
            (Form::List, Some(data)) => [b"[", &*data, b"]"].concat().into(),
            _ => event,
        })
    }
}
