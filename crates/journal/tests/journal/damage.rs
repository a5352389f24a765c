//! The property of recovery, shared with the fuzz target: whatever stands in the last segment, the journal opens or says
//! why not, what was good before it is still there, and it can go on.

use pas_journal::{Fsync, Journal, Options, Payload, ReadError};
use pas_types::time::{Now, WireTime};

/// Puts `bytes` in place of what stands in the last segment behind its first line and `kept` of its five records.
pub(crate) fn survives(kept: Option<usize>, bytes: &[u8]) {
    let directory = tempfile::tempdir().unwrap();
    let options =
        || Options { fsync: Fsync::Os, segment_bytes: 1 << 20, ..Options::new(directory.path(), 1) };
    let append = |journal: &Journal| {
        let now = Now { monotonic: std::time::Duration::ZERO, wall: WireTime::from_millis(0).timestamp() };
        let (tell, told) = std::sync::mpsc::channel();
        let payload = Payload::new("{\"a\":\"b\"}").unwrap();
        journal.append(vec![payload], now, move |result| tell.send(result).unwrap()).unwrap();
        told.recv().unwrap().map(|appended| appended.first_seq)
    };
    let journal = Journal::open(options()).unwrap();
    for seq in 1..=5 {
        assert_eq!(append(&journal).unwrap(), seq);
    }
    drop(journal);

    let segment = directory.path().join("00000000000000000001.jsonl");
    let content = std::fs::read(&segment).unwrap();
    let lines = kept.map_or(0, |kept| kept.min(5) + 1);
    let good: Vec<u8> =
        content.split_inclusive(|byte| *byte == b'\n').take(lines).flatten().copied().collect();
    std::fs::write(&segment, [&good, bytes].concat()).unwrap();

    let journal = match Journal::open(options()) {
        Ok(journal) => journal,
        Err(error) => {
            assert!(kept.is_none(), "only a header can be refused: {error}");
            return;
        }
    };
    let head = journal.head();
    assert!(head >= kept.unwrap_or(0).min(5) as u64);
    assert_eq!(append(&journal).unwrap(), head + 1);
    let mut reader = journal.reader(journal.oldest() - 1);
    let mut read = Vec::new();
    loop {
        match reader.read(2, 1_000) {
            Ok(records) if records.is_empty() => break,
            Ok(records) => read.extend(records.into_iter().map(|record| record.seq)),
            Err(ReadError::Gone { oldest }) => panic!("nothing was dropped before {oldest}"),
            Err(ReadError::Io(error)) => panic!("{error}"),
        }
    }
    let whole = kept.unwrap_or(0).min(5) as u64;
    assert_eq!(read[..whole as usize], (1..=whole).collect::<Vec<_>>());
    assert!(read.is_sorted_by(|a, b| a < b) && read.last() == Some(&(head + 1)), "{read:?}");
    pas_journal::verify(directory.path(), false).unwrap();
    drop(journal);
    let journal = Journal::open(options()).unwrap();
    assert_eq!((journal.head(), journal.recovered().torn_bytes), (head + 1, 0));
}
