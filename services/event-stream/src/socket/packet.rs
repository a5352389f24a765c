//! The packets of Socket.IO's protocol that are spoken here: versions 4 (clients 2.x) and 5 (clients 3.x and 4.x).
//! <https://socket.io/docs/v4/socket-io-protocol/>

use std::fmt::Write;

use pas_types::event::Cursor;
use serde::Serialize;
use serde_json::value::RawValue;

/// What a client can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Incoming<'a> {
    /// It wants to come in.
    Connect { namespace: &'a str },
    /// It leaves.
    Disconnect,
    /// It says something; only the first argument counts.
    Event { name: String, argument: Option<&'a str>, ack: Option<u64> },
    /// It has taken what was sent under this number.
    Ack(u64),
}

/// Why a packet can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("a packet begins with a digit from 0 to 3; binary ones are not taken here")]
    Kind,
    #[error("an acknowledgement has a number")]
    Number,
    #[error("an event is a JSON array that begins with a name")]
    Event,
}

/// Reads a packet: its kind, perhaps a namespace, perhaps a number, and JSON.
pub(super) fn parse(text: &str) -> Result<Incoming<'_>, Malformed> {
    let kind = text.chars().next().ok_or(Malformed::Kind)?;
    let rest = text.get(1..).ok_or(Malformed::Kind)?;
    let (namespace, rest) = match rest.split_once(',') {
        Some((namespace, rest)) if namespace.starts_with('/') => (namespace, rest),
        _ if rest.starts_with('/') => (rest, ""),
        _ => ("/", rest),
    };
    // A client may add a query to it.
    let namespace = namespace.split('?').next().unwrap_or(namespace);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number = rest[..digits].parse().ok();
    match kind {
        '0' => Ok(Incoming::Connect { namespace }),
        '1' => Ok(Incoming::Disconnect),
        '2' => {
            let parts: Vec<&RawValue> =
                serde_json::from_str(&rest[digits..]).map_err(|_| Malformed::Event)?;
            let (name, arguments) = parts.split_first().ok_or(Malformed::Event)?;
            let name = serde_json::from_str(name.get()).map_err(|_| Malformed::Event)?;
            Ok(Incoming::Event {
                name,
                argument: arguments.first().map(|argument| argument.get()),
                ack: number,
            })
        }
        '3' => number.map(Incoming::Ack).ok_or(Malformed::Number),
        _ => Err(Malformed::Kind),
    }
}

/// Lets a client in; clients 2.x are told no id.
pub(super) fn connected(id: Option<&str>) -> String {
    id.map_or_else(|| "0".to_owned(), |id| format!(r#"0{{"sid":"{id}"}}"#))
}

/// Refuses another namespace.
pub(super) fn no_such_namespace(namespace: &str, told_as_object: bool) -> String {
    let message = r#""there is no such namespace here: use /""#;
    match told_as_object {
        true => format!(r#"4{namespace},{{"message":{message}}}"#),
        false => format!("4{namespace},{message}"),
    }
}

/// An event with one argument, which is JSON already.
pub(super) fn event(name: &str, json: &str) -> String {
    format!(r#"2["{name}",{json}]"#)
}

/// The same of a value.
pub(super) fn event_of(name: &str, value: &impl Serialize) -> String {
    event(name, &serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()))
}

/// The answer to an event that asked for one.
pub(super) fn answer(number: u64, value: &impl Serialize) -> String {
    format!("3{number}[{}]", serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()))
}

/// A frame of events, to be acknowledged under `number`.
pub(super) fn frame<'a>(
    number: u64,
    from: Cursor,
    to: Cursor,
    lines: impl Iterator<Item = &'a str>,
) -> String {
    let mut text = String::with_capacity(4096);
    // Writing to a string doesn't fail.
    let _ = write!(text, r#"2{number}["events",{{"from":"{from}","to":"{to}","events":["#);
    for (place, line) in lines.enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push_str(line);
    }
    text.push_str("]}]");
    text
}

#[cfg(test)]
mod tests {
    use pas_types::event::Frame;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_clients_send_is_read() {
        let subscribe =
            |ack| Incoming::Event { name: "subscribe".to_owned(), argument: Some(r#"{"since":"1:2"}"#), ack };
        for (text, packet) in [
            ("0", Incoming::Connect { namespace: "/" }),
            (r#"0{"token":"x"}"#, Incoming::Connect { namespace: "/" }),
            ("0/admin,", Incoming::Connect { namespace: "/admin" }),
            ("0/admin", Incoming::Connect { namespace: "/admin" }),
            ("0/admin?x=1,", Incoming::Connect { namespace: "/admin" }),
            ("1", Incoming::Disconnect),
            (r#"2["subscribe",{"since":"1:2"}]"#, subscribe(None)),
            (r#"212["subscribe",{"since":"1:2"},7]"#, subscribe(Some(12))),
            (r#"2["x"]"#, Incoming::Event { name: "x".to_owned(), argument: None, ack: None }),
            ("313[]", Incoming::Ack(13)),
            (r#"30["a",1]"#, Incoming::Ack(0)),
        ] {
            assert_eq!(parse(text), Ok(packet), "{text}");
        }
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for (text, malformed) in [
            ("", Malformed::Kind),
            ("x", Malformed::Kind),
            ("é", Malformed::Kind),
            (r#"51-["x",{"_placeholder":true,"num":0}]"#, Malformed::Kind),
            ("2", Malformed::Event),
            ("2[]", Malformed::Event),
            ("2[1]", Malformed::Event),
            (r#"2{"a":1}"#, Malformed::Event),
            ("3[]", Malformed::Number),
        ] {
            assert_eq!(parse(text), Err(malformed), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_a_client_sends_is_more_than_refused(text in ".{0,40}") {
            let _ = parse(&text);
        }
    }

    #[test]
    fn a_frame_is_what_its_type_says() {
        let (from, to) = (Cursor { epoch: 3, seq: 4 }, Cursor { epoch: 3, seq: 9 });
        let text = frame(17, from, to, [r#"{"seq":5}"#, r#"{"seq":9}"#].into_iter());
        let (name, frame): (String, Frame) = serde_json::from_str(text.strip_prefix("217").unwrap()).unwrap();
        let lines: Vec<_> = frame.events.iter().map(|event| event.get()).collect();
        assert_eq!(
            (&*name, frame.from, frame.to, lines),
            ("events", from, to, vec![r#"{"seq":5}"#, r#"{"seq":9}"#])
        );
    }
}
