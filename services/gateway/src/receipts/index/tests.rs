use pas_types::event::{CallStatus, CallUsage, CostState, UsageSource};
use pas_types::money::NanoUsd;
use pas_types::receipt::{
    Attempt, AttemptTimings, Cost, GroupBy, ReceiptFilter, Resolved, RoutingReceipt, StatsFormat,
};
use pas_types::time::WireTime;
use proptest::prelude::*;

use super::*;

/// Receipts at their places, as the journal would hold them.
fn receipts(most: usize) -> impl Strategy<Value = Vec<(u64, RoutingReceipt)>> {
    let name = |names: &'static [&'static str]| proptest::option::of(proptest::sample::select(names));
    let usage = (any::<[u32; 4]>(), proptest::bool::weighted(0.8), 0..=pas_types::limits::TOKENS);
    let cost = (0..=NanoUsd::MAX.as_nanos(), proptest::sample::select(&CostState::ALL[..]));
    let names = (
        name(&["a", "B", "é", "with 'quote'", "z\u{1F600}"]),
        name(&["R-1", "R-2"]),
        name(&["global", "global/a", "global/a/b", "global/ab", "other"]),
        name(&["s1", "s2"]),
        name(&["m1", "m2", "m3"]),
        name(&["p"]),
    );
    // Many calls come in within one millisecond.
    let ts = prop_oneof![1_730_000_000_000_i64..1_770_000_000_000, 1_750_000_000_000_i64..1_750_000_000_003];
    let receipt = (names, usage, cost, proptest::sample::select(&CallStatus::ALL[..]), ts);
    proptest::collection::vec((receipt, 1_u64..4), 0..most).prop_map(|rows| {
        let mut seq = 0;
        rows.into_iter()
            .map(|((names, usage, cost, status, ts), gap)| {
                seq += gap;
                (seq, receipt_of(seq, names, usage, cost, status, ts))
            })
            .collect()
    })
}

type Names<'a> =
    (Option<&'a str>, Option<&'a str>, Option<&'a str>, Option<&'a str>, Option<&'a str>, Option<&'a str>);

fn receipt_of(
    seq: u64,
    (agent, run, budget, service, model, provider): Names<'_>,
    ([output, cache_read, cache_write, reasoning], counted, input): ([u32; 4], bool, u64),
    (usd, state): (u64, CostState),
    status: CallStatus,
    ts: i64,
) -> RoutingReceipt {
    let usage = CallUsage {
        input,
        output: output.into(),
        cache_read: cache_read.into(),
        cache_write: cache_write.into(),
        reasoning: reasoning.into(),
        source: UsageSource::Provider,
    };
    let usd = if state == CostState::Unknown { None } else { NanoUsd::from_nanos(usd) };
    let asked = service.zip(model).map(|(service, model)| Attempt {
        service_id: None,
        name: service.into(),
        model: model.into(),
        provider: provider.map(Into::into),
        outcome: "status_500".into(),
        http_status: None,
        timings_ms: AttemptTimings::default(),
        usage: None,
        cost: None,
        error: None,
    });
    let other = asked.clone().map(|asked| Attempt { name: "s0".into(), model: "m0".into(), ..asked });
    let resolved = asked.clone().map(|asked| Resolved {
        service_id: None,
        name: asked.name,
        url: None,
        model: asked.model,
        model_reported: None,
        provider: asked.provider,
    });
    // Who answered need not be who was asked last; who was is who counts where nobody answered.
    let attempts = if is_answered(status) { [asked, other] } else { [other, asked] };
    let resolved = resolved.filter(|_| is_answered(status));
    RoutingReceipt {
        agent: agent.map(Into::into),
        agent_run_id: run.map(|run| run.parse().unwrap()),
        budget: budget.map(Into::into),
        usage: counted.then_some(usage),
        cost_estimate: Cost { usd, state, price_version: None },
        attempts: attempts.into_iter().flatten().collect(),
        resolved,
        ..RoutingReceipt::new(
            format!("gw-{seq}").parse().unwrap(),
            WireTime::from_millis(ts),
            "/invoke",
            status,
        )
    }
}

