//! The play on virtual time, against a gateway that is a function.

mod outcomes;
mod scenes;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pas_types::registry::Activity;

use super::*;
use crate::story::{CAST, CYCLE_S, MODELS, SCENES, SILENT_CALL_MS};

const STEP: Duration = Duration::from_millis(200);

/// The play, and what is seen of it.
struct Stage {
    troupe: Troupe,
    now: Duration,
    /// The call of each agent that waits for one, and when which answer comes.
    calls: HashMap<usize, (Call, Duration, Outcome)>,
    asked: u64,
    told: Vec<(Duration, usize, Told)>,
}

impl Stage {
    fn new(seed: u64) -> Self {
        let troupe = Troupe::new(seed, "R-1".to_owned());
        Self { troupe, now: Duration::ZERO, calls: HashMap::new(), asked: 0, told: Vec::new() }
    }

    /// Lets so much time pass, a step at a time; `answer` says what comes of a call, and when.
    fn pass(&mut self, seconds: u64, mut answer: impl FnMut(usize, &Call) -> (Duration, Outcome)) {
        let until = self.now + Duration::from_secs(seconds);
        while self.now < until {
            self.now += STEP;
            let effects = self.troupe.tick(self.now);
            self.take(effects, &mut answer);
            let due = self.calls.iter().filter(|(_, (_, due, _))| *due <= self.now);
            let mut due: Vec<usize> = due.map(|(agent, _)| *agent).collect();
            due.sort_unstable();
            for agent in due {
                let (call, _, outcome) = self.calls.remove(&agent).unwrap();
                let effects = self.troupe.called(agent, call.number, outcome, self.now);
                self.take(effects, &mut answer);
            }
        }
    }

    fn take(&mut self, effects: Vec<Effect>, answer: &mut impl FnMut(usize, &Call) -> (Duration, Outcome)) {
        for effect in effects {
            match effect {
                Effect::Call { agent, call } => {
                    let (after, outcome) = answer(agent, &call);
                    self.asked += 1;
                    let before = self.calls.insert(agent, (call, self.now + after, outcome));
                    assert_eq!(before, None, "{} has two calls under way", CAST[agent].name);
                }
                Effect::Hang { agent } => assert!(self.calls.remove(&agent).is_some()),
                Effect::Tell { agent, told, .. } => self.told.push((self.now, agent, told)),
            }
        }
    }

    /// What an agent said.
    fn words(&self, agent: usize) -> Vec<&Told> {
        self.told.iter().filter(|(_, who, _)| *who == agent).map(|(_, _, told)| told).collect()
    }

    fn activity(&self, agent: usize) -> Option<Activity> {
        self.troupe.work(agent, self.now)?.activity
    }
}

/// What a gateway and healthy models would do.
fn well(_: usize, call: &Call) -> (Duration, Outcome) {
    let failed = |why: &str| Outcome::Failed(why.to_owned());
    match call.fault {
        None => (Duration::from_millis(1_200), Outcome::Answered),
        Some(Fault::Cut) => (Duration::from_secs(2), failed("the answer broke off")),
        Some(Fault::Silent) => (Duration::from_millis(SILENT_CALL_MS), failed("504")),
    }
}

fn gives_up(told: &Told) -> bool {
    matches!(told, Told::Failed { message, .. } if message.ends_with("gives this task up"))
}

fn place(name: &str) -> usize {
    CAST.iter().position(|agent| agent.name == name).unwrap()
}

#[test]
fn the_cast_is_one_tree_of_42_and_every_scene_is_about_somebody_in_it() {
    let parents: BTreeMap<&str, &str> = CAST.iter().map(|agent| (agent.name, agent.parent)).collect();
    assert_eq!(parents.len(), 42, "two have the same name");
    for mut name in parents.keys().copied() {
        let way_up = (0..5).take_while(|_| {
            name = parents[name];
            !name.is_empty()
        });
        assert!(way_up.count() < 5);
    }
    assert_eq!(CAST.iter().filter(|agent| agent.parent.is_empty()).count(), 1);
    assert!(CAST.iter().all(|agent| MODELS.iter().any(|model| model.name == agent.model)));
    assert!(SCENES.is_sorted_by_key(|(at_s, _)| *at_s) && SCENES.iter().all(|(at_s, _)| *at_s < CYCLE_S));
    for (_, what) in SCENES {
        let is_known = match what {
            What::Cut(name) | What::Silent(name) | What::Fills(name) | What::Dies(name, _) => {
                parents.contains_key(name)
            }
            What::Ails(model, ..) => model < MODELS.len(),
        };
        assert!(is_known, "{what:?}");
    }
}

#[test]
fn every_agent_completes_a_task_within_two_cycles_and_the_root_too() {
    let mut stage = Stage::new(1);
    stage.pass(2 * CYCLE_S, well);
    let told = stage.told.iter().filter(|(_, _, told)| matches!(told, Told::Completed { .. }));
    let completed: BTreeSet<usize> = told.map(|(_, agent, _)| *agent).collect();
    let idle: Vec<_> =
        (0..42).filter(|agent| !completed.contains(agent)).map(|agent| CAST[agent].name).collect();
    assert_eq!(idle, Vec::<&str>::new());
}

#[test]
fn a_laptop_can_bear_it() {
    let mut stage = Stage::new(2);
    stage.pass(CYCLE_S, well);
    let (calls, told) = (stage.asked / CYCLE_S, stage.told.len() as u64 / CYCLE_S);
    assert!((3..=12).contains(&calls) && told <= 15, "{calls} calls and {told} words a second");
}
