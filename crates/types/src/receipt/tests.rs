use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::error::{Error, ErrorCode};
use crate::event::{CallCost, CallTimings, CostState, Event, Receipt, UsageSource};
use crate::money::NanoUsd;

/// The receipt of the design, whole.
fn whole() -> RoutingReceipt {
    serde_json::from_value(json!({
        "run_id": "gw-2025-11-06-10-30-00-123456", "agent": "Architect", "agent_run_id": "R-001",
        "budget": "global/default/R-001/Architect", "route": "/invoke",
        "dialect": {"in": "pas", "out": "openai.chat"},
        "target_request": {"type": "model", "role": "production", "require_caps": ["classify"]},
        "policy": {"name": "local", "version": "5f0c"},
        "snapshot": {"registry": {"epoch": 3, "index": 812}, "matrix": "77ab", "age_ms": 40},
        "candidates": [
            {"service_id": "0193a0f2-7c3e-7a51-8b1d-2f6c9e4d5a7b", "name": "llama-3.1-8b", "model": "llama-3.1-8b", "score": 0.91},
            {"name": "tiny", "model": "tinyllama", "excluded": "context: needs 41k, has 32k"}],
        "excluded_counts": {"role": 12},
        "attempts": [{"service_id": "0193a0f2-7c3e-7a51-8b1d-2f6c9e4d5a7b", "name": "llama-3.1-8b", "model": "llama-3.1-8b",
            "outcome": "ok", "http_status": 200, "timings_ms": {"connect": 0, "first_byte": 310, "total": 512.25},
            "usage": {"input": 7, "output": 9, "cache_read": 0, "cache_write": 0, "reasoning": 0, "source": "provider"},
            "cost": {"usd": 0.0, "state": "confirmed"}}],
        "resolved": {"service_id": "0193a0f2-7c3e-7a51-8b1d-2f6c9e4d5a7b", "name": "llama-3.1-8b",
            "url": "http://127.0.0.1:8050", "model": "llama-3.1-8b", "model_reported": "llama-3.1-8b-instruct"},
        "timings_ms": {"discovery": 0.02, "queue": 0, "upstream": 512, "first_token": 310, "overhead": 0.08, "total": 514},
        "usage": {"input": 7, "output": 9, "cache_read": 0, "cache_write": 0, "reasoning": 0, "source": "provider"},
        "cost_estimate": {"usd": 0.0, "state": "confirmed", "price_version": "a1"},
        "status": "ok", "ts": "2025-11-06T10:30:00.123Z",
    }))
    .unwrap()
}

fn bare() -> RoutingReceipt {
    let ts = "2025-11-06T10:30:00.123Z".parse().unwrap();
    RoutingReceipt::new("gw-1".parse().unwrap(), ts, "/invoke", CallStatus::Refused)
}

#[test]
fn a_receipt_comes_back_from_the_wire_as_it_was() {
    for receipt in [whole(), bare()] {
        let text = serde_json::to_string(&receipt).unwrap();
        assert_eq!(serde_json::from_str::<RoutingReceipt>(&text).unwrap(), receipt);
        assert_eq!(receipt.validate(), Ok(()));
        assert!(text.starts_with("{\"run_id\":\"gw-"), "{text}");
    }
}

#[test]
fn what_is_empty_is_left_out() {
    let expected = json!({
        "run_id": "gw-1", "route": "/invoke", "timings_ms": {"total": 0},
        "cost_estimate": {"usd": null, "state": "unknown"}, "status": "refused", "ts": "2025-11-06T10:30:00.123Z",
    });
    assert_eq!(serde_json::to_value(bare()).unwrap(), expected);
}

#[test]
fn what_a_newer_gateway_adds_is_passed_over() {
    let mut document = serde_json::to_value(whole()).unwrap();
    document["colour"] = json!("red");
    document["resolved"]["colour"] = json!("red");
    assert_eq!(serde_json::from_value::<RoutingReceipt>(document).unwrap(), whole());
}

#[test]
fn the_event_tells_of_the_call_under_its_own_key() {
    let usage = CallUsage {
        input: 7,
        output: 9,
        cache_read: 0,
        cache_write: 0,
        reasoning: 0,
        source: UsageSource::Provider,
    };
    let receipt = Receipt {
        call_id: "gw-2025-11-06-10-30-00-123456".parse().unwrap(),
        status: CallStatus::Ok,
        route: Some("/invoke".to_owned()),
        service: Some("llama-3.1-8b".to_owned()),
        model: Some("llama-3.1-8b".to_owned()),
        policy: Some("local".to_owned()),
        budget: Some("global/default/R-001/Architect".to_owned()),
        attempts: Some(1),
        usage: Some(usage),
        cost: Some(CallCost { usd: NanoUsd::from_nanos(0), state: CostState::Confirmed }),
        timings_ms: Some(CallTimings {
            total: 514.0,
            first_token: Some(310.0),
            upstream: Some(512.0),
            overhead: Some(0.08),
        }),
        error: None,
    };
    let expected = Event {
        agent: Some("Architect".to_owned()),
        run_id: Some("R-001".parse().unwrap()),
        service_id: Some("0193a0f2-7c3e-7a51-8b1d-2f6c9e4d5a7b".parse().unwrap()),
        idempotency_key: Some("gw-2025-11-06-10-30-00-123456".to_owned()),
        ..Event::new("2025-11-06T10:30:00.637Z".parse().unwrap(), receipt)
    };
    assert_eq!(whole().event(), expected);
    // Of a call that nobody answered it names who was asked last.
    assert_eq!(RoutingReceipt { resolved: None, ..whole() }.event(), expected);
    assert_eq!(expected.validate(expected.ts), Ok(()));
}

