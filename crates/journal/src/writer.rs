//! The one who appends: a thread of its own, or for a moment whoever has something to append. It writes what waits in one go,
//! shows it to readers, and then tells those who asked.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pas_types::time::WireTime;

use crate::files;
use crate::hash::Hash;
use crate::line;
use crate::options::Fsync;
use crate::queue::{AppendError, Appended, Group, Queue};
use crate::segment::{Header, Segment, VERSION};
use crate::shared::Shared;
use crate::syncer::Syncer;

/// What a buffer may keep for the next batch.
const KEPT_BUFFER: usize = 1024 * 1024;
/// Writes that a thread makes for others in a row, before it goes on with its own business.
const ROUNDS: usize = 4;

pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) syncer: Arc<Syncer>,
    pub(crate) on_head: Box<dyn Fn(u64) + Send>,
    pub(crate) directory: PathBuf,
    pub(crate) fsync: Fsync,
    pub(crate) segment_bytes: u64,
    pub(crate) segment_age: Duration,
    pub(crate) epoch: u64,
    /// The number and, in a chained journal, the hash of the last record.
    pub(crate) place: Place,
    pub(crate) active: Option<Active>,
    pub(crate) buffer: Vec<u8>,
}

/// A place in the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) seq: u64,
    pub(crate) hash: Option<Hash>,
}

/// The segment that grows.
pub(crate) struct Active {
    pub(crate) segment: Arc<Segment>,
    pub(crate) file: Arc<File>,
    pub(crate) opened_at: WireTime,
    /// A failed write may have left something behind what is good, and it could not be cut off yet.
    pub(crate) torn: bool,
}

impl Active {
    /// Cuts off what a failed write has left.
    fn heal(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.segment.seen())?;
            self.torn = false;
        }
        Ok(())
    }
}

/// Ends the journal when it is dropped, as it is when a callback panics: nobody shall wait in a queue that nobody empties.
struct Watch<'a>(&'a Queue);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Writes until the queue is closed and empty; then forces all of it to the disk, and answers the head.
pub(crate) fn run(writer: &Mutex<Writer>, queue: &Queue) -> io::Result<u64> {
    let died = || io::Error::other("a callback has panicked");
    let _watch = Watch(queue);
    loop {
        queue.wait();
        let mut writer = writer.lock().map_err(|_| died())?;
        let work = queue.take();
        if let Some(told) = work.told {
            writer.close_if_old(told.now);
        }
        if !work.groups.is_empty() {
            writer.append(work.groups);
        }
        if work.last {
            return writer.finish();
        }
    }
}

/// Writes what waits in the caller's thread, where that is one write and no more; the rest is left to the writer's thread.
pub(crate) fn run_here(writer: &Mutex<Writer>, queue: &Queue, now: WireTime) {
    for _ in 0..ROUNDS {
        // Whoever writes looks again when it is done; and where a callback has panicked, nothing waits any more.
        let Ok(mut writer) = writer.try_lock() else { return };
        if !writer.goes_on(now) {
            break;
        }
        let groups = queue.take_groups();
        if !groups.is_empty() {
            let watch = Watch(queue);
            writer.append(groups);
            std::mem::forget(watch);
        }
        drop(writer);
        if queue.is_empty() {
            return;
        }
    }
    queue.wake();
}

impl Writer {
    fn finish(&mut self) -> io::Result<u64> {
        if let Some(active) = &mut self.active {
            active.heal()?;
            active.file.sync_all()?;
        }
        Ok(self.place.seq)
    }

    /// Whether the next append is a write to the segment that grows, and nothing else that takes longer.
    fn goes_on(&self, now: WireTime) -> bool {
        let has_room = |active: &Active| !active.torn && active.segment.seen() < self.segment_bytes;
        self.fsync != Fsync::Always && self.active.as_ref().is_some_and(has_room) && !self.is_old(now)
    }

    fn append(&mut self, groups: Vec<Group>) {
        let now = groups.first().map(|group| group.now);
        let before = self.place;
        let written = now.map_or(Ok(()), |now| self.make_ready(now)).and_then(|()| self.write(&groups));
        self.buffer.shrink_to(KEPT_BUFFER);
        match written {
            Ok(()) => {
                (self.on_head)(self.place.seq);
                let mut last_seq = before.seq;
                for group in groups {
                    let first_seq = last_seq + 1;
                    last_seq += group.payloads.len() as u64;
                    (group.done)(Ok(Appended { epoch: self.epoch, first_seq, last_seq }));
                }
            }
            Err(error) => {
                self.place = before;
                self.shared.counts.write_errors.add(1);
                let error = AppendError(Arc::new(error));
                groups.into_iter().for_each(|group| (group.done)(Err(error.clone())));
            }
        }
    }

