//! Watchers of the registry, each with a connection of its own.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use anyhow::{Context, anyhow};
use pas_proto::registry::v1::registry_client::RegistryClient;
use pas_proto::registry::v1::{Changes, Service, WatchRequest, WatchResponse, watch_response::Event};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::Streaming;
use tonic::transport::Endpoint;

/// The registry speaks every 5 s; a watcher that hears nothing for so long has lost its connection.
const SILENCE: Duration = Duration::from_secs(15);
/// Time for a connection and the snapshot at its beginning.
const BEGINNING: Duration = Duration::from_secs(30);

/// Watchers that watch until this is dropped.
#[derive(Debug)]
pub(crate) struct Watchers {
    sightings: Receiver<Sighting>,
    /// They end with it.
    _tasks: JoinSet<()>,
}

/// What one watcher was told, and when.
#[derive(Debug)]
pub(crate) struct Sighting {
    pub(crate) watcher: usize,
    pub(crate) at: Instant,
    pub(crate) what: Told,
}

/// What a watcher was told.
#[derive(Debug)]
pub(crate) enum Told {
    /// All of a snapshot.
    Snapshot,
    /// A service is new or another.
    Changed(Box<Service>),
    /// The service with this id is gone.
    Removed(String),
    /// The stream broke, or nothing came on it; the watcher has ended.
    Lost(String),
}

impl Watchers {
    /// Starts so many watchers, and returns when each has the snapshot.
    pub(crate) fn start(runtime: &Handle, port: u16, count: usize) -> anyhow::Result<Self> {
        let (sender, sightings) = mpsc::channel();
        let mut tasks = JoinSet::new();
        for watcher in 0..count {
            let report = Report { watcher, sender: sender.clone() };
            tasks.spawn_on(watch(port, report), runtime);
        }
        let watchers = Self { sightings, _tasks: tasks };
        let mut ready = 0;
        while ready < count {
            match watchers.next(BEGINNING)?.context("a watcher got no snapshot")?.what {
                Told::Snapshot => ready += 1,
                Told::Lost(why) => return Err(anyhow!("a watcher found no beginning: {why}")),
                Told::Changed(_) | Told::Removed(_) => {}
            }
        }
        Ok(watchers)
    }

    /// The next sighting, if there is one within `patience`.
    pub(crate) fn next(&self, patience: Duration) -> anyhow::Result<Option<Sighting>> {
        match self.sightings.recv_timeout(patience) {
            Ok(sighting) => Ok(Some(sighting)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(anyhow!("every watcher has ended")),
        }
    }
}

/// Where a watcher tells what it was told.
struct Report {
    watcher: usize,
    sender: Sender<Sighting>,
}

impl Report {
    fn tell(&self, at: Instant, what: Told) {
        // Who asked may have gone; then nobody wants to know.
        drop(self.sender.send(Sighting { watcher: self.watcher, at, what }));
    }
}

async fn watch(port: u16, report: Report) {
    if let Err(error) = follow(port, &report).await {
        report.tell(Instant::now(), Told::Lost(format!("{error:#}")));
    }
}

async fn follow(port: u16, report: &Report) -> anyhow::Result<()> {
    let mut stream = tokio::time::timeout(BEGINNING, begin(port)).await.context("no beginning in time")??;
    loop {
        let next = tokio::time::timeout(SILENCE, stream.message()).await.context("nothing was said")?;
        let at = Instant::now();
        match next?.context("the stream ended")?.event {
            Some(Event::Snapshot(part)) => {
                if part.last {
                    report.tell(at, Told::Snapshot);
                }
            }
            Some(Event::Changes(Changes { upserted, removed_service_ids, .. })) => {
                upserted.into_iter().for_each(|service| report.tell(at, Told::Changed(Box::new(service))));
                removed_service_ids.into_iter().for_each(|id| report.tell(at, Told::Removed(id)));
            }
            Some(Event::Progress(_)) | None => {}
        }
    }
}

async fn begin(port: u16) -> anyhow::Result<Streaming<WatchResponse>> {
    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?.tcp_nodelay(true);
    let mut client = RegistryClient::new(endpoint.connect().await?);
    Ok(client.watch(WatchRequest { from: None }).await?.into_inner())
}
