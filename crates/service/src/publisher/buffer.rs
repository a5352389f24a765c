//! What waits for the event stream, bounded; and what found no room.

use std::collections::VecDeque;

use pas_types::time::WireTime;

/// Events that are held, at the most.
const EVENTS: usize = 10_000;
/// What they may take of memory. What is on its way is there once more for that time.
const BYTES: usize = 8 * 1024 * 1024;
/// Events of one batch, and their bytes.
const BATCH: (usize, usize) = (500, 1024 * 1024);
/// What an event takes beside its line.
const OVERHEAD: usize = 64;

/// The lines that were published and that the stream doesn't have yet.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    waiting: VecDeque<Vec<u8>>,
    /// Of all that is held: what waits, and what is on its way.
    events: usize,
    bytes: usize,
    loss: Option<Loss>,
    closed: bool,
}

/// Events that found no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Loss {
    /// How many.
    pub(super) events: u64,
    /// When the first of them was to be published.
    pub(super) since: WireTime,
}

impl Buffer {
    /// Holds a line. False when there is no room for it.
    pub(super) fn push(&mut self, line: Vec<u8>, now: WireTime) -> bool {
        let bytes = self.bytes + weight(&line);
        if self.closed || self.events == EVENTS || bytes > BYTES {
            self.loss.get_or_insert(Loss { events: 0, since: now }).events += 1;
            return false;
        }
        self.waiting.push_back(line);
        self.events += 1;
        self.bytes = bytes;
        true
    }

    /// Whether there is something to send.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The next batch, to be held further until it is [let go](Self::let_go).
    pub(super) fn take(&mut self) -> Vec<Vec<u8>> {
        batch(&mut self.waiting)
    }

    /// These need not be held any more.
    pub(super) fn let_go(&mut self, lines: &[Vec<u8>]) {
        self.events -= lines.len();
        self.bytes -= lines.iter().map(|line| weight(line)).sum::<usize>();
    }

    /// What was lost, to be reported now: not before half of the room is free, so that an overload that lasts is not
    /// reported each time that a batch gets through.
    pub(super) fn loss_to_report(&mut self) -> Option<Loss> {
        if self.events > EVENTS / 2 || self.bytes > BYTES / 2 { None } else { self.loss.take() }
    }

    /// Holds nothing new any more. Answers how many events are held, or were lost and not reported.
    pub(super) fn close(&mut self) -> u64 {
        self.closed = true;
        self.events as u64 + self.loss.map_or(0, |loss| loss.events)
    }

    /// How many events are held.
    pub(super) fn events(&self) -> usize {
        self.events
    }
}

/// Takes from the front of `lines` as many as make up a batch; one at least.
pub(super) fn batch(lines: &mut VecDeque<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut bytes = 0;
    let fits = |line: &&Vec<u8>| {
        bytes += line.len();
        bytes <= BATCH.1
    };
    let fitting = lines.iter().take(BATCH.0).take_while(fits).count();
    lines.drain(..fitting.max(1).min(lines.len())).collect()
}

fn weight(line: &[u8]) -> usize {
    line.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> WireTime {
        WireTime::from_millis(ms)
    }

    /// Pushes lines of `bytes` until there is no room; answers how many there was room for.
    fn fill(buffer: &mut Buffer, bytes: usize) -> usize {
        (0..).take_while(|ms| buffer.push(vec![b'x'; bytes], at(*ms))).count()
    }

    #[test]
    fn what_is_held_is_bounded_in_number_and_in_bytes() {
        assert_eq!(fill(&mut Buffer::default(), 10), EVENTS);
        assert_eq!(fill(&mut Buffer::default(), 100_000), BYTES / (100_000 + OVERHEAD));
    }

    #[test]
    fn what_is_on_its_way_still_takes_room() {
        let mut buffer = Buffer::default();
        fill(&mut buffer, 10);
        let sent = buffer.take();
        assert!(!buffer.push(Vec::new(), at(0)));
        buffer.let_go(&sent);
        assert_eq!((sent.len(), fill(&mut buffer, 10)), (BATCH.0, BATCH.0));
    }

    #[test]
    fn a_loss_is_reported_once_and_when_half_of_the_room_is_free() {
        let mut buffer = Buffer::default();
        for _ in 0..EVENTS {
            assert!(buffer.push(Vec::new(), at(1)));
        }
        for ms in [20, 30, 40] {
            assert!(!buffer.push(Vec::new(), at(ms)));
        }
        let mut reports = Vec::new();
        while buffer.is_waiting() {
            let lines = buffer.take();
            buffer.let_go(&lines);
            reports.extend(buffer.loss_to_report().map(|loss| (loss, buffer.events())));
        }
        assert_eq!(reports, [(Loss { events: 3, since: at(20) }, EVENTS / 2)]);
    }

    #[test]
    fn a_batch_is_bounded_in_number_and_in_bytes_and_keeps_the_order() {
        let lines = |sizes: &[usize]| sizes.iter().map(|size| vec![b'x'; *size]).collect::<VecDeque<_>>();
        let sizes = |lines: &[Vec<u8>]| lines.iter().map(Vec::len).collect::<Vec<_>>();
        let mut waiting = lines(&[600_000, 400_000, 100_000, 2_000_000, 1]);
        let mut batches = Vec::new();
        while !waiting.is_empty() {
            batches.push(sizes(&batch(&mut waiting)));
        }
        assert_eq!(batches, [vec![600_000, 400_000], vec![100_000], vec![2_000_000], vec![1]]);
        assert_eq!(batch(&mut lines(&[1; 501])).len(), BATCH.0);
    }
}
