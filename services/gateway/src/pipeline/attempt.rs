//! One attempt to have a call answered by one candidate.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use pas_dialects::said::{Meaning, Said};
use pas_routing::{Candidate, Choice, Timeouts};
use pas_types::event::CallUsage;
use pas_types::routing::Dialect;
use tokio::time::Instant;

use super::exchange::{Exchanged, exchange};
use super::flow::Flow;
use super::whole::AsIs;
use super::{Outcome, Way};
use crate::call::Handed;
use crate::core::breaker::Blame;
use crate::core::fault::Fault;
use crate::lane::{Lane, Trial};
use crate::ledger::{Ended, Ledger, assumed};

/// An attempt that failed.
#[derive(Debug)]
pub(super) struct Failed {
    /// What went wrong.
    pub(super) fault: Fault,
    /// What was said of it.
    pub(super) said: Option<Said>,
    /// The provider's own answer, where it may be the caller's business.
    pub(super) as_is: Option<AsIs>,
    /// What the system said.
    pub(super) detail: Option<String>,
}

impl Failed {
    pub(super) fn of(fault: Fault) -> Box<Self> {
        Box::new(Self { fault, said: None, as_is: None, detail: None })
    }

    pub(super) fn saying(fault: Fault, detail: String) -> Box<Self> {
        Box::new(Self { fault, said: None, as_is: None, detail: Some(detail) })
    }

    /// What happened, behind the name of whom it happened with.
    pub(super) fn in_words(&self) -> String {
        let said =
            self.said.as_ref().map(|said| if said.message.is_empty() { &said.kind } else { &said.message });
        // A provider that refuses a credential may repeat parts of it.
        let said = said.filter(|said| !said.is_empty() && self.fault.credential_out().is_none());
        let what = match self.fault {
            Fault::Unreachable => "can't be reached".to_owned(),
            Fault::ConnectTimeout => "can't be reached in time".to_owned(),
            Fault::Reset => "broke the connection off before it answered".to_owned(),
            Fault::Status { meaning: Meaning::Credential, status, .. } => {
                format!("refuses its credential with {status}")
            }
            Fault::Status { meaning: Meaning::Spent, status, .. } => {
                format!("says with {status} that nothing is left to spend")
            }
            Fault::Status { status, .. } => format!("answered {status}"),
            Fault::WrongType => "answered with another content type than JSON or events".to_owned(),
            Fault::Garbage => "answered what can't be read".to_owned(),
            Fault::Empty => "answered nothing".to_owned(),
            Fault::Inside(_) => "answered with an error in spite of its status".to_owned(),
            Fault::TooLarge => "answered more than is taken".to_owned(),
            Fault::FirstToken => "did not begin to answer in time".to_owned(),
            Fault::Stalled => "fell silent in the middle of its answer".to_owned(),
            Fault::Cut => "broke off in the middle of its answer".to_owned(),
            Fault::NoEnd => "ended its answer without its end mark".to_owned(),
            Fault::Filtered => "refused the content".to_owned(),
            Fault::Limited => "may not be called so often".to_owned(),
            Fault::Held => "failed too often, and is left alone for a while".to_owned(),
            Fault::Deadline { .. } => "had not answered by then".to_owned(),
        };
        match said.map(String::as_str).or(self.detail.as_deref()) {
            Some(more) => format!("{what}: {more}"),
            None => what,
        }
    }
}

/// A stream whose first content is here; of an atomic delivery, all of it.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) headers: HeaderMap,
    pub(super) lane: Arc<Lane>,
    pub(super) choice: Choice,
    pub(super) flow: Flow,
    /// What is here and yet to be passed on.
    pub(super) held: Vec<Bytes>,
    /// The end, if that is here too.
    pub(super) end: Option<Bytes>,
    pub(super) trial: Trial,
    pub(super) trace: Trace,
    pub(super) timeouts: Timeouts,
    pub(super) deadline: Instant,
    pub(super) by_caller: bool,
    pub(super) drain: bool,
}

/// What is known of an attempt while it goes on.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    begun: Instant,
    pub(super) http_status: Option<u16>,
    pub(super) connect: Option<Duration>,
    pub(super) first_byte: Option<Duration>,
    /// Some of the request may have gone out.
    pub(super) sent: bool,
    pub(super) told: Option<CallUsage>,
    pub(super) content_bytes: u64,
    input_estimate: u64,
}

impl Trace {
    /// How it ended.
    pub(super) fn ended(
        &self,
        outcome: impl Into<Cow<'static, str>>,
        usage: Option<CallUsage>,
        error: Option<String>,
    ) -> Ended {
        Ended {
            outcome: outcome.into(),
            http_status: self.http_status,
            connect: self.connect,
            first_byte: self.first_byte,
            total: self.begun.elapsed(),
            usage,
            error: error.map(String::into_boxed_str),
        }
    }

    /// When it began.
    pub(super) fn begun(&self) -> Instant {
        self.begun
    }

