//! One agent: it works on one task after the other, each of several calls; who leads others waits for them in between.

use std::time::Duration;

use pas_types::id::RunId;

use super::context::Context;
use super::{Call, Dice, Effect, Fault, Ledger, Outcome, Told, Way};
use crate::story;

/// A call is tried so often.
const TRIES: u32 = 4;
/// The longest time between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// How long who leads waits for others, the root longest.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(110));

#[derive(Debug)]
pub(super) struct Actor {
    pub(super) place: usize,
    pub(super) role: &'static story::Agent,
    pub(super) leads: bool,
    dice: Dice,
    pub(super) stage: Stage,
    pub(super) task: Option<Task>,
    completed: u32,
    pub(super) context: Context,
    /// What will go wrong with its next call.
    fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Idle(Duration),
    Queued(Duration),
    Thinking(Duration),
    /// A call of this number, to this model.
    Calling(u64, &'static str),
    /// Somebody asked it to come again later.
    Held(Duration),
    Failed(Duration),
    /// Waits for those below, not longer than until then.
    Others(Duration),
    Done(Duration),
    /// Silent, until another process takes its place.
    Dead(Duration),
}

#[derive(Debug)]
pub(super) struct Task {
    pub(super) title: &'static str,
    pub(super) run: RunId,
    pub(super) step: u32,
    pub(super) steps: u32,
    tries: u32,
    was_paused: bool,
    /// What those below had completed when the wait for them began, and the share of them that completed more since.
    before: Vec<u32>,
    pub(super) share: f64,
}

impl Actor {
    pub(super) fn new(place: usize, role: &'static story::Agent, leads: bool, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let stage = Stage::Idle(dice.millis((500, 6_000)));
        let limit = story::MODELS.iter().find(|model| model.name == role.model);
        let context = Context::new(limit.map_or(0, |model| model.ctx_limit), &mut dice);
        Self { place, role, leads, dice, stage, task: None, completed: 0, context, fault: None }
    }

    pub(super) fn completed(&self) -> u32 {
        self.completed
    }

    pub(super) fn meets(&mut self, fault: Fault) {
        self.fault = Some(fault);
    }

    pub(super) fn fills(&mut self) {
        self.context.fill();
    }

    pub(super) fn dies(&mut self, until: Duration, ledger: &mut Ledger) {
        if matches!(self.stage, Stage::Calling(..)) {
            ledger.effects.push(Effect::Hang { agent: self.place });
        }
        (self.stage, self.task) = (Stage::Dead(until), None);
    }

    pub(super) fn waits_for(&self, call: u64) -> bool {
        matches!(self.stage, Stage::Calling(number, _) if number == call)
    }

