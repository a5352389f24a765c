//! The latest that each agent told of itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use pas_types::event::{AgentSnapshot, EventType};

use super::recent::Entry;

/// Agents that are remembered.
const AGENTS: usize = 20_000;

/// The agents, by name.
#[derive(Debug, Default)]
pub struct Agents {
    latest: BTreeMap<Arc<str>, Latest>,
}

#[derive(Debug, Default)]
struct Latest {
    heartbeat: Option<Arc<Entry>>,
    status_update: Option<Arc<Entry>>,
}

impl Latest {
    fn seq(&self) -> u64 {
        let seq = |entry: &Option<Arc<Entry>>| entry.as_ref().map_or(0, |entry| entry.seq);
        seq(&self.heartbeat).max(seq(&self.status_update))
    }
}

impl Agents {
    /// Takes in an event; in any order, since the past is read while the present goes on.
    pub fn fold(&mut self, entry: &Arc<Entry>) {
        let event_type = entry.header.event_type;
        let (EventType::Heartbeat | EventType::StatusUpdate, Some(agent)) =
            (event_type, entry.header.agent())
        else {
            return;
        };
        if !self.latest.contains_key(agent) {
            self.latest.insert(agent.into(), Latest::default());
        }
        let Some(latest) = self.latest.get_mut(agent) else { return };
        let slot = match event_type {
            EventType::Heartbeat => &mut latest.heartbeat,
            _ => &mut latest.status_update,
        };
        if slot.as_ref().is_none_or(|known| known.seq < entry.seq) {
            *slot = Some(Arc::clone(entry));
        }
        if self.latest.len() > AGENTS {
            self.forget_the_quietest();
        }
    }

    /// Lets a tenth go at once, so that a crowd of new names doesn't cost a search each.
    fn forget_the_quietest(&mut self) {
        let mut seqs: Vec<u64> = self.latest.values().map(Latest::seq).collect();
        seqs.sort_unstable();
        let edge = seqs[AGENTS / 10];
        self.latest.retain(|_, latest| latest.seq() > edge);
    }

    /// All of them.
    pub fn snapshot(&self) -> Vec<AgentSnapshot> {
        let line = |entry: &Option<Arc<Entry>>| entry.as_ref().map(|entry| entry.line.clone());
        let agent = |(agent, latest): (&Arc<str>, &Latest)| AgentSnapshot {
            agent: agent.as_ref().to_owned(),
            heartbeat: line(&latest.heartbeat),
            status_update: line(&latest.status_update),
        };
        self.latest.iter().map(agent).collect()
    }
}

#[cfg(test)]
mod tests {
    use pas_types::event::Header;
    use serde_json::value::RawValue;

    use super::*;

    fn entry(seq: u64, line: &str) -> Arc<Entry> {
        let header = Header::read(line.as_bytes()).unwrap().into_owned();
        Arc::new(Entry { seq, header, line: RawValue::from_string(line.to_owned()).unwrap() })
    }

    #[test]
    fn the_latest_of_each_kind_is_kept_in_whatever_order_they_come() {
        let mut agents = Agents::default();
        let beat =
            |seq: u64| entry(seq, &format!(r#"{{"event_type":"heartbeat","agent":"A","progress":0.{seq}}}"#));
        for it in [beat(5), beat(3), beat(9), beat(7)] {
            agents.fold(&it);
        }
        agents.fold(&entry(4, r#"{"event_type":"status_update","agent":"A","event":"started"}"#));
        agents.fold(&entry(6, r#"{"event_type":"log","agent":"B","message":"x"}"#));
        let snapshot = agents.snapshot();
        let [agent] = &snapshot[..] else { panic!("{snapshot:?}") };
        let text = |event: &Option<Box<RawValue>>| event.as_ref().map(|event| event.get().to_owned());
        assert_eq!(text(&agent.heartbeat), Some(beat(9).line.get().to_owned()));
        assert!(text(&agent.status_update).unwrap().contains("started"));
    }

    #[test]
    fn the_number_of_agents_is_bounded_and_the_quietest_go() {
        let mut agents = Agents::default();
        for seq in 1..=(AGENTS as u64 + 1) {
            agents.fold(&entry(seq, &format!(r#"{{"event_type":"heartbeat","agent":"agent-{seq}"}}"#)));
        }
        assert!(agents.latest.len() <= AGENTS);
        assert!(agents.latest.contains_key(&*format!("agent-{}", AGENTS + 1)));
        assert!(!agents.latest.contains_key("agent-1"));
    }
}
