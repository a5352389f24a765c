//! Which events somebody wants: in the query of a URL, and in the message by which a Socket.IO client subscribes.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::EventType;
use super::cursor::Cursor;
use super::flat::Text;
use crate::check::{check_count, check_name};
use crate::error::Error;
use crate::id::RunId;
use crate::object::only_objects;
use crate::query::{limit, set, word};
use crate::schema::Name;
use crate::{json, limits};

/// Which events are wanted. Each criterion that is given must match, by any of its values.
#[derive(Debug, Clone, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventFilter {
    /// Of one of these types, as often as needed; none given: of any.
    #[param(rename = "type", required = false, inline)]
    pub types: Vec<EventType>,
    /// Of one of these agents, as often as needed: what it did, and what happened to a service of its name; none given: of
    /// any, or of none.
    #[param(rename = "agent", required = false)]
    pub agents: Vec<String>,
    /// Of this run.
    pub run_id: Option<RunId>,
}

impl EventFilter {
    /// Whether every event is wanted.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an event is wanted.
    pub fn admits(&self, header: &Header<'_>) -> bool {
        let named = |agent: &str| self.agents.iter().any(|wanted| wanted == agent);
        (self.types.is_empty() || self.types.contains(&header.event_type))
            && (self.agents.is_empty() || header.about().is_some_and(named))
            && self.run_id.as_ref().is_none_or(|run| header.run_id() == Some(run.as_str()))
    }

    /// Takes a parameter of a query, if it is one of the filter's.
    fn take(&mut self, key: &str, value: &str) -> Result<bool, Error> {
        match key {
            "type" => self.types.push(EventType::read(value).map_err(|error| error.with_field(key))?),
            "agent" => self.agents.push(value.to_owned()),
            "run_id" => set(&mut self.run_id, key, word(key, value)?)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Refuses what breaks a limit; a caller knows the criteria by the names of `types` and `agents`.
    fn validate(&self, types: &str, agents: &str) -> Result<(), Error> {
        check_count(types, self.types.len(), limits::LINES)?;
        check_count(agents, self.agents.len(), limits::LINES)?;
        self.agents.iter().try_for_each(|agent| check_name(agents, agent))
    }
}

/// What of a kept event tells whether it is wanted. Reading it costs a fraction of reading the event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Header<'a> {
    /// Its type.
    pub event_type: EventType,
    #[serde(borrow)]
    agent: Option<Text<'a>>,
    #[serde(borrow)]
    service_name: Option<Text<'a>>,
    #[serde(borrow)]
    run_id: Option<Text<'a>>,
}

impl<'a> Header<'a> {
    /// Reads it off a line of the journal.
    pub fn read(line: &'a [u8]) -> Result<Self, Error> {
        json::parse_seed(line, PhantomData)
    }

    /// The same, of a line that isn't kept beside it.
    pub fn into_owned(self) -> Header<'static> {
        let own = |text: Text<'_>| Text(text.0.into_owned().into());
        Header {
            event_type: self.event_type,
            agent: self.agent.map(own),
            service_name: self.service_name.map(own),
            run_id: self.run_id.map(own),
        }
    }

    /// Whose doing it was.
    pub fn agent(&self) -> Option<&str> {
        self.agent.as_ref().map(|Text(agent)| &**agent)
    }

    /// Whom it is about: whose doing it was, else the service that it names.
    pub fn about(&self) -> Option<&str> {
        self.agent().or(self.service_name.as_ref().map(|Text(name)| &**name))
    }

    /// The agent's run.
    pub fn run_id(&self) -> Option<&str> {
        self.run_id.as_ref().map(|Text(run)| &**run)
    }
}

/// The query of `GET /events`: a page of what happened, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// After this place; none: from the oldest that is kept.
    pub since: Option<Cursor>,
    /// Only these.
    #[param(ignore)]
    pub filter: EventFilter,
    /// Rows of the page; 100 by default.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
}

impl HistoryQuery {
    /// Reads the query of a URL, already decoded into pairs.
    pub fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Error> {
        let mut query = Self::default();
        for (key, value) in pairs {
            match key {
                "since" => set(&mut query.since, key, word(key, value)?)?,
                "limit" => set(&mut query.limit, key, limit(value)?)?,
                _ if query.filter.take(key, value)? => {}
                _ => return Err(unknown(key, "use since, type, agent, run_id or limit")),
            }
        }
        query.filter.validate("type", "agent")?;
        Ok(query)
    }

    /// Rows of the page, the default where none is named.
    pub fn page_size(&self) -> usize {
        self.limit.unwrap_or(limits::LIST_DEFAULT) as usize
    }
}

/// The query of `GET /events/stream` and `GET /events/export`, which have no pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// After this place.
    pub since: Option<Cursor>,
    /// Only these.
    #[param(ignore)]
    pub filter: EventFilter,
}

impl StreamQuery {
    /// Reads the query of a URL, already decoded into pairs.
    pub fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Error> {
        let mut query = Self::default();
        for (key, value) in pairs {
            match key {
                "since" => set(&mut query.since, key, word(key, value)?)?,
                _ if query.filter.take(key, value)? => {}
                _ => return Err(unknown(key, "use since, type, agent or run_id")),
            }
        }
        query.filter.validate("type", "agent")?;
        Ok(query)
    }
}

fn unknown(key: &str, legal: &str) -> Error {
    Error::invalid(key, format!("{key} is not a filter of events: {legal}"))
}

/// What a Socket.IO client sends with `subscribe`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Subscribe {
    /// Of one of these types; none given: of any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 256)]
    pub types: Vec<EventType>,
    /// Of one of these agents; none given: of any, or of none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Name>, max_items = 256)]
    pub agents: Vec<String>,
    /// Of this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// After this place; none: from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Cursor>,
}

