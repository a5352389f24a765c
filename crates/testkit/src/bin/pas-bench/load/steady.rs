//! Turns at a steady rate or one after the other, each on a thread that waits for it: what they take is the matter, so that
//! no other turn may stand between.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::time::Instant;

use super::answer::{self, Reader};
use super::pace::Pace;

/// Who is silent for so long has lost the turn.
const PATIENCE: Duration = Duration::from_secs(10);
const ROOM: usize = 16 * 1024;

/// Connections over which turns are made at a rate.
pub(crate) struct Callers(Vec<Line>);

impl Callers {
    /// So many of them.
    pub(crate) fn open(port: u16, connections: u32) -> anyhow::Result<Self> {
        (0..connections).map(|_| Line::open(port)).collect::<anyhow::Result<_>>().map(Self)
    }

    /// Makes turns at a rate for so long, and tells what each took: from its sending, or from when it was due if its
    /// connection wasn't free by then.
    pub(crate) fn at_rate(
        &mut self,
        request: &[u8],
        rate: u32,
        lasting: Duration,
    ) -> anyhow::Result<Vec<Duration>> {
        let calls = (lasting.as_secs_f64() * f64::from(rate)) as u32;
        let connections = self.0.len();
        let pace = Pace::per_second(rate);
        let caller = |(first, line): (u32, &mut Line)| -> anyhow::Result<Vec<Duration>> {
            let mut took = Vec::new();
            let mut free = Instant::now();
            for turn in (first..calls).step_by(connections) {
                let due = pace.wait(turn);
                let begun = if free > due { due } else { Instant::now() };
                line.call(request)?;
                free = Instant::now();
                took.push(free - begun);
            }
            Ok(took)
        };
        let caller = &caller;
        std::thread::scope(|scope| {
            let lines = (0..).zip(&mut self.0);
            let callers: Vec<_> = lines.map(|line| scope.spawn(move || caller(line))).collect();
            let mut all = Vec::new();
            for caller in callers {
                all.extend(caller.join().ok().context("a caller panicked")??);
            }
            Ok(all)
        })
    }
}

/// Makes so many turns one after the other over one connection, and tells what each took. The first tenth is for warming up.
pub(crate) fn alone(port: u16, request: &[u8], calls: usize) -> anyhow::Result<Vec<Duration>> {
    let mut line = Line::open(port)?;
    let mut took = Vec::with_capacity(calls);
    for _ in 0..calls + calls / 10 {
        let begun = Instant::now();
        line.call(request)?;
        took.push(begun.elapsed());
    }
    Ok(took.split_off(calls / 10))
}

/// A connection that is waited for.
struct Line {
    stream: TcpStream,
    reader: Reader,
    bytes: Vec<u8>,
    filled: usize,
}

impl Line {
    fn open(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, reader: Reader::default(), bytes: vec![0; ROOM], filled: 0 })
    }

    fn call(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(request)?;
        loop {
            if self.filled == self.bytes.len() {
                self.bytes.resize(2 * self.bytes.len(), 0);
            }
            let read = self.stream.read(&mut self.bytes[self.filled..])?;
            ensure!(read > 0, "the connection was closed");
            self.filled += read;
            let answer::Read { used, is_whole } = self.reader.read(&self.bytes[..self.filled], |_| {})?;
            self.bytes.copy_within(used..self.filled, 0);
            self.filled -= used;
            if is_whole {
                let status = self.reader.status();
                ensure!(status == 200, "a call is answered {status}");
                return Ok(());
            }
        }
    }
}
