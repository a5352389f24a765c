//! What a receipt may hold, as its schema says it.

use super::{Attempt, Candidate, Content, ContentPart, RoutingReceipt, TargetRequest};
use crate::check::{
    check_budget_path, check_count, check_label, check_name, check_name_if_given, check_text, check_within,
    check_word,
};
use crate::error::Error;
use crate::limits;

const INTEGER: u64 = limits::TOKENS;

impl RoutingReceipt {
    /// Refuses what breaks a limit.
    pub fn validate(&self) -> Result<(), Error> {
        check_name_if_given("agent", self.agent.as_deref())?;
        self.budget.as_deref().map_or(Ok(()), |path| check_budget_path("budget", path))?;
        line("route", &self.route)?;
        word("dialect.in", self.dialect.incoming.as_deref())?;
        word("dialect.out", self.dialect.outgoing.as_deref())?;
        self.target_request.as_deref().map_or(Ok(()), TargetRequest::validate)?;
        if let Some(policy) = &self.policy {
            check_name("policy.name", &policy.name)?;
            word("policy.version", policy.version.as_deref())?;
        }
        if let Some(snapshot) = &self.snapshot {
            word("snapshot.matrix", snapshot.matrix.as_deref())?;
            check_within("snapshot.age_ms", snapshot.age_ms, 0, INTEGER)?;
            if let Some(place) = snapshot.registry {
                check_within("snapshot.registry.epoch", place.epoch, 0, INTEGER)?;
                check_within("snapshot.registry.index", place.index, 0, INTEGER)?;
            }
        }
        check_count("candidates", self.candidates.len(), limits::CANDIDATES)?;
        self.candidates.iter().enumerate().try_for_each(|(place, it)| it.validate(place))?;
        check_count("excluded_counts", self.excluded_counts.0.len(), limits::LABELS)?;
        self.excluded_counts.0.iter().try_for_each(|(reason, _)| check_word("excluded_counts", reason))?;
        check_count("attempts", self.attempts.len(), limits::RECEIPT_ATTEMPTS)?;
        self.attempts.iter().enumerate().try_for_each(|(place, it)| it.validate(place))?;
        if let Some(resolved) = &self.resolved {
            check_name("resolved.name", &resolved.name)?;
            check_name("resolved.model", &resolved.model)?;
            line_if_given("resolved.url", resolved.url.as_deref())?;
            check_name_if_given("resolved.model_reported", resolved.model_reported.as_deref())?;
            check_name_if_given("resolved.provider", resolved.provider.as_deref())?;
        }
        self.usage.map_or(Ok(()), |usage| usage.validate("usage"))?;
        self.cost_estimate.call().validate("cost_estimate")?;
        word("cost_estimate.price_version", self.cost_estimate.price_version.as_deref())?;
        self.error.as_ref().map_or(Ok(()), |error| line("error.message", &error.message))?;
        check_count("notes", self.notes.len(), limits::LINES)?;
        self.notes.iter().try_for_each(|note| line("notes", note))?;
        self.content.as_ref().map_or(Ok(()), Content::validate)?;
        check_within("seq", self.seq.unwrap_or(1), 1, INTEGER)
    }
}

impl TargetRequest {
    fn validate(&self) -> Result<(), Error> {
        word("target_request.type", self.target_type.as_deref())?;
        word("target_request.role", self.role.as_deref())?;
        check_count("target_request.require_caps", self.require_caps.len(), limits::CAPABILITIES)?;
        self.require_caps.iter().try_for_each(|cap| check_word("target_request.require_caps", cap))?;
        check_name_if_given("target_request.name", self.name.as_deref())?;
        check_name_if_given("target_request.model", self.model.as_deref())?;
        check_count("target_request.labels", self.labels.len(), limits::LABELS)?;
        let mut labels = self.labels.iter();
        labels.try_for_each(|(key, value)| check_label("target_request.labels", key, Some(value)))
    }
}

impl Candidate {
    fn validate(&self, place: usize) -> Result<(), Error> {
        let field = |name: &str| format!("candidates[{place}].{name}");
        check_name(&field("name"), &self.name)?;
        check_name(&field("model"), &self.model)?;
        check_within(&field("score"), self.score.unwrap_or_default(), -1e6, 1e6)?;
        line_if_given(&field("excluded"), self.excluded.as_deref())
    }
}

impl Attempt {
    fn validate(&self, place: usize) -> Result<(), Error> {
        let field = |name: &str| format!("attempts[{place}].{name}");
        check_name(&field("name"), &self.name)?;
        check_name(&field("model"), &self.model)?;
        check_name_if_given(&field("provider"), self.provider.as_deref())?;
        check_word(&field("outcome"), &self.outcome)?;
        check_within(&field("http_status"), self.http_status.unwrap_or(200), 100, 999)?;
        self.usage.map_or(Ok(()), |usage| usage.validate(&field("usage")))?;
        self.cost.map_or(Ok(()), |cost| cost.validate(&field("cost")))?;
        line_if_given(&field("error"), self.error.as_deref())
    }
}

impl Content {
    fn validate(&self) -> Result<(), Error> {
        self.request.validate("content.request")?;
        self.answer.as_ref().map_or(Ok(()), |answer| answer.validate("content.answer"))
    }
}

impl ContentPart {
    fn validate(&self, place: &str) -> Result<(), Error> {
        check_within(&format!("{place}.bytes"), self.bytes, 0, INTEGER)?;
        if self.sha256.is_some() == self.blake3.is_some() {
            let field = format!("{place}.sha256");
            let message = format!("{field} and {place}.blake3 are both there, or neither: use one");
            return Err(Error::invalid(field, message));
        }
        let text = self.text.as_deref().unwrap_or_default();
        check_text(&format!("{place}.text"), text, limits::CONTENT_BYTES)
    }
}

fn word(field: &str, text: Option<&str>) -> Result<(), Error> {
    text.map_or(Ok(()), |text| check_word(field, text))
}

fn line_if_given(field: &str, text: Option<&str>) -> Result<(), Error> {
    text.map_or(Ok(()), |text| line(field, text))
}

/// A sentence, a path or a URL.
fn line(field: &str, text: &str) -> Result<(), Error> {
    if text.is_empty() {
        let message = format!("{field} has 0 bytes: use 1 to {}", limits::LINE_BYTES);
        return Err(Error::invalid(field, message));
    }
    check_text(field, text, limits::LINE_BYTES)
}
