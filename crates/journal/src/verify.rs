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

/// Reads the journal in `directory`, which must be `chained` or not, and answers what is wrong first, if anything is.
pub fn verify(directory: &Path, chained: bool) -> Result<Report, VerifyError> {
    let mut walk = Walk { chained, ..Walk::default() };
    let failed = |source| VerifyError { directory: directory.to_owned(), source };
    let segments = files::segments(directory).map_err(failed)?;
    for (index, first_seq) in segments.iter().enumerate() {
        // It is in the one before, and about to go.
        if *first_seq <= walk.through {
            continue;
        }
        let path = files::segment(directory, *first_seq);
        let file = match File::open(&path) {
            Ok(file) => file,
            // Retention has taken it since; and those before it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                walk = Walk { chained, ..Walk::default() };
                continue;
            }
            Err(error) => return Err(failed(error)),
        };
        let last = index + 1 == segments.len();
        match walk.segment(&file, *first_seq, last) {
            Ok(Ok(())) => {}
            Ok(Err((line, why))) => {
                let after = walk.report.last_seq;
                walk.report.broken = Some(Break { segment: path, line, after, why });
                break;
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(walk.report)
}

#[derive(Default)]
struct Walk {
    chained: bool,
    epoch: u64,
    /// The last number that a merged segment stands for.
    through: u64,
    report: Report,
}

/// Goes on, or tells what is wrong.
type Step = Result<(), Why>;

impl Walk {
    fn segment(&mut self, file: &File, first_seq: u64, last: bool) -> io::Result<Result<(), (u64, Why)>> {
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
            let step = match number {
                1 => self.header(raw.bytes, first_seq).map(|()| false),
                _ => line::parse(raw.bytes)
                    .filter(|line| raw.whole && line::is_sound(raw.bytes, line))
                    .ok_or(Why::Damaged)
                    .and_then(|line| self.line(&line)),
            };
            match step {
                Err(why) => return Ok(Err((number, why))),
                Ok(more) if more && last => {}
                Ok(_) => {
                    whole.clone_from(&self.report);
                    whole_end = raw.end;
                }
            }
        }
        if last {
            self.report = whole;
            self.report.unfinished_bytes = end - whole_end;
        } else if number == 0 {
            return Ok(Err((1, Why::Header)));
        }
        Ok(Ok(()))
    }

    fn header(&mut self, line: &[u8], first_seq: u64) -> Step {
        let header = Header::parse(line, first_seq).map_err(|error| match error {
            NoHeader::Newer(version) => Why::Newer(version),
            NoHeader::Damaged => Why::Header,
        })?;
        if header.prev.is_some() != self.chained {
            return Err(Why::Chained);
        }
        if self.report.segments == 0 {
            self.report.first_seq = first_seq;
            self.report.last_seq = first_seq - 1;
            self.report.anchor = header.prev;
            self.report.last_hash = header.prev;
            // Nothing can have gone before the first record of all.
            if first_seq == 1 && header.prev.is_some_and(|prev| prev != Hash::GENESIS) {
                return Err(Why::Link);
            }
        }
        self.expect(first_seq)?;
        if header.prev != self.report.last_hash {
            return Err(Why::Link);
        }
        if header.epoch < self.epoch {
            return Err(Why::Epoch);
        }
        self.epoch = header.epoch;
        self.through = header.through.unwrap_or(self.through);
        self.report.segments += 1;
        Ok(())
    }

    /// Answers whether the line's group goes on.
    fn line(&mut self, line: &Line) -> Result<bool, Why> {
        self.expect(line.from)?;
        if line.link.is_some() != self.chained {
            return Err(Why::Chained);
        }
        if line.link.map(|link| link.prev) != self.report.last_hash {
            return Err(Why::Link);
        }
        self.report.last_hash = line.link.map(|link| link.hash);
        self.report.last_seq = line.to;
        match line.kind {
            Kind::Gone => self.report.gone += line.to - line.from + 1,
            Kind::Record { .. } => self.report.records += 1,
        }
        Ok(line.kind == (Kind::Record { more: true }))
    }

    fn expect(&self, found: u64) -> Step {
        let expected = self.report.last_seq + 1;
        if found == expected { Ok(()) } else { Err(Why::Seq { expected, found }) }
    }
}
