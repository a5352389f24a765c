//! `pas explain`: a receipt as a story for a person.

use std::process::ExitCode;

use anyhow::Result;
use pas_types::event::{CallCost, CallStatus, CallUsage, CostState, UsageSource};
use pas_types::id::CallId;
use pas_types::money::NanoUsd;
use pas_types::receipt::{Attempt, Candidate, Millis, RoutingReceipt, TargetRequest};

use super::receipts::find;
use crate::out;
use crate::receipts::Receipts;
use crate::swarm::Source;

/// The width of what stands before the lines.
const LABEL: usize = 13;

/// Tells what became of a call.
pub(crate) fn run(source: &Source, run_id: &CallId) -> Result<ExitCode> {
    let receipts = Receipts::new(&source.home()?.data_dir);
    let receipt = find(&receipts, run_id)?.receipt;
    let good = receipt.status == CallStatus::Ok;
    let verdict = out::verdict(how_it_ended(&receipt), good);
    out::line(format!("{}: {verdict}", receipt.run_id))?;
    for (label, line) in story(&receipt) {
        out::line(format!("  {label:<LABEL$}{line}").trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn how_it_ended(receipt: &RoutingReceipt) -> &'static str {
    match receipt.status {
        CallStatus::Ok => "answered",
        CallStatus::Error => "failed",
        CallStatus::Cut => "cut off: the answer broke off after it had begun",
        CallStatus::Cancelled if receipt.error.is_some() => "cancelled: an operator ended it",
        CallStatus::Cancelled => "cancelled: the client left",
        CallStatus::Refused => "refused: nothing was sent to anybody",
        CallStatus::Lost => "lost: the gateway died under it",
    }
}

/// The story, line by line, each with what it is about; a line that goes on with the same has none.
fn story(receipt: &RoutingReceipt) -> Vec<(&'static str, String)> {
    let mut story = vec![("came in", came_in(receipt))];
    story.push(("asked for", asked_for(receipt)));
    story.extend(chosen_by(receipt).map(|line| ("chosen by", line)));
    story.extend(labelled("candidates", candidates(receipt)));
    let attempts = receipt.attempts.iter().enumerate();
    story.extend(labelled("tried", attempts.map(|(place, it)| attempt(place + 1, it)).collect()));
    if let Some(resolved) = &receipt.resolved {
        let mut line = format!("{}, model {}", resolved.name, resolved.model);
        if let Some(reported) = resolved.model_reported.as_deref().filter(|it| **it != *resolved.model) {
            line += &format!(" (which calls itself {reported})");
        }
        if let Some(url) = &resolved.url {
            line += &format!(", at {url}");
        }
        story.push(("answered by", line));
    }
    story.push(("took", took(receipt)));
    story.extend(receipt.usage.map(|usage| ("tokens", tokens(usage))));
    story.push(("cost", cost(receipt)));
    if let Some(error) = &receipt.error {
        story.push(("error", format!("{}: {}", error.code, error.message)));
    }
    story.extend(labelled("notes", receipt.notes.iter().map(ToString::to_string).collect()));
    if let Some(seq) = receipt.seq {
        story.push(("journal", format!("record {seq}")));
    }
    // What callers and upstreams wrote must not steer a terminal.
    story.into_iter().map(|(label, line)| (label, line.replace(char::is_control, " "))).collect()
}

/// Lines under one label.
fn labelled(label: &'static str, lines: Vec<String>) -> impl Iterator<Item = (&'static str, String)> {
    let labels = std::iter::once(label).chain(std::iter::repeat(""));
    labels.zip(lines)
}

fn came_in(receipt: &RoutingReceipt) -> String {
    let mut line = format!("{} by {}", receipt.ts, receipt.route);
    if let Some(agent) = &receipt.agent {
        line += &format!(", from {agent}");
    }
    if let Some(run) = &receipt.agent_run_id {
        line += &format!(" in run {run}");
    }
    if let Some(budget) = &receipt.budget {
        line += &format!(", paid by {budget}");
    }
    line
}

fn asked_for(receipt: &RoutingReceipt) -> String {
    let none = TargetRequest::default();
    let target = receipt.target_request.as_deref().unwrap_or(&none);
    let mut line = target.target_type.as_deref().unwrap_or("anything").to_owned();
    if let Some(model) = &target.model {
        line += &format!(" `{model}`");
    }
    if let Some(name) = &target.name {
        line += &format!(" named {name}");
    }
    if let Some(role) = &target.role {
        line += &format!(", role {role}");
    }
    if !target.require_caps.is_empty() {
        line += &format!(", able to {}", target.require_caps.join(", "));
    }
    for (key, value) in &target.labels {
        line += &format!(", label {key}={value}");
    }
    match (receipt.dialect.incoming.as_deref(), receipt.dialect.outgoing.as_deref()) {
        (Some(incoming), Some(outgoing)) if incoming != outgoing => {
            line += &format!("; in {incoming}, passed on in {outgoing}");
        }
        (Some(incoming), _) => line += &format!("; in {incoming}"),
        _ => {}
    }
    line
}

fn chosen_by(receipt: &RoutingReceipt) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(policy) = &receipt.policy {
        let version = policy.version.as_deref().map(|version| format!(" of version {version}"));
        parts.push(format!("policy {}{}", policy.name, version.unwrap_or_default()));
    }
    if let Some(snapshot) = &receipt.snapshot {
        let place = snapshot.registry.map(|place| format!("registry {}:{}", place.epoch, place.index));
        let matrix = snapshot.matrix.as_deref().map(|matrix| format!("matrix {matrix}"));
        let known: Vec<_> = place.into_iter().chain(matrix).collect();
        if !known.is_empty() {
            parts.push(format!("by {}, {} ms old", known.join(" and "), snapshot.age_ms));
        }
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn candidates(receipt: &RoutingReceipt) -> Vec<String> {
    let mut place = 0;
    let mut lines: Vec<String> = Vec::new();
    for candidate in &receipt.candidates {
        place += u32::from(candidate.excluded.is_none());
        lines.push(a_candidate(place, candidate));
    }
    let counts = &receipt.excluded_counts.0;
    if !counts.is_empty() {
        let all: u64 = counts.iter().map(|(_, count)| u64::from(*count)).sum();
        let reasons: Vec<_> = counts.iter().map(|(reason, count)| format!("{count} by {reason}")).collect();
        lines.push(format!("excluded in all: {all} ({})", reasons.join(", ")));
    }
    lines
}

fn a_candidate(place: u32, candidate: &Candidate) -> String {
    let Candidate { name, model, score, excluded, .. } = candidate;
    match (excluded, score) {
        (Some(reason), _) => format!("-  {name}, {model}: out, {reason}"),
        (None, Some(score)) => format!("{place}. {name}, {model}: score {score}"),
        (None, None) => format!("{place}. {name}, {model}"),
    }
}

fn attempt(place: usize, attempt: &Attempt) -> String {
    let mut line = format!("{place}. {}, {}: {}", attempt.name, attempt.model, attempt.outcome);
    if let Some(status) = attempt.http_status {
        line += &format!(" (HTTP {status})");
    }
    line += &format!(" after {}", attempt.timings_ms.total);
    if let Some(first) = attempt.timings_ms.first_byte {
        line += &format!(", first byte after {first}");
    }
    if let Some(CallCost { usd: Some(usd), state }) = attempt.cost {
        line += &format!(", {usd} USD ({state})");
    }
    if let Some(error) = &attempt.error {
        line += &format!(": {error}");
    }
    line
}

fn took(receipt: &RoutingReceipt) -> String {
    let times = &receipt.timings_ms;
    if receipt.status == CallStatus::Lost {
        return "nobody knows".to_owned();
    }
    let part = |time: Option<Millis>, what: &str| time.map(|time| format!("{time} {what}"));
    let parts = [
        part(times.upstream, "upstream"),
        part(times.first_token, "to the first token"),
        part(times.queue.filter(|time| *time > Millis::default()), "in a queue"),
        part(times.discovery, "to choose"),
        part(
            times.overhead,
            if receipt.attempts.len() > 1 { "in the gateway and between attempts" } else { "in the gateway" },
        ),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() { times.total.to_string() } else { format!("{}: {}", times.total, parts.join(", ")) }
}

fn tokens(usage: CallUsage) -> String {
    let words = ["read", "written", "from a cache", "to a cache", "thought"];
    let kinds = words.into_iter().zip(usage.kinds()).enumerate();
    // The first two are always worth a word.
    let kinds = kinds.filter(|(place, (_, (_, tokens)))| *place < 2 || *tokens > 0);
    let kinds: Vec<_> = kinds.map(|(_, (word, (_, tokens)))| format!("{tokens} {word}")).collect();
    let source = match usage.source {
        UsageSource::Provider => "counted by the provider",
        UsageSource::Estimated => "estimated: the provider counted none",
    };
    format!("{} ({source})", kinds.join(", "))
}

fn cost(receipt: &RoutingReceipt) -> String {
    let cost = &receipt.cost_estimate;
    let sure = match cost.state {
        CostState::Confirmed if receipt.attempts.is_empty() => "confirmed: nobody was asked",
        CostState::Confirmed if cost.usd == Some(NanoUsd::default()) => "confirmed: nothing is to be paid",
        CostState::Confirmed => "confirmed: by the provider's count and a known price",
        CostState::Estimated => "an estimate, of the tokens or of the price",
        CostState::Unknown => "unknown, which is not zero",
    };
    let by = cost.price_version.as_deref().map(|version| format!("; prices of version {version}"));
    match cost.usd {
        Some(usd) => format!("{usd} USD, {sure}{}", by.unwrap_or_default()),
        None => sure.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(document: serde_json::Value) -> String {
        let receipt: RoutingReceipt = serde_json::from_value(document).unwrap();
        let lines = story(&receipt).into_iter().map(|(label, line)| format!("{label:<LABEL$}{line}\n"));
        lines.collect()
    }

    #[test]
    fn a_call_that_fell_back_is_told_in_order() {
        let receipt = json!({
            "run_id": "gw-2025-11-06-10-30-00-123456", "agent": "Architect", "agent_run_id": "R-001",
            "budget": "global/default/R-001/Architect", "route": "/invoke",
            "dialect": {"in": "pas", "out": "openai.chat"},
            "target_request": {"type": "model", "role": "production", "require_caps": ["classify"]},
            "policy": {"name": "local", "version": "5f0c"},
            "snapshot": {"registry": {"epoch": 3, "index": 812}, "matrix": "77ab", "age_ms": 40},
            "candidates": [{"name": "a", "model": "m1", "score": 0.91}, {"name": "b", "model": "m2", "score": 0.5},
                {"name": "c", "model": "m3", "excluded": "context: needs 41k, has 32k"}],
            "excluded_counts": {"role": 12, "context": 1},
            "attempts": [
                {"name": "a", "model": "m1", "outcome": "status_5xx", "http_status": 503, "timings_ms": {"total": 12.5}, "error": "over\nloaded"},
                {"name": "b", "model": "m2", "outcome": "ok", "http_status": 200, "timings_ms": {"first_byte": 310, "total": 512},
                    "cost": {"usd": 0.25, "state": "confirmed"}}],
            "resolved": {"name": "b", "url": "http://127.0.0.1:8050", "model": "m2", "model_reported": "m2-instruct"},
            "timings_ms": {"discovery": 0.02, "queue": 0, "upstream": 524.5, "first_token": 323, "overhead": 0.08, "total": 526},
            "usage": {"input": 31, "output": 9, "cache_read": 4, "cache_write": 0, "reasoning": 0, "source": "provider"},
            "cost_estimate": {"usd": 0.25, "state": "confirmed", "price_version": "a1"},
            "status": "ok", "notes": ["the text became one user message"], "ts": "2025-11-06T10:30:00.123Z", "seq": 4711,
        });
        let expected = "\
came in      2025-11-06T10:30:00.123Z by /invoke, from Architect in run R-001, paid by global/default/R-001/Architect
asked for    model, role production, able to classify; in pas, passed on in openai.chat
chosen by    policy local of version 5f0c, by registry 3:812 and matrix 77ab, 40 ms old
candidates   1. a, m1: score 0.91
             2. b, m2: score 0.5
             -  c, m3: out, context: needs 41k, has 32k
             excluded in all: 13 (1 by context, 12 by role)
tried        1. a, m1: status_5xx (HTTP 503) after 12.5 ms: over loaded
             2. b, m2: ok (HTTP 200) after 512 ms, first byte after 310 ms, 0.25 USD (confirmed)
answered by  b, model m2 (which calls itself m2-instruct), at http://127.0.0.1:8050
took         526 ms: 524.5 ms upstream, 323 ms to the first token, 0.02 ms to choose, 0.08 ms in the gateway and between attempts
tokens       31 read, 9 written, 4 from a cache (counted by the provider)
cost         0.25 USD, confirmed: by the provider's count and a known price; prices of version a1
notes        the text became one user message
journal      record 4711
";
        assert_eq!(told(receipt), expected);
    }

    #[test]
    fn a_lost_call_is_told_without_anything_that_nobody_knows() {
        let receipt = json!({
            "run_id": "gw-2025-11-06-10-30-00-123456", "route": "/v1/chat/completions", "dialect": {"in": "openai.chat"},
            "target_request": {"model": "gpt-4o"}, "timings_ms": {"total": 0},
            "cost_estimate": {"usd": null, "state": "unknown"}, "status": "lost",
            "error": {"code": "internal", "message": "it died"}, "ts": "2025-11-06T10:30:00.123Z",
        });
        let expected = "\
came in      2025-11-06T10:30:00.123Z by /v1/chat/completions
asked for    anything `gpt-4o`; in openai.chat
took         nobody knows
cost         unknown, which is not zero
error        internal: it died
";
        assert_eq!(told(receipt), expected);
    }

    #[test]
    fn what_cost_nothing_says_why_and_who_ended_a_call_is_told() {
        let base = json!({"run_id": "gw-1", "route": "/invoke", "timings_ms": {"total": 1},
            "cost_estimate": {"usd": 0.0, "state": "confirmed"}, "status": "cancelled", "ts": "2025-11-06T10:30:00.123Z"});
        let story = told(base.clone());
        assert!(story.contains("0.00 USD, confirmed: nobody was asked"), "{story}");
        let mut free = base.clone();
        free["attempts"] =
            json!([{"name": "a", "model": "m", "outcome": "cancelled", "timings_ms": {"total": 1}}]);
        let story = told(free);
        assert!(story.contains("0.00 USD, confirmed: nothing is to be paid"), "{story}");
        let ended = |document: serde_json::Value| how_it_ended(&serde_json::from_value(document).unwrap());
        assert_eq!(ended(base.clone()), "cancelled: the client left");
        let mut by_operator = base;
        by_operator["error"] =
            json!({"code": "conflict", "message": "the call was cancelled by an operator"});
        assert_eq!(ended(by_operator), "cancelled: an operator ended it");
    }
}
