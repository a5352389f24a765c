//! Arbitrary bytes behind some of the good records of the last segment; the first byte says behind how many.

#![no_main]

#[path = "../../tests/journal/damage.rs"]
mod damage;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let [kept, bytes @ ..] = input {
        damage::survives(usize::from(*kept).checked_sub(1).map(|kept| kept % 6), bytes);
    }
});