impl Subscribe {
    /// Reads and checks what a client sends.
    pub fn read(json: &[u8]) -> Result<Self, Error> {
        let message: Self = json::parse(json)?;
        message.filter().validate("types", "agents")?;
        Ok(message)
    }

    /// Which events are wanted.
    pub fn filter(&self) -> EventFilter {
        EventFilter { types: self.types.clone(), agents: self.agents.clone(), run_id: self.run.clone() }
    }
}

only_objects!(Subscribe);

#[cfg(test)]
mod tests {
    use super::*;

    fn history(pairs: &[(&str, &str)]) -> Result<HistoryQuery, Error> {
        HistoryQuery::from_pairs(pairs.iter().copied())
    }

    #[test]
    fn a_query_reads_every_filter() {
        let filter = EventFilter {
            types: vec![EventType::Alert, EventType::Log],
            agents: vec!["Architect".to_owned(), "Coder".to_owned()],
            run_id: Some("R-001".parse().unwrap()),
        };
        let since = Some(Cursor { epoch: 3, seq: 4711 });
        let mut pairs = vec![
            ("since", "3:4711"),
            ("type", "alert"),
            ("type", "log"),
            ("agent", "Architect"),
            ("agent", "Coder"),
            ("run_id", "R-001"),
        ];
        let stream = StreamQuery { since, filter: filter.clone() };
        assert_eq!(StreamQuery::from_pairs(pairs.iter().copied()), Ok(stream));
        pairs.push(("limit", "7"));
        assert_eq!(history(&pairs), Ok(HistoryQuery { since, filter, limit: Some(7) }));
    }

    #[test]
    fn a_filter_that_is_none_is_refused_by_name_with_what_is_legal() {
        let types = EventType::ALL.map(EventType::as_str).join(", ");
        let hearbeat =
            format!("`hearbeat` is not a known event type: use one of {types}; did you mean `heartbeat`?");
        let xyz = format!("`xyz` is not a known event type: use one of {types}");
        let cases = [
            (("type", "hearbeat"), &*hearbeat),
            (("type", "xyz"), &xyz),
            (("agent", ""), "agent has 0 bytes: use 1 to 256"),
            (
                ("run_id", ".."),
                "a run id has 1 to 128 letters, digits, `.`, `_` or `-`, and is neither `.` nor `..`",
            ),
            (
                ("since", "yesterday"),
                "`yesterday` is not a cursor: use epoch:seq, two whole numbers, as 3:4711",
            ),
            (("limit", "0"), "limit is 0: use a whole number from 1 to 1000"),
            (("colour", "red"), "colour is not a filter of events: use since, type, agent, run_id or limit"),
        ];
        for (pair, message) in cases {
            assert_eq!(history(&[pair]), Err(Error::invalid(pair.0, message)));
        }
        let twice = history(&[("run_id", "R-1"), ("run_id", "R-2")]);
        assert_eq!(twice, Err(Error::invalid("run_id", "run_id is given twice: give it once")));
        let paged = StreamQuery::from_pairs([("limit", "1")].into_iter());
        assert_eq!(paged.unwrap_err().field.as_deref(), Some("limit"));
    }

    #[test]
    fn a_filter_admits_what_matches_each_of_its_criteria() {
        let line = br#"{"event_type":"log","ts":"2025-11-06T10:30:00.000Z","agent":"A\n","message":"agent","run_id":"R-1"}"#;
        let header = Header::read(line).unwrap();
        assert_eq!((header.agent(), header.run_id()), (Some("A\n"), Some("R-1")));
        let admits = |pairs: &[(&str, &str)]| {
            let mut filter = EventFilter::default();
            assert!(pairs.iter().all(|(key, value)| filter.take(key, value).unwrap()));
            filter.admits(&header)
        };
        assert!(admits(&[]));
        assert!(admits(&[("type", "alert"), ("type", "log"), ("agent", "A\n"), ("run_id", "R-1")]));
        assert!(!admits(&[("type", "alert"), ("agent", "A\n")]));
        assert!(!admits(&[("type", "log"), ("agent", "B")]));
        assert!(!admits(&[("run_id", "R-2")]));
        let nobody = Header::read(br#"{"event_type":"log","message":"x"}"#).unwrap();
        let of_somebody = EventFilter { agents: vec!["A".to_owned()], ..EventFilter::default() };
        assert!(!of_somebody.admits(&nobody));
        let service =
            Header::read(br#"{"event_type":"registered","service_name":"A"}"#).unwrap().into_owned();
        assert!(of_somebody.admits(&service) && service.agent().is_none());
    }

    #[test]
    fn a_subscription_is_read_strictly() {
        let message = br#"{"types":["alert"],"agents":["Coder"],"run":"R-1","since":"1:2"}"#;
        let wanted = Subscribe {
            types: vec![EventType::Alert],
            agents: vec!["Coder".to_owned()],
            run: Some("R-1".parse().unwrap()),
            since: Some(Cursor { epoch: 1, seq: 2 }),
        };
        assert_eq!(Subscribe::read(message), Ok(wanted));
        assert_eq!(Subscribe::read(b"{}"), Ok(Subscribe::default()));
        let refused = |message: &str| Subscribe::read(message.as_bytes()).unwrap_err().field;
        let cases = [
            (r#"{"type":["alert"]}"#, "type"),
            (r#"{"types":["alarm"]}"#, "types[0]"),
            (r#"{"agents":[""]}"#, "agents"),
            (r#"{"run":"a/b"}"#, "run"),
            (r#"{"since":"now"}"#, "since"),
        ];
        for (message, field) in cases {
            assert_eq!(refused(message).as_deref(), Some(field), "{message}");
        }
        assert!(Subscribe::read(b"[]").is_err());
    }
}
