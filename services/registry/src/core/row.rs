//! One service in the registry: what it is (`Record`), and how it is (`Life`).

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use pas_types::id::{LeaseId, ServiceId};
use pas_types::registry::{
    Labels, Probe, Reachability, Registration, Role, ServiceType, ServiceView, Status, Work,
};
use pas_types::time::{Now, WireTime};

/// What a service is. Changed by commands alone, each of which is durable before it is acknowledged.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub service_id: ServiceId,
    /// The one lease under which it may beat.
    pub lease_id: LeaseId,
    /// The start of its process that the lease was given to.
    pub boot_id: Option<String>,
    /// Its name.
    pub name: Arc<str>,
    /// What kind of thing it is.
    pub service_type: ServiceType,
    /// What it is trusted with.
    pub role: Role,
    /// The root under which it is called.
    pub url: Option<Arc<str>>,
    /// What it can do; words that many services share are shared.
    pub caps: Vec<Arc<str>>,
    /// What else it said of itself.
    pub labels: Arc<Labels>,
    /// Tokens that fit its context.
    pub ctx_limit: Option<u64>,
    /// What it roughly costs per 1,000 tokens.
    pub cost_hint_usd_per_1k: Option<f64>,
    /// Seconds between its beats.
    pub heartbeat_interval_s: u32,
    /// Seconds without a beat after which the first one counts as missed.
    pub ttl_s: u32,
    /// When it was first registered.
    pub registered_at: WireTime,
    /// An operator took it out of service.
    pub paused: bool,
}

/// How a service is. Changed by what is observed (beats, probes, time), which is never undone.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// When it last beat, for display.
    pub last_beat: WireTime,
    /// Beats that it missed in a row.
    pub missed: u32,
    /// On the liveness clock: when the next beat counts as missed.
    pub deadline: Duration,
    /// It has beaten since the registry started.
    pub verified: bool,
    /// What it says of itself.
    pub reported: Status,
    /// Why, by its own word.
    pub reported_reason: Option<Arc<str>>,
    /// What its probe says.
    pub probe: Probed,
    /// What it last measured of itself.
    pub measures: Measures,
    /// The measures that watchers were last told.
    pub announced: Measures,
    /// What it last said of its work.
    pub work: Option<Arc<Work>>,
}

/// What the monitor's probes found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Probed {
    /// What the last probe found.
    pub reachability: Reachability,
    /// It has answered a probe at this url: from then on silence counts.
    pub answered: bool,
    /// How long the last answered probe took.
    pub latency_ms: Option<f64>,
    /// What the probe had to say.
    pub reason: Option<Arc<str>>,
}

/// What a service measures of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measures {
    /// Its latency, 95th percentile.
    pub p95_ms: Option<f64>,
    /// Calls that wait.
    pub queue_depth: Option<u64>,
    /// How busy it is.
    pub load: Option<f64>,
}

/// A service as a whole. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it is.
    pub record: Arc<Record>,
    /// How it is.
    pub life: Life,
}

/// What makes two registrations the same service: the name and the url; the name alone where there is no url.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    name: Arc<str>,
    url: Option<Box<str>>,
}

impl Identity {
    pub(crate) fn new(name: &Arc<str>, url: Option<&str>) -> Self {
        Self { name: name.clone(), url: url.map(|url| bare(url).into()) }
    }
}

/// A url without what doesn't matter at its end.
pub(crate) fn bare(url: &str) -> &str {
    url.trim_end_matches('/')
}

/// A number that is spread evenly over services, and differs from seed to seed.
pub(crate) fn spread(id: ServiceId, seed: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (id, seed).hash(&mut hasher);
    hasher.finish()
}

/// A part of `whole`, from nothing to (nearly) all of it, that is spread evenly over services.
pub(crate) fn share(id: ServiceId, whole: Duration) -> Duration {
    whole.mul_f64((spread(id, 0) >> 32) as f64 / f64::from(u32::MAX))
}

impl Record {
    /// What `registration` says, for a service that is registered for the first time.
    pub(crate) fn new(
        registration: Registration,
        service_id: ServiceId,
        lease_id: LeaseId,
        registered_at: WireTime,
    ) -> Self {
        Self {
            service_id,
            lease_id,
            boot_id: registration.boot_id,
            name: registration.name.into(),
            service_type: registration.service_type,
            role: registration.role,
            url: registration.url.map(Arc::from),
            caps: registration.caps.into_iter().map(Arc::from).collect(),
            labels: Arc::new(registration.labels),
            ctx_limit: registration.ctx_limit,
            cost_hint_usd_per_1k: registration.cost_hint_usd_per_1k,
            heartbeat_interval_s: registration.heartbeat_interval_s,
            ttl_s: registration.ttl_s,
            registered_at,
            paused: false,
        }
    }

    /// The time between its beats.
    pub(crate) fn interval(&self) -> Duration {
        Duration::from_secs(self.heartbeat_interval_s.into())
    }

    /// The time without a beat after which the first one counts as missed.
    pub(crate) fn ttl(&self) -> Duration {
        Duration::from_secs(self.ttl_s.into())
    }

    /// The time from its last beat to the miss after `missed` ones.
    pub(crate) fn patience(&self, missed: u32) -> Duration {
        self.ttl() + self.interval() * missed
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity::new(&self.name, self.url.as_deref())
    }

    /// The name of the service above it in the tree.
    pub(crate) fn parent(&self) -> Option<&str> {
        self.labels.get("parent")?.as_deref()
    }

    /// It promised, by naming a path for it, to answer probes.
    pub(crate) fn promises_health(&self) -> bool {
        self.labels.get("health_path").is_some_and(Option::is_some)
    }
}

