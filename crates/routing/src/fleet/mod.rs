//! What is registered, made ready to choose from. Immutable: a change is another fleet, which shares the services.

mod build;
mod candidate;

use std::collections::HashMap;
use std::sync::Arc;

use pas_types::invoke::TargetType;

use crate::caps::Dictionary;
use crate::table::{ModelId, Table};
pub(crate) use build::role_bit;
pub use candidate::Candidate;
pub(crate) use candidate::{Hot, flag};
pub use pas_types::registry::ListedService as Service;

/// Everything that can be called, and the table that says what is known of it.
#[derive(Debug)]
pub struct Fleet {
    table: Arc<Table>,
    candidates: Vec<Candidate>,
    pub(crate) hot: Vec<Hot>,
    /// The places of each type: all of one lie side by side.
    types: [std::ops::Range<u32>; TargetType::ALL.len()],
    pub(crate) dictionary: Dictionary,
    /// The places of those who have each capability, by its number.
    having: Vec<Vec<u32>>,
    /// The places of those who serve each model of the table.
    serving: Vec<Vec<u32>>,
    /// The same for models that the table doesn't know.
    others: HashMap<Arc<str>, Vec<u32>>,
    names: HashMap<Arc<str>, Vec<u32>>,
    /// No request of at most so many tokens is long by anybody's prices.
    pub(crate) long_from: u64,
}

impl Fleet {
    /// The table by which it was made.
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Everybody; the place in here is what a [`crate::Choice`] names.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The candidate at this place.
    pub fn candidate(&self, index: u32) -> Option<&Candidate> {
        self.candidates.get(index as usize)
    }

    /// The places of those of this type.
    pub(crate) fn of_type(&self, target_type: TargetType) -> std::ops::Range<u32> {
        self.types[target_type as usize].clone()
    }

    /// The places of those who serve this model.
    pub fn serving(&self, model: ModelId) -> &[u32] {
        self.serving.get(model.index()).map_or(&[], Vec::as_slice)
    }

    /// The places of those who serve a model of this name, which the table doesn't know.
    pub fn serving_other(&self, model: &str) -> &[u32] {
        self.others.get(model).map_or(&[], Vec::as_slice)
    }

    /// The places of those that the services of this name are.
    pub fn named(&self, name: &str) -> &[u32] {
        self.names.get(name).map_or(&[], Vec::as_slice)
    }

    /// The places of those who have the capability of this number.
    pub(crate) fn having(&self, number: u32) -> &[u32] {
        self.having.get(number as usize).map_or(&[], Vec::as_slice)
    }

    /// What can be asked for as `model` and is there: each model once, by the name that the matrix has for it, sorted.
    pub fn model_names(&self) -> Vec<Arc<str>> {
        let models = self.of_type(TargetType::Model);
        let all =
            models.filter_map(|place| self.candidate(place)).map(|candidate| Arc::clone(&candidate.model_id));
        let mut names: Vec<_> = all.collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests;