    /// What an answer that is whole used: as was told, and only where nothing was as it is assumed.
    pub(super) fn assumed_unless_told(&self) -> CallUsage {
        self.told.unwrap_or_else(|| self.assumed())
    }

    /// What it may have used.
    pub(super) fn assumed(&self) -> CallUsage {
        assumed(self.told, self.input_estimate, self.content_bytes)
    }

    /// Notes what a stream has said so far.
    pub(super) fn follow(&mut self, flow: &Flow) {
        self.told = flow.meter.usage;
        self.content_bytes = flow.meter.content_bytes;
    }
}

/// An attempt under way. Dropped, it was given up: its client has left.
pub(super) struct Underway<'a> {
    pub(super) ledger: &'a mut Ledger,
    choice: &'a Choice,
    lane: &'a Arc<Lane>,
    trial: Option<Trial>,
    pub(super) trace: Trace,
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        if self.trial.take().is_some() {
            let usage = self.trace.sent.then(|| self.trace.assumed());
            let ended = self.trace.ended("cancelled", usage, None);
            self.ledger.attempt(self.choice, self.lane, ended);
        }
    }
}

/// Has the call answered by this candidate.
pub(super) async fn attempt(
    way: &Way<'_>,
    choice: &Choice,
    lane: &Arc<Lane>,
    ledger: &mut Ledger,
) -> Result<Outcome, Box<Failed>> {
    ledger.flight.asks(&lane.name, &lane.model);
    if let Handed::Text { instruction: Some(instruction), .. } = &way.call.body
        && choice.dialect != Dialect::Pas
    {
        ledger.note(format!("{} was told before the text: {instruction}", lane.name));
    }
    let trace = Trace {
        begun: Instant::now(),
        http_status: None,
        connect: None,
        first_byte: None,
        sent: false,
        told: None,
        content_bytes: 0,
        input_estimate: way.call.asked.input_estimate,
    };
    // What was planned may have been overtaken by others' calls.
    let trial = lane.begin(way.anyway).ok_or_else(|| Failed::of(Fault::Held))?;
    let model = &candidate(way, choice)?.model_id;
    match way.app.take_limit(None, Some(&lane.name), Some(model), way.call.asked.input_estimate) {
        Ok(Some(grant)) => ledger.took_of_candidate(&lane.name, model, grant),
        Ok(None) => {}
        Err(_) => return Err(Failed::of(Fault::Limited)),
    }
    let mut underway = Underway { ledger, choice, lane, trial: Some(trial), trace };
    let exchanged = exchange(way, choice, lane, &mut underway).await;
    let Some(trial) = underway.trial.take() else { return Err(Failed::of(Fault::Reset)) };
    let trace = underway.trace.clone();
    drop(underway);
    match exchanged {
        Ok(Exchanged::Whole(whole, usage)) => {
            way.app.news(lane, trial.end(Blame::Success));
            let usage = usage.or_else(|| is_metered(way, choice).then(|| trace.assumed_unless_told()));
            ledger.attempt(choice, lane, trace.ended("ok", usage, None));
            ledger.resolved(choice, lane, whole.model.as_deref());
            if let Some(content) = &mut ledger.content {
                content.whole_answer(&whole.whole.body);
            }
            Ok(Outcome::Whole(Box::new(whole.whole)))
        }
        Ok(Exchanged::Stream(headers, flow, held, end)) => {
            ledger.first_token();
            let (trial, news) = trial.answers();
            way.app.news(lane, news);
            Ok(Outcome::Stream(Box::new(Begun {
                headers,
                lane: Arc::clone(lane),
                choice: *choice,
                flow: *flow,
                held,
                end,
                trial,
                trace,
                timeouts: way.rules.timeouts(way.snapshot.table(), candidate(way, choice)?),
                deadline: way.deadline,
                by_caller: way.by_caller,
                drain: way.rules.drain,
            })))
        }
        Err(failed) => {
            way.app.news(lane, trial.end(failed.fault.verdict().blame));
            let may_be_billed = trace.sent && is_metered(way, choice) && is_billable(failed.fault);
            let usage = may_be_billed.then(|| trace.assumed());
            ledger.attempt(choice, lane, trace.ended(failed.fault.word(), usage, Some(failed.in_words())));
            Err(failed)
        }
    }
}

/// Who is asked.
pub(super) fn candidate<'a>(way: &'a Way<'_>, choice: &Choice) -> Result<&'a Candidate, Box<Failed>> {
    way.snapshot.fleet.candidate(choice.index).ok_or_else(|| Failed::of(Fault::Unreachable))
}

/// Whether tokens are used at all.
fn is_metered(way: &Way<'_>, choice: &Choice) -> bool {
    choice.dialect != Dialect::Pas && !way.call.operation.is_count()
}

/// Whether a provider may want money for an attempt that ended so.
fn is_billable(fault: Fault) -> bool {
    !matches!(
        fault,
        Fault::Unreachable | Fault::ConnectTimeout | Fault::Limited | Fault::Held | Fault::Status { .. }
    )
}