fn is_answered(status: CallStatus) -> bool {
    matches!(status, CallStatus::Ok | CallStatus::Cut)
}

fn filters() -> impl Strategy<Value = ReceiptFilter> {
    let name = |names: &'static [&'static str]| {
        proptest::option::weighted(0.3, proptest::sample::select(names).prop_map(str::to_owned))
    };
    let status = proptest::option::weighted(0.3, proptest::sample::select(&CallStatus::ALL[..]));
    let since = proptest::option::weighted(0.3, 1_730_000_000_000_i64..1_770_000_000_000);
    let names = (
        name(&["a", "B", "é"]),
        name(&["R-1"]),
        name(&["s1"]),
        name(&["m1", "m2"]),
        name(&["global", "global/a", "é"]),
    );
    (names, status, since).prop_map(|((agent, run, service, model, budget), status, since)| ReceiptFilter {
        since: since.map(WireTime::from_millis),
        agent,
        agent_run_id: run.map(|run| run.parse().unwrap()),
        service,
        model,
        status,
        budget,
    })
}

/// An index of these, filled in steps.
fn filled(directory: &Path, receipts: &[(u64, RoutingReceipt)], step: usize) -> (Writer, Reader) {
    let (mut writer, reader) = open(&directory.join("x.db"), 1, 0).unwrap();
    for part in receipts.chunks(step) {
        let lines: Vec<_> =
            part.iter().map(|(seq, receipt)| (*seq, serde_json::to_vec(receipt).unwrap())).collect();
        let rows = lines.iter().map(|(seq, line)| (*seq, serde_json::from_slice(line).unwrap()));
        writer.follow(rows, part.last().unwrap().0).unwrap();
    }
    (writer, reader)
}

/// All pages of a list.
fn pages(reader: &Reader, filter: &ReceiptFilter, limit: u32) -> Vec<u64> {
    let query = ReceiptQuery { filter: filter.clone(), limit: Some(limit), cursor: None };
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let (page, next) = reader.page(&query, before).unwrap();
        assert!(page.len() <= limit as usize);
        all.extend(page);
        match next {
            // A cursor survives its way through a client.
            Some(next) => before = Some(next.to_string().parse().unwrap()),
            None => return all,
        }
    }
}

