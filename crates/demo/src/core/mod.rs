//! Who does what when: pure, told the time and a seed.

mod actor;
mod context;
mod dice;
mod shown;
#[cfg(test)]
mod tests;

use std::time::Duration;

use pas_types::id::RunId;
use pas_types::registry::Work;

use crate::story::{self, What};
use actor::Actor;
pub(crate) use dice::Dice;

/// A scene whose time was missed by more than this is left out: the machine was asleep.
const LATE: Duration = Duration::from_secs(10);

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// The agent calls the gateway, and is told what came of it by [`Troupe::called`].
    Call { agent: usize, call: Call },
    /// The agent's process is dead, and its call with it.
    Hang { agent: usize },
    /// The agent says something.
    Tell { agent: usize, run: Option<RunId>, told: Told },
}

/// A call through the gateway.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    /// No two calls have the same.
    pub(crate) number: u64,
    pub(crate) run: RunId,
    pub(crate) model: &'static str,
    pub(crate) way: Way,
    /// What is asked.
    pub(crate) about: String,
    pub(crate) fault: Option<Fault>,
}

/// By which of the gateway's routes, and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Chat,
    ChatStream,
    Message,
    MessageStream,
    Invoke,
    Classify,
}

/// What the provider is told to do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing is ever said.
    Silent,
    /// The stream breaks off.
    Cut,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered,
    /// An operator has paused the agent: come again then.
    Paused(Duration),
    /// Too much is asked of somebody: come again then.
    Busy(Duration, String),
    Failed(String),
}

/// What an agent says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    Started { title: String },
    Progress { progress: f64, message: String },
    Completed { message: String },
    Failed { progress: f64, message: String },
    Log { warn: bool, message: String },
}

/// All agents, and how the play goes on.
#[derive(Debug)]
pub(crate) struct Troupe {
    actors: Vec<Actor>,
    /// The places of those below each.
    below: Vec<Vec<usize>>,
    scene: u64,
    ails: [Option<(u16, Duration)>; story::MODELS.len()],
    ledger: Ledger,
}

/// What all of them count together, and what they want done.
#[derive(Debug)]
struct Ledger {
    calls: u64,
    runs: u64,
    /// What the runs of this performance begin with.
    prefix: String,
    effects: Vec<Effect>,
}

impl Troupe {
    /// Everybody is idle; the names of runs begin with `prefix`, which must be fit for an id.
    pub(crate) fn new(seed: u64, prefix: String) -> Self {
        let below = |parent: &story::Agent| {
            let cast = story::CAST.iter().enumerate();
            cast.filter(|(_, agent)| agent.parent == parent.name).map(|(place, _)| place).collect()
        };
        let below: Vec<Vec<usize>> = story::CAST.iter().map(below).collect();
        let mut dice = Dice::new(seed);
        let actors = story::CAST.iter().zip(&below).enumerate();
        let actors = actors
            .map(|(place, (agent, below))| {
                Actor::new(place, agent, !below.is_empty(), dice.within((0, u64::MAX - 1)))
            })
            .collect();
        let ledger = Ledger { calls: 0, runs: 0, prefix, effects: Vec::new() };
        Self { actors, below, scene: 0, ails: Default::default(), ledger }
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Duration) -> Vec<Effect> {
        self.play(now);
        for agent in 0..self.actors.len() {
            let counts = self.counts(agent);
            self.actors[agent].turn(now, &counts, &mut self.ledger);
        }
        std::mem::take(&mut self.ledger.effects)
    }

    /// A call has ended. One that its agent no longer waits for changes nothing.
    pub(crate) fn called(
        &mut self,
        agent: usize,
        number: u64,
        outcome: Outcome,
        now: Duration,
    ) -> Vec<Effect> {
        let counts = self.counts(agent);
        if let Some(actor) = self.actors.get_mut(agent).filter(|actor| actor.waits_for(number)) {
            actor.called(outcome, now, &counts, &mut self.ledger);
        }
        std::mem::take(&mut self.ledger.effects)
    }

    /// What an agent's beat says of its work; none when it is dead and doesn't beat.
    pub(crate) fn work(&self, agent: usize, now: Duration) -> Option<Work> {
        self.actors.get(agent)?.work(now)
    }

    /// The status with which a model answers instead of working.
    pub(crate) fn ails(&self, model: usize, now: Duration) -> Option<u16> {
        self.ails.get(model).copied().flatten().filter(|(_, until)| now < *until).map(|(status, _)| status)
    }

    /// How many tasks each of those below has completed, by name.
    fn counts(&self, agent: usize) -> Vec<(&'static str, u32)> {
        let below = self.below.get(agent).map(Vec::as_slice).unwrap_or_default();
        below.iter().map(|place| (story::CAST[*place].name, self.actors[*place].completed())).collect()
    }

    /// Plays the scenes whose time has come.
    fn play(&mut self, now: Duration) {
        let scenes = story::SCENES.len() as u64;
        loop {
            let (at_s, what) = story::SCENES[(self.scene % scenes) as usize];
            let due = Duration::from_secs(self.scene / scenes * story::CYCLE_S + at_s);
            if due > now {
                return;
            }
            self.scene += 1;
            if now.saturating_sub(due) <= LATE {
                self.befall(what, now);
            }
        }
    }

    fn befall(&mut self, what: What, now: Duration) {
        let place = |name: &str| story::CAST.iter().position(|agent| agent.name == name);
        match what {
            What::Cut(name) | What::Silent(name) => {
                let fault = if matches!(what, What::Cut(_)) { Fault::Cut } else { Fault::Silent };
                if let Some(place) = place(name) {
                    self.actors[place].meets(fault);
                }
            }
            What::Fills(name) => {
                if let Some(place) = place(name) {
                    self.actors[place].fills();
                }
            }
            What::Dies(name, for_s) => {
                if let Some(place) = place(name) {
                    self.actors[place].dies(now + Duration::from_secs(for_s), &mut self.ledger);
                }
            }
            What::Ails(model, status, for_s) => {
                self.ails[model] = Some((status, now + Duration::from_secs(for_s)));
            }
        }
    }
}

impl Ledger {
    fn call(&mut self) -> u64 {
        self.calls += 1;
        self.calls
    }

    /// The next run; none if the prefix was not fit for an id.
    fn run(&mut self) -> Option<RunId> {
        self.runs += 1;
        format!("{}-{:04}", self.prefix, self.runs).parse().ok()
    }
}
