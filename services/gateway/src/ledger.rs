//! What the receipt of one call will say, gathered while the call goes on. Whatever becomes of the call, one receipt is
//! written: also when the client leaves and all of this is dropped.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use pas_dialects::usage;
use pas_routing::limiter::{Amount, Grant};
use pas_routing::{Candidate, Choice, Plan};
use pas_service::clock;
use pas_types::Error;
use pas_types::event::{CallCost, CallStatus, CallUsage, CostState};
use pas_types::money::NanoUsd;
use pas_types::receipt::{
    Attempt, AttemptTimings, Candidate as Listed, Cost, Failure, Millis, PolicyUsed, Resolved, RoutingReceipt,
};
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::core::breaker::News;
use crate::inflight;
use crate::lane::Lane;
use crate::receipts::content::Meter;
use crate::receipts::{Opened, Settled, Unavailable};
use crate::snapshot::Snapshot;

/// The record of one call.
pub struct Ledger {
    app: App,
    snapshot: Arc<Snapshot>,
    receipt: Option<Box<RoutingReceipt>>,
    /// When the call came in, on the monotonic clock.
    came: Duration,
    upstream: Duration,
    answers: Option<Arc<Lane>>,
    grants: Vec<Taken>,
    /// What is asked and answered, as far as it is kept.
    pub content: Option<Meter>,
    /// The call on the list of those under way.
    pub flight: inflight::Listed,
}

/// What was taken of a limit, for whom.
struct Taken {
    caller: Option<Arc<str>>,
    candidate: Option<(Arc<str>, Arc<str>)>,
    /// The number of the attempt that it was taken for.
    attempt: usize,
    grant: Grant,
}

/// One attempt, as it ended.
#[derive(Debug)]
pub struct Ended {
    /// In a word.
    pub outcome: Cow<'static, str>,
    /// The status that was answered.
    pub http_status: Option<u16>,
    /// Until there was a connection.
    pub connect: Option<Duration>,
    /// Until the first byte.
    pub first_byte: Option<Duration>,
    /// All of it.
    pub total: Duration,
    /// What it took; none where nothing is billed.
    pub usage: Option<CallUsage>,
    /// What it said, where it failed.
    pub error: Option<Box<str>>,
}

impl Ledger {
    /// Begins.
    pub fn new(
        app: App,
        snapshot: Arc<Snapshot>,
        receipt: Box<RoutingReceipt>,
        came: Duration,
        flight: inflight::Listed,
    ) -> Self {
        Self {
            app,
            snapshot,
            receipt: Some(receipt),
            came,
            upstream: Duration::ZERO,
            answers: None,
            grants: Vec::new(),
            content: None,
            flight,
        }
    }

    fn write(&mut self, change: impl FnOnce(&mut RoutingReceipt)) {
        if let Some(receipt) = &mut self.receipt {
            change(receipt);
        }
    }

    /// The policy that chooses.
    pub fn policy(&mut self, name: &str) {
        let policy = PolicyUsed { name: name.into(), version: Some(Arc::clone(&self.snapshot.policies)) };
        self.write(|receipt| receipt.policy = Some(policy));
    }

    /// Who could answer, and who not.
    pub fn plan(&mut self, plan: &Plan, took: Duration) {
        let snapshot = Arc::clone(&self.snapshot);
        let names = |index: u32, candidate: &Candidate| {
            let lane = snapshot.lane(index);
            let name =
                lane.map_or_else(|| candidate.service.name.as_str().into(), |lane| Arc::clone(&lane.name));
            (candidate.service.service_id, name, Arc::clone(&candidate.model))
        };
        let row = |index: u32, score: Option<f32>, excluded: Option<&str>| {
            let candidate = snapshot.fleet.candidate(index)?;
            let (service_id, name, model) = names(index, candidate);
            let excluded = excluded.map(|reason| Cow::Owned(reason.to_owned()));
            Some(Listed { service_id: Some(service_id), name, model, score, excluded })
        };
        let chosen = plan.choices.iter().filter_map(|choice| row(choice.index, Some(choice.score), None));
        let others = plan.excluded.iter().filter_map(|other| row(other.index, None, Some(&other.reason)));
        let candidates: Vec<_> = chosen.chain(others).take(pas_types::limits::CANDIDATES).collect();
        let counts = plan.counts.iter().map(|(code, count)| (Cow::Borrowed(code.as_str()), count)).collect();
        self.write(|receipt| {
            receipt.candidates = candidates;
            receipt.excluded_counts = pas_types::receipt::ExcludedCounts(counts);
            receipt.timings_ms.discovery = Some(took.into());
        });
    }

    /// Something worth knowing.
    pub fn note(&mut self, note: impl Into<Cow<'static, str>>) {
        let note = note.into();
        self.write(|receipt| receipt.notes.push(note));
    }

