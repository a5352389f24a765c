//! An agent's configuration: the front matter of the file that describes it, and its place in the swarm.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::check::{check_count, check_name, check_text, check_unique, check_within};
use crate::error::Error;
use crate::limits;
use crate::object::only_objects;
use crate::registry::Role;
use crate::schema::Name;

/// Who an agent is, what it may use, where it stands in the tree, and how full its context may get.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct AgentConfig {
    /// Its name.
    #[schema(min_length = 1, max_length = 256, pattern = r"^\P{Cc}*$")]
    pub name: String,
    /// What it is for, and when to call it.
    #[schema(min_length = 1, max_length = 65536)]
    pub description: String,
    /// The tools that it may use. Left out: all that it is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeSet<Name>>, max_items = 256)]
    pub tools: Option<Vec<String>>,
    /// What it thinks with: all that the gateway takes as `model`. Left out: what the routing policy says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 256, pattern = r"^\P{Cc}*$")]
    pub model: Option<String>,
    /// The agent above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 256, pattern = r"^\P{Cc}*$")]
    pub parent: Option<String>,
    /// The agents below it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = BTreeSet<Name>, max_items = 256)]
    pub children: Vec<String>,
    /// What it is trusted with.
    #[serde(default = "default_role")]
    #[schema(default = "execution")]
    pub role: Role,
    /// The share of its context that it should stay under.
    #[serde(default = "default_target")]
    #[schema(exclusive_minimum = 0, maximum = 1, default = 0.5)]
    pub target_ratio: f64,
    /// The share of its context at which its state is saved and the context cleared. Above the target.
    #[serde(default = "default_hard_max")]
    #[schema(exclusive_minimum = 0, maximum = 1, default = 0.75)]
    pub hard_max_ratio: f64,
    /// Seconds between its beats.
    #[serde(default = "default_interval")]
    #[schema(minimum = 1, maximum = 86400, default = 60)]
    pub heartbeat_interval_s: u32,
}

const fn default_role() -> Role {
    Role::Execution
}

const fn default_target() -> f64 {
    0.50
}

const fn default_hard_max() -> f64 {
    0.75
}

const fn default_interval() -> u32 {
    60
}

impl AgentConfig {
    /// Refuses what breaks a limit, and a place in the tree that can't be.
    pub fn validate(&self) -> Result<(), Error> {
        check_name("name", &self.name)?;
        if self.description.is_empty() {
            return Err(Error::invalid("description", "description is empty: say what the agent is for"));
        }
        check_text("description", &self.description, limits::TEXT_BYTES)?;
        if let Some(tools) = &self.tools {
            check_names("tools", tools)?;
        }
        if let Some(model) = &self.model {
            check_name("model", model)?;
        }
        self.validate_place()?;
        self.validate_ratios()?;
        check_within("heartbeat_interval_s", self.heartbeat_interval_s, 1, limits::BEAT_INTERVAL_S)
    }

    fn validate_place(&self) -> Result<(), Error> {
        check_names("children", &self.children)?;
        if self.children.contains(&self.name) {
            return Err(Error::invalid("children", format!("{} can't be its own child", self.name)));
        }
        let Some(parent) = &self.parent else { return Ok(()) };
        check_name("parent", parent)?;
        if *parent == self.name {
            return Err(Error::invalid("parent", format!("{parent} can't be its own parent")));
        }
        if self.children.contains(parent) {
            return Err(Error::invalid("parent", format!("{parent} can't be both parent and child")));
        }
        Ok(())
    }

    fn validate_ratios(&self) -> Result<(), Error> {
        for (field, ratio) in [("target_ratio", self.target_ratio), ("hard_max_ratio", self.hard_max_ratio)] {
            if !(ratio > 0.0 && ratio <= 1.0) {
                let message = format!("{field} is {ratio}: use a number above 0, up to 1");
                return Err(Error::invalid(field, message));
            }
        }
        if self.target_ratio >= self.hard_max_ratio {
            let message = format!(
                "target_ratio is {}: use less than hard_max_ratio, which is {}",
                self.target_ratio, self.hard_max_ratio
            );
            return Err(Error::invalid("target_ratio", message));
        }
        Ok(())
    }
}

fn check_names(field: &str, names: &[String]) -> Result<(), Error> {
    check_count(field, names.len(), limits::LINES)?;
    for (place, name) in names.iter().enumerate() {
        check_name(&format!("{field}[{place}]"), name)?;
    }
    check_unique(field, names)
}

only_objects!(AgentConfig);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(document: serde_json::Value) -> AgentConfig {
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let wanted = AgentConfig {
            name: "Coder".to_owned(),
            description: "Writes code.".to_owned(),
            tools: None,
            model: None,
            parent: None,
            children: vec![],
            role: Role::Execution,
            target_ratio: 0.5,
            hard_max_ratio: 0.75,
            heartbeat_interval_s: 60,
        };
        assert_eq!(read(json!({"name": "Coder", "description": "Writes code."})), wanted);
    }

    #[test]
    fn a_place_in_the_tree_that_cannot_be_is_refused() {
        let refused = |place: serde_json::Value| {
            let mut document = json!({"name": "Coder", "description": "Writes code."});
            document.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
            read(document).validate().unwrap_err().field
        };
        assert_eq!(refused(json!({"parent": "Coder"})).as_deref(), Some("parent"));
        assert_eq!(refused(json!({"children": ["Coder"]})).as_deref(), Some("children"));
        assert_eq!(refused(json!({"parent": "Lead", "children": ["Lead"]})).as_deref(), Some("parent"));
    }

    #[test]
    fn a_target_that_is_not_below_the_hard_maximum_is_refused() {
        let config = read(json!({"name": "Coder", "description": "Writes code.", "target_ratio": 0.75}));
        let message = "target_ratio is 0.75: use less than hard_max_ratio, which is 0.75";
        assert_eq!(config.validate(), Err(Error::invalid("target_ratio", message)));
    }
}
