//! A cursor over the journal: reads what is there, then follows what comes.

use std::fs::File;
use std::io;
use std::sync::Arc;

use crate::error::ReadError;
use crate::line::{self, Kind};
use crate::lines::{self, Lines};
use crate::segment::Segment;
use crate::shared::Shared;

/// One record, as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub seq: u64,
    /// Its line, without the newline.
    pub line: Vec<u8>,
}

/// Reads from a cursor on. It has no buffer and no file of its own: those who read the same segment share one.
#[derive(Debug)]
pub struct Reader {
    shared: Arc<Shared>,
    after: u64,
    place: Option<Place>,
}

/// Where the next line is. The file stays what it is, also when retention replaces or removes its name.
#[derive(Debug)]
struct Place {
    segment: Arc<Segment>,
    file: Arc<File>,
    offset: u64,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>, after: u64) -> Self {
        Self { shared, after, place: None }
    }

    /// The number of the last record read, or passed by.
    pub fn after(&self) -> u64 {
        self.after
    }

    /// The next records, up to the head: `max_records` at the most, and no more once they have `max_bytes`. Lines that
    /// are damaged are passed by, and counted.
    pub fn read(&mut self, max_records: usize, max_bytes: usize) -> Result<Vec<Record>, ReadError> {
        let mut page = Page { records: Vec::new(), bytes: 0, max_records, max_bytes };
        if self.shared.head() <= self.after {
            return Ok(page.records);
        }
        // An error leaves it nowhere; the next read finds its place by the cursor.
        while let Some(mut place) = self.take_place()? {
            // In this order: a segment that has a successor grows no more.
            let successor = self.shared.successor(place.segment.first_seq);
            let (head, seen) = self.shared.seen(&place.segment);
            let last = successor.as_ref().map_or(head, |successor| successor.first_seq - 1);
            self.read_segment(&mut place, seen, last, &mut page)?;
            match successor {
                Some(successor) if !page.is_full() => self.enter(&place.segment, &successor)?,
                _ => {
                    self.place = Some(place);
                    break;
                }
            }
        }
        Ok(page.records)
    }

    /// Reads up to the offset `seen`. A number above `last` is damage: it must not lead past what comes under it later.
    fn read_segment(&mut self, place: &mut Place, seen: u64, last: u64, page: &mut Page) -> io::Result<()> {
        let mut lines = Lines::new(&place.file, place.offset, seen);
        while !page.is_full() {
            let Some(raw) = lines.next()? else { break };
            place.offset = raw.end;
            let Some(line) = line::parse(raw.bytes).filter(|line| raw.whole && line.to <= last) else {
                self.shared.counts.skipped_lines.add(1);
                continue;
            };
            if line.to > self.after {
                self.after = line.to;
                if line.kind != Kind::Gone {
                    page.bytes += raw.bytes.len();
                    page.records.push(Record { seq: line.to, line: raw.bytes.to_vec() });
                }
            }
        }
        Ok(())
    }

    /// Where it reads; found by the cursor, if it is nowhere yet. `None` while the journal is empty.
    fn take_place(&mut self) -> Result<Option<Place>, ReadError> {
        if let Some(place) = self.place.take() {
            return Ok(Some(place));
        }
        let segments = self.shared.segments();
        let Some(oldest) = segments.keys().next() else { return Ok(None) };
        let found = segments.range(..=self.after + 1).next_back();
        let (_, segment) = found.ok_or(ReadError::Gone { oldest: *oldest })?;
        // Under the lock, under which retention replaces files: segment and file belong together.
        let (segment, file) = (Arc::clone(segment), segment.open()?);
        drop(segments);
        let offset = lines::locate(&file, segment.body, segment.seen(), self.after)?;
        Ok(Some(Place { segment, file, offset }))
    }

    /// Goes on in the next segment. Where retention has replaced or removed the one that is left, there may be more of it in
    /// another, or less of all: then the cursor finds what comes next.
    fn enter(&mut self, left: &Arc<Segment>, next: &Segment) -> io::Result<()> {
        let segments = self.shared.segments();
        let is_left = segments.get(&left.first_seq).is_some_and(|known| Arc::ptr_eq(known, left));
        // Looked up again: retention may have replaced it, or dropped it.
        if let Some(segment) = segments.get(&next.first_seq).filter(|_| is_left) {
            let (segment, file) = (Arc::clone(segment), segment.open()?);
            let offset = segment.body;
            self.place = Some(Place { segment, file, offset });
        }
        Ok(())
    }
}

/// What one call reads.
struct Page {
    records: Vec<Record>,
    bytes: usize,
    max_records: usize,
    max_bytes: usize,
}

impl Page {
    fn is_full(&self) -> bool {
        self.records.len() >= self.max_records || (self.bytes >= self.max_bytes && !self.records.is_empty())
    }
}
