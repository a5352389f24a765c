//! What is dropped, and when. Whole segments go from the old end; out of one in the middle, records of classes that are
//! past their age are taken by writing it anew; and neighbours that are small by then become one. Records age with their
//! segment: by the time at which the next one began.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pas_types::time::WireTime;

use crate::error::RetainError;
use crate::files;
use crate::line::{self, Kind, Line, Link};
use crate::lines::Lines;
use crate::merging::{self, Piece};
use crate::options::{Class, Options};
use crate::segment::{Header, Segment};
use crate::shared::Shared;

/// What one round of retention did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retained {
    /// Segments that went whole.
    pub dropped_segments: u64,
    /// Segments that were written anew, without some of their records.
    pub compacted_segments: u64,
    /// Segments that became part of the one before.
    pub merged_segments: u64,
    /// What all of it freed.
    pub freed_bytes: u64,
}

/// How long what is kept.
pub(crate) struct Retention {
    shared: Arc<Shared>,
    classes: Vec<Class>,
    classify: fn(&[u8]) -> usize,
    max_bytes: u64,
    /// What a merged segment may have.
    merged_bytes: u64,
}

impl Retention {
    pub(crate) fn new(shared: Arc<Shared>, options: &Options) -> Self {
        let Options { classes, classify, max_bytes, segment_bytes, .. } = options;
        let (classes, merged_bytes) = (classes.clone(), segment_bytes / merging::BYTES);
        let retention = Self { shared, classes, classify: *classify, max_bytes: *max_bytes, merged_bytes };
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
        self.merge_all(&mut retained).map_err(RetainError::new("merge segments"))?;
        self.shared.counts.dropped_segments.add(retained.dropped_segments);
        self.shared.counts.compacted_segments.add(retained.compacted_segments);
        self.shared.counts.merged_segments.add(retained.merged_segments);
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
        let header = segment.header.clone().map(|header| Header { without: self.names(without), ..header });
        self.replacing(segment, |output| {
            let (shorter, dropped) = self.write_anew(&[segment], header, without, output)?;
            segment.settled.store(without, Ordering::Relaxed);
            if dropped == 0 {
                return Ok(());
            }
            retained.compacted_segments += 1;
            retained.freed_bytes += segment.seen().saturating_sub(shorter.seen());
            self.take_place(segment, shorter, &[])
        })
    }

    /// Makes one of neighbours that are small.
    fn merge_all(&self, retained: &mut Retained) -> io::Result<()> {
        let segments = self.shared.segments().clone();
        let closed = ended(&segments);
        let piece = |(segment, ended): &(&Segment, WireTime)| {
            let header = segment.header.as_ref()?;
            let settled = segment.settled.load(Ordering::Relaxed);
            let (epoch, began) = (header.epoch, header.opened_at);
            Some(Piece { bytes: segment.seen(), epoch, settled, began, ended: *ended })
        };
        let pieces: Vec<_> = closed.iter().map(piece).collect();
        for run in merging::runs(&pieces, self.merged_bytes, |settled| self.span(settled)) {
            let run: Vec<&Segment> = closed[run].iter().map(|(segment, _)| *segment).collect();
            self.merge(&run, retained)?;
        }
        Ok(())
    }

    /// How much time a merged segment may stand for in which these classes have no record.
    fn span(&self, settled: u64) -> Option<Duration> {
        let left = self.classes.iter().enumerate().filter(|(index, _)| settled & (1 << index) == 0);
        left.filter_map(|(_, class)| class.max_age).min().map(|age| age / merging::AGE)
    }

    /// Puts the others behind the first. From the moment that its new file has its name they are in it, and what is left of
    /// them is nothing's: readers don't find it, and the next start removes what a death in between has left.
    fn merge(&self, run: &[&Segment], retained: &mut Retained) -> io::Result<()> {
        let Some((first, others)) = run.split_first() else { return Ok(()) };
        let Some(successor) = run.last().and_then(|last| self.shared.successor(last.first_seq)) else {
            return Ok(());
        };
        let through = Some(successor.first_seq - 1);
        let header = first.header.clone().map(|header| Header { through, ..header });
        let settled = first.settled.load(Ordering::Relaxed);
        self.replacing(first, |output| {
            let (merged, _) = self.write_anew(run, header, 0, output)?;
            merged.settled.store(settled, Ordering::Relaxed);
            let before: u64 = run.iter().map(|segment| segment.seen()).sum();
            retained.merged_segments += others.len() as u64;
            retained.freed_bytes += before.saturating_sub(merged.seen());
            self.take_place(first, merged, others)
        })
    }

