//! Everything that the monitor calls: the registry, the event stream, and the services that it probes.

mod events;
mod prober;
mod registry;
mod wire;

use std::time::Duration;

pub use events::{Alerts, Events};
pub use prober::Prober;
pub use registry::Registry;
use tonic::{Response, Status};
pub use wire::learned;

/// Time for one call, and for a stream to begin.
const CALL: Duration = Duration::from_secs(5);

/// Why a stream brought nothing, or no more.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It was refused, or the connection broke.
    #[error("the stream broke: {}", .0.message())]
    Broken(Box<Status>),
    /// It was not begun in time.
    #[error("the stream did not begin within {} s", CALL.as_secs())]
    Late,
    /// The other side ended it.
    #[error("the stream was ended by the other side")]
    Ended,
    /// It brought what can't be understood.
    #[error("the stream brought what can't be understood: {0}")]
    Unreadable(String),
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        Self::Broken(Box::new(status))
    }
}

/// What `call` begins, if it does so in time.
async fn begun<T>(call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, CallError> {
    let begun = tokio::time::timeout(CALL, call).await;
    Ok(begun.map_err(|_| CallError::Late)??.into_inner())
}
