//! How full an agent's context is: it grows with each answer, and is cut back to a summary.

use pas_types::registry::TokenUsage;

use super::Dice;

/// The share that is kept when it is cut back.
const KEPT: f64 = 0.08;
/// A task begins with no more than this; one that is let grow is cut back only here.
const FULL: f64 = 0.34;
const OVERFULL: f64 = 0.86;
/// Where it is worth a word, and where a warning.
const LINES: [f64; 2] = [0.50, 0.75];
/// What an answer adds, in thousandths: as a rule, and when it is let grow.
const ADDS: [(u64, u64); 2] = [(8, 25), (85, 120)];

#[derive(Debug)]
pub(super) struct Context {
    limit: u64,
    share: f64,
    fills: bool,
}

impl Context {
    pub(super) fn new(limit: u64, dice: &mut Dice) -> Self {
        Self { limit, share: dice.within((4, 20)) as f64 / 100.0, fills: false }
    }

    /// From now on it grows until it is cut back.
    pub(super) fn fill(&mut self) {
        self.fills = true;
    }

    /// An answer came. What is to be said of it: whether it is a warning, and the words.
    pub(super) fn grow(&mut self, dice: &mut Dice) -> Vec<(bool, String)> {
        let before = self.share;
        let thousandths = dice.within(ADDS[usize::from(self.fills)]) as f64;
        self.share = (self.share + thousandths / 1_000.0).min(1.0);
        let percent = self.share * 100.0;
        let mut said = Vec::new();
        for line in LINES.into_iter().filter(|line| before < *line && self.share >= *line) {
            said.push((line == LINES[1], format!("the context is {percent:.0} % full")));
        }
        if self.share >= OVERFULL {
            said.push((false, format!("cuts its context back from {percent:.0} % to a summary")));
            (self.share, self.fills) = (KEPT, false);
        }
        said
    }

    /// A task is over, and with it what only that needed.
    pub(super) fn rest(&mut self) {
        if self.share > FULL && !self.fills {
            self.share = KEPT;
        }
    }

    pub(super) fn share(&self) -> f64 {
        self.share
    }

    pub(super) fn usage(&self) -> TokenUsage {
        TokenUsage { ctx_used: (self.share * self.limit as f64) as u64, ctx_limit: self.limit }
    }
}