impl Life {
    /// The life of a service that beat at `now`.
    pub(crate) fn new(now: Now, deadline: Duration) -> Self {
        Self {
            last_beat: now.wall.into(),
            missed: 0,
            deadline,
            verified: true,
            reported: Status::Ok,
            reported_reason: None,
            probe: Probed::default(),
            measures: Measures::default(),
            announced: Measures::default(),
            work: None,
        }
    }

    /// The status that its missed beats alone would give it.
    pub(crate) fn beat_status(&self) -> Status {
        match self.missed {
            0 => Status::Ok,
            1 => Status::Degraded,
            _ => Status::Down,
        }
    }

    fn probe_status(&self) -> Status {
        match self.probe.reachability {
            Reachability::Unreachable => Status::Degraded,
            Reachability::Unprobed | Reachability::Reachable => Status::Ok,
        }
    }

    /// The effective status: the worst of what it says of itself, its beats and its probe.
    pub fn status(&self) -> Status {
        self.reported.max(self.beat_status()).max(self.probe_status())
    }

    /// Why the effective status is not `ok`, each voice by name.
    pub fn status_reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.beat_status() != Status::Ok {
            reasons.push(format!("beats: missed {} (last seen {})", self.missed, self.last_beat));
        }
        if self.reported != Status::Ok {
            reasons
                .push(format!("says: {}", self.reported_reason.as_deref().unwrap_or(self.reported.as_str())));
        }
        if self.probe_status() != Status::Ok {
            reasons.push(format!("probe: {}", self.probe.reason.as_deref().unwrap_or("unreachable")));
        }
        reasons
    }
}

impl Probed {
    /// As it is told.
    pub(crate) fn view(&self) -> Probe {
        Probe { reachability: self.reachability, latency_ms: self.latency_ms, reason: self.reason.clone() }
    }
}

impl Measures {
    /// Takes what a beat names; what it leaves out stays as it was.
    pub(crate) fn update(&mut self, newer: Self) {
        self.p95_ms = newer.p95_ms.or(self.p95_ms);
        self.queue_depth = newer.queue_depth.or(self.queue_depth);
        self.load = newer.load.or(self.load);
    }

    /// Whether the step from `told` to these is worth telling watchers.
    pub(crate) fn moved_notably(&self, told: &Self) -> bool {
        fn by(new: Option<f64>, old: Option<f64>, step: impl Fn(f64) -> f64) -> bool {
            match (new, old) {
                (Some(new), Some(old)) => new != old && (new - old).abs() >= step(old),
                (new, old) => new.is_some() != old.is_some(),
            }
        }
        let quarter = |old: f64| old * 0.25;
        by(self.load, told.load, |_| 0.1)
            || by(self.p95_ms, told.p95_ms, quarter)
            || by(self.queue_depth.map(|n| n as f64), told.queue_depth.map(|n| n as f64), quarter)
    }
}

impl Row {
    /// Its id.
    pub fn id(&self) -> ServiceId {
        self.record.service_id
    }

    /// About the bytes that it takes in a message.
    pub fn weight(&self) -> usize {
        const FIXED: usize = 300;
        let Record { name, url, caps, labels, .. } = self.record.as_ref();
        let caps: usize = caps.iter().map(|cap| cap.len() + 4).sum();
        let labels: usize =
            labels.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, String::len) + 12).sum();
        FIXED + name.len() + url.as_ref().map_or(0, |url| url.len()) + caps + labels
    }

    /// The service as it is told to the outside.
    pub fn view(&self, now: Now) -> ServiceView {
        let Self { record, life } = self;
        ServiceView {
            service_id: record.service_id,
            name: record.name.clone(),
            service_type: record.service_type,
            role: record.role,
            url: record.url.clone(),
            caps: record.caps.clone(),
            labels: record.labels.clone(),
            ctx_limit: record.ctx_limit,
            cost_hint_usd_per_1k: record.cost_hint_usd_per_1k,
            heartbeat_interval_s: record.heartbeat_interval_s,
            ttl_s: record.ttl_s,
            status: life.status(),
            status_reasons: life.status_reasons(),
            reported_status: life.reported,
            missed_beats: life.missed,
            probe: life.probe.view(),
            verified: life.verified,
            paused: record.paused,
            registered_at: record.registered_at,
            last_heartbeat_ts: life.last_beat,
            last_heartbeat_age_ms: age_ms(life.last_beat, now),
            p95_ms: life.measures.p95_ms,
            queue_depth: life.measures.queue_depth,
            load: life.measures.load,
            work: life.work.clone(),
        }
    }
}

fn age_ms(then: WireTime, now: Now) -> u64 {
    u64::try_from(WireTime::from(now.wall).as_millis() - then.as_millis()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_is_told_when_it_moved_notably() {
        let measures = |p95_ms, queue_depth, load| Measures { p95_ms, queue_depth, load };
        let told = measures(Some(100.0), Some(4), Some(0.5));
        let steps = [
            (measures(Some(100.0), Some(4), Some(0.5)), false),
            (measures(Some(124.0), Some(4), Some(0.59)), false),
            (measures(Some(125.0), Some(4), Some(0.5)), true),
            (measures(Some(100.0), Some(5), Some(0.5)), true),
            (measures(Some(100.0), Some(4), Some(0.61)), true),
            (measures(None, Some(4), Some(0.5)), true),
        ];
        for (new, notable) in steps {
            assert_eq!(new.moved_notably(&told), notable, "{new:?}");
        }
        let idle = measures(None, Some(0), None);
        assert!(!idle.moved_notably(&idle), "a queue that stays empty is not news");
        assert!(measures(None, Some(1), None).moved_notably(&idle));
    }
}
