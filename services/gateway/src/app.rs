//! What all calls share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pas_routing::limiter::{Amount, Grant, Keys, Limiter};
use pas_routing::{Candidate, Fleet, Held as Withheld, Scratch};
use pas_service::clock;
use pas_service::publisher::Publisher;
use pas_types::alert::{AlertAction, AlertType, HeartbeatAlert, Severity};
use pas_types::event::CallStatus;
use pas_types::id::AlertId;
use pas_types::receipt::RoutingReceipt;
use pas_types::routing::Privacy;
use pas_types::{Error, ErrorCode};
use tokio_util::task::TaskTracker;

use crate::call::{Call, Handed};
use crate::config::Config;
use crate::core::breaker::{Held, News, Out};
use crate::inflight::InFlight;
use crate::lane::Lane;
use crate::metrics::Counts;
use crate::pipeline::{self, Refused, Reply};
use crate::receipts::Receipts;
use crate::receipts::content::Meter;
use crate::snapshot::{Heard, Snapshot, Snapshots};

/// The gateway at work. Clones share it.
#[derive(Clone)]
pub struct App {
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    snapshots: Snapshots,
    receipts: Receipts,
    in_flight: Arc<InFlight>,
    limiter: Mutex<Limiter>,
    /// Whether there are limits at all: else nobody need lock them.
    has_limits: AtomicBool,
    /// Whose turn it is among equals.
    scratch: Mutex<Scratch>,
    counts: Counts,
    publisher: Publisher,
    tasks: TaskTracker,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("App")
    }
}

