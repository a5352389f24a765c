//! What is dropped, and when. Whole segments go from the old end; out of one in the middle, records of classes that are
//! past their age are taken by writing it anew. Records age with their segment: by the time at which the next one began.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use pas_types::time::WireTime;

use crate::error::RetainError;
use crate::files;
use crate::line::{self, Kind, Line, Link};
use crate::lines::Lines;
use crate::options::Class;
use crate::segment::{Header, Segment};
use crate::shared::Shared;

/// What one round of retention did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retained {
    /// Segments that went whole.
    pub dropped_segments: u64,
    /// Segments that were written anew, without some of their records.
    pub compacted_segments: u64,
    /// What both freed.
    pub freed_bytes: u64,
}

/// How long what is kept.
pub(crate) struct Retention {
    shared: Arc<Shared>,
    classes: Vec<Class>,
    classify: fn(&[u8]) -> usize,
    max_bytes: u64,
}

impl Retention {
    pub(crate) fn new(
        shared: Arc<Shared>,
        classes: Vec<Class>,
        classify: fn(&[u8]) -> usize,
        max_bytes: u64,
    ) -> Self {
        let retention = Self { shared, classes, classify, max_bytes };
        for segment in retention.shared.segments().values() {
            let without = segment.header.as_ref().map_or(&[][..], |header| &header.without);
            let settled = retention.bits(|class| without.iter().any(|name| name == class.name));
            segment.settled.store(settled, Ordering::Relaxed);
        }
        retention
    }

    /// One round. The work for one segment is a step after which everything is in order, whatever happens then.
    pub(crate) fn run(&self, now: WireTime) -> Result<Retained, RetainError> {
        let mut retained = Retained::default();
        while self.shared.bytes() > self.max_bytes {
            if !self.drop_oldest(&mut retained)? {
                break;
            }
        }
        // Those that are closed, oldest first, each with the time at which its successor began.
        let segments = self.shared.segments().clone();
        let mut leading = true;
        for (segment, ended_at) in ended(&segments) {
            let age = u64::try_from(now.as_millis().saturating_sub(ended_at.as_millis())).unwrap_or(0);
            let due = self.bits(|class| class.max_age.is_some_and(|max| u128::from(age) > max.as_millis()));
            let settled = segment.settled.load(Ordering::Relaxed);
            if due & !settled != 0 {
                self.compact(segment, due | settled, &mut retained)
                    .map_err(RetainError::new("compact a segment"))?;
            }
            leading = leading && due != 0 && self.drop_hollow(segment.first_seq, &mut retained)?;
        }
        self.shared.counts.dropped_segments.add(retained.dropped_segments);
        self.shared.counts.compacted_segments.add(retained.compacted_segments);
        self.shared.counts.freed_bytes.add(retained.freed_bytes);
        Ok(retained)
    }

    /// A bit for each class that fits.
    fn bits(&self, fits: impl Fn(&Class) -> bool) -> u64 {
        let fitting = self.classes.iter().enumerate().filter(|(_, class)| fits(class));
        fitting.fold(0, |bits, (index, _)| bits | 1 << index)
    }

    /// Drops the oldest segment, unless it is the last. The anchor of what remains is in the next one's header.
    fn drop_oldest(&self, retained: &mut Retained) -> Result<bool, RetainError> {
        let mut segments = self.shared.segments();
        if segments.len() < 2 {
            return Ok(false);
        }
        let Some(oldest) = segments.first_entry() else { return Ok(false) };
        // Under the lock: whoever finds a segment also finds its file, and one that stays on the disk stays known.
        std::fs::remove_file(&oldest.get().path).map_err(RetainError::new("remove a segment"))?;
        retained.dropped_segments += 1;
        retained.freed_bytes += oldest.remove().seen();
        Ok(true)
    }

    /// Drops the oldest segment if it is this one and has no record left; answers whether it did.
    fn drop_hollow(&self, first_seq: u64, retained: &mut Retained) -> Result<bool, RetainError> {
        let segment = self.shared.segments().get(&first_seq).map(Arc::clone);
        let hollow = segment.map_or(Ok(false), |segment| is_hollow(&segment));
        Ok(hollow.map_err(RetainError::new("read a segment"))? && self.drop_oldest(retained)?)
    }

