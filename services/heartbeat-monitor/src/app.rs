//! Load → decide → store → make known.

mod stream;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pas_service::{Health, clock};
use pas_types::alert::{
    AckRequest, AlertPage, AlertQuery, HeartbeatAlert, Mute, MutePage, MuteRequest, Severity,
};
use pas_types::health::HealthStatus;
use pas_types::id::AlertId;
use pas_types::registry::ReachabilityReport;
use pas_types::time::{Now, WireTime};
use tokio::sync::{Mutex as AsyncMutex, Notify};

use crate::config::Config;
use crate::core::mute::{self, MUTES, Mutes};
use crate::core::probes::{Finding, Schedule};
use crate::core::targets::{Learned, Target};
use crate::core::transitions::{self, Batch};
use crate::core::watchdog::Watchdog;
use crate::core::{Raised, alerts};
use crate::error::Error;
use crate::metrics::Counts;
use crate::store::Store;

type Result<T> = std::result::Result<T, Error>;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The health check of the database.
const STORE: &str = "store";
/// The health check of the registry's voice.
const VOICE: &str = "registry_voice";
/// The health check of the stream that says whom to probe.
const WATCH: &str = "registry_watch";

/// The monitor, as its routes and tasks see it.
#[derive(Debug)]
pub struct App {
    config: Config,
    store: Arc<Store>,
    /// Held while a change of them is stored, so that none is lost to another.
    mutes: AsyncMutex<Mutes>,
    watchdog: Mutex<Watchdog>,
    schedule: Mutex<Schedule>,
    /// Rings when another probe may be due first.
    pub rescheduled: Notify,
    /// Rings when there are new alerts.
    pub raised: Notify,
    counts: Counts,
    health: Health,
}

/// How to go on after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Read on.
    On,
    /// The history is another one: ask for it from its beginning.
    FromBeginning,
}

impl App {
    /// The monitor, with what it knew when it stopped.
    pub fn new(config: Config, store: Store, counts: Counts, health: Health, now: Now) -> Result<Self> {
        let watchdog = Watchdog::new(config.watchdog(), now, store.registry_is_silent()?);
        let mutes = Mutes::new(store.mutes()?, now.wall.into());
        let schedule = Schedule::new(config.probes());
        let app = Self {
            config,
            store: Arc::new(store),
            mutes: AsyncMutex::new(mutes),
            watchdog: Mutex::new(watchdog),
            schedule: Mutex::new(schedule),
            rescheduled: Notify::new(),
            raised: Notify::new(),
            counts,
            health,
        };
        app.health.ok(STORE);
        app.show_silence();
        Ok(app)
    }

    /// Up to where the registry's history was read.
    pub async fn cursor(&self) -> Result<u64> {
        self.read(|store| Ok(store.cursor()?)).await
    }

    /// Takes a message of the registry's history: its alerts and the new cursor are stored together.
    pub async fn take(&self, batch: Batch, now: Now) -> Result<Next> {
        let cursor = self.cursor().await?;
        if transitions::is_another_history(batch.head, cursor) {
            self.write(|store| Ok(store.forget_history()?)).await?;
            tracing::warn!("the registry has another history than before; it is read from its beginning");
            return Ok(Next::FromBeginning);
        }
        let lag = batch.transitions.last().map(|latest| now.wall.duration_since(latest.ts.timestamp()));
        self.counts.follow_lag.set(lag.map_or(0.0, |lag| lag.as_secs_f64().max(0.0)));
        if batch.last_seq.is_none() {
            return Ok(Next::On);
        }
        transitions::registered_services(&batch).for_each(|id| lock(&self.schedule).forgotten(id));
        let rules = self.config.flapping();
        let mutes = self.mutes.lock().await.clone();
        let new = self
            .write(move |store| {
                let records = store.flapping(transitions::changed_services(&batch))?;
                let mut taken = transitions::take(&batch, cursor, records, &rules, &mut new_id);
                for raised in &mut taken.raised {
                    mutes.mark(&mut raised.alert, now.wall.into());
                }
                let new: Vec<HeartbeatAlert> = store.take(&taken)?.into_iter().cloned().collect();
                Ok(new)
            })
            .await?;
        self.make_known(&new);
        Ok(Next::On)
    }

    /// It isn't known any more whom to probe.
    pub fn watch_broke(&self, error: &str) {
        self.health.set(WATCH, HealthStatus::Degraded, format!("new services are not probed: {error}"));
    }

    /// It is known whom to probe.
    pub fn watch_goes_on(&self) {
        self.health.ok(WATCH);
    }

    /// The registry spoke.
    pub fn heard(&self, now: Now) {
        lock(&self.watchdog).heard(now);
    }

    /// A tick of the watchdog: what it found, to be kept.
    pub async fn tick(&self, now: Now) -> Vec<Raised> {
        let mut found = lock(&self.watchdog).tick(now, &mut new_id);
        self.show_silence();
        let mutes = self.mutes.lock().await;
        for raised in &mut found {
            mutes.mark(&mut raised.alert, now.wall.into());
        }
        found
    }

    /// Stores what the watchdog found. When it can't, nothing is stored.
    pub async fn keep(&self, found: Vec<Raised>) -> Result<()> {
        let kept = self.write(move |store| Ok(store.keep(&found).map(|()| found)?)).await?;
        self.make_known(kept.iter().map(|raised| &raised.alert));
        Ok(())
    }

    /// Takes what the watch says of services.
    pub fn learn(&self, learned: Learned, now: Now) {
        let mut schedule = lock(&self.schedule);
        schedule.learn(learned, now);
        self.counts.probed_services.set(schedule.services() as i64);
        drop(schedule);
        self.rescheduled.notify_one();
    }

