//! Events as text: server-sent events (WHATWG HTML, section 9.2), the elements of a JSON array, or JSON, one a line.

use super::super::script::Script;
use super::{Ask, Data, Dialect, Event, Frame, Kind, STAMP, Wire, written};

/// A stream's events, with the pings that belong to the prelude and places for stamps.
pub(super) fn events(ask: &Ask, mut frames: Vec<Frame>, script: &Script) -> Vec<Event> {
    if script.stamp {
        frames.iter_mut().filter(|frame| frame.kind == Kind::Content).for_each(stamp);
    }
    let first = frames.iter().position(|frame| frame.kind != Kind::Prelude).unwrap_or(frames.len());
    let mut events = Vec::with_capacity(frames.len() + script.pings + 1);
    if ask.wire != Wire::Array {
        for (place, frame) in frames.iter().enumerate() {
            if place == first {
                let ping = || Event { kind: Kind::Prelude, bytes: ping(ask, script) };
                events.extend(std::iter::repeat_with(ping).take(script.pings));
            }
            events.push(Event { kind: frame.kind, bytes: self::frame(ask, script, frame) });
        }
        return events;
    }
    for (place, frame) in frames.iter().enumerate() {
        let before = if place == 0 { "[" } else { ",\r\n" };
        let after = if place + 1 == frames.len() { "\n]\n" } else { "\n" };
        events
            .push(Event { kind: frame.kind, bytes: format!("{before}{}{after}", data(frame)).into_bytes() });
    }
    events
}

/// One event.
pub(super) fn frame(ask: &Ask, script: &Script, frame: &Frame) -> Vec<u8> {
    let line = line_end(ask, script);
    match ask.wire {
        Wire::Events => {}
        Wire::Array => return format!(",\r\n{}\n]\n", data(frame)).into_bytes(),
        Wire::Lines => return format!("{}{line}", data(frame)).into_bytes(),
    }
    let name = frame.name.map(|name| format!("event: {name}{line}")).unwrap_or_default();
    format!("{name}data: {}{line}{line}", data(frame)).into_bytes()
}

/// Anthropic's ping is an event; for the others it is a comment, which is what proxies and servers send. Lines have none.
pub(super) fn ping(ask: &Ask, script: &Script) -> Vec<u8> {
    let line = line_end(ask, script);
    match (ask.dialect, ask.wire) {
        (Dialect::Anthropic, _) => format!("event: ping{line}data: {{\"type\": \"ping\"}}{line}{line}"),
        (_, Wire::Events) => format!(": keep-alive{line}{line}"),
        (_, Wire::Array) => line.to_owned(),
        (_, Wire::Lines) => String::new(),
    }
    .into_bytes()
}

pub(super) fn garbage(ask: &Ask, script: &Script) -> Vec<u8> {
    let line = line_end(ask, script);
    match (ask.dialect, ask.wire) {
        (Dialect::Anthropic, _) => {
            format!("event: content_block_delta{line}data: {{\"type\": \"content_{line}{line}")
        }
        (Dialect::OpenAiResponses, _) => {
            format!("event: response.output_text.delta{line}data: {{\"type\": \"response.out{line}{line}")
        }
        (_, Wire::Events) => format!("data: {{\"choices\": [{{\"del{line}{line}"),
        (_, Wire::Array) => ",\r\n{\"candidates\": [{\"con\n".to_owned(),
        (_, Wire::Lines) => format!("{{\"model\": \"scripted\", \"mess{line}"),
    }
    .into_bytes()
}

fn stamp(frame: &mut Frame) {
    if let Data::Json(value) = &mut frame.data {
        value["x_sent_ns"] = STAMP.into();
    }
}

fn data(frame: &Frame) -> String {
    match &frame.data {
        Data::Json(value) => written(value),
        Data::Done => "[DONE]".to_owned(),
    }
}

/// Gemini's lines end with both.
fn line_end(ask: &Ask, script: &Script) -> &'static str {
    if script.crlf || ask.dialect == Dialect::Gemini { "\r\n" } else { "\n" }
}
