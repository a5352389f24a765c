//! A stream on its way to the client. Its end mark waits until the receipt is written; what breaks off ends with an error
//! in the client's own dialect, never with the end mark.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};
use pas_dialects::error::in_stream;
use pas_types::event::CallStatus;
use pas_types::routing::Dialect;
use pas_types::{Error, ErrorCode};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::attempt::{Begun, Trace};
use super::flow::{Flow, Step};
use crate::call::Call;
use crate::core::breaker::Blame;
use crate::core::fault::Fault;
use crate::lane::{Lane, Trial};
use crate::ledger::Ledger;
use crate::receipts::Settled;

/// How long the end of a body may come behind the end mark of what is in it.
const LAST_PIECE: Duration = Duration::from_secs(1);
/// How long an answer is read on whose client has gone, where the policy wants that.
const DRAIN: Duration = Duration::from_secs(600);

/// The body of an answer that is passed on as it comes.
pub struct Passing(Option<Stream>);

impl std::fmt::Debug for Passing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passing")
    }
}

struct Stream {
    flow: Flow,
    lane: Arc<Lane>,
    choice: pas_routing::Choice,
    trial: Option<Trial>,
    trace: Trace,
    ledger: Ledger,
    /// The client's dialect, and the id that its errors name.
    dialect: Dialect,
    request_id: String,
    /// What goes out next.
    out: VecDeque<Bytes>,
    state: State,
    /// When something last came, and how long the next may take.
    heard: Instant,
    between: Duration,
    deadline: Instant,
    by_caller: bool,
    drain: bool,
    /// The client has left, and it is read on for nobody.
    left: bool,
    /// When the journal has to know that it is under way; none once it does.
    tell: Option<Instant>,
    timer: Pin<Box<Sleep>>,
    cancelled: Pin<Box<WaitForCancellationFutureOwned>>,
}

enum State {
    /// It flows.
    Flowing,
    /// Its end is here; more may come behind it.
    Ending { last: Vec<Bytes> },
    /// The receipt is being written; then this goes out.
    Settling { settled: Settled, last: Vec<Bytes> },
    /// All of it has gone out.
    Ended,
}

/// What happens to a stream.
enum Heard {
    /// An event is here.
    Step(Step),
    /// Nothing that matters.
    Nothing,
    /// What came is not as it should be.
    Wrong(Fault),
    /// Nothing more comes.
    NoMore(Fault),
    /// An operator wants it to end.
    Cancelled,
}

