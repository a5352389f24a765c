//! Going through a segment line by line, by `pread`: any number may do so at once, also while it grows or is replaced.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::line;

/// Read at a time by those who go through much.
const CHUNK: usize = 64 * 1024;
/// Read at a time by those who look for one line.
const PROBE: usize = 4 * 1024;

/// The lines of a file between two offsets.
pub(crate) struct Lines<'a> {
    file: &'a File,
    chunk: usize,
    limit: u64,
    buffer: Vec<u8>,
    /// Where in the buffer the next line begins, and where that is in the file.
    next: usize,
    offset: u64,
}

/// One line, without its newline.
pub(crate) struct Raw<'a> {
    /// Where it begins.
    pub(crate) start: u64,
    /// Where the next one begins.
    pub(crate) end: u64,
    /// What it holds; nothing when it is longer than any that was written.
    pub(crate) bytes: &'a [u8],
    /// Whether it ended with a newline before the limit.
    pub(crate) whole: bool,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(file: &'a File, offset: u64, limit: u64) -> Self {
        Self { file, chunk: CHUNK, limit, buffer: Vec::new(), next: 0, offset }
    }

    /// The next line; `None` at the limit, or where the file ends before it.
    pub(crate) fn next(&mut self) -> io::Result<Option<Raw<'_>>> {
        let start = self.offset;
        let mut overlong = false;
        let mut searched = 0;
        let (length, whole) = loop {
            let unsearched = &self.buffer[self.next + searched..];
            if let Some(at) = memchr::memchr(b'\n', unsearched) {
                break (searched + at, true);
            }
            searched += unsearched.len();
            if searched > line::MAX_BYTES {
                overlong = true;
                self.offset += searched as u64;
                self.next += searched;
                searched = 0;
            }
            if !self.fill()? {
                break (searched, false);
            }
        };
        let line = self.next..self.next + length;
        let taken = length + usize::from(whole);
        self.next += taken;
        self.offset += taken as u64;
        if self.offset == start {
            return Ok(None);
        }
        let bytes = if overlong { &[] } else { &self.buffer[line] };
        Ok(Some(Raw { start, end: self.offset, bytes, whole }))
    }

    /// Reads on; answers whether there was anything.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.next);
        self.next = 0;
        let held = self.buffer.len();
        let left = self.limit.saturating_sub(self.offset + held as u64);
        // A line that is longer than a chunk is read in steps that grow with it.
        let wanted = self.chunk.max(held).min(usize::try_from(left).unwrap_or(usize::MAX));
        self.buffer.resize(held + wanted, 0);
        let read = loop {
            match self.file.read_at(&mut self.buffer[held..], self.offset + held as u64) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(held + read.as_ref().map_or(0, |read| *read));
        Ok(read? > 0)
    }
}

/// Where the line after number `after` can be looked for: no line before stands for a later one. Found by bisection,
/// since every line tells its number; damage makes the answer earlier, never wrong.
pub(crate) fn locate(file: &File, body: u64, limit: u64, after: u64) -> io::Result<u64> {
    let (mut low, mut high) = (body, limit);
    while high - low > CHUNK as u64 {
        let middle = low + (high - low) / 2;
        match first_line(file, middle, high)? {
            Some((start, seq)) if seq <= after => low = start,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// The first readable line that begins behind `offset` and ends before `limit`: where, and the last number it stands for.
fn first_line(file: &File, offset: u64, limit: u64) -> io::Result<Option<(u64, u64)>> {
    let mut lines = Lines { chunk: PROBE, ..Lines::new(file, offset, limit) };
    let mut begun = false;
    while let Some(raw) = lines.next()? {
        if let Some(line) = line::parse(raw.bytes).filter(|_| begun && raw.whole) {
            return Ok(Some((raw.start, line.to)));
        }
        begun = true;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    type Owned = (u64, u64, Vec<u8>, bool);

    fn all(content: &[u8], limit: u64) -> Vec<Owned> {
        let file = file(content);
        let mut lines = Lines { chunk: 3, ..Lines::new(&file, 0, limit) };
        let mut all = Vec::new();
        while let Some(raw) = lines.next().unwrap() {
            all.push((raw.start, raw.end, raw.bytes.to_vec(), raw.whole));
        }
        all
    }

    #[test]
    fn lines_come_whole_whatever_the_chunks_and_the_rest_is_told() {
        let expected = vec![
            (0, 5, b"abcd".to_vec(), true),
            (5, 6, Vec::new(), true),
            (6, 13, b"0123456".to_vec(), false),
        ];
        assert_eq!(all(b"abcd\n\n0123456", 100), expected);
        assert_eq!(all(b"abcd\n\n0123456789\n", 13), expected);
        assert_eq!(all(b"", 100), Vec::new());
    }

    #[test]
    fn a_line_longer_than_any_that_was_written_is_passed_by_in_bounded_memory() {
        let mut content = vec![b'x'; 2 * line::MAX_BYTES];
        content.extend_from_slice(b"\nok\n");
        let file = file(&content);
        let mut lines = Lines::new(&file, 0, content.len() as u64);
        let end = content.len() as u64 - 3;
        let overlong = lines.next().unwrap().unwrap();
        assert_eq!((overlong.start, overlong.end, overlong.bytes, overlong.whole), (0, end, &[][..], true));
        assert!(lines.buffer.capacity() <= 5 * line::MAX_BYTES);
        let rest = lines.next().unwrap().unwrap();
        assert_eq!((rest.start, rest.bytes), (end, &b"ok"[..]));
    }

    #[test]
    fn a_number_is_found_without_reading_what_stands_before_it() {
        let mut content = b"header\n".to_vec();
        let mut starts = Vec::new();
        for seq in 1..=20_000_u64 {
            starts.push((seq, content.len() as u64));
            writeln!(content, "{{\"text\":\"{}\",\"seq\":{seq}}}", "x".repeat((seq % 97) as usize)).unwrap();
        }
        let file = file(&content);
        for (seq, start) in starts.into_iter().step_by(331) {
            let found = locate(&file, 7, content.len() as u64, seq - 1).unwrap();
            assert!(found <= start && start - found <= 2 * CHUNK as u64, "{seq}: {found} for {start}");
        }
    }
}
