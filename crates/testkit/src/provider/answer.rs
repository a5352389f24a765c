//! An answer before it is played: every byte of it, in pieces, and how it ends.

use std::ops::Range;

use jiff::Timestamp;
use memchr::memmem;

use super::dialect::{self, Ask, Body, INVALID, Kind, Route, STAMP, Said, Wire, error};
use super::http::Request;
use super::manner::Profile;
use super::script::{Fault, Framing, Script};

/// Where a body of so many bytes has them.
const FILL: char = '\u{e001}';
const FILL_BLOCK: usize = 64 * 1024;
const HTML: &str = "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n";

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// Status line and headers; empty when not a byte is sent.
    pub(super) head: Vec<u8>,
    pub(super) pieces: Vec<Piece>,
    pub(super) ending: Ending,
    pub(super) framing: Framing,
    /// All of it, when it can be sent at once.
    pub(super) at_once: Option<Vec<u8>>,
    pub(super) script: Script,
    pub(super) ping: Vec<u8>,
}

/// A piece of the body.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) kind: Kind,
    /// As it goes over the wire.
    pub(super) wire: Vec<u8>,
    /// What of that is the body's.
    pub(super) body: Range<usize>,
    /// Where the time of sending belongs.
    pub(super) stamp: Option<usize>,
    /// It is sent so often.
    pub(super) times: u64,
}

/// How it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// As it should.
    Whole,
    /// As it should for HTTP, but there should have been more in it.
    Short,
    /// The connection is closed.
    Close,
    /// The connection is reset.
    Reset,
    /// Nothing more comes, and the connection stays.
    Stall,
}

impl Answer {
    /// To a request, by a script.
    pub(super) fn new(profile: &Profile, route: &Route, ask: &Ask, script: Script, now: Timestamp) -> Self {
        let nothing = match (script.fault, script.after) {
            (Some(Fault::Close), None) => Some(Ending::Close),
            (Some(Fault::Reset), None) | (Some(Fault::ClosePooled), _) => Some(Ending::Reset),
            (Some(Fault::Stall), None) => Some(Ending::Stall),
            _ => None,
        };
        if let Some(ending) = nothing {
            return Self::silent(script, ending);
        }
        let status = match script.fault {
            Some(Fault::Error) => 200,
            _ => profile.status(ask, &script),
        };
        let (kind, body) = content(profile, route, ask, &script, status);
        let is_stream = matches!(body, Body::Events(_));
        let (pieces, ending) = match body {
            Body::Whole(bytes) => whole(bytes, &script),
            Body::Events(events) => streamed(profile, ask, events, &script),
        };
        let framing = match script.framing {
            Some(Framing::Length) | None if is_stream || script.split_bytes.is_some() => Framing::Chunked,
            None => Framing::Length,
            Some(framing) => framing,
        };
        let pieces: Vec<_> = pieces.into_iter().map(|piece| piece.framed(framing, &script)).collect();
        let length = match ending {
            // What is cut was to be twice as long.
            Ending::Close | Ending::Reset | Ending::Stall => 2 * length(&pieces).max(1),
            Ending::Whole | Ending::Short => length(&pieces),
        };
        let mut headers = error::headers(profile, ask.dialect, &script, now);
        headers.insert(0, ("content-type".to_owned(), kind.to_owned()));
        headers.push(match framing {
            Framing::Length => ("content-length".to_owned(), length.to_string()),
            Framing::Chunked => ("transfer-encoding".to_owned(), "chunked".to_owned()),
            Framing::Close => ("connection".to_owned(), "close".to_owned()),
        });
        let ping = frame(dialect::ping(ask, &script), framing, &script).0;
        let mut answer =
            Self { head: head(status, &headers), pieces, ending, framing, at_once: None, script, ping };
        answer.at_once = answer.in_one();
        answer
    }

