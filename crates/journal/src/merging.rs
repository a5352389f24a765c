//! Which neighbours become one segment. Out of most, retention leaves little; without this, there would be as many files as
//! there were hours.

use std::ops::Range;
use std::time::Duration;

use pas_types::time::WireTime;

/// A merged segment may have this part of a full one, so that what is written anew stays little.
pub(crate) const BYTES: u64 = 4;
/// A merged segment may stand for this part of the age of what is in it: a record may be kept so much longer, for it ages
/// with its segment.
pub(crate) const AGE: u32 = 32;

/// A closed segment, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) bytes: u64,
    pub(crate) epoch: u64,
    /// The classes that are known to have no record in it.
    pub(crate) settled: u64,
    pub(crate) began: WireTime,
    pub(crate) ended: WireTime,
}

impl Piece {
    fn is_like(&self, other: &Self) -> bool {
        (self.epoch, self.settled) == (other.epoch, other.settled)
    }
}

/// The runs of neighbours that become one, two at least each. What is damaged is no piece and stays by itself. A run has at
/// most `max_bytes`, and stands for at most as much time as `max_span` allows where these classes are settled.
pub(crate) fn runs(
    pieces: &[Option<Piece>],
    max_bytes: u64,
    max_span: impl Fn(u64) -> Option<Duration>,
) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    while start < pieces.len() {
        let end = start + 1 + joining(&pieces[start..], max_bytes, &max_span);
        if end - start > 1 {
            runs.push(start..end);
        }
        start = end;
    }
    runs
}

/// How many of those behind the first become one with it.
fn joining(pieces: &[Option<Piece>], max_bytes: u64, max_span: impl Fn(u64) -> Option<Duration>) -> usize {
    let Some((Some(first), rest)) = pieces.split_first() else { return 0 };
    let span = max_span(first.settled);
    let mut bytes = first.bytes;
    let fits = |piece: &&Option<Piece>| {
        piece.is_some_and(|piece| {
            bytes = bytes.saturating_add(piece.bytes);
            let lasted =
                u64::try_from(piece.ended.as_millis().saturating_sub(first.began.as_millis())).unwrap_or(0);
            piece.is_like(first)
                && bytes <= max_bytes
                && span.is_none_or(|span| u128::from(lasted) <= span.as_millis())
        })
    };
    rest.iter().take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn piece() -> impl Strategy<Value = Option<Piece>> {
        let some = (0..60_u64, 0..2_u64, 0..2_u64, 0..1_000_i64).prop_map(|(bytes, epoch, settled, ms)| {
            let (began, ended) = (WireTime::from_millis(0), WireTime::from_millis(ms));
            Piece { bytes, epoch, settled, began, ended }
        });
        prop_oneof![1 => Just(None), 9 => some.prop_map(Some)]
    }

    /// One after the other in time, each as long as it says.
    fn in_line(mut pieces: Vec<Option<Piece>>) -> Vec<Option<Piece>> {
        let mut now = 0;
        for piece in pieces.iter_mut().flatten() {
            let end = now + piece.ended.as_millis();
            (piece.began, piece.ended) = (WireTime::from_millis(now), WireTime::from_millis(end));
            now = end;
        }
        pieces
    }

    /// Where the first class is settled, the other has no limit.
    fn span(settled: u64) -> Option<Duration> {
        (settled == 0).then_some(Duration::from_millis(1_500))
    }

    fn merged(pieces: &[Option<Piece>]) -> Vec<Option<Piece>> {
        let (mut merged, mut next) = (Vec::new(), 0);
        for run in runs(pieces, 100, span) {
            merged.extend_from_slice(&pieces[next..run.start]);
            let parts: Vec<Piece> = pieces[run.clone()].iter().copied().map(Option::unwrap).collect();
            let bytes = parts.iter().map(|part| part.bytes).sum();
            merged.push(Some(Piece { bytes, ended: parts[parts.len() - 1].ended, ..parts[0] }));
            next = run.end;
        }
        merged.extend_from_slice(&pieces[next..]);
        merged
    }

    proptest! {
        #[test]
        fn what_becomes_one_is_alike_and_small_and_short_and_no_two_neighbours_are_left_that_could(
            pieces in prop::collection::vec(piece(), 0..40).prop_map(in_line),
        ) {
            for run in runs(&pieces, 100, span) {
                let parts: Vec<Piece> = pieces[run].iter().copied().map(Option::unwrap).collect();
                prop_assert!(parts.len() > 1 && parts.iter().all(|part| part.is_like(&parts[0])));
                prop_assert!(parts.iter().map(|part| part.bytes).sum::<u64>() <= 100);
                let lasted = parts[parts.len() - 1].ended.as_millis() - parts[0].began.as_millis();
                prop_assert!(parts[0].settled == 1 || lasted <= 1_500);
            }
            let left = merged(&pieces);
            prop_assert_eq!(runs(&left, 100, span), Vec::<Range<usize>>::new(), "once is enough: {:?}", left);
        }
    }
}
