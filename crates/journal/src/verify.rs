//! Proves a journal whole, by reading all of it; on one that is closed, or beside the process that has it open.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::files;
use crate::hash::Hash;
use crate::line::{self, Kind, Line};
use crate::lines::Lines;
use crate::segment::{Header, NoHeader};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Segments that were read.
    pub segments: u64,
    /// Records that are there.
    pub records: u64,
    /// Records that retention has taken out between those that are there.
    pub gone: u64,
    /// The first number that the segments stand for, and the last.
    pub first_seq: u64,
    /// See `first_seq`; 0 when there are none.
    pub last_seq: u64,
    /// In a chained journal, the hash of the record before the first: it proves what went, to whoever kept it.
    pub anchor: Option<Hash>,
    /// In a chained journal, the hash of the last record.
    pub last_hash: Option<Hash>,
    /// Behind the last whole group: a write that is under way, or the next start cuts it off.
    pub unfinished_bytes: u64,
    /// The first thing that is wrong. Nothing behind it was read.
    pub broken: Option<Break>,
}

/// Where a journal is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} line {line} (after record {after}): {why}", segment.display())]
pub struct Break {
    /// The file.
    pub segment: PathBuf,
    /// The line in it; the header is line 1.
    pub line: u64,
    /// The last number that was right.
    pub after: u64,
    /// What is wrong.
    pub why: Why,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Why {
    /// The header can't be read, or is another segment's.
    #[error("the header is damaged")]
    Header,
    /// A newer program wrote it.
    #[error("its form {0} is newer than this program")]
    Newer(u32),
    /// It is no record, its JSON is broken, or its hash is not that of its content.
    #[error("the line is damaged")]
    Damaged,
    /// Records are missing before it, or it stands here a second time.
    #[error("record {found} stands where {expected} belongs")]
    Seq {
        /// The number that belongs here.
        expected: u64,
        /// The one that stands here.
        found: u64,
    },
    /// It says that another record came before it than the one that does.
    #[error("it is not linked to the record before it")]
    Link,
    /// A link where none belongs, or none where one does.
    #[error("a chained journal has links, another has none; here it is the reverse")]
    Chained,
    /// An epoch lower than that of the segment before.
    #[error("its epoch is over")]
    Epoch,
}

/// A journal can't be read.
#[derive(Debug, Error)]
#[error("the journal {} can't be read", directory.display())]
pub struct VerifyError {
    directory: PathBuf,
    #[source]
    source: io::Error,
}

/// What a journal is like from its beginning to its end, whatever is wrong in between.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// Records that can be read.
    pub records: u64,
    /// What is wrong, in order: as many as [`Survey::BREAKS`].
    pub breaks: Vec<Break>,
    /// How much more is wrong.
    pub more: u64,
}

impl Survey {
    /// Places that are named.
    pub const BREAKS: usize = 100;
}

/// Reads the journal in `directory`, which must be `chained` or not, and answers what is wrong first, if anything is.
pub fn verify(directory: &Path, chained: bool) -> Result<Report, VerifyError> {
    let walk = Walk::through(directory, |_| Ok(chained), false)?;
    Ok(Report { broken: walk.breaks.into_iter().next(), ..walk.report })
}

/// Reads all of the journal in `directory`, and answers everything that is wrong. Whether it is chained, its headers say.
/// Where nothing is wrong, it is what [`verify`] calls whole.
pub fn survey(directory: &Path) -> Result<Survey, VerifyError> {
    let walk = Walk::through(directory, is_chained, true)?;
    Ok(Survey { records: walk.report.records, breaks: walk.breaks, more: walk.unnamed })
}