    /// An answer of the control routes.
    pub(super) fn control(status: u16, body: &[u8]) -> Self {
        let headers = [("content-type", JSON.to_owned()), ("content-length", body.len().to_string())];
        let head = head(status, &headers.map(|(name, value)| (name.to_owned(), value)));
        let at_once = Some([&head, body].concat());
        let mut answer = Self::silent(Script::default(), Ending::Whole);
        (answer.head, answer.at_once) = (head, at_once);
        answer
    }

    fn silent(script: Script, ending: Ending) -> Self {
        let (head, pieces, ping) = (Vec::new(), Vec::new(), Vec::new());
        Self { head, pieces, ending, framing: Framing::Length, at_once: None, script, ping }
    }

    fn in_one(&self) -> Option<Vec<u8>> {
        let Script { head_ms: 0, first_ms: 0, split_bytes: None, drip_ms: None, .. } = self.script else {
            return None;
        };
        match self.pieces.as_slice() {
            [] if self.ending == Ending::Whole && self.framing == Framing::Length => Some(self.head.clone()),
            [Piece { wire, times: 1, stamp: None, .. }]
                if self.ending == Ending::Whole && self.framing == Framing::Length =>
            {
                Some([self.head.as_slice(), wire].concat())
            }
            _ => None,
        }
    }
}

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream; charset=utf-8";
const LINES: &str = "application/x-ndjson";

/// The type of the content, and the content.
fn content(
    profile: &Profile,
    route: &Route,
    ask: &Ask,
    script: &Script,
    status: u16,
) -> (&'static str, Body) {
    let is_error = status >= 400;
    let is_stream = ask.stream && !is_error;
    let kind = match ask.wire {
        Wire::Events if is_stream => EVENTS,
        Wire::Lines if is_stream => LINES,
        _ => JSON,
    };
    match script.fault {
        Some(Fault::Html) => return ("text/html; charset=utf-8", Body::Whole(HTML.as_bytes().to_vec())),
        Some(Fault::Blank) => return (kind, Body::Whole(Vec::new())),
        Some(Fault::Garbage) if !is_stream => return (kind, Body::Whole(b"{\"id\": \"truncat".to_vec())),
        Some(Fault::Error) if !is_stream => {
            return (kind, Body::Whole(dialect::bytes(&error::body(profile, ask, script))));
        }
        _ if is_error => return (kind, Body::Whole(dialect::bytes(&error::body(profile, ask, script)))),
        _ => {}
    }
    if let Some(bytes) = dialect::plain(profile, route, ask, script) {
        return (JSON, Body::Whole(bytes));
    }
    let said = match script.body_bytes {
        Some(_) if !ask.stream => Said::new(ask, &Script { text: Some(FILL.to_string()), ..script.clone() }),
        _ => Said::new(ask, script),
    };
    (kind, dialect::turn(ask, &said, script))
}

/// What of a body that isn't streamed is sent.
fn whole(bytes: Vec<u8>, script: &Script) -> (Vec<Loose>, Ending) {
    // An error in place of a body is a whole body.
    let ending = if script.fault == Some(Fault::Error) { Ending::Whole } else { ending(script) };
    let bytes = replaced(bytes);
    if ending != Ending::Whole {
        let half = if script.after == Some(0) { 0 } else { bytes.len() / 2 };
        let sent = bytes[..half].to_vec();
        return (vec![Loose::new(Kind::Content, sent)], ending);
    }
    let Some(wanted) = script.body_bytes else { return (vec![Loose::new(Kind::Content, bytes)], ending) };
    let Some(at) = memmem::find(&bytes, FILL.to_string().as_bytes()) else {
        return (vec![Loose::new(Kind::Content, bytes)], ending);
    };
    let (before, after) = (bytes[..at].to_vec(), bytes[at + FILL.len_utf8()..].to_vec());
    let fill = wanted.saturating_sub((before.len() + after.len()) as u64);
    let (blocks, rest) = (fill / FILL_BLOCK as u64, (fill % FILL_BLOCK as u64) as usize);
    let mut block = Loose::new(Kind::Content, vec![b'x'; FILL_BLOCK]);
    block.times = blocks;
    let pieces = [Loose::new(Kind::Content, before), block, Loose::new(Kind::Content, vec![b'x'; rest])];
    (pieces.into_iter().chain([Loose::new(Kind::Closing, after)]).collect(), ending)
}

