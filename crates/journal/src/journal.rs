//! The open journal.

use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use pas_types::time::{Now, WireTime};

use crate::error::{CloseError, OpenError, RetainError};
use crate::linux;
use crate::mark::Mark;
use crate::options::Options;
use crate::payload::Payload;
use crate::queue::{AppendError, Appended, Group, Queue, Refused};
use crate::reader::Reader;
use crate::recovery::{self, Found, Recovered};
use crate::retention::{Retained, Retention};
use crate::shared::{Shared, lock};
use crate::syncer::Syncer;
use crate::writer::{self, Active, Writer};

/// A journal, open for appending and reading. Dropping it closes it.
pub struct Journal {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    writer: Arc<Mutex<Writer>>,
    syncer: Arc<Syncer>,
    retention: Mutex<Retention>,
    recovered: Recovered,
    directory: PathBuf,
    mark: Mark,
    threads: Mutex<Option<Threads>>,
}

struct Threads {
    writer: JoinHandle<io::Result<u64>>,
    syncer: JoinHandle<()>,
    /// Locked as long as the journal is open.
    _lock: File,
}

/// Figures of a journal since it was opened, and what waits now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Records that were written.
    pub appended_records: u64,
    /// Bytes that were written.
    pub appended_bytes: u64,
    /// Writes that failed, whole batches each.
    pub write_errors: u64,
    /// Times that data was forced to the disk.
    pub fsyncs: u64,
    /// Times that this failed.
    pub fsync_errors: u64,
    /// Damaged lines that readers passed by, each time that one did.
    pub skipped_lines: u64,
    /// Segments that retention dropped.
    pub dropped_segments: u64,
    /// Segments that retention wrote anew.
    pub compacted_segments: u64,
    /// Segments that became part of another one.
    pub merged_segments: u64,
    /// Bytes that retention freed.
    pub freed_bytes: u64,
    /// Records that wait for the writer.
    pub queued_records: usize,
    /// Bytes that wait for the writer.
    pub queued_bytes: usize,
}

impl Journal {
    /// Opens the journal, makes it when there is none, and cuts off what a write has left that never became whole.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let directory = options.directory.clone();
        let io = |what| OpenError::io(&directory, what);
        if options.classes.len() > 64 {
            return Err(OpenError::Classes(options.classes.len()));
        }
        std::fs::create_dir_all(&directory).map_err(io("its directory can't be made"))?;
        let lock_file = claim(&options)?;
        crate::files::remove_unfinished(&directory).map_err(io("its directory can't be tidied"))?;
        let mut found = recovery::find(&directory, options.chained)?;
        agrees(&found, options.chained)?;
        let mark = next_mark(&options, &mut found).map_err(io("its mark can't be read"))?;
        // Before anything is cut: whoever dies in between must decide the same again.
        mark.store(&directory).map_err(io("its mark can't be written"))?;
        found.cut(&directory).map_err(io("its torn end can't be cut off"))?;