/// Whether any header has a link: damage may take one away, but makes none.
fn is_chained(segments: &[(u64, PathBuf)]) -> io::Result<bool> {
    for (first_seq, path) in segments {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            file => file?,
        };
        let mut lines = Lines::new(&file, 0, file.metadata()?.len());
        let header = lines.next()?.and_then(|raw| Header::parse(raw.bytes, *first_seq).ok());
        if header.is_some_and(|header| header.prev.is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[derive(Default)]
struct Walk {
    chained: bool,
    /// Whether to go on behind what is wrong.
    thorough: bool,
    /// Behind damage it isn't known what comes next, only that it comes later.
    unsure: bool,
    epoch: u64,
    /// The last number that a merged segment stands for.
    through: u64,
    report: Report,
    breaks: Vec<Break>,
    unnamed: u64,
}

/// Goes on, or tells what is wrong.
type Step = Result<(), Why>;

impl Walk {
    fn through(
        directory: &Path,
        chained: impl FnOnce(&[(u64, PathBuf)]) -> io::Result<bool>,
        thorough: bool,
    ) -> Result<Self, VerifyError> {
        let failed = |source| VerifyError { directory: directory.to_owned(), source };
        let segments = files::segments(directory).map_err(failed)?;
        let segments: Vec<_> =
            segments.into_iter().map(|seq| (seq, files::segment(directory, seq))).collect();
        let begin = Self { chained: chained(&segments).map_err(failed)?, thorough, ..Self::default() };
        let mut walk = begin.again();
        for (index, (first_seq, path)) in segments.iter().enumerate() {
            // It is in the one before, and about to go.
            if *first_seq <= walk.through {
                continue;
            }
            match File::open(path) {
                Ok(file) => {
                    walk.segment(&file, path, *first_seq, index + 1 == segments.len()).map_err(failed)?
                }
                // Retention has taken it since; and those before it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => walk = begin.again(),
                Err(error) => return Err(failed(error)),
            }
            if walk.is_over() {
                break;
            }
        }
        Ok(walk)
    }

    /// At the beginning again.
    fn again(&self) -> Self {
        Self { chained: self.chained, thorough: self.thorough, ..Self::default() }
    }

    fn is_over(&self) -> bool {
        !self.thorough && !self.breaks.is_empty()
    }

    fn note(&mut self, segment: &Path, line: u64, after: u64, why: Why) {
        if self.breaks.len() < Survey::BREAKS {
            self.breaks.push(Break { segment: segment.to_owned(), line, after, why });
        } else {
            self.unnamed += 1;
        }
    }

    fn segment(&mut self, file: &File, path: &Path, first_seq: u64, last: bool) -> io::Result<()> {
        let mut lines = Lines::new(file, 0, file.metadata()?.len());
        let mut number = 0;
        // The last segment's unfinished group is not broken; it counts for nothing until it is whole.
        let mut whole = self.report.clone();
        let mut whole_end = 0;
        let mut end = 0;
        while let Some(raw) = lines.next()? {
            number += 1;
            end = raw.end;
            if !raw.whole && last {
                break;
            }
            let after = self.report.last_seq;
            let step = match number {
                1 => self.header(raw.bytes, first_seq).map(|()| false),
                _ => self.raw_line(raw.bytes, raw.whole),
            };
            match step {
                Err(why) => {
                    self.note(path, number, after, why);
                    if !self.thorough {
                        return Ok(());
                    }
                }
                Ok(more) if more && last => continue,
                Ok(_) => {}
            }
            whole.clone_from(&self.report);
            whole_end = raw.end;
        }
        if last {
            self.report = whole;
            self.report.unfinished_bytes = end - whole_end;
        } else if number == 0 {
            self.note(path, 1, self.report.last_seq, Why::Header);
        }
        Ok(())
    }

    fn header(&mut self, line: &[u8], first_seq: u64) -> Step {
        let header = Header::parse(line, first_seq).map_err(|error| {
            // Its records are read all the same.
            self.unsure = true;
            match error {
                NoHeader::Newer(version) => Why::Newer(version),
                NoHeader::Damaged => Why::Header,
            }
        })?;
        if self.report.segments == 0 {
            self.report.first_seq = first_seq;
            self.report.last_seq = first_seq - 1;
            self.report.anchor = header.prev;
            self.report.last_hash = header.prev;
        }
        let step = self.joins(&header, first_seq);
        if step.is_ok() || self.thorough {
            self.report.last_seq = self.report.last_seq.max(first_seq - 1);
            self.report.last_hash = header.prev;
            self.epoch = header.epoch;
            self.through = header.through.unwrap_or(self.through);
            self.report.segments += 1;
            self.unsure = false;
        }
        step
    }

    /// Whether a segment goes on where the one before has ended.
    fn joins(&self, header: &Header, first_seq: u64) -> Step {
        if header.prev.is_some() != self.chained {
            return Err(Why::Chained);
        }
        // Nothing can have gone before the first record of all.
        if first_seq == 1 && header.prev.is_some_and(|prev| prev != Hash::GENESIS) {
            return Err(Why::Link);
        }
        self.expect(first_seq)?;
        if !self.unsure && header.prev != self.report.last_hash {
            return Err(Why::Link);
        }
        if header.epoch < self.epoch { Err(Why::Epoch) } else { Ok(()) }
    }

    /// Answers whether the line's group goes on.
    fn raw_line(&mut self, bytes: &[u8], whole: bool) -> Result<bool, Why> {
        let Some(line) = line::parse(bytes).filter(|line| whole && line::is_sound(bytes, line)) else {
            self.unsure = true;
            return Err(Why::Damaged);
        };
        let step = self.follows(&line);
        if step.is_ok() || (self.thorough && line.from > self.report.last_seq) {
            self.report.last_hash = line.link.map(|link| link.hash);
            self.report.last_seq = line.to;
            match line.kind {
                Kind::Gone => self.report.gone += line.to - line.from + 1,
                Kind::Record { .. } => self.report.records += 1,
            }
            self.unsure = false;
        }
        step.map(|()| line.kind == (Kind::Record { more: true }))
    }

    /// Whether a line stands where it belongs.
    fn follows(&self, line: &Line) -> Step {
        self.expect(line.from)?;
        if line.link.is_some() != self.chained {
            return Err(Why::Chained);
        }
        if !self.unsure && line.link.map(|link| link.prev) != self.report.last_hash {
            return Err(Why::Link);
        }
        Ok(())
    }

    fn expect(&self, found: u64) -> Step {
        let expected = self.report.last_seq + 1;
        let fits = if self.unsure { found >= expected } else { found == expected };
        if fits { Ok(()) } else { Err(Why::Seq { expected, found }) }
    }
}
