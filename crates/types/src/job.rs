//! A job card: one piece of work, as an agent hands it to another and a queue keeps it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::check::{check_count, check_name, check_text, check_texts, check_unique, check_within};
use crate::error::Error;
use crate::id::JobId;
use crate::limits;
use crate::money::NanoUsd;
use crate::object::only_objects;
use crate::resource::Resources;
use crate::schema::Line;
use crate::time::WireTime;

/// One piece of work: for whom, what, from what, how to tell that it is done, and what it may cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct JobCard {
    /// Its id.
    pub job_id: JobId,
    /// The job that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_job_id: Option<JobId>,
    /// The agent that does it.
    #[schema(min_length = 1, max_length = 256, pattern = r"^\P{Cc}*$")]
    pub agent: String,
    /// What is to be done.
    #[schema(min_length = 1, max_length = 65536)]
    pub task: String,
    /// What it starts from: paths, URLs, facts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Line>, max_items = 256)]
    pub inputs: Vec<String>,
    /// What must exist at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Line>, max_items = 256)]
    pub deliverables: Vec<String>,
    /// How to tell that it is done, each a sentence that is true then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Line>, max_items = 256)]
    pub acceptance: Vec<String>,
    /// What it may cost. Left out: no limit of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<JobBudget>,
    /// When it must be done. A card may wait in a queue, so this is a time of day; calls made for it carry what is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<WireTime>,
    /// The jobs that must be done first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = BTreeSet<JobId>, max_items = 256)]
    pub dependencies: Vec<JobId>,
    /// What it needs of a machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
}

/// What a job may cost at the most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct JobBudget {
    /// In dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<NanoUsd>,
    /// In tokens of all kinds together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 9007199254740991u64)]
    pub tokens: Option<u64>,
}

impl JobCard {
    /// Refuses what breaks a limit, and a job that would wait for itself.
    pub fn validate(&self) -> Result<(), Error> {
        check_name("agent", &self.agent)?;
        if self.task.is_empty() {
            return Err(Error::invalid("task", "task is empty: say what is to be done"));
        }
        check_text("task", &self.task, limits::TEXT_BYTES)?;
        check_texts("inputs", &self.inputs, limits::LINES, limits::LINE_BYTES)?;
        check_texts("deliverables", &self.deliverables, limits::LINES, limits::LINE_BYTES)?;
        check_texts("acceptance", &self.acceptance, limits::LINES, limits::LINE_BYTES)?;
        check_count("dependencies", self.dependencies.len(), limits::LINES)?;
        check_unique("dependencies", &self.dependencies)?;
        let itself = "a job can't wait for itself: name other jobs";
        if self.parent_job_id.as_ref() == Some(&self.job_id) {
            return Err(Error::invalid("parent_job_id", itself));
        }
        if self.dependencies.contains(&self.job_id) {
            return Err(Error::invalid("dependencies", itself));
        }
        if let Some(tokens) = self.budget.and_then(|budget| budget.tokens) {
            check_within("budget.tokens", tokens, 0, limits::TOKENS)?;
        }
        match &self.resources {
            Some(resources) => resources.validate_at("resources."),
            None => Ok(()),
        }
    }
}

only_objects!(JobCard, JobBudget);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_that_waits_for_itself_is_refused() {
        let card = json!({"job_id": "J-1", "agent": "Coder", "task": "build it"});
        let card: JobCard = serde_json::from_value(card).unwrap();
        let own_parent = JobCard { parent_job_id: Some(card.job_id.clone()), ..card.clone() };
        let own_dependency = JobCard { dependencies: vec![card.job_id.clone()], ..card.clone() };
        let fields =
            [card, own_parent, own_dependency].map(|card| card.validate().map_err(|error| error.field));
        let refused = |field: &str| Err(Some(field.to_owned()));
        assert_eq!(fields, [Ok(()), refused("parent_job_id"), refused("dependencies")]);
    }
}