        let active = active(&found, mark.epoch).map_err(io("its last segment can't be written"))?;
        let shared = Arc::new(Shared::new(found.segments, found.place.seq));
        let queue = Arc::new(Queue::new(options.queue_records, options.queue_bytes));
        let syncer = Arc::new(Syncer::new(Arc::clone(&shared)));
        let retention = Retention::new(Arc::clone(&shared), &options);
        let writer = Writer {
            shared: Arc::clone(&shared),
            syncer: Arc::clone(&syncer),
            on_head: options.on_head,
            directory: directory.clone(),
            fsync: options.fsync,
            segment_bytes: options.segment_bytes,
            segment_age: options.segment_age,
            epoch: mark.epoch,
            place: found.place,
            active,
            buffer: Vec::new(),
        };
        let writer = Arc::new(Mutex::new(writer));
        let threads =
            threads(&writer, &queue, &syncer, lock_file).map_err(io("its threads can't be started"))?;
        Ok(Self {
            shared,
            queue,
            writer,
            syncer,
            retention: Mutex::new(retention),
            recovered: found.recovered,
            directory,
            mark,
            threads: Mutex::new(Some(threads)),
        })
    }

    /// What was found when it was opened.
    pub fn recovered(&self) -> Recovered {
        self.recovered
    }

    /// Hands a group to the writer: all of it will be in the journal, or nothing. `done` is called by whoever
    /// writes, when the kernel has it (`Fsync::Always`: the disk) and readers can see it, or when that failed. It must not wait.
    /// Never blocks; what is refused here is not told to `done`.
    pub fn append(
        &self,
        payloads: Vec<Payload>,
        now: Now,
        done: impl FnOnce(Result<Appended, AppendError>) + Send + 'static,
    ) -> Result<(), Refused> {
        self.append_soon(payloads, now, done)?;
        self.wake();
        Ok(())
    }

    /// The same, but nobody is told yet that something waits: for who calls [`Journal::write_here`] or [`Journal::wake`]
    /// next, when others have handed in theirs.
    pub fn append_soon(
        &self,
        payloads: Vec<Payload>,
        now: Now,
        done: impl FnOnce(Result<Appended, AppendError>) + Send + 'static,
    ) -> Result<(), Refused> {
        self.queue.push(Group { payloads, now: now.wall.into(), done: Box::new(done) })
    }

    /// Wakes the writer's thread: it writes what waits.
    pub fn wake(&self) {
        self.queue.wake();
    }

    /// Writes what waits in this thread, which saves waking another and being woken by it. Where somebody else is writing,
    /// that one does it; where it would take more than one write (a new segment, data forced to the disk), the writer's
    /// thread. The callbacks of all that is written are called here, one after the other.
    pub fn write_here(&self, now: Now) {
        writer::run_here(&self.writer, &self.queue, now.wall.into());
    }

    /// A reader of what comes after number `after`; with 0, or one less than [`Journal::oldest`], of all there is.
    pub fn reader(&self, after: u64) -> Reader {
        Reader::new(Arc::clone(&self.shared), after)
    }

    /// Within an epoch a number has one content for ever. Numbers go on from one epoch to the next.
    pub fn epoch(&self) -> u64 {
        self.mark.epoch
    }

    /// The number of the last record that can be read; 0 when there was none yet.
    pub fn head(&self) -> u64 {
        self.shared.head()
    }

    /// The lowest number that was not dropped with its segment; one more than the head when there is none.
    pub fn oldest(&self) -> u64 {
        self.shared.oldest()
    }

    /// What the segments hold.
    pub fn bytes(&self) -> u64 {
        self.shared.bytes()
    }

    /// Waits until the head is at `seq`; answers whether it is.
    pub fn wait_for(&self, seq: u64, timeout: Duration) -> bool {
        self.shared.wait_for(seq, timeout)
    }

    /// One round of retention. To be called once in a while, about once a second, in a thread that may wait: a segment
    /// at a time is read and written, while appends and readers go on. Also closes a segment that has become old.
    pub fn retain(&self, now: Now) -> Result<Retained, RetainError> {
        let now = WireTime::from(now.wall);
        self.queue.tell(now);
        lock(&self.retention).run(now)
    }

    /// Figures.
    pub fn stats(&self) -> Stats {
        let counts = &self.shared.counts;
        let (queued_records, queued_bytes) = self.queue.depth();
        Stats {
            appended_records: counts.appended_records.get(),
            appended_bytes: counts.appended_bytes.get(),
            write_errors: counts.write_errors.get(),
            fsyncs: counts.fsyncs.get(),
            fsync_errors: counts.fsync_errors.get(),
            skipped_lines: counts.skipped_lines.get(),
            dropped_segments: counts.dropped_segments.get(),
            compacted_segments: counts.compacted_segments.get(),
            merged_segments: counts.merged_segments.get(),
            freed_bytes: counts.freed_bytes.get(),
            queued_records,
            queued_bytes,
        }
    }

    /// Takes no more, writes what waits, forces it to the disk, and marks the journal as whole. Readers can go on.
    /// Not to be called from a callback: it waits for the writer.
    pub fn close(&self) -> Result<(), CloseError> {
        self.queue.close();
        let Some(threads) = lock(&self.threads).take() else { return Ok(()) };
        let died = |_| io::Error::other("a callback has panicked");
        let head = threads.writer.join().map_err(died).flatten();
        self.syncer.close();
        let synced = threads.syncer.join().map_err(died);
        let mark = |head| Mark { closed_at: Some(head), ..self.mark.clone() }.store(&self.directory);
        synced.and(head).and_then(mark).map_err(CloseError)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Whoever wants to know closes it.
        drop(self.close());
    }
}

