//! Who is probed when, and what of it the registry is told.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use pas_types::id::ServiceId;
use pas_types::registry::ReachabilityReport;
use pas_types::time::Now;

use super::targets::{Learned, Seen, Target};

/// How probes are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Between two probes of one service.
    pub interval: Duration,
    /// So many failed probes in a row make a service unreachable; one alone may have been lost.
    pub failures: u32,
    /// What has not changed is said to the registry again after this time.
    pub repeat_after: Duration,
}

/// How soon a service is asked again when a probe of it has failed for the first time.
const DOUBT: Duration = Duration::from_secs(5);

/// What a probe found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Whether it was answered as it should be.
    pub reachable: bool,
    /// How long the answer took.
    pub latency: Option<Duration>,
    /// What the service said of itself, or why it could not be reached.
    pub reason: Option<String>,
}

/// The services that are probed, and when.
#[derive(Debug)]
pub struct Schedule {
    rules: Rules,
    probed: HashMap<ServiceId, Probed>,
    /// Those that no probe is under way for.
    due: BTreeSet<(Duration, ServiceId)>,
}

#[derive(Debug)]
struct Probed {
    url: String,
    /// None while a probe is under way.
    due: Option<Duration>,
    failures: u32,
    said: Option<Said>,
}

/// What the registry was last told.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    reachable: bool,
    reason: Option<String>,
    at: Duration,
}

impl Schedule {
    /// Nobody to probe yet.
    pub fn new(rules: Rules) -> Self {
        Self { rules, probed: HashMap::new(), due: BTreeSet::new() }
    }

    /// How many services are probed.
    pub fn services(&self) -> usize {
        self.probed.len()
    }

    /// Takes what the watch said.
    pub fn learn(&mut self, learned: Learned, now: Now) {
        if learned.new_epoch {
            self.probed.values_mut().for_each(|probed| probed.said = None);
        }
        for Seen { service_id, target } in learned.seen {
            match target {
                Some(target) => self.insert(target, now),
                None => self.remove(service_id),
            }
        }
        for service_id in learned.gone {
            self.remove(service_id);
        }
        if let Some(only) = learned.only {
            let others: Vec<ServiceId> =
                self.probed.keys().filter(|id| !only.contains(id)).copied().collect();
            others.into_iter().for_each(|service_id| self.remove(service_id));
        }
    }

    /// The registry has forgotten what it was told of this service.
    pub fn forgotten(&mut self, service_id: ServiceId) {
        if let Some(probed) = self.probed.get_mut(&service_id) {
            probed.said = None;
        }
    }

    /// When the next probe is due.
    pub fn next_due(&self) -> Option<Duration> {
        self.due.first().map(|(due, _)| *due)
    }

    /// The next service to probe now, if there is one. [`Schedule::probed`] must follow for each.
    pub fn begin(&mut self, now: Now) -> Option<Target> {
        self.next_due().filter(|due| *due <= now.monotonic)?;
        let (_, service_id) = self.due.pop_first()?;
        let probed = self.probed.get_mut(&service_id)?;
        probed.due = None;
        Some(Target { service_id, url: probed.url.clone() })
    }

    /// A probe ended. What to tell the registry, if anything.
    pub fn probed(&mut self, target: &Target, finding: Finding, now: Now) -> Option<ReachabilityReport> {
        let rules = self.rules;
        // The service may have left meanwhile, or moved; then this says nothing about it.
        let probed = self.probed.get_mut(&target.service_id)?;
        let moved = probed.url != target.url;
        probed.failures = if finding.reachable || moved { 0 } else { probed.failures.saturating_add(1) };
        let in_doubt = (1..rules.failures).contains(&probed.failures);
        let pause = if in_doubt { rules.interval.min(DOUBT) } else { rules.interval };
        if probed.due.is_none() {
            let due = if moved { now.monotonic } else { now.monotonic + pause };
            probed.due = Some(due);
            self.due.insert((due, target.service_id));
        }
        if moved || in_doubt {
            return None;
        }
        let is_old = |said: &Said| {
            said.reachable == finding.reachable
                && said.reason == finding.reason
                && now.monotonic < said.at + rules.repeat_after
        };
        if probed.said.as_ref().is_some_and(is_old) {
            return None;
        }
        Some(ReachabilityReport {
            service_id: target.service_id,
            reachable: finding.reachable,
            latency_ms: finding.latency.map(|latency| latency.as_secs_f64() * 1000.0),
            reason: finding.reason,
        })
    }

