//! What was handed to a connection and is not taken by it yet, in bytes.

use std::collections::VecDeque;

use bytes::Bytes;
use engineioxide::Str;
use prometheus_client::metrics::gauge::Gauge;

/// Bytes that may wait for one connection. A packet goes as long as there are fewer, whatever its own length.
pub(super) const BYTES: usize = 512 * 1024;

/// The packets that wait, oldest first. The library says of its queue only whether it is full. But it lets go of each packet
/// when the connection takes it: the share of it that is kept here is then the only one.
#[derive(Debug)]
pub(super) struct Waiting {
    packets: VecDeque<Bytes>,
    bytes: usize,
    /// What waits for all connections together.
    all: Gauge,
}

impl Waiting {
    /// Of a connection that is sent nothing yet; `all` counts those of all connections.
    pub(super) fn new(all: Gauge) -> Self {
        Self { packets: VecDeque::new(), bytes: 0, all }
    }

    /// Whether another packet may be handed over now.
    pub(super) fn has_room(&mut self) -> bool {
        self.settle();
        self.bytes < BYTES
    }

    /// Whether nothing waits, as far as is known.
    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// A packet is handed over, of which this is a share.
    pub(super) fn add(&mut self, packet: Str) {
        let packet = Bytes::from(packet);
        self.bytes += packet.len();
        self.all.inc_by(packet.len() as i64);
        self.packets.push_back(packet);
    }

    /// Lets go of what the connection has taken.
    pub(super) fn settle(&mut self) {
        while let Some(taken) = self.packets.pop_front_if(|packet| packet.is_unique()) {
            self.bytes -= taken.len();
            self.all.dec_by(taken.len() as i64);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.all.dec_by(self.bytes as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(bytes: usize) -> Str {
        Str::from("x".repeat(bytes))
    }

    #[test]
    fn what_is_not_taken_yet_is_counted_and_bounded() {
        let all = Gauge::default();
        let mut waiting = Waiting::new(all.clone());
        let mut queue = VecDeque::new();
        while waiting.has_room() {
            let packet = packet(60_000);
            waiting.add(packet.clone());
            queue.push_back(packet);
        }
        assert_eq!((queue.len(), waiting.bytes, all.get()), (9, 540_000, 540_000));
        // The library makes another text of what it takes.
        let _taken: String = queue.pop_front().unwrap().into();
        assert!(waiting.has_room());
        assert_eq!((waiting.bytes, all.get()), (480_000, 480_000));

        queue.clear();
        waiting.settle();
        assert_eq!((waiting.is_empty(), waiting.bytes, all.get()), (true, 0, 0));
    }

    #[test]
    fn one_packet_goes_however_long_it_is_and_an_end_gives_back_what_was_counted() {
        let all = Gauge::default();
        let mut waiting = Waiting::new(all.clone());
        let long = packet(2 * BYTES);
        assert!(waiting.has_room());
        waiting.add(long.clone());
        assert!(!waiting.has_room());
        drop(waiting);
        assert_eq!((all.get(), long.len()), (0, 2 * BYTES));
    }
}