    /// The next service to probe now, if one is due.
    pub fn begin_probe(&self, now: Now) -> Option<Target> {
        lock(&self.schedule).begin(now)
    }

    /// When the next probe is due.
    pub fn next_probe(&self) -> Option<Duration> {
        lock(&self.schedule).next_due()
    }

    /// A probe ended: what to tell the registry, if anything.
    pub fn probed(&self, target: &Target, finding: Finding, now: Now) -> Option<ReachabilityReport> {
        self.counts.probed(&finding);
        let report = lock(&self.schedule).probed(target, finding, now);
        self.rescheduled.notify_one();
        report
    }

    /// The registry took the report.
    pub fn told(&self, report: &ReachabilityReport, now: Now) {
        lock(&self.schedule).told(report, now);
    }

    /// A page of the history.
    pub async fn page(&self, query: AlertQuery) -> Result<AlertPage> {
        self.read(move |store| {
            let before = match &query.cursor {
                None => None,
                Some(cursor) => {
                    let alert_id = cursor.parse().map_err(|_| Error::UnknownCursor)?;
                    Some(store.seq_of(alert_id)?.ok_or(Error::UnknownCursor)?)
                }
            };
            let size = query.page_size();
            // One more than asked for tells whether there is a next page.
            let mut alerts = store.page(&query, before, size + 1)?;
            let is_last = alerts.len() <= size;
            alerts.truncate(size);
            let next = alerts.last().filter(|_| !is_last);
            Ok(AlertPage { next_cursor: next.map(|alert| alert.alert_id.to_string()), alerts })
        })
        .await
    }

    /// Somebody takes note of an alert. The first one counts.
    pub async fn acknowledge(&self, id: AlertId, request: AckRequest, now: Now) -> Result<HeartbeatAlert> {
        self.write(move |store| {
            let find = || store.alert(id)?.ok_or(Error::UnknownAlert(id));
            let mut alert = find()?;
            if alert.acked {
                return Ok(alert);
            }
            alerts::acknowledge(&mut alert, request.reason, now.wall.into());
            if store.acknowledge(&alert)? { Ok(alert) } else { find() }
        })
        .await
    }

    /// Some alerts are not to be heard of for a while.
    pub async fn mute(&self, request: MuteRequest, now: Now) -> Result<Mute> {
        let wall = WireTime::from(now.wall);
        let until = WireTime::from(now.plus(Duration::from_secs(request.for_s)).wall);
        let mute = Mute { matching: request.matching, until };
        let mut mutes = self.mutes.lock().await;
        let with_it = mutes.with(mute.clone(), wall).ok_or(Error::TooManyMutes(MUTES))?;
        *mutes = self.write(move |store| Ok(store.put_mutes(with_it.iter()).map(|()| with_it)?)).await?;
        Ok(mute)
    }

    /// The mutes that are in force.
    pub async fn mutes(&self, now: Now) -> MutePage {
        let wall = WireTime::from(now.wall);
        let mutes = self.mutes.lock().await.iter().filter(|mute| mute.until > wall).cloned().collect();
        MutePage { mutes, next_cursor: None }
    }

    /// Lets go of alerts that are too many or too old.
    pub async fn prune(&self, now: Now) -> Result<()> {
        let before = |age: Duration| WireTime::from(now.wall.saturating_sub(age).unwrap_or(now.wall));
        let days = u32::try_from(self.config.keep_days).unwrap_or(u32::MAX);
        let oldest = before(DAY.saturating_mul(days));
        let calm = before(self.config.flapping().window);
        let keep = self.config.keep_alerts;
        let gone = self.write(move |store| Ok(store.prune(keep, oldest, calm)?)).await?;
        if gone > 0 {
            tracing::info!(alerts = gone, "let go of old alerts");
        }
        Ok(())
    }

    fn show_silence(&self) {
        let is_silent = lock(&self.watchdog).is_silent();
        self.counts.registry_silent.set(i64::from(is_silent));
        if is_silent {
            let reason = format!("the registry has said nothing for {} s", self.config.registry_silent_s);
            self.health.set(VOICE, HealthStatus::Degraded, reason);
        } else {
            self.health.ok(VOICE);
        }
    }

    fn make_known<'a>(&self, alerts: impl IntoIterator<Item = &'a HeartbeatAlert>) {
        for alert in alerts {
            self.counts.raised(alert);
            log(alert);
        }
        self.raised.notify_one();
    }

    /// Works on the database to read it.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = Arc::clone(&self.store);
        let done = tokio::task::spawn_blocking(move || work(&store)).await.unwrap_or(Err(Error::Cut));
        if let Err(Error::Store(error)) = &done {
            tracing::error!(%error, "the database failed");
            self.health.set(STORE, HealthStatus::Degraded, "the database can't be read or written");
        }
        done
    }

    /// Works on the database to change it; only that proves that it is well.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let done = self.read(work).await;
        if done.is_ok() {
            self.health.ok(STORE);
        }
        done
    }
}

/// What is muted is said to those who debug only.
fn log(alert: &HeartbeatAlert) {
    let (alert_type, service) = (alert.alert_type.as_str(), alert.service_name.as_str());
    let message = alert.message.as_deref().unwrap_or_default();
    match alert.severity {
        _ if mute::is_muted(alert) => tracing::debug!(alert_type, service, "alert: {message}"),
        Severity::Info => tracing::info!(alert_type, service, "alert: {message}"),
        Severity::Warning => tracing::warn!(alert_type, service, "alert: {message}"),
        Severity::Critical => tracing::error!(alert_type, service, "alert: {message}"),
    }
}

fn new_id() -> AlertId {
    AlertId(clock::new_id())
}

// Nothing in these cores is left half done by a panic in between.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