#[test]
fn a_value_past_its_limit_is_refused_by_its_place() {
    let refused = |change: fn(&mut RoutingReceipt)| {
        let mut receipt = whole();
        change(&mut receipt);
        receipt.validate().unwrap_err().field.unwrap()
    };
    assert_eq!(refused(|it| it.attempts[0].http_status = Some(99)), "attempts[0].http_status");
    assert_eq!(refused(|it| it.candidates[1].score = Some(f32::INFINITY)), "candidates[1].score");
    assert_eq!(refused(|it| it.candidates = vec![it.candidates[0].clone(); 17]), "candidates");
    assert_eq!(refused(|it| it.notes = vec!["".into()]), "notes");
    assert_eq!(
        refused(|it| it.cost_estimate = Cost { usd: None, ..it.cost_estimate.clone() }),
        "cost_estimate.usd"
    );
    assert_eq!(refused(|it| it.seq = Some(0)), "seq");
    let message = "x".repeat(4097).into();
    let failure = Failure { code: ErrorCode::Internal, message };
    let receipt = RoutingReceipt { error: Some(failure), ..bare() };
    let expected = Error::invalid("error.message", "error.message has 4097 bytes: use at most 4096");
    assert_eq!(receipt.validate(), Err(expected));
}

fn query(pairs: &[(&str, &str)]) -> Result<ReceiptQuery, Error> {
    ReceiptQuery::from_pairs(pairs.iter().copied())
}

#[test]
fn a_query_reads_every_filter() {
    let filter = ReceiptFilter {
        since: Some("2025-11-06T10:30:00Z".parse().unwrap()),
        agent: Some("Architect".to_owned()),
        agent_run_id: Some("R-001".parse().unwrap()),
        service: Some("llama".to_owned()),
        model: Some("llama-3.1-8b".to_owned()),
        status: Some(CallStatus::Cut),
        budget: Some("global/default".to_owned()),
    };
    let mut pairs = vec![
        ("since", "2025-11-06T10:30:00Z"),
        ("agent", "Architect"),
        ("agent_run_id", "R-001"),
        ("service", "llama"),
        ("model", "llama-3.1-8b"),
        ("status", "cut"),
        ("budget", "global/default"),
        ("limit", "7"),
        ("cursor", "c"),
    ];
    let expected = ReceiptQuery { filter: filter.clone(), limit: Some(7), cursor: Some("c".to_owned()) };
    assert_eq!(query(&pairs), Ok(expected));
    pairs.extend([("group_by", "agent_run"), ("format", "csv")]);
    let expected = StatsQuery {
        group_by: GroupBy::AgentRun,
        format: StatsFormat::Csv,
        filter,
        limit: Some(7),
        cursor: Some("c".to_owned()),
    };
    assert_eq!(StatsQuery::from_pairs(pairs.into_iter()), Ok(expected));
}

#[test]
fn a_parameter_that_is_wrong_is_named_with_what_is_legal() {
    let cases = [
        (("since", "noon"), "since is `noon`: use an RFC 3339 time, as 2025-11-06T10:30:00.123Z"),
        (("agent", ""), "agent has 0 bytes: use 1 to 256"),
        (
            ("status", "fine"),
            "`fine` is not a known status of a call: use one of ok, error, cut, cancelled, refused, lost",
        ),
        (
            ("budget", "a//b"),
            "budget is no path of percent-encoded segments: use one as `global/default/R-001/Architect`",
        ),
        (("limit", "0"), "limit is 0: use a whole number from 1 to 1000"),
        (
            ("colour", "red"),
            "colour is not a filter of receipts: use since, agent, agent_run_id, service, model, status, budget, limit or cursor",
        ),
    ];
    for (pair, message) in cases {
        assert_eq!(query(&[pair]), Err(Error::invalid(pair.0, message)));
    }
    let twice = Error::invalid("agent", "agent is given twice: give it once");
    assert_eq!(query(&[("agent", "a"), ("agent", "b")]), Err(twice));
    let missing =
        "group_by is missing: use one of day, month, agent, agent_run, model, service, provider, budget";
    assert_eq!(StatsQuery::from_pairs([].into_iter()), Err(Error::invalid("group_by", missing)));
}