    /// Calls `write` with a file beside the segment that may take its place, and leaves none.
    fn replacing(&self, segment: &Segment, write: impl FnOnce(File) -> io::Result<()>) -> io::Result<()> {
        let unfinished = files::unfinished(&segment.path);
        // Readable too: whoever reads the segment next may share this file.
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&unfinished);
        let replaced = file.and_then(write);
        // Gone already when it has become the segment. Else it must not fill a disk that may be full.
        drop(std::fs::remove_file(&unfinished));
        replaced
    }

    /// Gives the file beside `old` its name, and removes `others`, which are in it.
    fn take_place(&self, old: &Segment, new: Segment, others: &[&Segment]) -> io::Result<()> {
        // Whoever opens a segment does so under this lock too, and gets all old or all new.
        let mut segments = self.shared.segments();
        std::fs::rename(files::unfinished(&old.path), &old.path)?;
        segments.insert(old.first_seq, Arc::new(new));
        for other in others {
            segments.remove(&other.first_seq);
        }
        drop(segments);
        // Before the others go: a power failure must not take both.
        files::sync_parent(&old.path)?;
        others.iter().try_for_each(|other| std::fs::remove_file(&other.path))
    }

    /// The names of these classes.
    fn names(&self, classes: u64) -> Vec<String> {
        let named = self.classes.iter().enumerate().filter(|(index, _)| classes & (1 << index) != 0);
        named.map(|(_, class)| class.name.to_owned()).collect()
    }

    /// Writes what is kept of these segments, one after the other, behind one header; answers how many records are not.
    fn write_anew(
        &self,
        sources: &[&Segment],
        header: Option<Header>,
        without: u64,
        output: File,
    ) -> io::Result<(Segment, u64)> {
        let Some(first) = sources.first() else { return Err(io::Error::other("there is no segment")) };
        // A damaged header is one of the damaged lines, which are copied as they are.
        let header_line = header.as_ref().map_or(Ok(Vec::new()), Header::to_line)?;
        let mut output = BufWriter::new(output);
        output.write_all(&header_line)?;
        let (mut hole, mut dropped) = (Hole::default(), 0);
        for source in sources {
            dropped += self.copy_kept(source, without, &mut hole, &mut output)?;
        }
        hole.write(&mut output)?;
        let output = Arc::new(output.into_inner().map_err(io::IntoInnerError::into_error)?);
        output.sync_all()?;
        let body = header_line.len() as u64;
        let written = Segment::new(first.path.clone(), first.first_seq, header, body, &output);
        written.show(output.metadata()?.len());
        written.settled.store(without, Ordering::Relaxed);
        Ok((written, dropped))
    }

    /// Writes the lines of one segment that are kept. What is gone one after the other is one hole, also beyond its end.
    fn copy_kept(
        &self,
        source: &Segment,
        without: u64,
        hole: &mut Hole,
        output: &mut impl Write,
    ) -> io::Result<u64> {
        let input = source.open()?;
        let mut lines = Lines::new(&input, source.body, source.seen());
        let mut dropped = 0;
        while let Some(raw) = lines.next()? {
            match line::parse(raw.bytes).filter(|_| raw.whole) {
                Some(line) if line.kind == Kind::Gone => hole.widen(&line, output)?,
                Some(line) if without & self.bit(raw.bytes) != 0 => {
                    dropped += 1;
                    hole.widen(&line, output)?;
                }
                _ => {
                    hole.write(output)?;
                    output.write_all(raw.bytes)?;
                    output.write_all(b"\n")?;
                }
            }
        }
        Ok(dropped)
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
    /// This line is left out, too. What is missing before it is not: that is damage, and stays one.
    fn widen(&mut self, line: &Line, output: &mut impl Write) -> io::Result<()> {
        if self.0.is_some_and(|hole| hole.to + 1 != line.from) {
            self.write(output)?;
        }
        let hole = self.0.get_or_insert(*line);
        hole.to = line.to;
        hole.link = hole.link.zip(line.link).map(|(first, last)| Link { hash: last.hash, ..first });
        Ok(())
    }

    /// Writes the mark that keeps the numbers and the chain whole.
    fn write(&mut self, output: &mut impl Write) -> io::Result<()> {
        self.0.take().map_or(Ok(()), |hole| line::write_gone(output, hole.from, hole.to, hole.link))
    }
}