    /// A limit was drawn on, for the caller.
    pub fn took_of_caller(&mut self, caller: Option<&str>, grant: Grant) {
        self.grants.push(Taken { caller: caller.map(Arc::from), candidate: None, attempt: 0, grant });
    }

    /// A limit was drawn on, for a candidate.
    pub fn took_of_candidate(&mut self, service: &Arc<str>, model: &Arc<str>, grant: Grant) {
        let candidate = Some((Arc::clone(service), Arc::clone(model)));
        let attempt = self.receipt.as_ref().map_or(0, |receipt| receipt.attempts.len());
        self.grants.push(Taken { caller: None, candidate, attempt, grant });
    }

    /// Says that the call goes on upstream, so that it is known to have been open if the gateway dies. Answers what the journal
    /// is told when it turns out to be long, unless it is told of every call at once.
    pub fn open(&self) -> Result<Option<Opened>, Unavailable> {
        let Some(opened) = self.opened() else { return Ok(None) };
        let receipts = self.app.receipts();
        receipts.begin(opened.run_id.clone())?;
        if !receipts.open_after().is_zero() {
            return Ok(Some(opened));
        }
        receipts.tell_of(opened);
        Ok(None)
    }

    fn opened(&self) -> Option<Opened> {
        let receipt = self.receipt.as_ref()?;
        Some(Opened {
            run_id: receipt.run_id.clone(),
            ts: receipt.ts,
            agent: receipt.agent.clone(),
            agent_run_id: receipt.agent_run_id.clone(),
            route: receipt.route.clone(),
            budget: receipt.budget.clone(),
            target_request: receipt.target_request.clone(),
            asked: self.flight.asked(),
        })
    }

    /// How long until the journal has to know that the call is open; none if it has been told by now.
    pub fn tell_when_due(&self) -> Option<Duration> {
        let left = self.app.receipts().open_after().checked_sub(clock::monotonic().saturating_sub(self.came));
        let left = left.filter(|left| !left.is_zero());
        if let (None, Some(opened)) = (left, self.opened()) {
            self.app.receipts().tell_of(opened);
        }
        left
    }

    /// An attempt ended.
    pub fn attempt(&mut self, choice: &Choice, lane: &Lane, ended: Ended) {
        self.upstream += ended.total;
        let candidate = self.snapshot.fleet.candidate(choice.index);
        let cost = ended.usage.and_then(|usage| Some(candidate?.price.cost(&usage)));
        let attempt = Attempt {
            service_id: Some(lane.service_id),
            name: Arc::clone(&lane.name),
            model: Arc::clone(&lane.model),
            provider: self.provider(choice),
            outcome: ended.outcome,
            http_status: ended.http_status,
            timings_ms: AttemptTimings {
                connect: Some(ended.connect.unwrap_or_default().into()),
                first_byte: ended.first_byte.map(Millis::from),
                total: ended.total.into(),
            },
            usage: ended.usage,
            cost,
            error: ended.error,
        };
        self.write(|receipt| {
            receipt.dialect.outgoing = Some(choice.dialect.as_str().into());
            receipt.attempts.reserve_exact(1);
            receipt.attempts.push(attempt);
        });
    }

    /// Somebody answers.
    pub fn resolved(&mut self, choice: &Choice, lane: &Arc<Lane>, model_reported: Option<&str>) {
        let resolved = Resolved {
            service_id: Some(lane.service_id),
            name: Arc::clone(&lane.name),
            url: Some(Arc::clone(&lane.url)),
            model: Arc::clone(&lane.model),
            model_reported: model_reported.map(Arc::from),
            provider: self.provider(choice),
        };
        self.answers = Some(Arc::clone(lane));
        self.write(|receipt| receipt.resolved = Some(resolved));
    }

    fn provider(&self, choice: &Choice) -> Option<Arc<str>> {
        self.snapshot.fleet.candidate(choice.index)?.service.label("provider").map(Arc::from)
    }

    /// When the first content came from upstream, counted from when the call came in.
    pub fn first_token(&mut self) {
        let took = clock::monotonic().saturating_sub(self.came);
        self.write(|receipt| receipt.timings_ms.first_token = Some(took.into()));
    }

    /// Who answers, if somebody does.
    pub fn answers(&self) -> Option<Arc<Lane>> {
        self.answers.clone()
    }

    /// A breaker has turned.
    pub fn news(&self, lane: &Lane, news: Option<News>) {
        self.app.news(lane, news);
    }

    /// Where what outlives the call goes on.
    pub fn tasks(&self) -> TaskTracker {
        self.app.tasks().clone()
    }

    /// The call has ended so. Its receipt is handed to the writer; the end of the answer waits until it is written.
    pub fn settle(&mut self, status: CallStatus, error: Option<&Error>) -> Option<Settled> {
        let receipt = self.close(status, error)?;
        self.app.count(&receipt);
        Some(self.app.receipts().settle(receipt))
    }

