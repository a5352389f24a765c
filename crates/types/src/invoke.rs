//! A call through the gateway in PAS's own words: what is wanted, what is handed to it, and what is wished for on the way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::check::{
    check_budget_path, check_caps, check_count, check_label, check_name_if_given, check_within,
};
use crate::error::Error;
use crate::id::RunId;
use crate::limits;
use crate::money::NanoUsd;
use crate::object::only_objects;
use crate::registry::{Role, ServiceType};
use crate::schema::{BudgetPath, Capability, LabelFilter, Name};
use crate::word::words;

/// The body of `POST /invoke`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct InvokeRequest {
    /// What is called.
    pub target: Target,
    /// What it is given, passed on byte for byte where it is a request in the target's own dialect.
    #[schema(value_type = serde_json::Value)]
    pub payload: Box<RawValue>,
    /// What is wished for on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyWish>,
    /// The agent that calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub agent: Option<String>,
    /// The run of that agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_run_id: Option<RunId>,
}

/// What is called. Everything that is named must match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Target {
    /// What kind of thing.
    #[serde(rename = "type")]
    pub target_type: TargetType,
    /// With this role. Left out: any for agents, tools, and what is named; `production` and `canary` for models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// With each of these capabilities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Capability>, max_items = 256)]
    pub require_caps: Vec<String>,
    /// The service of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub name: Option<String>,
    /// For models: all that the gateway takes as `model`: `cap:plan,tools`, a route, a model's id, an alias, a service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub model: Option<String>,
    /// With each of these labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = LabelFilter)]
    pub labels: BTreeMap<String, String>,
}

words! {
    /// What kind of thing is called.
    #[derive(Default)]
    TargetType, "type of target" {
        /// What answers prompts.
        #[default]
        Model = "model",
        /// What does one thing.
        Tool = "tool",
        /// What acts by itself.
        Agent = "agent",
    }
}

impl From<TargetType> for ServiceType {
    fn from(target: TargetType) -> Self {
        match target {
            TargetType::Model => Self::Model,
            TargetType::Tool => Self::Tool,
            TargetType::Agent => Self::Agent,
        }
    }
}

/// What a caller wishes for. What is left out is as the policy says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct PolicyWish {
    /// The routing policy of this name. Left out: that of `prefer`, or the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub name: Option<String>,
    /// What counts most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefer: Option<Prefer>,
    /// How hard the task is. Left out: judged by the size of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complexity: Option<Complexity>,
    /// Seconds that the whole call may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.001, maximum = 86400)]
    pub timeout_s: Option<f64>,
    /// What the call may cost, by the estimate before it is made. 0: only what is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<NanoUsd>,
    /// How often it may be tried, in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 10)]
    pub max_attempts: Option<u32>,
    /// Whether another candidate may answer when the first one fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<bool>,
    /// Whether a stream is passed on as it comes, or held until it is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Who pays: a path in the tree of budgets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BudgetPath>)]
    pub budget: Option<String>,
}

words! {
    /// What counts most when one of several is chosen.
    Prefer, "preference" {
        /// What runs on this machine.
        Local = "local",
        /// What costs least.
        Cheapest = "cheapest",
        /// What answers soonest.
        Fastest = "fastest",
        /// What answers best.
        Best = "best",
        /// A bit of everything.
        Balanced = "balanced",
    }
}

words! {
    /// How hard a task is.
    Complexity, "complexity" {
        /// Any model will do.
        Simple = "simple",
        /// An ordinary task.
        Standard = "standard",
        /// A task for the best.
        Complex = "complex",
    }
}

words! {
    /// How a stream is passed on.
    #[derive(Default)]
    Delivery, "delivery" {
        /// As it comes; what breaks off is seen to break off.
        #[default]
        Live = "live",
        /// When it is whole; what breaks off is tried again, unseen.
        Atomic = "atomic",
    }
}

impl InvokeRequest {
    /// Refuses what breaks a limit.
    pub fn validate(&self) -> Result<(), Error> {
        self.target.validate_at("target.")?;
        check_depth("payload", self.payload.get())?;
        if let Some(policy) = &self.policy {
            policy.validate_at("policy.")?;
        }
        check_name_if_given("agent", self.agent.as_deref())
    }
}

impl Target {
    /// Refuses what breaks a limit, and what no service can be. `path` is where it stands, as `target.`.
    pub fn validate_at(&self, path: &str) -> Result<(), Error> {
        self.validate_role(path)?;
        check_caps(&format!("{path}require_caps"), &self.require_caps)?;
        check_name_if_given(&format!("{path}name"), self.name.as_deref())?;
        let field = format!("{path}model");
        check_name_if_given(&field, self.model.as_deref())?;
        if self.model.is_some() && self.target_type != TargetType::Model {
            let message =
                format!("{field} is for targets of type model: leave it out for a {}", self.target_type);
            return Err(Error::invalid(field, message));
        }
        let field = format!("{path}labels");
        check_count(&field, self.labels.len(), limits::LABELS)?;
        self.labels.iter().try_for_each(|(key, value)| check_label(&field, key, Some(value)))
    }

