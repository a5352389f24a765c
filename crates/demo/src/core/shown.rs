//! What others see of an agent in its beats.

use std::time::Duration;

use pas_types::registry::{Activity, ResourceUse, Work};

use super::actor::{Actor, Stage};

impl Actor {
    /// None when it is dead: then it doesn't beat.
    pub(super) fn work(&self, now: Duration) -> Option<Work> {
        let activity = match self.stage {
            Stage::Dead(_) => return None,
            Stage::Idle(_) => Activity::Idle,
            Stage::Queued(_) => Activity::Queued,
            Stage::Thinking(_) | Stage::Calling(..) => Activity::Running,
            Stage::Held(_) | Stage::Others(_) => Activity::Waiting,
            Stage::Failed(_) => Activity::Error,
            Stage::Done(_) => Activity::Done,
        };
        let task = self.task.as_ref();
        let asked = match self.stage {
            Stage::Calling(_, model) => Some(model),
            _ => None,
        };
        Some(Work {
            progress: task.map(|_| self.progress()),
            activity: Some(activity),
            run_id: task.map(|task| task.run.clone()),
            current_call: task.zip(asked).map(|(task, model)| format!("{model}: {}", task.title)),
            token_usage: Some(self.context.usage()),
            resources: Some(self.resources(activity, now)),
        })
    }

    /// How much of its task is done.
    pub(super) fn progress(&self) -> f64 {
        match &self.task {
            None => 0.0,
            Some(task) if self.leads && task.step == 0 => 0.0,
            Some(task) if self.leads && task.step == 1 => 0.1 + 0.8 * task.share,
            Some(task) => f64::from(task.step) / f64::from(task.steps),
        }
    }

    /// What such an agent might use: all of them are one process, so this is invented.
    fn resources(&self, activity: Activity, now: Duration) -> ResourceUse {
        let busy = if activity == Activity::Running { 0.25 } else { 0.01 };
        let wave = ((now.as_secs() + 7 * self.place as u64) % 20) as f64 / 20.0;
        let mem_mb = 90.0 + 6.0 * self.place as f64 + 400.0 * self.context.share();
        ResourceUse { cpu: (busy * (1.0 + wave) * 100.0).round() / 100.0, mem_mb: mem_mb.round() }
    }
}
