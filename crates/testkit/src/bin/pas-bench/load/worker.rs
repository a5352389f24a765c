//! A thread that does one thing at a steady rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::pace::Pace;

/// It works until this is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Does a piece of work every `step`; each is told its number.
    pub(crate) fn start(step: Duration, mut work: impl FnMut(u32) + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let pace = Pace::every(step);
            for number in 0.. {
                pace.wait(number);
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                work(number);
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // If it panicked, that was shown when it did.
        drop(self.thread.take().map(JoinHandle::join));
    }
}
