//! What lines of the journal are: a call that began, a receipt, or the proof that the disk takes something again. Told by
//! how a line begins.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use pas_journal::Class;
use pas_types::event::{CallStatus, CallUsage};
use pas_types::id::{CallId, RunId};
use pas_types::receipt::{Attempt, AttemptTimings, Cost, RoutingReceipt, TargetRequest};
use pas_types::time::WireTime;
use serde::{Deserialize, Serialize};

/// How a line begins that says that a call began.
const OPEN: &[u8] = b"{\"open\":";
/// How a receipt begins.
const RECEIPT: &[u8] = b"{\"run_id\":\"";
/// Bytes of the line by which it is tried whether the disk takes something again: more than the last corner of a full one.
const PROBE_BYTES: usize = 16 * 1024;

/// A call that began: what must be known of it, should the gateway die under it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// The call.
    pub run_id: CallId,
    /// When it came in.
    pub ts: WireTime,
    /// The agent that calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Arc<str>>,
    /// The run of that agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_run_id: Option<RunId>,
    /// The route by which it came in.
    pub route: Cow<'static, str>,
    /// Who pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Arc<str>>,
    /// What is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_request: Option<Arc<TargetRequest>>,
    /// The service that is being asked, and for which model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<(Arc<str>, Arc<str>)>,
}

impl Opened {
    /// Its receipt, when nothing more will ever be known.
    pub(super) fn lost(self) -> RoutingReceipt {
        let attempt = self.asked.map(|(name, model)| Attempt {
            service_id: None,
            name,
            model,
            provider: None,
            outcome: "lost".into(),
            http_status: None,
            timings_ms: AttemptTimings::default(),
            usage: None,
            cost: None,
            error: None,
        });
        RoutingReceipt {
            attempts: attempt.into_iter().collect(),
            agent: self.agent,
            agent_run_id: self.agent_run_id,
            budget: self.budget,
            target_request: self.target_request,
            notes: vec![
                "the gateway died under this call: whether it was answered, and what it cost, is not known"
                    .into(),
            ],
            ..RoutingReceipt::new(self.run_id, self.ts, self.route, CallStatus::Lost)
        }
    }
}

/// The line of a call that began, as it is handed to the journal.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OpenLine<T> {
    pub(super) open: T,
}

/// A line, as far as it was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// A call began.
    Open,
    /// The receipt of the call with this id.
    Receipt(&'a str),
    /// Anything else.
    Other,
}

/// What a line is.
pub(super) fn kind(line: &[u8]) -> Kind<'_> {
    if line.starts_with(OPEN) {
        return Kind::Open;
    }
    // An id has nothing in it that JSON would escape.
    let id = line.strip_prefix(RECEIPT).and_then(|rest| rest.split(|byte| *byte == b'"').next());
    id.and_then(|id| str::from_utf8(id).ok()).map_or(Kind::Other, Kind::Receipt)
}

/// The line by which it is tried whether the disk takes something again.
pub(super) fn probe(now: WireTime) -> String {
    format!("{{\"probe\":{{\"ts\":\"{now}\",\"room\":\"{}\"}}}}", "-".repeat(PROBE_BYTES))
}

/// What the index holds of a receipt. Reading it costs a fraction of reading all.
#[derive(Debug, Deserialize)]
pub(super) struct Row<'a> {
    #[serde(borrow)]
    pub(super) run_id: Cow<'a, str>,
    pub(super) ts: WireTime,
    #[serde(borrow, default)]
    pub(super) agent: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) agent_run_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) budget: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) resolved: Option<RowAsked<'a>>,
    #[serde(borrow, default)]
    pub(super) attempts: Vec<RowAsked<'a>>,
    #[serde(default)]
    pub(super) usage: Option<CallUsage>,
    pub(super) cost_estimate: Cost,
    pub(super) status: CallStatus,
}

#[derive(Debug, Deserialize)]
pub(super) struct RowAsked<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) model: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) provider: Option<Cow<'a, str>>,
}

impl Row<'_> {
    /// Who answered; of a call that nobody answered, who was asked last.
    pub(super) fn asked(&self) -> Option<&RowAsked<'_>> {
        self.resolved.as_ref().or(self.attempts.last())
    }
}

/// How long which lines are kept.
pub(super) fn classes(receipts: Duration, others: Duration) -> Vec<Class> {
    vec![
        Class { name: "receipt", max_age: Some(receipts) },
        Class { name: "other", max_age: Some(others.min(receipts)) },
    ]
}

/// The place of a line's class among [`classes`].
pub(super) fn classify(line: &[u8]) -> usize {
    usize::from(!line.starts_with(RECEIPT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> Opened {
        Opened {
            run_id: "gw-1".parse().unwrap(),
            ts: WireTime::from_millis(1_762_425_000_000),
            agent: Some("Architect".into()),
            agent_run_id: Some("R-001".parse().unwrap()),
            route: "/invoke".into(),
            budget: None,
            target_request: Some(Arc::new(TargetRequest {
                model: Some("gpt-4o".into()),
                ..TargetRequest::default()
            })),
            asked: Some(("openai".into(), "gpt-4o".into())),
        }
    }

    #[test]
    fn a_line_is_known_by_its_beginning() {
        let open = serde_json::to_vec(&OpenLine { open: opened() }).unwrap();
        let receipt = serde_json::to_vec(&opened().lost()).unwrap();
        let probe = probe(WireTime::from_millis(0));
        assert_eq!(
            [kind(&open), kind(&receipt), kind(probe.as_bytes()), kind(b"{}")],
            [Kind::Open, Kind::Receipt("gw-1"), Kind::Other, Kind::Other]
        );
        assert_eq!([&open[..], &receipt, probe.as_bytes()].map(classify), [1, 0, 1]);
        assert!(pas_journal::Payload::new(probe).is_ok());
        let read: OpenLine<Opened> = serde_json::from_slice(&open).unwrap();
        assert_eq!(read.open, opened());
    }

    #[test]
    fn a_lost_call_says_all_that_is_known_and_no_more() {
        let lost = opened().lost();
        let ts = WireTime::from_millis(1_762_425_000_000);
        let expected = RoutingReceipt {
            agent: Some("Architect".into()),
            agent_run_id: Some("R-001".parse().unwrap()),
            target_request: opened().target_request,
            notes: lost.notes.clone(),
            attempts: lost.attempts.clone(),
            ..RoutingReceipt::new("gw-1".parse().unwrap(), ts, "/invoke", CallStatus::Lost)
        };
        assert_eq!(lost, expected);
        assert_eq!((lost.cost_estimate.clone(), lost.validate()), (Cost::UNKNOWN, Ok(())));
        let asked = lost.asked().unwrap();
        assert_eq!((asked.name, asked.model, &*lost.attempts[0].outcome), ("openai", "gpt-4o", "lost"));
        assert_eq!(Opened { asked: None, ..opened() }.lost().asked(), None);
    }

    #[test]
    fn the_index_reads_texts_with_escapes_too() {
        let receipt = RoutingReceipt { agent: Some("A\n\"".into()), ..opened().lost() };
        let line = serde_json::to_vec(&receipt).unwrap();
        let row: Row<'_> = serde_json::from_slice(&line).unwrap();
        assert_eq!(row.agent.as_deref(), Some("A\n\""));
    }
}
