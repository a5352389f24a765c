#![doc = include_str!("../README.md")]

mod error;
mod files;
mod hash;
mod journal;
mod line;
mod lines;
mod linux;
mod mark;
mod merging;
mod options;
mod payload;
mod queue;
mod reader;
mod recovery;
mod retention;
mod segment;
mod shared;
mod syncer;
mod verify;
mod writer;

pub use error::{CloseError, OpenError, ReadError, RetainError};
pub use files::segment_files;
pub use hash::{Hash, NotAHash};
pub use journal::{Journal, Stats};
pub use options::{Class, Fsync, Options};
pub use payload::{Payload, PayloadError};
pub use queue::{AppendError, Appended, Refused};
pub use reader::{Reader, Record};
pub use recovery::Recovered;
pub use retention::Retained;
pub use verify::{Break, Report, Survey, VerifyError, Why, survey, verify};