    /// The registry took the report. Until then each probe makes it again.
    pub fn told(&mut self, report: &ReachabilityReport, now: Now) {
        if let Some(probed) = self.probed.get_mut(&report.service_id) {
            let ReachabilityReport { reachable, reason, .. } = report.clone();
            probed.said = Some(Said { reachable, reason, at: now.monotonic });
        }
    }

    fn insert(&mut self, target: Target, now: Now) {
        let Target { service_id, url } = target;
        if let Some(probed) = self.probed.get_mut(&service_id) {
            if probed.url != url {
                probed.url = url;
                probed.said = None;
            }
            return;
        }
        let due = now.monotonic + share_of(self.rules.interval, service_id);
        self.due.insert((due, service_id));
        self.probed.insert(service_id, Probed { url, due: Some(due), failures: 0, said: None });
    }

    fn remove(&mut self, service_id: ServiceId) {
        if let Some(due) = self.probed.remove(&service_id).and_then(|probed| probed.due) {
            self.due.remove(&(due, service_id));
        }
    }
}

/// A part of `interval` that differs from service to service, so that thousands that come at once are spread.
fn share_of(interval: Duration, service_id: ServiceId) -> Duration {
    let (high, low) = service_id.0.as_u64_pair();
    // The finish of SplitMix64: ids that differ in one bit come far from each other.
    let mut hash = (high ^ low).wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    interval.mul_f64((hash >> 11) as f64 / (1_u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use pas_types::time::WireTime;
    use proptest::prelude::*;

    use super::*;

    const RULES: Rules =
        Rules { interval: Duration::from_secs(30), failures: 2, repeat_after: Duration::from_secs(300) };

    fn at(seconds: u64) -> Now {
        let monotonic = Duration::from_secs(seconds);
        Now { monotonic, wall: WireTime::from_millis(0).timestamp() }
    }

    fn id(n: u128) -> ServiceId {
        ServiceId(uuid::Uuid::from_u128(n))
    }

    fn seen(n: u128) -> Seen {
        Seen { service_id: id(n), target: Target::of(id(n), &format!("http://127.0.0.1:{n}"), None) }
    }

    fn learned(services: impl IntoIterator<Item = u128>) -> Learned {
        Learned { seen: services.into_iter().map(seen).collect(), ..Learned::default() }
    }

    fn answered() -> Finding {
        Finding { reachable: true, latency: Some(Duration::from_millis(2)), reason: None }
    }

    fn refused() -> Finding {
        Finding { reachable: false, latency: None, reason: Some("connection refused".to_owned()) }
    }

    /// Probes service 1 at each time, with what is found then; answers what the registry was told.
    fn told(findings: &[(u64, Finding)]) -> Vec<(u64, bool)> {
        let mut schedule = Schedule::new(RULES);
        schedule.learn(learned([1]), at(0));
        let mut told = Vec::new();
        for (second, finding) in findings {
            let target = schedule.begin(at(*second)).expect("a probe is due");
            if let Some(report) = schedule.probed(&target, finding.clone(), at(*second)) {
                schedule.told(&report, at(*second));
                told.push((*second, report.reachable));
            }
        }
        told
    }

    #[test]
    fn the_registry_is_told_what_changed_and_once_in_a_while_what_did_not() {
        let findings: Vec<_> = (1..=12).map(|n| (n * 30, answered())).collect();
        assert_eq!(told(&findings), [(30, true), (330, true)]);
    }

    #[test]
    fn one_lost_probe_is_asked_again_soon_and_said_only_if_the_second_is_lost_too() {
        let findings =
            [(30, answered()), (60, refused()), (65, answered()), (95, refused()), (100, refused())];
        assert_eq!(told(&findings), [(30, true), (100, false)]);
    }

    #[test]
    fn a_report_that_did_not_arrive_is_made_again_by_the_next_probe() {
        let mut schedule = Schedule::new(RULES);
        schedule.learn(learned([1]), at(0));
        for second in [30, 60] {
            let target = schedule.begin(at(second)).unwrap();
            assert!(schedule.probed(&target, answered(), at(second)).is_some());
        }
    }

    #[test]
    fn a_registry_that_forgot_is_told_again() {
        let mut schedule = Schedule::new(RULES);
        schedule.learn(learned([1]), at(0));
        let target = schedule.begin(at(30)).unwrap();
        let report = schedule.probed(&target, answered(), at(30)).unwrap();
        for second in [60, 90, 120] {
            schedule.told(&report, at(second - 30));
            match second {
                60 => schedule.learn(Learned { new_epoch: true, ..Learned::default() }, at(second - 1)),
                90 => schedule.forgotten(id(1)),
                _ => {}
            }
            schedule.begin(at(second)).unwrap();
            let expected = (second < 120).then(|| report.clone());
            assert_eq!(schedule.probed(&target, answered(), at(second)), expected);
        }
    }

    #[test]
    fn a_probe_of_a_service_that_moved_meanwhile_says_nothing_and_is_made_again_at_once() {
        let mut schedule = Schedule::new(RULES);
        schedule.learn(learned([1]), at(0));
        let target = schedule.begin(at(30)).unwrap();
        let moved = Target::of(id(1), "http://127.0.0.1:99", None);
        let seen = vec![Seen { service_id: id(1), target: moved.clone() }];
        schedule.learn(Learned { seen, ..Learned::default() }, at(31));
        assert_eq!(schedule.probed(&target, answered(), at(32)), None);
        assert_eq!(schedule.begin(at(32)), moved);
    }

    #[test]
    fn a_service_that_is_gone_or_has_no_server_any_more_is_not_probed() {
        let mut schedule = Schedule::new(RULES);
        schedule.learn(learned([1, 2, 3]), at(0));
        let seen = vec![Seen { service_id: id(3), target: None }];
        schedule.learn(Learned { seen, gone: vec![id(1)], ..Learned::default() }, at(1));
        assert_eq!(schedule.begin(at(60)).map(|target| target.service_id), Some(id(2)));
        assert_eq!((schedule.begin(at(60)), schedule.services()), (None, 1));
        schedule.learn(Learned { only: Some([id(9)].into()), ..Learned::default() }, at(61));
        assert_eq!((schedule.next_due(), schedule.services()), (None, 0));
    }

    proptest! {
        #[test]
        fn services_that_come_at_once_are_spread_over_the_interval(first in any::<u64>()) {
            let mut schedule = Schedule::new(RULES);
            schedule.learn(learned((0..1000).map(|n| u128::from(first) + n)), at(0));
            let mut by_second = [0; 30];
            for (due, _) in &schedule.due {
                by_second[due.as_secs() as usize] += 1;
            }
            // 33 a second are expected of an even spread.
            prop_assert!(by_second.iter().all(|count| (10..80).contains(count)), "{by_second:?}");
        }

        #[test]
        fn each_service_is_under_way_or_has_its_turn_within_an_interval(
            steps in prop::collection::vec((0u64..10, 0usize..6, 0u128..12, any::<bool>()), 1..300),
        ) {
            let mut schedule = Schedule::new(RULES);
            let mut second = 0;
            let mut under_way = Vec::new();
            for (pause, ends, service, joins) in steps {
                second += pause;
                let change = if joins { learned([service]) } else { Learned { gone: vec![id(service)], ..Learned::default() } };
                schedule.learn(change, at(second));
                for target in under_way.drain(..ends.min(under_way.len())).collect::<Vec<Target>>() {
                    schedule.probed(&target, answered(), at(second));
                }
                while let Some(target) = schedule.begin(at(second)) {
                    under_way.push(target);
                }
                for (id, probed) in &schedule.probed {
                    match probed.due {
                        Some(due) => {
                            prop_assert!(due <= at(second).monotonic + RULES.interval);
                            prop_assert!(schedule.due.contains(&(due, *id)));
                        }
                        None => prop_assert!(under_way.iter().any(|target| target.service_id == *id)),
                    }
                }
                prop_assert_eq!(schedule.due.len(), schedule.probed.values().filter(|it| it.due.is_some()).count());
            }
        }
    }
}
