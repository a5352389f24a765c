//! The thread behind: it reads what the journal has got, and brings index and files up to it, within its share of a core.
//! It also drops what is older, or more, than is to be kept.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pas_journal::{ReadError, Reader, Record};
use pas_types::health::HealthStatus;
use rustix::time::{ClockId, clock_gettime};

use super::duty::Duty;
use super::files::{Filed, Files};
use super::index;
use super::line::{Kind, Row, kind};
use super::shared::{Shared, lock};

/// Records of one round, and their bytes: a round is over in some milliseconds.
const PART: (usize, usize) = (256, 512 * 1024);
/// What comes within so long goes together; whoever asks for it meanwhile has it at once.
const GATHER: Duration = Duration::from_millis(200);
/// How often it looks up when nothing comes.
const IDLE: Duration = Duration::from_millis(200);
/// How long after a failure it is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often what is old is looked for.
const RETENTION: Duration = Duration::from_secs(2);
/// A stop waits so long, at the most, for index and files to catch up.
const LAST_MOMENT: Duration = Duration::from_millis(500);
/// The checks in `/health`.
const CHECK: &str = "index";
const FILES: &str = "files";
/// The index below the data directory.
const INDEX: &str = "receipts.db";

pub(super) struct Follower {
    shared: Arc<Shared>,
    reader: Reader,
    index: Option<index::Writer>,
    files: Option<Files>,
    duty: Duty,
    retained_at: Duration,
    pruning: bool,
    head: u64,
}

