//! What each thread keeps apart, so that none waits for the memory of the others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Threads that have one of their own; those beyond share.
const SLOTS: usize = 16;

/// One `T` for each thread. Others look at it too, but seldom.
#[derive(Debug, Default)]
pub struct Slots<T>([Slot<T>; SLOTS]);

/// On lines of its own in the processor's caches.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Slot<T>(Mutex<T>);

impl<T> Slots<T> {
    /// This thread's, and which it is.
    pub fn own(&self) -> (usize, MutexGuard<'_, T>) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static SLOT: usize = NEXT.fetch_add(1, Ordering::Relaxed) % SLOTS;
        }
        let slot = SLOT.with(|slot| *slot);
        (slot, self.at(slot))
    }

    /// The one at `slot`, which [`Self::own`] told.
    pub fn at(&self, slot: usize) -> MutexGuard<'_, T> {
        lock(&self.0[slot % SLOTS])
    }

    /// Each of them in turn.
    pub fn all(&self) -> impl Iterator<Item = MutexGuard<'_, T>> {
        self.0.iter().map(lock)
    }
}

fn lock<T>(slot: &Slot<T>) -> MutexGuard<'_, T> {
    slot.0.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_thread_has_its_own_and_all_are_found() {
        let slots = Slots::<Vec<usize>>::default();
        let own = |number| {
            let (slot, mut numbers) = slots.own();
            numbers.push(number);
            drop(numbers);
            let again = slots.own().0;
            assert_eq!(again, slot);
            assert!(slots.at(slot).contains(&number));
            slot
        };
        let own = &own;
        let places: BTreeSet<usize> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..3).map(|number| scope.spawn(move || own(number))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(places.len(), 3);
        let mut numbers: Vec<usize> = slots.all().flat_map(|numbers| numbers.clone()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2]);
    }
}