    /// Time has passed; `below` says what those below have completed.
    pub(super) fn turn(&mut self, now: Duration, below: &[(&'static str, u32)], ledger: &mut Ledger) {
        match self.stage {
            Stage::Idle(until) if until <= now => self.take_up(now, ledger),
            Stage::Queued(until) if until <= now => self.begin(now, ledger),
            Stage::Thinking(until) | Stage::Held(until) | Stage::Failed(until) if until <= now => {
                self.call(ledger);
            }
            Stage::Others(until) => self.wait_for(until, now, below, ledger),
            Stage::Done(until) if until <= now => {
                self.task = None;
                self.stage = Stage::Idle(now + self.dice.millis((1_000, 8_000)));
            }
            Stage::Dead(until) if until <= now => {
                self.stage = Stage::Idle(now + self.dice.millis((1_000, 3_000)));
                self.log(false, "a new process has taken the place of the one that died".to_owned(), ledger);
            }
            _ => {}
        }
    }

    fn take_up(&mut self, now: Duration, ledger: &mut Ledger) {
        let title = self.role.tasks[self.completed as usize % self.role.tasks.len()];
        let Some(run) = ledger.run() else { return };
        let steps = if self.leads { 2 } else { self.dice.within((4, 6)) as u32 };
        let (step, tries, was_paused, before, share) = (0, 0, false, Vec::new(), 0.0);
        self.task = Some(Task { title, run, step, steps, tries, was_paused, before, share });
        self.stage = Stage::Queued(now + self.dice.millis((500, 3_000)));
    }

    fn begin(&mut self, now: Duration, ledger: &mut Ledger) {
        let title = self.task.as_ref().map_or("", |task| task.title).to_owned();
        self.tell(Told::Started { title }, ledger);
        self.think(now);
    }

    fn think(&mut self, now: Duration) {
        self.stage = Stage::Thinking(now + self.dice.millis((1_500, 5_000)));
    }

    fn call(&mut self, ledger: &mut Ledger) {
        let fault = self.fault.take();
        let way = match (fault, self.role.model) {
            (Some(Fault::Silent), _) => Way::Chat,
            (Some(Fault::Cut), _) => Way::ChatStream,
            (None, story::LOCAL) => self.one_of(&[Way::ChatStream, Way::Chat, Way::Invoke, Way::Classify]),
            (None, _) => {
                self.one_of(&[Way::ChatStream, Way::Chat, Way::MessageStream, Way::Message, Way::Invoke])
            }
        };
        let Some(task) = &self.task else { return };
        let (number, run) = (ledger.call(), task.run.clone());
        let about = format!("{}, step {} of {}", task.title, task.step + 1, task.steps);
        let model = if way == Way::Classify { story::CLASSIFIER } else { self.role.model };
        self.stage = Stage::Calling(number, model);
        let call = Call { number, run, model, way, about, fault };
        ledger.effects.push(Effect::Call { agent: self.place, call });
    }

    fn one_of(&mut self, ways: &[Way]) -> Way {
        self.dice.one_of(ways).unwrap_or(Way::Chat)
    }

    /// The call that it waits for has ended.
    pub(super) fn called(
        &mut self,
        outcome: Outcome,
        now: Duration,
        below: &[(&'static str, u32)],
        ledger: &mut Ledger,
    ) {
        let Some(task) = &mut self.task else { return };
        let was_paused = std::mem::replace(&mut task.was_paused, matches!(outcome, Outcome::Paused(_)));
        match outcome {
            Outcome::Answered => {
                (task.tries, task.step) = (0, task.step + 1);
                if was_paused {
                    self.log(false, "goes on after the pause".to_owned(), ledger);
                }
                for (warn, message) in self.context.grow(&mut self.dice) {
                    self.log(warn, message, ledger);
                }
                self.go_on(now, below, ledger);
            }
            Outcome::Paused(wait) => {
                self.stage = Stage::Held(now + self.patience(wait));
                if !was_paused {
                    self.log(false, "is paused by an operator and waits".to_owned(), ledger);
                }
            }
            Outcome::Busy(..) | Outcome::Failed(_) if task.tries + 1 >= TRIES => {
                self.give_up(outcome, now, ledger)
            }
            Outcome::Busy(wait, why) => {
                task.tries += 1;
                self.stage = Stage::Held(now + self.patience(wait));
                self.log(true, why, ledger);
            }
            Outcome::Failed(why) => {
                task.tries += 1;
                let wait = Duration::from_secs(2 << task.tries.min(4)).min(LONGEST_WAIT);
                self.stage = Stage::Failed(now + self.patience(wait));
                let progress = self.progress();
                self.tell(Told::Failed { progress, message: format!("{why}; tries again soon") }, ledger);
            }
        }
    }

    /// Somewhat longer than asked for, so that many who wait don't come back in step.
    fn patience(&mut self, wait: Duration) -> Duration {
        wait.min(LONGEST_WAIT) + self.dice.millis((100, 2_000))
    }

    fn give_up(&mut self, outcome: Outcome, now: Duration, ledger: &mut Ledger) {
        let why = match outcome {
            Outcome::Busy(_, why) | Outcome::Failed(why) => why,
            Outcome::Answered | Outcome::Paused(_) => String::new(),
        };
        let (progress, message) = (self.progress(), format!("{why}; gives this task up"));
        self.tell(Told::Failed { progress, message }, ledger);
        self.task = None;
        self.stage = Stage::Idle(now + self.dice.millis((5_000, 12_000)));
    }

    /// After an answer.
    fn go_on(&mut self, now: Duration, below: &[(&'static str, u32)], ledger: &mut Ledger) {
        let Some(task) = &mut self.task else { return };
        if task.step >= task.steps {
            let message = format!("completed: {}", task.title);
            self.completed += 1;
            self.stage = Stage::Done(now + self.dice.millis((2_000, 5_000)));
            self.tell(Told::Completed { message }, ledger);
            self.context.rest();
            return;
        }
        let message = format!("{}: step {} of {}", task.title, task.step, task.steps);
        if self.leads {
            task.before = below.iter().map(|(_, completed)| *completed).collect();
            let patience = if self.role.parent.is_empty() { PATIENCE.1 } else { PATIENCE.0 };
            self.stage = Stage::Others(now + patience);
        } else {
            self.think(now);
        }
        let progress = self.progress();
        self.tell(Told::Progress { progress, message }, ledger);
    }

    /// Looks whether those below have each completed something since the wait began.
    fn wait_for(
        &mut self,
        until: Duration,
        now: Duration,
        below: &[(&'static str, u32)],
        ledger: &mut Ledger,
    ) {
        let Some(task) = &mut self.task else { return };
        let pairs = below.iter().zip(&task.before);
        let late: Vec<&str> = pairs
            .filter(|((_, completed), before)| completed <= before)
            .map(|((name, _), _)| *name)
            .collect();
        task.share = 1.0 - late.len() as f64 / below.len().max(1) as f64;
        if !late.is_empty() && now < until {
            return;
        }
        if !late.is_empty() {
            self.log(true, format!("goes on without {}", late.join(", ")), ledger);
        }
        self.think(now);
    }

    fn log(&self, warn: bool, message: String, ledger: &mut Ledger) {
        self.tell(Told::Log { warn, message }, ledger);
    }

    fn tell(&self, told: Told, ledger: &mut Ledger) {
        let run = self.task.as_ref().map(|task| task.run.clone());
        ledger.effects.push(Effect::Tell { agent: self.place, run, told });
    }
}
