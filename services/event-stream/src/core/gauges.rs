//! What changes all the time, summed up once an interval.

use std::collections::BTreeMap;
use std::time::Duration;

use pas_types::event::{AgentGauges, Body, CallUsage, Event, Gauges};
use pas_types::time::WireTime;

/// Agents that are summed up in one interval.
const AGENTS: usize = 10_000;
/// An agent that has not beaten for so long uses nothing any more.
const SILENT: Duration = Duration::from_secs(180);

/// What agents use, by their latest beats, and what went through the gateway since the last frame.
#[derive(Debug, Default)]
pub struct Meter {
    agents: BTreeMap<String, Use>,
    tokens: u64,
}

#[derive(Debug, Default)]
struct Use {
    cpu: Option<f64>,
    mem_mb: Option<f64>,
    tokens: u64,
    /// When it last beat, on the monotonic clock.
    beat: Duration,
    /// It said something in this interval.
    news: bool,
}

impl Meter {
    /// Takes in an event at `now`.
    pub fn fold(&mut self, event: &Event, now: Duration) {
        match &event.body {
            Body::Heartbeat(beat) => {
                let Some(used) = event.agent.as_deref().and_then(|agent| self.of(agent)) else { return };
                (used.beat, used.news) = (now, true);
                if let Some(resources) = &beat.resources {
                    (used.cpu, used.mem_mb) = (Some(resources.cpu), Some(resources.mem_mb));
                }
            }
            Body::Receipt(receipt) => {
                let tokens = receipt.usage.as_ref().map_or(0, total);
                self.tokens += tokens;
                if let Some(used) = event.agent.as_deref().and_then(|agent| self.of(agent)) {
                    used.tokens += tokens;
                    used.news = true;
                }
            }
            _ => {}
        }
    }

    fn of(&mut self, agent: &str) -> Option<&mut Use> {
        if !self.agents.contains_key(agent) && self.agents.len() >= AGENTS {
            return None;
        }
        Some(self.agents.entry(agent.to_owned()).or_default())
    }

    /// The frame of the interval that ends now, if anything was said in it; the next interval begins.
    pub fn frame(&mut self, ts: WireTime, now: Duration, interval: Duration) -> Option<Gauges> {
        let known = self.agents.len();
        self.agents.retain(|_, used| used.news || now.saturating_sub(used.beat) < SILENT);
        let silenced = self.agents.len() < known;
        let tokens_per_s = |tokens: u64| tokens as f64 / interval.as_secs_f64();
        let gauges = |(agent, used): (&String, &Use)| {
            let tokens = (used.tokens > 0).then(|| tokens_per_s(used.tokens));
            AgentGauges { agent: agent.clone(), cpu: used.cpu, mem_mb: used.mem_mb, tokens_per_s: tokens }
        };
        let agents: Vec<_> = self.agents.iter().filter(|(_, used)| used.news).map(gauges).collect();
        let said = silenced || !agents.is_empty() || self.tokens > 0;
        let frame = Gauges {
            ts,
            interval_ms: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX),
            cpu: self.agents.values().filter_map(|used| used.cpu).sum(),
            mem_mb: self.agents.values().filter_map(|used| used.mem_mb).sum(),
            tokens_per_s: tokens_per_s(self.tokens),
            agents,
        };
        self.tokens = 0;
        for used in self.agents.values_mut() {
            (used.tokens, used.news) = (0, false);
        }
        said.then_some(frame)
    }
}

/// What a call took in and gave out. Cached and reasoning tokens are parts of these.
fn total(usage: &CallUsage) -> u64 {
    usage.input.saturating_add(usage.output)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn event(json: &str) -> Event {
        Event::read(json.as_bytes(), ts()).unwrap()
    }

    fn ts() -> WireTime {
        WireTime::from_millis(1_762_425_000_000)
    }

    fn beat(agent: &str, cpu: f64) -> Event {
        event(&format!(
            r#"{{"event_type":"heartbeat","agent":"{agent}","status":"running","resources":{{"cpu":{cpu},"mem_mb":100}}}}"#
        ))
    }

    /// The sum, and who said something; none where there is no frame.
    fn frame(meter: &mut Meter, s: u64) -> Option<(f64, f64, Vec<String>)> {
        let frame = meter.frame(ts(), Duration::from_secs(s), SECOND)?;
        Some((frame.cpu, frame.mem_mb, frame.agents.into_iter().map(|gauges| gauges.agent).collect()))
    }

    #[test]
    fn when_nobody_beats_any_more_the_sums_fall_and_then_nothing_is_told() {
        let mut meter = Meter::default();
        assert_eq!(frame(&mut meter, 0), None);
        meter.fold(&beat("A", 0.5), Duration::from_secs(1));
        meter.fold(&beat("B", 0.25), Duration::from_secs(10));
        assert_eq!(frame(&mut meter, 10), Some((0.75, 200.0, vec!["A".to_owned(), "B".to_owned()])));
        for s in [11, 100, 180] {
            assert_eq!(frame(&mut meter, s), None, "nothing is new at {s} s");
        }
        assert_eq!(frame(&mut meter, 181), Some((0.25, 100.0, vec![])), "A is silent for three minutes");
        assert_eq!(frame(&mut meter, 189), None);
        assert_eq!(
            frame(&mut meter, 190),
            Some((0.0, 0.0, vec![])),
            "and so is B: a last frame, with nothing"
        );
        assert_eq!((frame(&mut meter, 191), meter.agents.len()), (None, 0));
        meter.fold(&beat("A", 1.0), Duration::from_secs(200));
        assert_eq!(
            frame(&mut meter, 200),
            Some((1.0, 100.0, vec!["A".to_owned()])),
            "one that is back counts again"
        );
    }
}
