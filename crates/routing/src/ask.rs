//! What a call asks for.

use std::collections::BTreeMap;
use std::time::Duration;

use pas_types::Error;
use pas_types::invoke::{Target, TargetType};
use pas_types::registry::Role;

use crate::caps::Needs;
use crate::dialect::Speaks;
use crate::table::{ModelId, RouteId, Table};

/// The word before a list of capabilities.
const CAPS: &str = "cap:";

/// What a `model` asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// Nothing in particular.
    #[default]
    Any,
    /// Whatever can do all of this: words with commas between.
    Caps(&'a str),
    /// A named route.
    Route(RouteId),
    /// A model that the matrix knows.
    Model(ModelId),
    /// A model that the matrix doesn't know, or a service.
    Other(&'a str),
}

/// What is known of a call before it is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ask<'a> {
    /// What kind of thing is called.
    pub target_type: TargetType,
    /// With this role.
    pub role: Option<Role>,
    /// With these capabilities.
    pub caps: &'a [String],
    /// The service of this name.
    pub name: Option<&'a str>,
    /// What its `model` says.
    pub wanted: Wanted<'a>,
    /// With these labels.
    pub labels: Option<&'a BTreeMap<String, String>>,
    /// How the request is spelled.
    pub speaks: Speaks,
    /// What was found in the request.
    pub needs: Needs,
    /// Tokens of the request, as far as they can be told.
    pub input_tokens: u64,
    /// Tokens that the answer may have, where the request says.
    pub output_tokens: Option<u64>,
    /// How much time is left.
    pub deadline: Option<Duration>,
    /// The agent that calls: it is never its own target.
    pub agent: Option<&'a str>,
    /// The candidates of this fleet that were tried already and failed.
    pub tried: &'a [u32],
}

/// What a `model` asks for: capabilities, a route, a model's id, an alias, a service's name; in this order.
pub fn resolve<'a>(table: &Table, model: &'a str) -> Result<Wanted<'a>, Error> {
    if let Some(caps) = model.strip_prefix(CAPS) {
        let is_word = |word: &str| !word.is_empty() && !word.chars().any(char::is_whitespace);
        if !caps.split(',').all(is_word) {
            let message =
                format!("`{model}` names no capabilities: use words with commas between, as cap:plan,tools");
            return Err(Error::invalid("model", message));
        }
        return Ok(Wanted::Caps(caps));
    }
    let route = table.route(model).map(Wanted::Route);
    Ok(route.or_else(|| table.model(model).map(Wanted::Model)).unwrap_or(Wanted::Other(model)))
}

impl<'a> Ask<'a> {
    /// Asks for a model.
    pub fn of(wanted: Wanted<'a>) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// Asks for the target of `/invoke`.
    pub fn of_target(table: &Table, target: &'a Target) -> Result<Self, Error> {
        let wanted = target.model.as_deref().map(|model| resolve(table, model));
        let wanted = wanted.transpose().map_err(|error| error.with_field("target.model"))?;
        Ok(Self {
            target_type: target.target_type,
            role: target.role,
            caps: &target.require_caps,
            name: target.name.as_deref(),
            wanted: wanted.unwrap_or_default(),
            labels: Some(&target.labels).filter(|labels| !labels.is_empty()),
            ..Self::default()
        })
    }
}
