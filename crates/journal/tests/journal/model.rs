use std::path::Path;
use std::time::Duration;

use pas_journal::{Journal, Options, Payload, Reader};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::damage::survives;
use crate::support::{BEAT_AGE, all, append, assert_whole, at, open, options, snapshot};

const SEGMENT_AGE_MS: u64 = 5_000;
const BEAT_AGE_MS: u64 = BEAT_AGE.as_millis() as u64;

#[derive(Debug, Clone)]
enum Step {
    /// A group; for each record whether it is a beat, and how long it is.
    Append(Vec<(bool, usize)>),
    /// Time passes.
    Wait(u64),
    Retain,
    /// Closed in order and opened again, or killed and opened again.
    Reopen {
        killed: bool,
    },
    /// The reader reads on.
    Read(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec((any::<bool>(), 0..200_usize), 1..6).prop_map(Step::Append),
        3 => (1..8_000_u64).prop_map(Step::Wait),
        2 => Just(Step::Retain),
        1 => any::<bool>().prop_map(|killed| Step::Reopen { killed }),
        3 => (1..10_usize).prop_map(Step::Read),
    ]
}

struct Written {
    at: u64,
    beat: bool,
    beginning: String,
}

/// What must be in the journal, told from what was done to it.
struct Model {
    now: u64,
    written: Vec<Written>,
    retained: Vec<u64>,
}

impl Model {
    /// What has been there, and may have been taken: a beat past its age.
    fn may_be_gone(&self, written: &Written) -> bool {
        let last = self.retained.last().copied().unwrap_or(0);
        written.beat && last > written.at + BEAT_AGE_MS
    }

    /// A beat in a segment that was closed, as old, at a round of retention, and past its age at a later one.
    fn must_be_gone(&self, written: &Written) -> bool {
        let closed = self.retained.iter().find(|retained| **retained >= written.at + SEGMENT_AGE_MS);
        let last = self.retained.last().copied().unwrap_or(0);
        written.beat && closed.is_some_and(|closed| last > closed + BEAT_AGE_MS)
    }

    fn check(&self, journal: &Journal) {
        assert_eq!((journal.head(), journal.epoch()), (self.written.len() as u64, 1));
        let mut there = all(journal).into_iter().peekable();
        for (seq, written) in (1..).zip(&self.written) {
            match there.next_if(|(there, _)| *there == seq) {
                Some((_, line)) => {
                    assert!(line.starts_with(&written.beginning), "{seq}: {line}");
                    assert!(!self.must_be_gone(written), "{seq} is past its age: {line}");
                }
                None => assert!(self.may_be_gone(written), "{seq} is missing: {}", written.beginning),
            }
        }
        assert_eq!(there.next(), None, "nobody wrote this");
    }

    /// A reader may still see what was taken meanwhile, but never leaves out a fact.
    fn check_read(&self, reader: &mut Reader, count: usize) {
        let mut after = reader.after();
        for record in reader.read(count, 500).unwrap() {
            let passed = &self.written[after as usize..record.seq as usize - 1];
            assert!(passed.iter().all(|written| self.may_be_gone(written)), "left out before {}", record.seq);
            let line = String::from_utf8(record.line).unwrap();
            assert!(line.starts_with(&self.written[record.seq as usize - 1].beginning), "{line}");
            after = record.seq;
        }
    }
}

fn opened(directory: &Path, chained: bool) -> Journal {
    open(Options {
        chained,
        segment_bytes: 1_500,
        segment_age: Duration::from_millis(SEGMENT_AGE_MS),
        ..options(directory)
    })
}

fn run(chained: bool, steps: Vec<Step>) {
    let mut directory: TempDir = tempfile::tempdir().unwrap();
    let mut journal = opened(directory.path(), chained);
    let mut reader = journal.reader(0);
    let mut model = Model { now: 0, written: Vec::new(), retained: Vec::new() };
    for step in steps {
        match step {
            Step::Append(records) => {
                let mut payloads = Vec::new();
                for (beat, length) in records {
                    let (kind, seq) = (if beat { "beat" } else { "fact" }, model.written.len() + 1);
                    let beginning = format!("{{\"{kind}\":{seq},\"pad\":\"{}\"", "x".repeat(length));
                    payloads.push(Payload::new(format!("{beginning}}}")).unwrap());
                    model.written.push(Written { at: model.now, beat, beginning });
                }
                let last_seq = append(&journal, payloads, at(model.now)).last_seq;
                assert_eq!(last_seq, model.written.len() as u64);
            }
            Step::Wait(ms) => model.now += ms,
            Step::Retain => {
                journal.retain(at(model.now)).unwrap();
                model.retained.push(model.now);
            }
            Step::Reopen { killed } => {
                if killed {
                    let left = snapshot(directory.path());
                    drop(journal);
                    directory = left;
                } else {
                    journal.close().unwrap();
                    drop(journal);
                }
                journal = opened(directory.path(), chained);
                // From a place that retention has not passed.
                reader = journal.reader(reader.after().max(journal.oldest() - 1));
            }
            Step::Read(count) => {
                let forgotten = journal.oldest() > reader.after() + 1;
                let gone = forgotten && reader_is_gone(&mut reader);
                if gone {
                    reader = journal.reader(journal.oldest() - 1);
                }
                model.check_read(&mut reader, count);
            }
        }
        model.check(&journal);
    }
    journal.close().unwrap();
    assert_whole(directory.path(), chained);
}

/// Whether it is told to go on elsewhere; otherwise it still holds the segment that was dropped.
fn reader_is_gone(reader: &mut Reader) -> bool {
    reader.read(0, 1).is_err()
}

#[test]
fn a_number_that_no_record_can_have_leads_no_reader_past_what_comes_later() {
    survives(None, b"{broken,\"seq\":9}\n{\"a\":\"b\",\"seq\":1}\n");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_journal_holds_what_was_written_less_what_is_past_its_age(
        chained: bool,
        steps in prop::collection::vec(step(), 1..60),
    ) {
        run(chained, steps);
    }

    #[test]
    fn whatever_stands_in_the_last_segment_what_was_good_before_it_is_still_there(
        kept in prop::option::of(0..=5_usize),
        bytes in damaged_text(),
    ) {
        survives(kept, &bytes);
    }
}

/// Bytes that come near to what the journal writes.
fn damaged_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        (0..12_u64).prop_map(|seq| format!("{{\"a\":\"b\",\"seq\":{seq}}}\n").into_bytes()),
        (0..12_u64).prop_map(|seq| format!("{{\"seq\":{seq},\"more\":true}}\n").into_bytes()),
        (0..9_u64, 0..12_u64).prop_map(|(from, to)| {
            format!("{{\"gone\":{{\"from\":{from},\"to\":{to}}}}}\n").into_bytes()
        }),
        (0..3_u64, 0..3_u64).prop_map(|(journal, first_seq)| {
            format!(
                "{{\"journal\":{journal},\"epoch\":1,\"first_seq\":{first_seq},\"opened_at\":\"2025-11-06T10:30:00.000Z\"}}\n"
            )
            .into_bytes()
        }),
        Just(vec![0; 100]),
        Just(b"\n".to_vec()),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}
