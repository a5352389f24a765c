//! What keeps the swarm busy: everything that services, their watchers, callers and subscribers do, all the time.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use pas_types::catalog::{EVENT_STREAM, GATEWAY, HEARTBEAT_MONITOR, REGISTRY, SERVICES};
use pas_types::event::Subscribe;
use pas_types::registry::{Deregister, Registered, path};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::subscribers::Subscribers;
use crate::load::beats::Beats;
use crate::load::connection::request;
use crate::load::crowd::{self, Member};
use crate::load::crowded::{self, Until};
use crate::load::events;
use crate::load::line::{Line, Tally};
use crate::load::steady::Callers;
use crate::load::subscription::Subscription;
use crate::load::swarm::{self, Swarm};
use crate::load::turn;
use crate::load::upstream::Upstream;
use crate::load::watchers::{Told, Watchers};
use crate::load::worker::Worker;
use crate::out;

/// Services that beat all the time and must never fail.
const STEADY: usize = 200;
const STEADY_INTERVAL_S: u32 = 2;
const STEADY_TTL_S: u32 = 10;
const CONNECTIONS: usize = 16;
/// Services that come and go, and come again: so many that the registry's memory of the gone does not grow for ever.
const MAYFLIES: usize = 60;
const SECOND: Duration = Duration::from_secs(1);
const STEADY_WATCHERS: usize = 10;
const STEADY_SUBSCRIBERS: usize = 20;
/// Events that are published at once.
const BATCH: usize = 100;
/// Connections over which the gateway is called, and streams at once.
const CALLERS: u32 = 16;
/// How long it is called as fast as it answers, to find out what half of that is.
const FLOOD: Duration = Duration::from_secs(3);
/// Content of streams comes so far apart.
const GAP: Duration = Duration::from_millis(10);

/// The load, until it is stopped.
pub(super) struct Load {
    beats: Beats,
    subscribers: Subscribers,
    workers: Vec<(&'static str, Tally, Worker)>,
    /// Whom the gateway asks.
    _provider: Upstream,
}

impl Load {
    /// Puts it on `swarm`.
    pub(super) fn start(runtime: &Handle, swarm: &Swarm) -> anyhow::Result<Self> {
        let [registry, stream, monitor, gateway] =
            [REGISTRY, EVENT_STREAM, HEARTBEAT_MONITOR, GATEWAY].map(|entry| swarm.port(&entry));
        let provider = Upstream::start()?;
        provider.register(registry, turn::MODEL)?;
        let rate = half_of_what_it_can(gateway)?;
        out::progress(format!("the gateway is called {rate} times a second, half of what it can"));
        let registrations: Vec<_> = (0..STEADY)
            .map(|number| crowd::registration("steady", number, STEADY_INTERVAL_S, STEADY_TTL_S))
            .collect();
        let crowd = Arc::new(crowd::register(registry, &registrations, CONNECTIONS)?);
        let interval = Duration::from_secs(STEADY_INTERVAL_S.into());
        let discover = request("GET", &format!("{}?cap=infer&limit=50", path::DISCOVER), "");
        let alerts = request("GET", "/alerts?limit=100", "");
        let ports = SERVICES.map(|entry| swarm.port(&entry));
        let beats = Beats::start(registry, &crowd, interval, CONNECTIONS);
        let subscribers = Subscribers::start(runtime, stream, STEADY_SUBSCRIBERS)?;
        let mut load = Self { beats, subscribers, workers: Vec::new(), _provider: provider };
        load.add("mayflies", SECOND / 2, |tally| mayflies(Line::new(registry, tally)));
        load.add("discoveries", SECOND / 20, |tally| asking(Line::new(registry, tally), discover));
        load.add("looks at alerts", SECOND, |tally| asking(Line::new(monitor, tally), alerts));
        load.add("looks at health", SECOND, |tally| health(tally.clone(), ports));
        let (event, batch) =
            (events::publishing(&events::beats(1)), events::publishing(&events::beats(BATCH)));
        let history = request("GET", "/events?limit=100", "");
        load.add("events", SECOND / 20, |tally| asking(Line::new(stream, tally), event));
        load.add("batches of events", SECOND, |tally| asking(Line::new(stream, tally), batch));
        load.add("looks at history", SECOND, |tally| asking(Line::new(stream, tally), history));
        let passing = runtime.clone();
        load.add("passing subscribers", SECOND, |tally| drop_in(tally.clone(), passing, stream));
        let passing = runtime.clone();
        load.add("passing watchers", SECOND, |tally| pass_by(tally.clone(), passing, registry));
        load.add("calls", SECOND, |tally| calls(tally.clone(), gateway, rate));
        load.add("streams", 5 * SECOND, |tally| streams(tally.clone(), gateway));
        let watchers = Watchers::start(runtime, registry, STEADY_WATCHERS)?;
        load.add("steady watchers", SECOND, |tally| listen(tally.clone(), watchers));
        Ok(load)
    }