/// A round could not be completed; it is tried again.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("the journal can't be read")]
    Read(#[from] ReadError),
    #[error("the index can't be written")]
    Index(#[from] rusqlite::Error),
    #[error("the index can't be opened")]
    Open(#[source] anyhow::Error),
}

/// Opens the index of `shared`'s journal.
pub(super) fn open_index(shared: &Shared) -> anyhow::Result<index::Writer> {
    let recovered = shared.journal.recovered();
    // What an index of another epoch holds is true up to where this one began, if that was now.
    let head = if recovered.new_epoch { recovered.head } else { 0 };
    let (writer, reader) = index::open(&shared.directory.join(INDEX), shared.journal.epoch(), head)?;
    *lock(&shared.index) = Some(Arc::new(reader));
    shared.set_indexed(writer.seq());
    Ok(writer)
}

impl Follower {
    pub(super) fn new(
        shared: Arc<Shared>,
        index: Option<index::Writer>,
        files: Option<Files>,
        percent: u32,
    ) -> Self {
        let after = Self::start(&shared, index.as_ref(), files.as_ref());
        let reader = shared.journal.reader(after);
        let duty = Duty::new(percent);
        Self { shared, reader, index, files, duty, retained_at: Duration::ZERO, pruning: false, head: 0 }
    }

    /// From where it has to read: what one of the two lacks.
    fn start(shared: &Shared, index: Option<&index::Writer>, files: Option<&Files>) -> u64 {
        let filed = shared.filed.load(Ordering::Relaxed);
        // An index that is new lacks what is there, and nothing that was.
        let indexed = |index: &index::Writer| match index.seq() {
            0 => shared.journal.oldest() - 1,
            seq => seq,
        };
        let places = index.map(indexed).into_iter().chain(files.map(|_| filed));
        places.min().unwrap_or_else(|| shared.journal.head())
    }

    /// Follows until the gateway stops.
    pub(super) fn run(mut self) {
        while !self.shared.is_stopping() {
            self.retain();
            let head = self.shared.journal.head();
            let busy = std::mem::replace(&mut self.head, head) != head;
            if head <= self.reader.after() && !self.pruning {
                self.report();
                if self.shared.journal.wait_for(head + 1, IDLE) {
                    self.shared.grown.notify_one();
                    self.gather();
                }
                continue;
            }
            let began = cpu_time();
            let failed = self.round().err();
            let rest = match failed {
                None => self.duty.rest(cpu_time().saturating_sub(began), busy),
                Some(error) => self.failed(&error),
            };
            self.report();
            self.rest(rest, busy);
            if self.reader.after() >= head && !self.pruning {
                self.gather();
            }
        }
        self.catch_up();
    }

    /// All that there was when the round began is done: lets more come, unless somebody waits for it or all is to end. A round
    /// costs much more than a record in it.
    fn gather(&self) {
        if !self.shared.is_stopping() {
            std::thread::park_timeout(GATHER);
        }
    }

    /// Rests as long as its share wants it to.
    fn rest(&mut self, first: Duration, busy: bool) {
        let mut rest = first;
        loop {
            std::thread::sleep(rest);
            if !self.duty.is_owing() || self.shared.is_stopping() {
                break;
            }
            rest = self.duty.rest(Duration::ZERO, busy);
        }
        self.shared.grown.notify_one();
    }

    /// Does what can be done in a moment, before the end.
    fn catch_up(&mut self) {
        let until = Shared::now().monotonic + LAST_MOMENT;
        while self.reader.after() < self.shared.journal.head() && Shared::now().monotonic < until {
            if self.round().is_err() {
                return;
            }
        }
    }

    /// Takes the next records into index and files.
    fn round(&mut self) -> Result<(), Failed> {
        if self.shared.config.index && self.index.is_none() {
            self.index = Some(open_index(&self.shared).map_err(Failed::Open)?);
            let after = Self::start(&self.shared, self.index.as_ref(), self.files.as_ref());
            self.reader = self.shared.journal.reader(after.min(self.reader.after()));
        }
        let before = self.reader.after();
        let records = match self.reader.read(PART.0, PART.1) {
            Err(ReadError::Gone { oldest }) => {
                // Retention was faster.
                self.shared.counts.missed.inc_by(oldest - 1 - before);
                self.reader = self.shared.journal.reader(oldest - 1);
                return Ok(());
            }
            records => records?,
        };
        let taken = self.take(&records);
        if taken.is_err() {
            // An error leaves no gap: the same records are read again.
            self.reader = self.shared.journal.reader(before);
        }
        taken
    }

    fn take(&mut self, records: &[Record]) -> Result<(), Failed> {
        let to = self.reader.after();
        // The index first: others ask it. Its failure keeps nobody's file back.
        let indexed = self.index(records, to);
        if self.files.is_some() {
            self.file(records);
            self.shared.filed.fetch_max(to, Ordering::Relaxed);
        }
        indexed
    }

    /// Takes records, of which `to` is the last, into the index.
    fn index(&mut self, records: &[Record], to: u64) -> Result<(), Failed> {
        let Some(index) = &mut self.index else { return Ok(()) };
        if to > index.seq() {
            // What retention has dropped can be read as long as its file is open, and would stay in the index.
            let from = (index.seq() + 1).max(self.shared.journal.oldest());
            let new = records.iter().filter(|record| record.seq >= from);
            let receipts = new.filter(|record| matches!(kind(&record.line), Kind::Receipt(_)));
            let mut unread = 0;
            let rows = receipts.filter_map(|record| match serde_json::from_slice::<Row<'_>>(&record.line) {
                Ok(row) => Some((record.seq, row)),
                Err(_) => {
                    unread += 1;
                    None
                }
            });
            index.follow(rows, to)?;
            self.shared.counts.unread.inc_by(unread);
            self.shared.set_indexed(to);
        }
        if self.pruning {
            self.pruning = index.prune(self.shared.journal.oldest())?;
        }
        Ok(())
    }

    /// Writes the files of receipts. What can't be written is skipped: the journal has it.
    fn file(&mut self, records: &[Record]) {
        let Some(files) = &mut self.files else { return };
        let (now, filed) = (Shared::now().monotonic, self.shared.filed.load(Ordering::Relaxed));
        let counts = &self.shared.counts;
        let mut failed = None;
        for record in records.iter().filter(|record| record.seq > filed) {
            let Kind::Receipt(run_id) = kind(&record.line) else { continue };
            match files.write(run_id, &record.line, now) {
                Ok(Filed::Written) => drop(counts.files.inc()),
                Ok(Filed::Skipped) => drop(counts.files_skipped.inc()),
                Err(error) => {
                    counts.files_failed.inc();
                    failed = Some(error);
                }
            }
        }
        match failed {
            None => self.shared.health.ok(FILES),
            Some(error) => {
                let reason = format!("files of receipts can't be written ({error}); the journal has them");
                self.shared.health.set(FILES, HealthStatus::Ok, reason);
            }
        }
    }

    fn retain(&mut self) {
        let now = Shared::now();
        if now.monotonic.saturating_sub(self.retained_at) < RETENTION {
            return;
        }
        self.retained_at = now.monotonic;
        match self.shared.journal.retain(now) {
            Ok(retained) => self.pruning |= retained.dropped_segments > 0 && self.index.is_some(),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "old receipts can't be dropped")
            }
        }
    }

    fn failed(&mut self, error: &Failed) -> Duration {
        tracing::warn!(error = error as &dyn std::error::Error, "index and files of receipts are behind");
        self.shared.health.set(
            CHECK,
            HealthStatus::Degraded,
            format!("{error}; receipts are kept all the same"),
        );
        if let Failed::Index(error) = error
            && index::is_damaged(error)
        {
            self.index = None;
            *lock(&self.shared.index) = None;
            // What can't be removed now is tried again, when it is opened.
            drop(index::remove(&self.shared.directory.join(INDEX), "damaged"));
        }
        AGAIN
    }

    /// Says how far it is.
    fn report(&self) {
        if self.index.is_none() && self.shared.config.index {
            return;
        }
        match self.shared.lag() {
            0..10_000 => self.shared.health.ok(CHECK),
            lag => {
                let reason =
                    format!("index and files are {lag} records behind; they catch up when less is called");
                self.shared.health.set(CHECK, HealthStatus::Ok, reason);
            }
        }
    }
}

/// What this thread has taken of a core.
pub(super) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