    fn validate_role(&self, path: &str) -> Result<(), Error> {
        let legal = ServiceType::from(self.target_type).roles();
        match self.role {
            Some(role) if !legal.contains(&role) => {
                let words: Vec<&str> = legal.iter().map(|role| role.as_str()).collect();
                let message = format!(
                    "a {} can't have the role {role}: use one of {}",
                    self.target_type,
                    words.join(", ")
                );
                Err(Error::invalid(format!("{path}role"), message))
            }
            _ => Ok(()),
        }
    }
}

impl PolicyWish {
    /// Refuses what breaks a limit. `path` is where it stands, as `policy.`.
    pub fn validate_at(&self, path: &str) -> Result<(), Error> {
        // Most wishes name none of these: no field is spelled for them.
        if self.name.is_some() {
            check_name_if_given(&format!("{path}name"), self.name.as_deref())?;
        }
        if let Some(timeout) = self.timeout_s {
            check_within(&format!("{path}timeout_s"), timeout, 0.001, limits::CALL_S)?;
        }
        if let Some(attempts) = self.max_attempts {
            check_within(&format!("{path}max_attempts"), attempts, 1, limits::ATTEMPTS)?;
        }
        self.budget.as_deref().map_or(Ok(()), |budget| check_budget_path(&format!("{path}budget"), budget))
    }
}

/// Refuses JSON that is too deep for whoever reads it with a stack. It is known to be JSON.
fn check_depth(field: &str, json: &str) -> Result<(), Error> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth >= limits::JSON_DEPTH {
                    let message = format!(
                        "{field} is nested too deep: a body may have {} levels of lists and objects",
                        limits::JSON_DEPTH
                    );
                    return Err(Error::invalid(field, message));
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

only_objects!(InvokeRequest, Target, PolicyWish);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(document: &serde_json::Value) -> InvokeRequest {
        crate::json::parse(document.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn the_first_users_own_example_is_read() {
        let text = r#"{"target":{"type":"model","role":"production","require_caps":["classify"]},
            "payload":{"text":"quantum entanglement physics"},"policy":{"prefer":"local","timeout_s":30}}"#;
        let request: InvokeRequest = crate::json::parse(text.as_bytes()).unwrap();
        assert_eq!(request.validate(), Ok(()));
        assert_eq!(request.payload.get(), r#"{"text":"quantum entanglement physics"}"#);
        let wish = PolicyWish { prefer: Some(Prefer::Local), timeout_s: Some(30.0), ..PolicyWish::default() };
        assert_eq!(request.policy, Some(wish));
    }

    #[test]
    fn a_field_that_is_unknown_is_refused_with_its_path() {
        let text = br#"{"target":{"type":"model","colour":1},"payload":{}}"#;
        let error = crate::json::parse::<InvokeRequest>(text).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("target.colour"));
    }

    #[test]
    fn a_fault_is_named_with_its_path() {
        let refused = |target: serde_json::Value, policy: serde_json::Value| {
            let request = read(&json!({"target": target, "payload": null, "policy": policy}));
            request.validate().unwrap_err().field.unwrap()
        };
        let model = json!({"type": "model"});
        assert_eq!(refused(json!({"type": "tool", "role": "system"}), json!({})), "target.role");
        assert_eq!(refused(json!({"type": "tool", "model": "gpt-4o"}), json!({})), "target.model");
        assert_eq!(
            refused(json!({"type": "model", "require_caps": ["a b"]}), json!({})),
            "target.require_caps[0]"
        );
        assert_eq!(refused(model.clone(), json!({"timeout_s": -1})), "policy.timeout_s");
        assert_eq!(refused(model.clone(), json!({"max_attempts": 0})), "policy.max_attempts");
        assert_eq!(refused(model, json!({"budget": "a//b"})), "policy.budget");
    }

    #[test]
    fn a_payload_that_is_too_deep_is_refused() {
        let deep = |levels: usize| {
            let text = format!(
                r#"{{"target":{{"type":"tool"}},"payload":{}"]{{[\"",{}{}]}}"#,
                "[",
                "[".repeat(levels - 1),
                "]".repeat(levels - 1)
            );
            crate::json::parse::<InvokeRequest>(text.as_bytes()).unwrap().validate()
        };
        assert_eq!(deep(limits::JSON_DEPTH - 1), Ok(()));
        assert_eq!(deep(limits::JSON_DEPTH).unwrap_err().field.as_deref(), Some("payload"));
        assert!(deep(100_000).is_err());
    }
}