/// Locks the directory: two that write one journal would each believe themselves.
fn claim(options: &Options) -> Result<File, OpenError> {
    let directory = &options.directory;
    let file = File::options().create(true).append(true).open(directory.join("lock"));
    let file = file.map_err(OpenError::io(directory, "its lock can't be written"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { directory: directory.clone() }),
        Err(TryLockError::Error(error)) => Err(OpenError::io(directory, "it can't be locked")(error)),
    }
}

/// A chain that begins in the middle, or ends there, would prove nothing.
fn agrees(found: &Found, chained: bool) -> Result<(), OpenError> {
    let other = found
        .segments
        .values()
        .rev()
        .find(|segment| segment.header.as_ref().is_some_and(|header| header.prev.is_some() != chained));
    other.map_or(Ok(()), |other| Err(OpenError::Chain { path: other.path.clone(), chained: !chained }))
}

/// Decides whether the epoch of before goes on.
fn next_mark(options: &Options, found: &mut Found) -> io::Result<Mark> {
    let boot_id = linux::boot_id();
    let last = Mark::load(&options.directory)?;
    let headers = found.segments.values().filter_map(|segment| segment.header.as_ref());
    let known = headers.map(|header| header.epoch).chain(last.as_ref().map(|mark| mark.epoch)).max();
    let vouched = last.is_some_and(|mark| mark.vouches(found.place.seq, boot_id.as_deref()));
    let epoch = match known {
        None => options.new_epoch,
        Some(epoch) if vouched && !found.spoiled => epoch,
        Some(epoch) => {
            found.recovered.new_epoch = true;
            options.new_epoch.max(epoch + 1)
        }
    };
    Ok(Mark { epoch, fsync: options.fsync, boot_id, closed_at: None })
}

/// The last segment goes on, if it is of this epoch and whole; else the first append begins another.
fn active(found: &Found, epoch: u64) -> io::Result<Option<Active>> {
    let Some(segment) = found.segments.values().next_back() else { return Ok(None) };
    let Some(header) = segment.header.as_ref() else { return Ok(None) };
    if header.epoch != epoch || !header.without.is_empty() {
        return Ok(None);
    }
    let file = Arc::new(File::options().read(true).write(true).open(&segment.path)?);
    let (segment, opened_at) = (Arc::clone(segment), header.opened_at);
    Ok(Some(Active { segment, file, opened_at, torn: false }))
}

fn threads(
    writer: &Arc<Mutex<Writer>>,
    queue: &Arc<Queue>,
    syncer: &Arc<Syncer>,
    lock: File,
) -> io::Result<Threads> {
    let (writer, queue, syncer) = (Arc::clone(writer), Arc::clone(queue), Arc::clone(syncer));
    let syncing = std::thread::Builder::new().name("journal-sync".to_owned());
    let writing = std::thread::Builder::new().name("journal-write".to_owned());
    Ok(Threads {
        syncer: syncing.spawn(move || syncer.run())?,
        writer: writing.spawn(move || writer::run(&writer, &queue))?,
        _lock: lock,
    })
}
