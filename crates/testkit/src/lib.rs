#![doc = include_str!("../README.md")]

pub mod events;
pub mod proc;
mod process;
pub mod provider;

use std::time::Duration;

pub use events::EventStream;
pub use process::{NOBODY, Process, binary};
pub use provider::{Fault, Manner, Provider, Recorded, Script};

/// How long a test waits for what should happen at once; generous, since the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The time by the clock that all processes of this machine share and nobody sets.
pub fn monotonic() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    // It begins with the machine's start: nothing is negative.
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or_default(),
        u32::try_from(now.tv_nsec).unwrap_or_default(),
    )
}

/// A client for tests.
pub fn http() -> reqwest::Client {
    // Somebody else in this process may have installed it already; it is the same one.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::new()
}

/// Waits until `condition` brings something; panics with `what` after [`PATIENCE`].
pub async fn until<T>(what: &str, condition: impl AsyncFnMut() -> Option<T>) -> T {
    until_within(PATIENCE, what, condition).await
}

/// Waits until `condition` brings something; panics with `what` when that takes longer than `patience`.
#[expect(clippy::panic, reason = "a test fails by panicking")]
pub async fn until_within<T>(
    patience: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> Option<T>,
) -> T {
    let wait = async {
        loop {
            if let Some(found) = condition().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    match tokio::time::timeout(patience, wait).await {
        Ok(found) => found,
        Err(_) => panic!("{what}: not within {} s", patience.as_secs()),
    }
}