    /// Sees to it that there is a segment that has room, and nothing behind its good part.
    fn make_ready(&mut self, now: WireTime) -> io::Result<()> {
        match &mut self.active {
            Some(active) => {
                active.heal()?;
                let full = active.segment.seen() >= self.segment_bytes;
                if self.holds_something() && (full || self.is_old(now)) {
                    self.begin_segment(now)
                } else {
                    Ok(())
                }
            }
            None => self.begin_segment(now),
        }
    }

    /// All groups in one write; readers see it when it is complete.
    fn write(&mut self, groups: &[Group]) -> io::Result<()> {
        let Some(active) = &mut self.active else {
            return Err(io::Error::other("there is no segment"));
        };
        self.buffer.clear();
        for group in groups {
            let last = group.payloads.len() - 1;
            for (index, payload) in group.payloads.iter().enumerate() {
                if self.place.seq == line::MAX_SEQ {
                    return Err(io::Error::other("the numbers are used up"));
                }
                self.place.seq += 1;
                let Place { seq, hash } = &mut self.place;
                line::write_record(&mut self.buffer, payload, *seq, index < last, hash.as_mut());
            }
        }
        let good = active.segment.seen();
        let mut written = active.file.write_all_at(&self.buffer, good);
        if self.fsync == Fsync::Always && written.is_ok() {
            written = self.syncer.sync(&active.file);
        }
        if let Err(error) = written {
            active.torn = true;
            // Should this fail too, nothing is written before it succeeds: see `make_ready`.
            drop(active.heal());
            return Err(error);
        }
        self.shared.publish(&active.segment, good + self.buffer.len() as u64, self.place.seq);
        if self.fsync == Fsync::Interval {
            self.syncer.note(&active.file);
        }
        self.shared.counts.appended_bytes.add(self.buffer.len() as u64);
        self.shared.counts.appended_records.add(groups.iter().map(|group| group.payloads.len() as u64).sum());
        Ok(())
    }

    fn holds_something(&self) -> bool {
        self.active.as_ref().is_some_and(|active| active.segment.first_seq <= self.place.seq)
    }

    fn is_old(&self, now: WireTime) -> bool {
        let opened_at = self.active.as_ref().map_or(now, |active| active.opened_at);
        let age_ms = u64::try_from(now.as_millis().saturating_sub(opened_at.as_millis())).unwrap_or(0);
        u128::from(age_ms) >= self.segment_age.as_millis()
    }

    /// Closes a segment in which nothing happens any more, so that retention can have it.
    fn close_if_old(&mut self, now: WireTime) {
        if self.holds_something() && self.is_old(now) && self.begin_segment(now).is_err() {
            self.shared.counts.write_errors.add(1);
        }
    }

    /// Closes the segment, if there is one, and begins the next. A segment that has a successor is complete on the disk.
    fn begin_segment(&mut self, now: WireTime) -> io::Result<()> {
        if let Some(active) = &mut self.active {
            active.heal()?;
            if self.fsync != Fsync::Os {
                self.syncer.sync(&active.file)?;
            }
        }
        // From here on the old one is done with, also when the next can't be begun now: two must never hold one number.
        self.active = None;
        let first_seq = self.place.seq + 1;
        let header = Header {
            journal: VERSION,
            epoch: self.epoch,
            first_seq,
            opened_at: now,
            prev: self.place.hash,
            without: Vec::new(),
            through: None,
        };
        let line = header.to_line()?;
        let path = files::segment(&self.directory, first_seq);
        // What lies there already is the rest of an attempt that failed: it holds no record.
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
        file.write_all_at(&line, 0)?;
        if self.fsync != Fsync::Os {
            self.syncer.sync(&file)?;
            files::sync_parent(&path)?;
        }
        let file = Arc::new(file);
        let segment = Arc::new(Segment::new(path, first_seq, Some(header), line.len() as u64, &file));
        self.shared.segments().insert(first_seq, Arc::clone(&segment));
        self.active = Some(Active { segment, file, opened_at: now, torn: false });
        Ok(())
    }
}