    /// Takes the classes of `without` out of a segment.
    fn compact(&self, segment: &Segment, without: u64, retained: &mut Retained) -> io::Result<()> {
        let unfinished = files::unfinished(&segment.path);
        let replaced = self.rewrite(segment, without).and_then(|shorter| {
            segment.settled.store(without, Ordering::Relaxed);
            let Some(shorter) = shorter else { return Ok(()) };
            retained.compacted_segments += 1;
            retained.freed_bytes += segment.seen().saturating_sub(shorter.seen());
            // Whoever opens the segment does so under this lock too, and gets both old or both new.
            let mut segments = self.shared.segments();
            std::fs::rename(&unfinished, &segment.path)?;
            segments.insert(segment.first_seq, Arc::new(shorter));
            drop(segments);
            files::sync_parent(&segment.path)
        });
        // Gone already when it has become the segment. Else it must not fill a disk that may be full.
        drop(std::fs::remove_file(&unfinished));
        replaced
    }

    /// Writes what is kept of a segment beside it; `None` when that is all.
    fn rewrite(&self, segment: &Segment, without: u64) -> io::Result<Option<Segment>> {
        let names = self.classes.iter().enumerate().filter(|(index, _)| without & (1 << index) != 0);
        let names: Vec<String> = names.map(|(_, class)| class.name.to_owned()).collect();
        let header = segment.header.clone().map(|header| Header { without: names, ..header });
        // A damaged header is one of the damaged lines, which are copied as they are.
        let header_line = header.as_ref().map_or(Ok(Vec::new()), Header::to_line)?;
        // Readable too: whoever reads the segment next may share this file.
        let unfinished = files::unfinished(&segment.path);
        let file = File::options().read(true).write(true).create(true).truncate(true).open(unfinished)?;
        let mut output = BufWriter::new(file);
        output.write_all(&header_line)?;

        let input = segment.open()?;
        let mut lines = Lines::new(&input, segment.body, segment.seen());
        let mut hole = Hole::default();
        let mut dropped = 0_u64;
        while let Some(raw) = lines.next()? {
            match line::parse(raw.bytes).filter(|_| raw.whole) {
                Some(line) if line.kind == Kind::Gone => hole.widen(&line),
                Some(line) if without & self.bit(raw.bytes) != 0 => {
                    dropped += 1;
                    hole.widen(&line);
                }
                _ => {
                    hole.write(&mut output)?;
                    output.write_all(raw.bytes)?;
                    output.write_all(b"\n")?;
                }
            }
        }
        hole.write(&mut output)?;
        if dropped == 0 {
            return Ok(None);
        }
        let output = Arc::new(output.into_inner().map_err(io::IntoInnerError::into_error)?);
        output.sync_all()?;
        let body = header_line.len() as u64;
        let shorter = Segment::new(segment.path.clone(), segment.first_seq, header, body, &output);
        shorter.show(output.metadata()?.len());
        shorter.settled.store(without, Ordering::Relaxed);
        Ok(Some(shorter))
    }

    /// The bit of a record's class; none for a class that is not in the table.
    fn bit(&self, line: &[u8]) -> u64 {
        let class = (self.classify)(line);
        if class < self.classes.len() { 1 << class } else { 0 }
    }
}

/// The closed segments, each with the time at which the next began. One whose successors can't tell has no age yet.
fn ended(segments: &BTreeMap<u64, Arc<Segment>>) -> Vec<(&Segment, WireTime)> {
    let mut ended = Vec::new();
    let mut began = None;
    for segment in segments.values().rev() {
        ended.extend(began.map(|began| (&**segment, began)));
        began = segment.header.as_ref().map(|header| header.opened_at).or(began);
    }
    ended.reverse();
    ended
}

/// Whether a segment has no record that can be read.
fn is_hollow(segment: &Segment) -> io::Result<bool> {
    let file = segment.open()?;
    let mut lines = Lines::new(&file, segment.body, segment.seen());
    while let Some(raw) = lines.next()? {
        if line::parse(raw.bytes).is_some_and(|line| raw.whole && line.kind != Kind::Gone) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Records that were left out one after the other.
#[derive(Default)]
struct Hole(Option<Line>);

impl Hole {
    fn widen(&mut self, line: &Line) {
        let hole = self.0.get_or_insert(*line);
        hole.to = line.to;
        hole.link = hole.link.zip(line.link).map(|(first, last)| Link { hash: last.hash, ..first });
    }

    /// Writes the mark that keeps the numbers and the chain whole.
    fn write(&mut self, output: &mut impl Write) -> io::Result<()> {
        self.0.take().map_or(Ok(()), |hole| line::write_gone(output, hole.from, hole.to, hole.link))
    }
}