    fn add<Work: FnMut(u32) + Send + 'static>(
        &mut self,
        name: &'static str,
        step: Duration,
        work: impl FnOnce(&Tally) -> Work,
    ) {
        let tally = Tally::default();
        let worker = Worker::start(step, work(&tally));
        self.workers.push((name, tally, worker));
    }

    /// Ends it, and tells what became of its calls.
    pub(super) fn stop(self) -> Vec<(&'static str, Tally)> {
        let mut tallies =
            vec![("beats", self.beats.tally.clone()), ("steady subscribers", self.subscribers.tally.clone())];
        tallies.extend(self.workers.into_iter().map(|(name, tally, _)| (name, tally)));
        tallies
    }
}

/// Each mayfly registers and beats once; every other one says good-bye, the rest just fall silent.
fn mayflies(mut line: Line) -> impl FnMut(u32) {
    move |number| {
        let number = number as usize % MAYFLIES;
        let registration = crowd::registration("mayfly", number, 1, 1);
        let Ok(register) = crowd::registering(&registration) else { return };
        let answer = line.call(&register).and_then(|body| serde_json::from_slice::<Registered>(body).ok());
        let Some(answer) = answer else { return };
        let Ok(member) = Member::new(&answer, Instant::now()) else { return };
        line.call(&member.beat);
        let leave =
            Deregister { service_id: answer.service_id, lease_id: Some(answer.lease_id), reason: None };
        if number.is_multiple_of(2)
            && let Ok(leave) = serde_json::to_string(&leave)
        {
            line.call(&request("POST", path::DEREGISTER, &leave));
        }
    }
}

/// Waits until the gateway knows its provider, and finds out how many calls a second are half of what it answers.
fn half_of_what_it_can(gateway: u16) -> anyhow::Result<u32> {
    let request = turn::whole();
    let begun = Instant::now();
    while let Err(error) = crowded::flood(gateway, &request, 1, Until::Calls(1)) {
        ensure!(begun.elapsed() < 30 * SECOND, "the gateway answers no call: {error:#}");
        std::thread::sleep(SECOND / 10);
    }
    let flood = crowded::flood(gateway, &request, CALLERS as usize, Until::Time(FLOOD))?;
    Ok((flood.calls as f64 / flood.lasted.as_secs_f64() / 2.0) as u32)
}

/// Calls for most of a second, each time over new connections.
fn calls(tally: Tally, gateway: u16, rate: u32) -> impl FnMut(u32) {
    let request = turn::whole();
    let call = move || Callers::open(gateway, CALLERS)?.at_rate(&request, rate, SECOND * 9 / 10);
    move |_| match call() {
        Ok(took) => tally.count_many_answered(took.len()),
        Err(error) => tally.count_lost(|| format!("{error:#}")),
    }
}

/// Streams, each of which must come whole.
fn streams(tally: Tally, gateway: u16) -> impl FnMut(u32) {
    let request = turn::stream(GAP);
    move |_| match crowded::streams(gateway, &request, CALLERS as usize, 1, SECOND / 10) {
        Ok(streams) => tally.count_many_answered(streams.len()),
        Err(error) => tally.count_lost(|| format!("{error:#}")),
    }
}

/// The same question again and again, over one kept connection.
fn asking(mut line: Line, request: Vec<u8>) -> impl FnMut(u32) {
    move |_| {
        line.call(&request);
    }
}

/// Asks every service how it is, each time over a new connection.
fn health(tally: Tally, ports: [u16; SERVICES.len()]) -> impl FnMut(u32) {
    move |_| {
        for port in ports {
            match swarm::health(port) {
                Ok(_) => tally.count_answered(),
                Err(error) => tally.count_lost(|| format!("{error:#}")),
            }
        }
    }
}

/// A watcher that leaves as soon as it has seen all there is.
fn pass_by(tally: Tally, runtime: Handle, port: u16) -> impl FnMut(u32) {
    move |_| match Watchers::start(&runtime, port, 1) {
        Ok(_) => tally.count_answered(),
        Err(error) => tally.count_lost(|| format!("{error:#}")),
    }
}

/// A subscriber that leaves as soon as it is one.
fn drop_in(tally: Tally, runtime: Handle, port: u16) -> impl FnMut(u32) {
    move |_| match runtime.block_on(Subscription::open(port, &Subscribe::default())) {
        Ok(_) => tally.count_answered(),
        Err(error) => tally.count_lost(|| format!("{error:#}")),
    }
}

/// Watchers that stay; what they are told is counted.
fn listen(tally: Tally, watchers: Watchers) -> impl FnMut(u32) {
    move |_| {
        while let Ok(Some(sighting)) = watchers.next(Duration::ZERO) {
            match sighting.what {
                Told::Lost(why) => tally.count_lost(|| why),
                Told::Snapshot | Told::Changed(_) | Told::Removed(_) => tally.count_answered(),
            }
        }
    }
}