/// All pages of sums.
fn all_stats(reader: &Reader, group_by: GroupBy, filter: &ReceiptFilter, limit: u32) -> ReceiptStats {
    let format = StatsFormat::Json;
    let mut query = StatsQuery { group_by, format, filter: filter.clone(), limit: Some(limit), cursor: None };
    let mut all = ReceiptStats { group_by, stats: Vec::new(), next_cursor: None, behind: None };
    loop {
        let page = reader.stats(&query).unwrap();
        assert!(page.stats.len() <= limit as usize);
        all.stats.extend(page.stats);
        match page.next_cursor {
            Some(next) => query.cursor = Some(next),
            None => return all,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn sums_of_the_index_are_those_of_the_receipts(
        receipts in receipts(60), filter in filters(), step in 1_usize..20, limit in 1_u32..5,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (_writer, reader) = filled(directory.path(), &receipts, step);
        for group_by in GroupBy::ALL {
            let wanted = receipts.iter().map(|(_, receipt)| receipt).filter(|receipt| filter.admits(receipt));
            let expected = ReceiptStats::of(group_by, wanted);
            prop_assert_eq!(all_stats(&reader, group_by, &filter, limit), expected);
        }
    }

    #[test]
    fn a_list_has_what_is_wanted_the_newest_first_and_nothing_twice(
        receipts in receipts(60), filter in filters(), limit in 1_u32..10,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (_writer, reader) = filled(directory.path(), &receipts, 7);
        let mut wanted: Vec<_> = receipts.iter().filter(|(_, receipt)| filter.admits(receipt)).collect();
        wanted.sort_by_key(|(seq, receipt)| std::cmp::Reverse((receipt.ts, *seq)));
        let expected: Vec<u64> = wanted.into_iter().map(|(seq, _)| *seq).collect();
        prop_assert_eq!(pages(&reader, &filter, limit), expected);
        for (seq, receipt) in &receipts {
            prop_assert_eq!(reader.find(receipt.run_id.as_str()).unwrap(), Some(*seq));
        }
    }
}

fn one(seq: u64) -> (u64, RoutingReceipt) {
    let run_id = format!("gw-{seq}").parse().unwrap();
    (seq, RoutingReceipt::new(run_id, WireTime::from_millis(seq as i64), "/invoke", CallStatus::Ok))
}

fn all(reader: &Reader) -> Vec<u64> {
    pages(reader, &ReceiptFilter::default(), 1_000)
}

#[test]
fn an_index_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    drop(filled(directory.path(), &[one(1), one(2)], 1));
    let (writer, reader) = open(&directory.path().join("x.db"), 1, 0).unwrap();
    assert_eq!((writer.seq(), all(&reader)), (2, vec![2, 1]));
}

#[test]
fn of_another_epoch_what_was_lost_with_it_is_taken_out() {
    let directory = tempfile::tempdir().unwrap();
    drop(filled(directory.path(), &[one(1), one(2), one(3)], 1));
    let (writer, reader) = open(&directory.path().join("x.db"), 2, 2).unwrap();
    assert_eq!((writer.seq(), all(&reader)), (2, vec![2, 1]));
    drop(writer);
    let (writer, _reader) = open(&directory.path().join("x.db"), 2, 0).unwrap();
    assert_eq!(writer.seq(), 2, "said once");
}

#[test]
fn a_file_that_is_no_database_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.db");
    std::fs::write(&path, "not a database at all, but long enough to be read as one".repeat(20)).unwrap();
    let (writer, reader) = open(&path, 1, 0).unwrap();
    assert_eq!((writer.seq(), all(&reader)), (0, vec![]));
}

#[test]
fn an_index_of_an_older_version_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.db");
    drop(filled(directory.path(), &[one(1)], 1));
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 1).unwrap();
    let (writer, reader) = open(&path, 1, 0).unwrap();
    assert_eq!((writer.seq(), all(&reader)), (0, vec![]));
}

#[test]
fn a_database_newer_than_the_program_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    drop(filled(directory.path(), &[one(1)], 1));
    let path = directory.path().join("x.db");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = open(&path, 1, 0).unwrap_err().to_string();
    assert!(error.contains("has version 99, this program knows up to 2"), "{error}");
    let rows =
        Connection::open(&path).unwrap().query_row("SELECT count(*) FROM receipts", [], |row| row.get(0));
    assert_eq!(rows, Ok(1));
}

#[test]
fn what_the_journal_dropped_goes_bit_by_bit() {
    let directory = tempfile::tempdir().unwrap();
    let receipts: Vec<_> = (1..=12_000).map(one).collect();
    let (mut writer, reader) = filled(directory.path(), &receipts, 4_000);
    let rounds: Vec<bool> = (0..4).map(|_| writer.prune(11_998).unwrap()).collect();
    assert_eq!((rounds, all(&reader)), (vec![true, true, false, false], vec![12_000, 11_999, 11_998]));
}

#[test]
fn a_cursor_has_one_spelling() {
    let cursor = |text: &str| text.parse::<Cursor>().map(|cursor| cursor.to_string());
    assert_eq!(cursor("1762425000123:7"), Ok("1762425000123:7".to_owned()));
    for text in ["", ":", "1", "1:", ":1", "1:2:3", "+1:2", "01:2", "1:-2", "1:9223372036854775808", "a:b"] {
        assert_eq!(cursor(text), Err(()), "{text}");
    }
}
