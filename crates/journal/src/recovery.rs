//! What is found on disk at the start: where the good part ends, and what is to be cut off behind it. Only looks; the
//! cuts are made by [`Found::cut`], when it is decided in which epoch the journal goes on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::OpenError;
use crate::files;
use crate::hash::Hash;
use crate::line::{self, Kind, Line};
use crate::lines::Lines;
use crate::segment::Segment;
use crate::writer::Place;

/// Where what was cut off last is kept, for whoever wants to look.
const TORN: &str = "torn";
/// How much of it.
const TORN_BYTES: u64 = 64 * 1024;
/// How far the numbers may go from one line to the next: damage leaves gaps, but garbage must not use them up.
const MAX_LEAP: u64 = 1 << 32;

/// What recovery found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovered {
    /// The last number.
    pub head: u64,
    /// Segments.
    pub segments: usize,
    /// Records in the last segment, the only one that was read.
    pub records: u64,
    /// Cut off: a write that never became whole, or garbage behind the last good group.
    pub torn_bytes: u64,
    /// Unreadable lines with good records behind them, and unreadable headers. They are left; readers pass them by.
    pub damaged_lines: u64,
    /// A new epoch has begun, since records that were acknowledged may be lost.
    pub new_epoch: bool,
}

/// The journal as it lies there.
pub(crate) struct Found {
    pub(crate) segments: BTreeMap<u64, Arc<Segment>>,
    /// The last good record.
    pub(crate) place: Place,
    pub(crate) recovered: Recovered,
    /// Whole lines are unreadable at the end. A killed process leaves none: something acknowledged may have stood there.
    pub(crate) spoiled: bool,
    /// Segments without a record or a header: begun and not finished.
    removed: Vec<PathBuf>,
    /// Segments that are in another one, which was about to take their place.
    merged: Vec<PathBuf>,
}

/// Looks at what is there. Of all segments but the last only the first line is read.
pub(crate) fn find(directory: &Path, chained: bool) -> Result<Found, OpenError> {
    let io = || OpenError::io(directory, "its segments can't be read");
    let mut found = Found {
        segments: BTreeMap::new(),
        place: Place { seq: 0, hash: chained.then_some(Hash::GENESIS) },
        recovered: Recovered::default(),
        spoiled: false,
        removed: Vec::new(),
        merged: Vec::new(),
    };
    let mut covered = 0;
    for first_seq in files::segments(directory).map_err(io())? {
        if first_seq <= covered {
            found.merged.push(files::segment(directory, first_seq));
            continue;
        }
        let segment = Segment::load(directory, first_seq)?;
        covered = segment.header.as_ref().and_then(|header| header.through).unwrap_or(covered);
        found.segments.insert(first_seq, Arc::new(segment));
    }
    while let Some(last) = found.segments.last_entry() {
        let segment = Arc::clone(last.get());
        let tail = Tail::read(&segment).map_err(io())?;
        found.spoiled |= tail.spoiled;
        found.recovered.torn_bytes += segment.seen() - tail.good;
        if tail.good == 0 {
            found.removed.push(segment.path.clone());
            last.remove();
            continue;
        }
        segment.show(tail.good);
        let hash = tail.hash.or(segment.header.as_ref().and_then(|header| header.prev));
        found.place = Place { seq: tail.seq, hash: found.place.hash.map(|genesis| hash.unwrap_or(genesis)) };
        found.recovered.head = tail.seq;
        found.recovered.records = tail.records;
        found.recovered.damaged_lines = tail.damaged;
        break;
    }
    let headless = found.segments.values().filter(|segment| segment.header.is_none()).count();
    let read_already = found.segments.values().next_back().is_some_and(|last| last.header.is_none());
    found.recovered.damaged_lines += (headless - usize::from(read_already)) as u64;
    found.recovered.segments = found.segments.len();
    Ok(found)
}

impl Found {
    /// Cuts off what is not good. What can be kept of it for a look is kept.
    pub(crate) fn cut(&self, directory: &Path) -> io::Result<()> {
        for path in &self.merged {
            std::fs::remove_file(path)?;
        }
        for path in &self.removed {
            keep(directory, &File::open(path)?, 0);
            std::fs::remove_file(path)?;
        }
        if let Some(last) = self.segments.values().next_back() {
            let file = File::options().read(true).write(true).open(&last.path)?;
            if file.metadata()?.len() > last.seen() {
                keep(directory, &file, last.seen());
                file.set_len(last.seen())?;
                file.sync_all()?;
            }
        }
        Ok(())
    }
}

/// Keeps the beginning of what is cut off. A disk on which that fails may be full: then the cut matters more.
fn keep(directory: &Path, file: &File, from: u64) {
    let len = file.metadata().map_or(0, |metadata| metadata.len()).saturating_sub(from).min(TORN_BYTES);
    let mut torn = vec![0; len as usize];
    if len > 0 && file.read_exact_at(&mut torn, from).is_ok() {
        drop(std::fs::write(directory.join(TORN), torn));
    }
}

/// The end of the last segment.
struct Tail {
    /// Where the last whole group ends; 0 when there is neither header nor record.
    good: u64,
    /// The last number of that group, and its hash.
    seq: u64,
    hash: Option<Hash>,
    records: u64,
    /// Unreadable lines before `good`, and whether there are any behind.
    damaged: u64,
    spoiled: bool,
}

impl Tail {
    fn read(segment: &Segment) -> io::Result<Self> {
        let mut good = Self {
            good: segment.body,
            seq: segment.first_seq - 1,
            hash: None,
            records: 0,
            damaged: 0,
            spoiled: false,
        };
        let file = segment.open()?;
        let mut lines = Lines::new(&file, segment.body, segment.seen());
        // As far as was read, also where the group is not whole yet.
        let (mut seq, mut records, mut damaged) = (good.seq, 0, 0);
        while let Some(raw) = lines.next()?.filter(|raw| raw.whole) {
            let follows = |line: &Line| line.from > seq && line.to - seq <= MAX_LEAP;
            let line = line::parse(raw.bytes).filter(|line| follows(line) && line::is_sound(raw.bytes, line));
            let Some(line) = line else {
                damaged += 1;
                continue;
            };
            seq = line.to;
            records += u64::from(line.kind != Kind::Gone);
            if line.kind != (Kind::Record { more: true }) {
                let hash = line.link.map(|link| link.hash);
                good = Self { good: raw.end, seq, hash, records, damaged, spoiled: false };
            }
        }
        good.spoiled = damaged > good.damaged;
        Ok(good)
    }
}
