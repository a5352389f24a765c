//! The few lines for people.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A line on standard output.
pub(crate) fn line(text: impl Display) {
    // Who doesn't read on still wants to see the swarm.
    drop(writeln!(io::stdout(), "{text}"));
}

/// The way to a service, of which is said once that it is broken, and once that it works again.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    name: &'static str,
    failures: Arc<AtomicU32>,
}

/// One failure may be chance, and many share a way.
const ENOUGH: u32 = 10;

impl Link {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, failures: Arc::default() }
    }

    pub(crate) fn works(&self) {
        if self.failures.swap(0, Ordering::Relaxed) >= ENOUGH {
            line(format!("the {} is back", self.name));
        }
    }

    pub(crate) fn fails(&self, why: impl Display) {
        if self.failures.fetch_add(1, Ordering::Relaxed) + 1 == ENOUGH {
            line(format!("the {} can't be used: {why}; trying on", self.name));
        }
    }
}
