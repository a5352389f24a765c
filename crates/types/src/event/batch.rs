//! What is published at once: one event, or a batch that is taken whole or not at all.

use serde_json::value::RawValue;

use super::Event;
use crate::error::{Error, ErrorCode};
use crate::time::WireTime;
use crate::{json, limits};

/// The body of `POST /events`.
#[derive(Debug, Clone, PartialEq)]
pub enum Posted {
    /// An object.
    One(Box<Event>),
    /// An array, which has at least one event.
    Batch(Vec<Event>),
}

impl Posted {
    /// Reads and checks it. The field of an error in a batch begins with the place of the event: `[3].progress`.
    pub fn read(body: &[u8], now: WireTime) -> Result<Self, Error> {
        if body.trim_ascii_start().first() != Some(&b'[') {
            return Event::read(body, now).map(|event| Self::One(Box::new(event)));
        }
        check_bytes(body.len())?;
        let texts: Vec<&RawValue> = json::parse_seed(body, std::marker::PhantomData)?;
        let events = texts.iter().map(|text| text.get().as_bytes());
        read_batch(events, now).map(Self::Batch).map_err(RefusedBatch::into_error)
    }
}

/// Why a batch is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedBatch {
    /// The event that is at fault; none if it is the batch.
    pub index: Option<usize>,
    /// What is wrong with it.
    pub error: Error,
}

impl RefusedBatch {
    /// One error that says which event it is about, too.
    pub fn into_error(self) -> Error {
        let Self { index: Some(index), error } = self else { return self.error };
        let field = match &error.field {
            Some(field) if field != "body" => format!("[{index}].{field}"),
            _ => format!("[{index}]"),
        };
        let message = format!("[{index}]: {}", error.message);
        Error { message, ..error }.with_field(field)
    }
}

/// Reads and checks a batch. What is wrong with one event refuses all of them.
pub fn read_batch<'a>(
    events: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
    now: WireTime,
) -> Result<Vec<Event>, RefusedBatch> {
    let refuse = |error| RefusedBatch { index: None, error };
    if !(1..=limits::BATCH_EVENTS).contains(&events.len()) {
        let message = format!("the batch has {} events: use 1 to {}", events.len(), limits::BATCH_EVENTS);
        return Err(refuse(Error::invalid("body", message)));
    }
    check_bytes(events.clone().map(<[u8]>::len).sum()).map_err(refuse)?;
    let read =
        |(index, json)| Event::read(json, now).map_err(|error| RefusedBatch { index: Some(index), error });
    events.enumerate().map(read).collect()
}

fn check_bytes(bytes: usize) -> Result<(), Error> {
    if bytes <= limits::BATCH_BYTES {
        return Ok(());
    }
    let message = format!("the batch has {bytes} bytes: use at most {}", limits::BATCH_BYTES);
    Err(Error {
        http_status: Some(413),
        ..Error::new(ErrorCode::InvalidArgument, message).with_field("body")
    })
}
