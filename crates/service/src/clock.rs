//! The only place where time and new ids come from. Shells read them here and hand them to their cores.

use std::cell::Cell;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

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
    Now { monotonic: monotonic(), wall: jiff::Timestamp::now() }
}

/// How long this process has run: the present, for who needs no time of day.
pub fn monotonic() -> Duration {
    // The start is read first, so that the very first `now` isn't before it.
    let start = *START;
    instant().saturating_duration_since(start)
}

/// A new id, ordered by the time at which it was made.
#[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// A number that differs at each call of a thread and, as good as certainly, between threads and processes, for jitter, for orders that must not repeat, and for ids of
/// requests. Whoever knows enough of them can foresee the next: it is no secret.
pub fn random() -> u64 {
    // SplitMix64: asking the system each time would be three of a request's calls into it. Each thread has its own, so that
    // none waits for the others' memory.
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    thread_local! {
        static STEP: Cell<u64> = Cell::new(Uuid::new_v4().as_u64_pair().1);
    }
    let mixed = STEP.get().wrapping_add(GOLDEN);
    STEP.set(mixed);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A share of `whole` between `1 - spread` and 1, another one at each call, so that many processes don't act in step.
pub fn jittered(whole: Duration, spread: f64) -> Duration {
    let share = (random() % 1_000_000) as f64 / 1_000_000.0;
    whole.mul_f64(1.0 - spread * share)
}
