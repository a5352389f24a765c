use std::sync::Arc;

use pas_types::routing::{DataPolicy, Locality, Tier};

use super::Service;
use crate::caps::Caps;
use crate::dialect::Dialects;
use crate::price::Price;
use crate::table::{ModelId, ProviderId};

/// Somebody who can be asked: a service, and the model that it is asked for.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The service.
    pub service: Arc<Service>,
    /// The name of the model as the service knows it, to be sent to it. A tool's or an agent's is its own.
    pub model: Arc<str>,
    /// The name that the matrix has for the model; the same where it doesn't know it.
    pub model_id: Arc<str>,
    /// The same for the same service and model in every fleet: what is remembered of it is kept under this.
    pub key: u64,
    /// How it can be spoken to; none if in no dialect that is known.
    pub dialects: Option<Dialects>,
    /// Where it runs.
    pub locality: Locality,
    /// What its provider does with data.
    pub data: DataPolicy,
    /// How good it is, if somebody has said.
    pub tier: Option<Tier>,
    /// What it costs.
    pub price: Price,
    /// Tokens that fit its context, if somebody has said.
    pub ctx_limit: Option<u64>,
    /// Tokens of an answer, if somebody has said.
    pub max_output: Option<u64>,
    /// How many turns it takes where others take one, when it ties with them.
    pub weight: u32,
    pub(super) facts: Option<ModelId>,
    pub(super) provider: Option<ProviderId>,
}

impl Candidate {
    /// What the table knows of it.
    pub(crate) fn facts(&self) -> Option<ModelId> {
        self.facts
    }

    /// Its provider, if the table knows it.
    pub(crate) fn provider(&self) -> Option<ProviderId> {
        self.provider
    }
}

/// Yes or no, each a bit.
pub(crate) mod flag {
    /// It has an address.
    pub(crate) const URL: u16 = 1;
    /// It is paused.
    pub(crate) const PAUSED: u16 = 2;
    /// It is down.
    pub(crate) const DOWN: u16 = 4;
    /// It runs on this machine.
    pub(crate) const LOCAL: u16 = 8;
    /// It is its service's first model.
    pub(crate) const FIRST: u16 = 16;
    /// It has capabilities beyond those with a bit.
    pub(crate) const MORE_CAPS: u16 = 32;
}

/// What is looked at of every candidate, side by side in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hot {
    pub(crate) caps: Caps,
    /// The most, where nobody has said.
    pub(crate) ctx_limit: u64,
    pub(crate) max_output: u64,
    /// 0 where nobody has said.
    pub(crate) p95_ms: f32,
    /// From 0 to 1.
    pub(crate) latency: f32,
    pub(crate) load: f32,
    /// What the score is worth, by how it is.
    pub(crate) health: f32,
    /// Dollars for a token read and one written; infinite when unknown.
    pub(crate) usd_in: f64,
    pub(crate) usd_out: f64,
    /// The place of the role among all, as a bit.
    pub(crate) role: u8,
    /// The tier's place, or one more than the last.
    pub(crate) tier: u8,
    pub(crate) data: DataPolicy,
    pub(crate) dialects: Option<Dialects>,
    pub(crate) flags: u16,
    pub(crate) provider: Option<ProviderId>,
}

impl Hot {
    pub(crate) fn is(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}