impl App {
    /// Begins with what is known.
    pub fn new(
        config: Config,
        fleet: Arc<Fleet>,
        heard: Heard,
        receipts: Receipts,
        counts: Counts,
        publisher: Publisher,
        tasks: TaskTracker,
    ) -> Self {
        let limiter = Limiter::new(fleet.table().limits());
        let has_limits = AtomicBool::new(!limiter.is_empty());
        let in_flight = Arc::new(InFlight::new(config.in_flight));
        let snapshots = Snapshots::new(fleet, heard);
        let (limiter, scratch) = (Mutex::new(limiter), Mutex::default());
        let shared = Shared {
            config,
            snapshots,
            receipts,
            in_flight,
            limiter,
            has_limits,
            scratch,
            counts,
            publisher,
            tasks,
        };
        Self { shared: Arc::new(shared) }
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// What is known.
    pub fn snapshots(&self) -> &Snapshots {
        &self.shared.snapshots
    }

    /// Where receipts go.
    pub fn receipts(&self) -> &Receipts {
        &self.shared.receipts
    }

    /// The calls that are under way.
    pub fn in_flight(&self) -> &Arc<InFlight> {
        &self.shared.in_flight
    }

    /// Where what outlives a call goes on.
    pub fn tasks(&self) -> &TaskTracker {
        &self.shared.tasks
    }

    /// Whose turn it is.
    pub(crate) fn scratch(&self) -> MutexGuard<'_, Scratch> {
        self.shared.scratch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limiter(&self) -> MutexGuard<'_, Limiter> {
        self.shared.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_limits(&self) -> bool {
        self.shared.has_limits.load(Ordering::Acquire)
    }

    /// What is known has changed.
    pub fn learn(&self, fleet: Arc<Fleet>, heard: Heard) {
        let before = self.snapshots().take();
        if !Arc::ptr_eq(before.fleet.table(), fleet.table())
            && before.table().limits() != fleet.table().limits()
        {
            let mut limiter = self.limiter();
            *limiter = Limiter::new(fleet.table().limits());
            self.shared.has_limits.store(!limiter.is_empty(), Ordering::Release);
        }
        self.snapshots().replace(fleet, heard);
    }

    /// Draws on the limits of a call: those of its caller and of all together, or those of a candidate. None where there
    /// are no limits.
    pub(crate) fn take_limit(
        &self,
        caller: Option<&str>,
        service: Option<&str>,
        model: Option<&str>,
        tokens: u64,
    ) -> Result<Option<Grant>, Error> {
        if !self.has_limits() {
            return Ok(None);
        }
        let keys = Keys { caller, service, model, global: service.is_none() };
        let taken = self.limiter().take(clock::monotonic(), &keys, Amount::call(tokens));
        taken.map(Some).map_err(|denied| {
            let error = Error::new(ErrorCode::RateLimited, format!("the limit is reached: {}", denied.limit));
            match denied.retry_after {
                Some(wait) => error.with_retry_after(whole_seconds(wait)),
                None => error,
            }
        })
    }

    pub(crate) fn settle_limit(
        &self,
        caller: Option<&str>,
        service: Option<&str>,
        model: Option<&str>,
        grant: Grant,
        actual: Amount,
    ) {
        let keys = Keys { caller, service, model, global: service.is_none() };
        self.limiter().settle(clock::monotonic(), &keys, grant, actual);
    }

    /// Why a candidate can't be asked at the moment.
    pub(crate) fn withheld(
        &self,
        snapshot: &Snapshot,
        index: u32,
        candidate: &Candidate,
        call: &Call,
        ignore_breakers: bool,
        now: Duration,
    ) -> Option<Withheld> {
        use pas_types::routing::Exclusion;
        let Some(lane) = snapshot.lane(index) else {
            return Some(Withheld { code: Exclusion::Url, until: None });
        };
        match lane.held(now) {
            Some(Held::Open(_)) if ignore_breakers => {}
            Some(held) => return Some(pipeline::withheld(held, now)),
            None => {}
        }
        if !self.has_limits() {
            return None;
        }
        let keys =
            Keys { caller: None, service: Some(&lane.name), model: Some(&candidate.model_id), global: false };
        let denied = self.limiter().check(now, &keys, Amount::call(call.asked.input_estimate)).err()?;
        Some(Withheld { code: Exclusion::RateLimit, until: denied.retry_after })
    }

    /// What of a call's content is kept.
    pub(crate) fn content(&self, privacy: Privacy, call: &Call) -> Meter {
        let (Handed::Bytes(request) | Handed::Text { payload: request, .. }) = &call.body;
        Meter::new(privacy == Privacy::Full, request)
    }

    /// A breaker has turned, or a credential is out: it is said, and told.
    pub(crate) fn news(&self, lane: &Lane, news: Option<News>) {
        let (alert_type, severity, message) = match news {
            None => return,
            Some(News::Closed) => {
                tracing::info!(
                    service = &*lane.name,
                    model = &*lane.model,
                    "the breaker is closed: calls go there again"
                );
                return;
            }
            Some(News::Opened(lasting)) => {
                self.shared.counts.breakers_opened.inc();
                let ms = lasting.as_millis();
                let message =
                    format!("calls to {} for {} fail: none go there for {ms} ms", lane.name, lane.model);
                (AlertType::BreakerOpen, Severity::Warning, message)
            }
            Some(News::CredentialOut(out)) => {
                let message = match out {
                    Out::Refused => {
                        format!("{} refuses its credential for {}: mend it", lane.name, lane.model)
                    }
                    Out::Spent => {
                        format!("{} has nothing left to spend for {}: add credit", lane.name, lane.model)
                    }
                };
                (AlertType::CredentialOut, Severity::Critical, message)
            }
        };
        tracing::warn!(service = &*lane.name, model = &*lane.model, "{message}");
        self.alert(alert_type, severity, Some(lane), message);
    }

    /// Publishes an alert.
    pub fn alert(&self, alert_type: AlertType, severity: Severity, lane: Option<&Lane>, message: String) {
        let alert = HeartbeatAlert {
            alert_id: AlertId(clock::new_id()),
            alert_type,
            severity,
            service_id: lane.map(|lane| lane.service_id),
            service_name: lane.map_or_else(|| crate::ENTRY.name.to_owned(), |lane| lane.name.to_string()),
            missed_beats: 0,
            last_seen: None,
            action: AlertAction::None,
            ts: clock::now().wall.into(),
            acked: false,
            message: Some(message),
            details: None,
        };
        self.shared.publisher.publish(alert.into());
    }

    /// Counts a call that has ended.
    pub(crate) fn count(&self, receipt: &RoutingReceipt) {
        self.shared.counts.count(receipt);
    }

    /// Refuses a call that is not on the list of those under way; with a receipt, as every other.
    pub(crate) async fn refuse_unlisted(&self, mut receipt: Box<RoutingReceipt>, error: Error) -> Reply {
        receipt.status = CallStatus::Refused;
        receipt.error =
            Some(pas_types::receipt::Failure { code: error.code, message: error.message.as_str().into() });
        let nothing = pas_types::money::NanoUsd::from_nanos(0);
        receipt.cost_estimate.usd = nothing;
        receipt.cost_estimate.state = pas_types::event::CostState::Confirmed;
        self.count(&receipt);
        let _ = self.receipts().settle(receipt).await;
        Reply::Refused(Box::new(Refused { error }))
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}
