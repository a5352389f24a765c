//! The only place where time and new ids come from. Shells read them here and hand them to their cores.

use std::sync::LazyLock;
use std::time::Instant;

use pas_types::time::Now;
use uuid::Uuid;

static START: LazyLock<Instant> = LazyLock::new(instant);

#[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
fn instant() -> Instant {
    Instant::now()
}

/// The present.
#[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
pub fn now() -> Now {
    // The start is read first, so that the very first `now` isn't before it.
    let start = *START;
    Now { monotonic: instant().saturating_duration_since(start), wall: jiff::Timestamp::now() }
}

/// A new id, ordered by the time at which it was made.
#[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// A number that nobody can foresee, for jitter and for orders that must not repeat.
pub fn random() -> u64 {
    let (_, low) = Uuid::new_v4().as_u64_pair();
    low
}

/// A share of `whole` between `1 - spread` and 1, another one at each call, so that many processes don't act in step.
pub fn jittered(whole: std::time::Duration, spread: f64) -> std::time::Duration {
    let share = (random() % 1_000_000) as f64 / 1_000_000.0;
    whole.mul_f64(1.0 - spread * share)
}