/// What of a stream is sent.
fn streamed(
    profile: &Profile,
    ask: &Ask,
    events: Vec<dialect::Event>,
    script: &Script,
) -> (Vec<Loose>, Ending) {
    let mut pieces: Vec<_> =
        events.into_iter().map(|event| Loose::new(event.kind, replaced(event.bytes))).collect();
    let ending = ending(script);
    let at = place(&pieces, script.after.unwrap_or(0));
    match (script.fault, script.after) {
        (Some(Fault::Error), _) => {
            pieces.truncate(at);
            let event = dialect::error_event(profile, ask, script, &error::body(profile, ask, script));
            // In an array, the first element has no comma before it.
            let event = if at == 0 && ask.wire == Wire::Array { [b"[", &event[3..]].concat() } else { event };
            pieces.push(Loose::new(Kind::Content, event));
        }
        (Some(Fault::Garbage), _) => {
            let garbage = dialect::garbage(ask, script);
            pieces.insert(at, Loose::new(Kind::Content, garbage));
        }
        (Some(Fault::End), None) => pieces.retain(|piece| piece.kind != Kind::End),
        _ if ending != Ending::Whole => pieces.truncate(at),
        _ => {}
    }
    if let Some(wanted) = script.body_bytes
        && let Some(piece) = pieces.iter_mut().find(|piece| piece.kind == Kind::Content)
    {
        piece.times = wanted.div_ceil(piece.bytes.len() as u64).max(1);
    }
    (pieces, ending)
}

fn ending(script: &Script) -> Ending {
    match script.fault {
        Some(Fault::Close) => Ending::Close,
        Some(Fault::Reset) => Ending::Reset,
        Some(Fault::Stall) => Ending::Stall,
        Some(Fault::End | Fault::Error) => Ending::Short,
        _ => Ending::Whole,
    }
}

/// Where so much content has been sent: before the first piece of it, or after the last that counts.
fn place(pieces: &[Loose], after: usize) -> usize {
    let mut content = pieces.iter().enumerate().filter(|(_, piece)| piece.kind == Kind::Content);
    let found = match after {
        0 => content.next().map(|(place, _)| place),
        _ => content.by_ref().take(after).last().map(|(place, _)| place + 1),
    };
    let after_prelude = || pieces.iter().position(|piece| piece.kind != Kind::Prelude);
    found.or_else(after_prelude).unwrap_or(pieces.len())
}

/// With bytes that aren't UTF-8 where they are wanted.
fn replaced(mut bytes: Vec<u8>) -> Vec<u8> {
    let mark = INVALID.to_string();
    if let Some(at) = memmem::find(&bytes, mark.as_bytes()) {
        bytes.splice(at..at + mark.len(), *b"\xff\xfe\xc3");
    }
    bytes
}

/// A piece before its frame.
#[derive(Debug)]
struct Loose {
    kind: Kind,
    bytes: Vec<u8>,
    times: u64,
}

impl Loose {
    fn new(kind: Kind, bytes: Vec<u8>) -> Self {
        Self { kind, bytes, times: 1 }
    }

    fn framed(self, framing: Framing, script: &Script) -> Piece {
        let (wire, body) = frame(self.bytes, framing, script);
        let stamp = script.stamp.then(|| memmem::find(&wire, STAMP.as_bytes())).flatten();
        Piece { kind: self.kind, wire, body, stamp, times: self.times }
    }
}

