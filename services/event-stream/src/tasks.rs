//! The loops. Each ends on shutdown.

use std::time::Duration;

use pas_service::Health;
use pas_types::health::HealthStatus;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::subscribers::in_words;

/// How often what is old is looked for.
const RETENTION: Duration = Duration::from_secs(1);
/// How long after a failed read it is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often it is said in `/health` how far subscribers are.
const STANDINGS: Duration = Duration::from_secs(1);

/// Brings the views up to the journal whenever it has grown.
pub async fn follow(app: App, mut grown: watch::Receiver<u64>, health: Health) {
    let shutdown = app.shared.shutdown.clone();
    let (mut reader, mut failed) = (app.reader(app.head()), false);
    loop {
        match app.follow(&mut reader) {
            Ok(()) => health.ok("follower"),
            // Subscribers wait meanwhile; publishing goes on. What was read before the error is read again.
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the journal can't be followed");
                health.set("follower", HealthStatus::Degraded, "the journal can't be read");
                reader = app.reader(app.followed_to(&error));
                failed = true;
            }
        }
        let again = std::mem::take(&mut failed);
        tokio::select! {
            grown = grown.changed() => if grown.is_err() { return },
            () = tokio::time::sleep(AGAIN), if again => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// Reads what agents said before the start, where that was too much to wait for.
pub async fn read_the_past(app: App) {
    let (shutdown, health) = (app.shared.shutdown.clone(), app.shared.health.clone());
    loop {
        let app = app.clone();
        match tokio::task::spawn_blocking(move || app.read_the_past()).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => tracing::error!(%error, "the past can't be read"),
            Err(error) => tracing::error!(%error, "the past can't be read"),
        }
        health.set("snapshot", HealthStatus::Degraded, "what agents said before the start can't be read");
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// Removes what is older, or more, than is to be kept.
pub async fn retain(app: App) {
    let mut ticks = ticks(RETENTION);
    while tick(&app, &mut ticks).await {
        let app = app.clone();
        // A round that panicked is in the log; the next begins anew.
        let _ = tokio::task::spawn_blocking(move || app.retain()).await;
    }
}

/// Hands out the gauges, once an interval.
pub async fn gauge(app: App, interval: Duration) {
    let mut ticks = ticks(interval);
    while tick(&app, &mut ticks).await {
        app.gauge(interval);
    }
}

/// Says how far subscribers are.
pub async fn standings(app: App, health: Health) {
    let mut ticks = ticks(STANDINGS);
    while tick(&app, &mut ticks).await {
        match in_words(&app.shared.subscribers.standings(), app.head()) {
            None => health.ok("subscribers"),
            Some(words) => health.set("subscribers", HealthStatus::Ok, words),
        }
    }
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Waits for the next tick; false on shutdown.
async fn tick(app: &App, ticks: &mut tokio::time::Interval) -> bool {
    tokio::select! {
        _ = ticks.tick() => true,
        () = app.shared.shutdown.cancelled() => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use pas_journal::{Fsync, Journal, Options, Payload};
    use pas_service::{Metrics, Running, Sockets, Swarm, clock};
    use pas_testkit::until;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::ENTRY;

    /// An event stream that nobody reaches, over a journal in which each append is a segment of its own.
    struct Bare {
        app: App,
        health: Health,
        grown: watch::Receiver<u64>,
        running: Running,
    }

    fn journal(directory: &Path, head: watch::Sender<u64>) -> Journal {
        let on_head = Box::new(move |seq| {
            head.send_replace(seq);
        });
        Journal::open(Options { fsync: Fsync::Os, segment_bytes: 1, on_head, ..Options::new(directory, 1) })
            .unwrap()
    }

    /// Appends, and waits in this thread, so that no task of the test's runtime comes between.
    fn append(journal: &Journal, event: &str) {
        let seq = journal.head() + 1;
        journal.append(vec![Payload::new(event).unwrap()], clock::now(), |_| {}).unwrap();
        assert!(journal.wait_for(seq, pas_testkit::PATIENCE));
    }

    impl Bare {
        fn new(journal: Journal, grown: watch::Receiver<u64>, keys: usize) -> Self {
            let (swarm, sockets) = (Swarm::default(), Sockets::loopback().unwrap());
            let running = Running::new(&swarm, &sockets, CancellationToken::new());
            let health = Health::new(&ENTRY, clock::now());
            let app = App::new(journal, keys, health.clone(), &Metrics::new(&ENTRY), &running).unwrap();
            Self { app, health, grown, running }
        }

        fn check(&self, name: &str) -> Option<HealthStatus> {
            self.health.report(clock::now()).checks.get(name).map(|check| check.status)
        }

        async fn is(&self, name: &str, status: HealthStatus) {
            until(&format!("{name} is {status:?}"), async || {
                (self.check(name) == Some(status)).then_some(())
            })
            .await;
        }

        fn progress(&self) -> Option<f64> {
            let snapshot = serde_json::to_value(self.app.snapshot().ok()?).unwrap();
            snapshot["agents"][0]["heartbeat"]["progress"].as_f64()
        }
    }

    /// Puts a directory where a segment was: whoever opens it can't read it, whatever his rights.
    fn take_away(segment: &Path) {
        std::fs::rename(segment, segment.with_extension("taken")).unwrap();
        std::fs::create_dir(segment).unwrap();
    }

    fn put_back(segment: &Path) {
        std::fs::remove_dir(segment).unwrap();
        std::fs::rename(segment.with_extension("taken"), segment).unwrap();
    }

    const BEAT: &str = r#"{"event_type":"heartbeat","agent":"A","status":"running","progress":0.5}"#;
    const LOG: &str = r#"{"event_type":"log","message":"x"}"#;

    #[tokio::test]
    async fn a_journal_that_can_not_be_read_is_told_and_followed_again_from_where_it_was_when_it_can() {
        let directory = tempfile::tempdir().unwrap();
        let (head, grown) = watch::channel(0);
        let journal = journal(directory.path(), head);
        append(&journal, LOG);
        let bare = Bare::new(journal, grown, 1_000);
        let heads = bare.app.heads();
        bare.running.tasks().spawn(follow(bare.app.clone(), bare.grown.clone(), bare.health.clone()));
        bare.is("follower", HealthStatus::Ok).await;
        // Three segments at once: the second is closed by then, and nobody has it open.
        for event in [LOG, BEAT, LOG] {
            append(&bare.app.shared.journal, event);
        }
        let segment = directory.path().join("00000000000000000003.jsonl");
        take_away(&segment);
        bare.is("follower", HealthStatus::Degraded).await;
        assert_eq!((*heads.borrow(), bare.progress()), (1, None), "nothing is shown in part");

        put_back(&segment);
        bare.is("follower", HealthStatus::Ok).await;
        assert_eq!((*heads.borrow(), bare.progress()), (4, Some(0.5)));
        append(&bare.app.shared.journal, LOG);
        until("it goes on", async || (*heads.borrow() == 5).then_some(())).await;
        bare.running.stop().await.unwrap();
    }

    #[tokio::test]
    async fn a_past_that_can_not_be_read_is_tried_again_and_no_snapshot_is_answered_without_it() {
        let directory = tempfile::tempdir().unwrap();
        let (head, grown) = watch::channel(0);
        let journal = journal(directory.path(), head);
        for event in [BEAT, LOG, LOG] {
            append(&journal, event);
        }
        let segment = directory.path().join("00000000000000000001.jsonl");
        take_away(&segment);
        // The newest two are read at once, the beat is not among them.
        let bare = Bare::new(journal, grown, 2);
        assert_eq!(bare.check("snapshot"), Some(HealthStatus::Recovering));
        bare.running.tasks().spawn(read_the_past(bare.app.clone()));
        bare.is("snapshot", HealthStatus::Degraded).await;
        assert_eq!(bare.progress(), None);

        put_back(&segment);
        bare.is("snapshot", HealthStatus::Ok).await;
        assert_eq!(bare.progress(), Some(0.5));
        bare.running.stop().await.unwrap();
    }
}