    /// The same, for who shows it.
    pub fn settle_and_show(
        &mut self,
        status: CallStatus,
        error: Option<&Error>,
    ) -> Option<(Settled, Arc<RoutingReceipt>)> {
        let receipt: Arc<RoutingReceipt> = self.close(status, error)?.into();
        self.app.count(&receipt);
        Some((self.app.receipts().settle(Arc::clone(&receipt)), receipt))
    }

    /// What would be written; nothing is.
    pub fn would_be(mut self, status: CallStatus, error: Option<&Error>) -> Option<Box<RoutingReceipt>> {
        self.close(status, error)
    }

    fn close(&mut self, status: CallStatus, error: Option<&Error>) -> Option<Box<RoutingReceipt>> {
        let mut receipt = self.receipt.take()?;
        let total = clock::monotonic().saturating_sub(self.came);
        receipt.status = status;
        receipt.error =
            error.map(|error| Failure { code: error.code, message: error.message.as_str().into() });
        receipt.usage = receipt.attempts.iter().filter_map(|attempt| attempt.usage).reduce(sum);
        receipt.cost_estimate = Cost::of(cost(&receipt), Some(Arc::clone(&self.snapshot.prices)));
        let times = &mut receipt.timings_ms;
        times.upstream = Some(self.upstream.into());
        times.overhead = Some(total.saturating_sub(self.upstream).into());
        times.total = total.into();
        receipt.content = self.content.take().map(Meter::finish);
        self.give_back(&receipt);
        Some(receipt)
    }

    /// Says what the limits were really drawn on for: those of the caller for all of the call, those of a candidate for the
    /// attempt that it was asked in.
    fn give_back(&mut self, receipt: &RoutingReceipt) {
        let whole =
            Amount { requests: u64::from(!receipt.attempts.is_empty()), tokens: tokens(receipt.usage) };
        for Taken { caller, candidate, attempt, grant } in self.grants.drain(..) {
            let (service, model) = candidate.as_ref().map(|(service, model)| (&**service, &**model)).unzip();
            let actual = match (&candidate, receipt.attempts.get(attempt)) {
                (None, _) => whole,
                (Some(_), Some(attempt)) => Amount { requests: 1, tokens: tokens(attempt.usage) },
                (Some(_), None) => Amount::default(),
            };
            self.app.settle_limit(caller.as_deref(), service, model, grant, actual);
        }
    }
}

/// All tokens together.
fn tokens(usage: Option<CallUsage>) -> u64 {
    let of = |usage: CallUsage| {
        [usage.input, usage.output, usage.cache_read, usage.cache_write, usage.reasoning]
            .into_iter()
            .fold(0, u64::saturating_add)
    };
    usage.map_or(0, of)
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // Whoever drops it unsettled was dropped itself: the client has left.
        let _ = self.settle(CallStatus::Cancelled, None);
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ledger")
    }
}

fn sum(one: CallUsage, other: CallUsage) -> CallUsage {
    let source = one.source.max(other.source);
    CallUsage {
        input: one.input.saturating_add(other.input),
        output: one.output.saturating_add(other.output),
        cache_read: one.cache_read.saturating_add(other.cache_read),
        cache_write: one.cache_write.saturating_add(other.cache_write),
        reasoning: one.reasoning.saturating_add(other.reasoning),
        source,
    }
}

/// What all attempts cost: what one cost that nobody knows, nobody knows of all.
fn cost(receipt: &RoutingReceipt) -> CallCost {
    let nothing = CallCost { usd: NanoUsd::from_nanos(0), state: CostState::Confirmed };
    receipt.attempts.iter().filter(|attempt| attempt.usage.is_some()).fold(nothing, |sum, attempt| {
        let one = attempt.cost.unwrap_or(CallCost { usd: None, state: CostState::Unknown });
        match (sum.usd, one.usd) {
            (Some(sum_usd), Some(usd)) => {
                let nanos = NanoUsd::from_nanos(sum_usd.as_nanos() + usd.as_nanos()).unwrap_or(NanoUsd::MAX);
                CallCost { usd: Some(nanos), state: sum.state.max(one.state) }
            }
            _ => CallCost { usd: None, state: CostState::Unknown },
        }
    })
}

/// What an attempt is taken to have used that broke off after it was sent: what was told, and at least what has come.
pub fn assumed(told: Option<CallUsage>, input_estimate: u64, output_bytes: u64) -> CallUsage {
    let estimated = usage::estimated(input_estimate, output_bytes);
    let Some(told) = told else { return estimated };
    CallUsage {
        output: told.output.max(estimated.output.saturating_sub(told.reasoning)),
        source: estimated.source,
        ..told
    }
}
