//! The words of Socket.IO 5 over Engine.IO 4 that a subscriber hears and says, each one text message of a WebSocket.

use serde::Serialize;

/// The answer to [`Packet::Ping`].
pub(super) const PONG: &str = "3";
/// Asks to be connected to the main namespace.
pub(super) const CONNECT: &str = "40";

/// What a server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    /// The transport is open.
    Open,
    /// Asks whether anybody is there.
    Ping,
    /// The namespace has taken the client in.
    Connected,
    /// The namespace has not, or has thrown it out.
    Ended,
    /// Something happened.
    Event(Event<'a>),
}

/// An event with at most one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event<'a> {
    /// Whoever emitted it awaits an answer that carries this.
    pub(super) ack_id: Option<u64>,
    pub(super) name: &'a str,
    /// Its JSON; empty when there is none.
    pub(super) argument: &'a str,
}

impl<'a> Packet<'a> {
    /// Reads a message, if it is one that a subscriber can be sent.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        match text.as_bytes() {
            [b'0', ..] => Some(Self::Open),
            [b'1', ..] => Some(Self::Ended),
            [b'2', ..] => Some(Self::Ping),
            [b'4', b'0', ..] => Some(Self::Connected),
            [b'4', b'1' | b'4', ..] => Some(Self::Ended),
            [b'4', b'2', ..] => Event::read(text.get(2..)?).map(Self::Event),
            _ => None,
        }
    }
}

impl<'a> Event<'a> {
    /// Reads `[12]["name",argument]`. No name of PAS needs an escape.
    fn read(text: &'a str) -> Option<Self> {
        let (ack_id, array) = text.split_at(text.find('[')?);
        let ack_id = if ack_id.is_empty() { None } else { Some(ack_id.parse().ok()?) };
        let (name, rest) = array.strip_prefix("[\"")?.strip_suffix(']')?.split_once('"')?;
        let argument = if rest.is_empty() { rest } else { rest.strip_prefix(',')? };
        Some(Self { ack_id, name, argument })
    }
}

/// The answer to an event that awaits one.
pub(super) fn ack(ack_id: u64) -> String {
    format!("43{ack_id}[]")
}

/// An event.
pub(super) fn emit(name: &str, argument: &impl Serialize) -> serde_json::Result<String> {
    Ok(format!("42{}", serde_json::to_string(&(name, argument))?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event<'a>(ack_id: Option<u64>, name: &'a str, argument: &'a str) -> Option<Packet<'a>> {
        Some(Packet::Event(Event { ack_id, name, argument }))
    }

    #[test]
    fn what_a_server_says_is_understood() {
        let read = Packet::read;
        assert_eq!(read(r#"0{"sid":"a","upgrades":[],"pingInterval":25000}"#), Some(Packet::Open));
        assert_eq!(read("2"), Some(Packet::Ping));
        assert_eq!(read(r#"40{"sid":"b"}"#), Some(Packet::Connected));
        let ends = ["41", "1", r#"44{"message":"no"}"#];
        assert_eq!(ends.map(read), [Some(Packet::Ended); 3]);
    }

    #[test]
    fn an_event_is_its_name_its_argument_and_the_number_of_its_ack() {
        let read = Packet::read;
        assert_eq!(read(r#"42["log",{"a":["]",1]}]"#), event(None, "log", r#"{"a":["]",1]}"#));
        assert_eq!(read(r#"4217["events",{"to":"1:2"}]"#), event(Some(17), "events", r#"{"to":"1:2"}"#));
        assert_eq!(read(r#"420["bye"]"#), event(Some(0), "bye", ""));
    }

    #[test]
    fn what_is_no_packet_is_none() {
        let texts =
            ["", "3", "4", "9x", "42", "42{}", "42[1]", r#"42x["a"]"#, r#"42["a""#, r#"42["a"1]"#, "é"];
        assert_eq!(texts.map(Packet::read), [None; 11]);
    }

    #[test]
    fn what_a_subscriber_says_is_as_servers_expect_it() {
        assert_eq!(emit("subscribe", &json!({"run": "R-1"})).unwrap(), r#"42["subscribe",{"run":"R-1"}]"#);
        assert_eq!(ack(17), "4317[]");
    }
}
