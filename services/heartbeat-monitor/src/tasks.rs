//! The loops. Each ends on `shutdown`.

mod stream;

use std::sync::Arc;
use std::time::Duration;

use pas_service::clock;
use pas_service::fleet::{self, News};
use pas_service::publisher::Publisher;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::{App, Next};
use crate::client::{self, Events, Prober, Registry};
use crate::config::Config;
use crate::core::targets::Target;
use crate::core::watchdog;

/// The first pause after a stream broke, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));
/// How often old alerts are let go of.
const PRUNE: Duration = Duration::from_secs(600);
/// What the watchdog found and could not store yet; more is dropped, since all of it says the same.
const UNSAVED: usize = 100;

/// What the loops work with.
#[derive(Debug)]
pub struct Loops {
    /// What they ask and tell.
    pub app: Arc<App>,
    /// Whom they listen to.
    pub registry: Registry,
    /// Where that is.
    pub registry_url: String,
    /// Where other services' alerts come from.
    pub events: Events,
    /// Where the monitor's own go to.
    pub publisher: Publisher,
    /// What they probe with.
    pub prober: Prober,
    /// The settings.
    pub config: Config,
}

impl Loops {
    /// Starts them all.
    pub fn spawn(self, tasks: &TaskTracker, shutdown: &CancellationToken) {
        let Self { app, registry, registry_url, events, publisher, prober, config } = self;
        tasks.spawn(follow(Arc::clone(&app), registry.clone(), shutdown.clone()));
        tasks.spawn(fleet::follow(registry_url, learn(Arc::clone(&app)), shutdown.clone()));
        tasks.spawn(stream::hear(Arc::clone(&app), events, shutdown.clone()));
        tasks.spawn(stream::publish(Arc::clone(&app), publisher, shutdown.clone()));
        tasks.spawn(watchdog(Arc::clone(&app), config.watchdog(), shutdown.clone()));
        tasks.spawn(prune(Arc::clone(&app), shutdown.clone()));
        tasks.spawn(probe(app, prober, registry, config.probe_concurrency, shutdown.clone()));
    }
}

/// Reads the registry's history from where it was left.
async fn follow(app: Arc<App>, registry: Registry, shutdown: CancellationToken) {
    let mut pause = Pause::new("follow");
    loop {
        let followed = tokio::select! {
            followed = follow_once(&app, &registry, &mut pause) => followed,
            () = shutdown.cancelled() => return,
        };
        let Err(error) = followed else { continue };
        tokio::select! {
            () = pause.after(&error) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// Returns when the history is to be asked for anew.
async fn follow_once(app: &App, registry: &Registry, pause: &mut Pause) -> anyhow::Result<()> {
    let mut history = registry.follow(app.cursor().await?).await?;
    loop {
        let batch = history.next().await?;
        let now = clock::now();
        app.heard(now);
        if app.take(batch, now).await? == Next::FromBeginning {
            return Ok(());
        }
        pause.reset();
    }
}

/// Learns from the registry whom to probe.
fn learn(app: Arc<App>) -> impl FnMut(News) {
    move |news| match news {
        News::Learned(told) => {
            let now = clock::now();
            app.heard(now);
            app.learn(client::learned(told), now);
            app.watch_goes_on();
        }
        News::Broke(error) => app.watch_broke(&error),
    }
}

/// Probes whoever is due, not too many at once.
async fn probe(
    app: Arc<App>,
    prober: Prober,
    registry: Registry,
    concurrency: usize,
    shutdown: CancellationToken,
) {
    let prober = Arc::new(prober);
    let mut under_way = JoinSet::new();
    loop {
        let now = clock::now();
        while under_way.len() < concurrency
            && let Some(target) = app.begin_probe(now)
        {
            under_way.spawn(probe_once(Arc::clone(&app), Arc::clone(&prober), registry.clone(), target));
        }
        let until_next = app.next_probe().map(|due| due.saturating_sub(now.monotonic));
        let is_full = under_way.len() >= concurrency;
        tokio::select! {
            Some(_) = under_way.join_next() => {}
            () = tokio::time::sleep(until_next.unwrap_or(Duration::MAX)), if !is_full => {}
            () = app.rescheduled.notified(), if !is_full => {}
            () = shutdown.cancelled() => return,
        }
    }
}

async fn probe_once(app: Arc<App>, prober: Arc<Prober>, registry: Registry, target: Target) {
    let finding = prober.probe(&target).await;
    let Some(report) = app.probed(&target, finding, clock::now()) else { return };
    match registry.report(&report).await {
        Ok(()) => app.told(&report, clock::now()),
        Err(error) => {
            tracing::debug!(%error, service_id = %report.service_id, "the registry can't be told of a probe")
        }
    }
}

/// Looks whether the registry speaks, and whether the clock runs as time does.
async fn watchdog(app: Arc<App>, rules: watchdog::Rules, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(rules.period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut unsaved = Vec::new();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shutdown.cancelled() => return,
        }
        unsaved.extend(app.tick(clock::now()).await);
        unsaved.truncate(UNSAVED);
        if !unsaved.is_empty() && app.keep(unsaved.clone()).await.is_ok() {
            unsaved.clear();
        }
    }
}

/// Lets go of old alerts.
async fn prune(app: Arc<App>, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(PRUNE);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shutdown.cancelled() => return,
        }
        // The database's failure is logged and shown where it happens; the next tick tries again.
        let _ = app.prune(clock::now()).await;
    }
}

/// The pauses of a stream that breaks: longer and longer, and none like the other.
struct Pause {
    stream: &'static str,
    next: Duration,
}

impl Pause {
    fn new(stream: &'static str) -> Self {
        Self { stream, next: PAUSES.0 }
    }

    fn reset(&mut self) {
        self.next = PAUSES.0;
    }

    async fn after(&mut self, error: &anyhow::Error) {
        let wait = clock::jittered(self.next, 0.5);
        let again_in_ms = wait.as_millis() as u64;
        if self.next == PAUSES.0 {
            tracing::warn!(stream = self.stream, again_in_ms, "{error:#}");
        } else {
            tracing::debug!(stream = self.stream, again_in_ms, "{error:#}");
        }
        self.next = (self.next * 2).min(PAUSES.1);
        tokio::time::sleep(wait).await;
    }
}