/// With its frame, unless it is to be cut into other pieces first.
fn frame(bytes: Vec<u8>, framing: Framing, script: &Script) -> (Vec<u8>, Range<usize>) {
    let is_cut = script.split_bytes.is_some() || script.drip_ms.is_some();
    if framing != Framing::Chunked || is_cut || bytes.is_empty() {
        let all = 0..bytes.len();
        return (bytes, all);
    }
    chunk(&bytes)
}

/// A chunk of HTTP, and where the body is in it.
pub(super) fn chunk(bytes: &[u8]) -> (Vec<u8>, Range<usize>) {
    let mut wire = format!("{:x}\r\n", bytes.len()).into_bytes();
    let begin = wire.len();
    wire.extend_from_slice(bytes);
    wire.extend_from_slice(b"\r\n");
    (wire, begin..begin + bytes.len())
}

fn length(pieces: &[Piece]) -> u64 {
    pieces.iter().map(|piece| piece.body.len() as u64 * piece.times).sum()
}

fn head(status: u16, headers: &[(String, String)]) -> Vec<u8> {
    let reason = http_reason(status);
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} {reason}\r\n{lines}\r\n").into_bytes()
}

fn http_reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        _ => "Scripted",
    }
}

/// An answer to what no dialect knows.
pub(super) fn unknown_path(profile: &Profile, request: &Request) -> Answer {
    let (status, error) = profile.unknown_path(&request.method, &request.path);
    Answer::control(status, error.to_string().as_bytes())
}

/// An answer to what can't be read.
pub(super) fn unreadable(profile: &Profile, route: &Route, message: String, now: Timestamp) -> Answer {
    let script = Script { message: Some(message), ..Script::status(400) };
    Answer::new(profile, route, &Ask::unread(route), script, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(path: &str, body: &str, script: Script) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let route = Route::of("POST", path, true).unwrap();
        let ask = Ask::read(&route, query, body.as_bytes()).unwrap();
        Answer::new(&Profile::default(), &route, &ask, script, Timestamp::UNIX_EPOCH)
    }

    fn text(answer: &Answer) -> String {
        answer.pieces.iter().map(|piece| String::from_utf8_lossy(&piece.wire[piece.body.clone()])).collect()
    }

    #[test]
    fn a_stream_without_its_end_mark_lacks_nothing_else() {
        let whole = answer("/v1/chat/completions", r#"{"model": "a", "stream": true}"#, Script::text("hi"));
        let short = answer(
            "/v1/chat/completions",
            r#"{"model": "a", "stream": true}"#,
            Script { text: Some("hi".to_owned()), ..Script::fault(Fault::End) },
        );
        assert_eq!(text(&short) + "data: [DONE]\n\n", text(&whole));
        assert_eq!((short.ending, whole.ending), (Ending::Short, Ending::Whole));
    }

    #[test]
    fn an_array_is_json_also_when_an_error_is_all_of_it() {
        for after in [0, 2] {
            let path = "/v1beta/models/a:streamGenerateContent";
            let answer = answer(path, "{}", Script::fault_after(Fault::Error, after));
            let elements: Vec<serde_json::Value> = serde_json::from_str(&text(&answer)).unwrap();
            assert_eq!((elements.len(), elements[after]["error"]["code"].as_u64()), (after + 1, Some(500)));
        }
    }

    #[test]
    fn a_body_of_so_many_bytes_has_them_and_is_json() {
        let answer = answer(
            "/v1/messages",
            r#"{"model": "a"}"#,
            Script { body_bytes: Some(200_000), ..Script::new() },
        );
        assert_eq!(length(&answer.pieces), 200_000);
        let whole: String = answer
            .pieces
            .iter()
            .map(|piece| {
                String::from_utf8_lossy(&piece.wire[piece.body.clone()]).repeat(piece.times as usize)
            })
            .collect();
        let body: serde_json::Value = serde_json::from_str(&whole).unwrap();
        assert!(body["content"][0]["text"].as_str().unwrap().bytes().all(|byte| byte == b'x'));
    }
}
