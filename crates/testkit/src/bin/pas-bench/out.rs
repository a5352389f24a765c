//! The only place that prints.

use std::fmt::Display;
use std::io::{self, Write};

/// A line of the report.
pub(crate) fn line(text: impl Display) {
    // Who closed standard output has seen enough; the exit code still tells how it ended.
    drop(writeln!(io::stdout(), "{text}"));
}

/// A line about what is going on, apart from the report.
pub(crate) fn progress(text: impl Display) {
    drop(writeln!(io::stderr(), "{text}"));
}