impl Passing {
    pub(super) fn new(call: &Call, begun: Begun, mut ledger: Ledger) -> Self {
        let Begun {
            lane, choice, flow, held, end, trial, trace, timeouts, deadline, by_caller, drain, ..
        } = begun;
        let heard = Instant::now();
        if let Some(content) = &mut ledger.content {
            held.iter().for_each(|piece| content.answer(piece));
        }
        let deadline = deadline.min(trace.begun() + timeouts.call);
        let cancelled = Box::pin(ledger.flight.cancel.clone().cancelled_owned());
        let tell = ledger.tell_when_due().map(|left| heard + left);
        let rings = tell.unwrap_or(deadline).min(deadline).min(heard + timeouts.between_tokens);
        let mut stream = Stream {
            flow,
            lane,
            choice,
            trial: Some(trial),
            trace,
            ledger,
            dialect: call.dialect,
            request_id: call.request_id.clone(),
            out: held.into(),
            state: State::Flowing,
            heard,
            between: timeouts.between_tokens,
            deadline,
            by_caller,
            drain,
            left: false,
            tell,
            timer: Box::pin(sleep_until(rings)),
            cancelled,
        };
        if let Some(end) = end {
            stream.end(end);
        }
        Self(Some(stream))
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(stream) = &mut self.0 else { return Poll::Ready(None) };
        let next = ready!(stream.poll_next(context));
        if next.is_none() {
            self.0 = None;
        }
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        // The client has left in the middle.
        let Some(mut stream) = self.0.take() else { return };
        if !matches!(stream.state, State::Flowing | State::Ending { .. }) {
            return;
        }
        if stream.drain {
            stream.left = true;
            stream.ledger.note("the client left; the answer was read on, as the policy says");
            let tasks = stream.ledger.tasks();
            tasks.spawn(async move {
                let _ = tokio::time::timeout(DRAIN, stream.read_on()).await;
            });
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.trial.is_some() {
            self.trace.follow(&self.flow);
            let ended = self.trace.ended("cancelled", Some(self.trace.assumed()), None);
            self.ledger.attempt(&self.choice, &self.lane, ended);
            self.ledger.resolved(&self.choice, &self.lane, self.flow.meter.model.as_deref());
        }
    }
}

impl Stream {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(bytes) = self.out.pop_front() {
                return Poll::Ready(Some(bytes));
            }
            match &mut self.state {
                State::Flowing | State::Ending { .. } => match ready!(self.poll_flow(context)) {
                    Heard::Step(step) => self.take(step),
                    Heard::Nothing => {}
                    Heard::Wrong(fault) => self.fail(fault),
                    Heard::NoMore(fault) => self.body_ended(fault),
                    Heard::Cancelled => self.cancel(),
                },
                State::Settling { settled, last } => {
                    let written = ready!(Pin::new(settled).poll(context));
                    let last = std::mem::take(last);
                    match written {
                        Ok(_) => self.out.extend(last.into_iter().filter(|bytes| !bytes.is_empty())),
                        Err(unavailable) => {
                            let error = self.last_word(&unavailable.into());
                            self.out.extend([error, self.flow.closing()]);
                        }
                    }
                    self.state = State::Ended;
                }
                State::Ended => {
                    self.keep_connection();
                    return Poll::Ready(None);
                }
            }
        }
    }

    /// Waits for the next thing that happens.
    fn poll_flow(&mut self, context: &mut Context<'_>) -> Poll<Heard> {
        match self.flow.step() {
            Ok(Some(step)) => return Poll::Ready(Heard::Step(step)),
            Ok(None) => {}
            Err(fault) => return Poll::Ready(Heard::Wrong(fault)),
        }
        match self.flow.poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    self.heard = Instant::now();
                    self.flow.push(data);
                }
                Poll::Ready(Heard::Nothing)
            }
            Poll::Ready(Some(Err(_))) => Poll::Ready(Heard::NoMore(Fault::Cut)),
            Poll::Ready(None) => {
                if let Some(answer) = self.flow.rest() {
                    self.lane.pool.give_back(answer);
                }
                Poll::Ready(Heard::NoMore(self.flow.broke_off()))
            }
            Poll::Pending if self.cancelled.as_mut().poll(context).is_ready() => {
                Poll::Ready(Heard::Cancelled)
            }
            Poll::Pending => self.poll_silence(context),
        }
    }

    /// Looks whether it has been silent for too long. The timer is set anew only when it rings, not with each piece.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<Heard> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            let now = Instant::now();
            if self.tell.is_some_and(|at| now >= at) {
                self.tell = self.ledger.tell_when_due().map(|left| now + left);
            }
            if now >= self.deadline {
                let by_caller = self.by_caller;
                return Poll::Ready(Heard::NoMore(Fault::Deadline { by_caller }));
            }
            if now >= self.heard + self.between {
                return Poll::Ready(Heard::NoMore(Fault::Stalled));
            }
            let rings = self.deadline.min(self.heard + self.between);
            self.timer.as_mut().reset(self.tell.map_or(rings, |at| at.min(rings)));
        }
    }

    fn take(&mut self, step: Step) {
        let (bytes, has_content) = match step {
            Step::Pass(bytes, has_content) => (bytes, has_content),
            Step::Skip => return,
            Step::End(bytes) => return self.end(bytes),
        };
        self.note(&bytes);
        match &mut self.state {
            // It was not the end after all.
            State::Ending { last } if has_content => {
                self.out.extend(last.drain(..));
                self.out.push_back(bytes);
                self.state = State::Flowing;
            }
            State::Ending { last } => last.push(bytes),
            _ if bytes.is_empty() => {}
            _ => self.out.push_back(bytes),
        }
    }

    /// Its end has come: it is whole. Where more may come behind it, it is when the body ends as it should.
    fn end(&mut self, event: Bytes) {
        self.note(&event);
        if !self.flow.goes_on_behind_its_end() {
            return self.whole(vec![event]);
        }
        match &mut self.state {
            State::Ending { last } => {
                self.out.extend(last.drain(..));
                last.push(event);
            }
            _ => self.state = State::Ending { last: vec![event] },
        }
    }

    /// Keeps of what is passed on as much as the receipt tells.
    fn note(&mut self, bytes: &[u8]) {
        if let Some(content) = &mut self.ledger.content {
            content.answer(bytes);
        }
    }

    /// Nothing more comes from upstream.
    fn body_ended(&mut self, fault: Fault) {
        match std::mem::replace(&mut self.state, State::Flowing) {
            State::Ending { last } if fault == Fault::NoEnd => self.whole(last),
            State::Ending { last } => {
                self.out.extend(last);
                self.fail(fault);
            }
            state => {
                self.state = state;
                self.fail(fault);
            }
        }
    }

    fn whole(&mut self, mut last: Vec<Bytes>) {
        self.trace.follow(&self.flow);
        if let Some(trial) = self.trial.take() {
            self.ledger.news(&self.lane, trial.end(Blame::Success));
        }
        let usage = self.trace.assumed_unless_told();
        self.ledger.attempt(&self.choice, &self.lane, self.trace.ended("ok", Some(usage), None));
        self.ledger.resolved(&self.choice, &self.lane, self.flow.meter.model.as_deref());
        last.push(self.flow.closing());
        self.settle(if self.left { CallStatus::Cancelled } else { CallStatus::Ok }, None, last);
    }

    fn fail(&mut self, fault: Fault) {
        self.let_go();
        self.trace.follow(&self.flow);
        let name = &self.lane.name;
        let error = match fault {
            Fault::Deadline { .. } => Error::new(
                ErrorCode::UpstreamTimeout,
                format!("the call's time is over; {name} had not come to its end"),
            ),
            Fault::Stalled => {
                let seconds = self.between.as_secs_f64();
                Error::new(
                    ErrorCode::UpstreamTimeout,
                    format!("{name} was silent for {seconds} s in the middle of its answer"),
                )
            }
            Fault::Garbage => {
                Error::new(ErrorCode::UpstreamError, format!("{name} went on with what can't be read"))
            }
            Fault::TooLarge => {
                Error::new(ErrorCode::UpstreamError, format!("{name} sent an event larger than is taken"))
            }
            Fault::Inside(_) => {
                Error::new(ErrorCode::UpstreamError, format!("{name} broke its answer off with an error"))
            }
            _ => {
                Error::new(ErrorCode::UpstreamError, format!("{name} broke off in the middle of its answer"))
            }
        };
        if let Some(trial) = self.trial.take() {
            self.ledger.news(&self.lane, trial.end(fault.verdict().blame));
        }
        let ended = self.trace.ended(fault.word(), Some(self.trace.assumed()), Some(error.message.clone()));
        self.ledger.attempt(&self.choice, &self.lane, ended);
        self.ledger.resolved(&self.choice, &self.lane, self.flow.meter.model.as_deref());
        let last = self.last_word(&error);
        let closing = self.flow.closing();
        self.settle(CallStatus::Cut, Some(&error), vec![last, closing]);
    }

    fn cancel(&mut self) {
        self.let_go();
        self.trace.follow(&self.flow);
        drop(self.trial.take());
        let ended = self.trace.ended("cancelled", Some(self.trace.assumed()), None);
        self.ledger.attempt(&self.choice, &self.lane, ended);
        self.ledger.resolved(&self.choice, &self.lane, self.flow.meter.model.as_deref());
        let (status, error) = self.ledger.flight.ended(true);
        let last = self.last_word(&error);
        let closing = self.flow.closing();
        self.settle(status, Some(&error), vec![last, closing]);
    }

    fn last_word(&mut self, error: &Error) -> Bytes {
        let event = in_stream(self.dialect, error, &self.request_id, &self.flow.meter.spoken());
        self.flow.own(event)
    }

    fn settle(&mut self, status: CallStatus, error: Option<&Error>, last: Vec<Bytes>) {
        self.state = match self.ledger.settle(status, error) {
            Some(settled) => State::Settling { settled, last },
            None => State::Ended,
        };
    }

    /// Keeps the connection when the answer has been read to its very end, which may come a moment behind its end mark. The
    /// client need not wait for that.
    fn keep_connection(&mut self) {
        let (Some(mut rest), pool) = (self.flow.rest(), Arc::clone(&self.lane.pool)) else { return };
        // Mostly it is here.
        if let Some(None) = rest.frame().now_or_never() {
            return pool.give_back(rest);
        }
        self.ledger.tasks().spawn(async move {
            let end = tokio::time::timeout(LAST_PIECE, rest.frame()).await;
            if matches!(end, Ok(None)) {
                pool.give_back(rest);
            }
        });
    }

    /// Ends what is still to come from upstream, at once.
    fn let_go(&mut self) {
        drop(self.flow.rest());
    }

    /// Reads on, for nobody but the receipt.
    async fn read_on(&mut self) {
        while std::future::poll_fn(|context| self.poll_next(context)).await.is_some() {}
    }
}