#[test]
fn a_filter_admits_what_matches_each_of_its_criteria() {
    let admits = |key: &str, value: &str| query(&[(key, value)]).unwrap().filter.admits(&whole());
    for (key, value) in [
        ("since", "2025-11-06T10:30:00.123Z"),
        ("agent", "Architect"),
        ("agent_run_id", "R-001"),
        ("service", "llama-3.1-8b"),
        ("model", "llama-3.1-8b"),
        ("status", "ok"),
        ("budget", "global"),
        ("budget", "global/default/R-001/Architect"),
    ] {
        assert!(admits(key, value), "{key}={value}");
    }
    for (key, value) in [
        ("since", "2025-11-06T10:30:00.124Z"),
        ("agent", "Coder"),
        ("agent_run_id", "R-1"),
        ("service", "llama"),
        ("model", "llama"),
        ("status", "cut"),
        ("budget", "global/def"),
        ("budget", "global/default/R-001/Architect/x"),
    ] {
        assert!(!admits(key, value), "{key}={value}");
    }
}

#[test]
fn sums_are_exact_and_what_is_unknown_is_in_none() {
    let costly = |usd: Option<u64>, state| RoutingReceipt {
        cost_estimate: Cost { usd: usd.and_then(NanoUsd::from_nanos), state, price_version: None },
        ..whole()
    };
    let most = NanoUsd::MAX.as_nanos();
    let receipts = [
        costly(Some(most), CostState::Confirmed),
        costly(Some(most - 1), CostState::Confirmed),
        costly(Some(1), CostState::Estimated),
        costly(None, CostState::Unknown),
        bare(),
    ];
    let stats = ReceiptStats::of(GroupBy::Agent, &receipts);
    let zero = json!({"ok": 0, "error": 0, "cut": 0, "cancelled": 0, "refused": 0, "lost": 0});
    let (mut ok, mut refused) = (zero.clone(), zero);
    (ok["ok"], refused["refused"]) = (json!(4), json!(1));
    let text = serde_json::to_string(&stats).unwrap();
    assert!(text.contains("\"confirmed\":15999999.999999999"), "{text}");
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    document["stats"][0]["usd"]["confirmed"] = json!("seen");
    let tokens = |input, output| json!({"input": input, "output": output, "cache_read": 0, "cache_write": 0, "reasoning": 0});
    let expected = json!({"group_by": "agent", "next_cursor": null, "stats": [
        {"key": "Architect", "calls": 4, "by_status": ok, "tokens": tokens(28, 36),
            "usd": {"confirmed": "seen", "estimated": 1e-9}, "unknown_cost_calls": 1},
        {"key": null, "calls": 1, "by_status": refused, "tokens": tokens(0, 0),
            "usd": {"confirmed": 0.0, "estimated": 0.0}, "unknown_cost_calls": 1},
    ]});
    assert_eq!(document, expected);
}

#[test]
fn a_table_names_its_columns_and_quotes_what_would_break_it() {
    let named = |agent: &str| RoutingReceipt { agent: Some(Arc::from(agent)), ..whole() };
    let stats = ReceiptStats::of(GroupBy::Agent, &[named("a,\"b\""), named("=1+1"), bare()]);
    let expected = "agent,calls,ok,error,cut,cancelled,refused,lost,input_tokens,output_tokens,cache_read_tokens,\
        cache_write_tokens,reasoning_tokens,usd_confirmed,usd_estimated,unknown_cost_calls\r\n\
        '=1+1,1,1,0,0,0,0,0,7,9,0,0,0,0.00,0.00,0\r\n\
        \"a,\"\"b\"\"\",1,1,0,0,0,0,0,7,9,0,0,0,0.00,0.00,0\r\n\
        ,1,0,0,0,0,1,0,0,0,0,0,0,0.00,0.00,1\r\n";
    assert_eq!(stats.to_csv(), expected);
}

#[test]
fn times_are_grouped_by_the_calendar_of_utc_with_the_newest_first() {
    let at = |ts: &str| RoutingReceipt { ts: ts.parse().unwrap(), ..bare() };
    let receipts =
        [at("2025-10-31T23:59:59.999Z"), at("2025-11-01T00:00:00Z"), at("2025-11-01T01:00:00+02:00")];
    let keys = |group_by| {
        let stats = ReceiptStats::of(group_by, &receipts).stats;
        stats.into_iter().map(|row| (row.key.unwrap(), row.calls)).collect::<Vec<_>>()
    };
    assert_eq!(keys(GroupBy::Day), [("2025-11-01".to_owned(), 1), ("2025-10-31".to_owned(), 2)]);
    assert_eq!(keys(GroupBy::Month), [("2025-11".to_owned(), 1), ("2025-10".to_owned(), 2)]);
}
