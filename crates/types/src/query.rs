//! Reading the query of a URL: each parameter once, each word from its set.

use std::str::FromStr;

use crate::error::Error;
use crate::limits;
use crate::time::WireTime;

/// Reads the `limit` of a list.
pub(crate) fn limit(value: &str) -> Result<u32, Error> {
    let limit = value.parse().map_err(|_| limit_error(value))?;
    check_limit(limit)?;
    Ok(limit)
}

/// Whether a list may have so many rows.
pub(crate) fn check_limit(limit: u32) -> Result<(), Error> {
    if (1..=limits::LIST_MAX).contains(&limit) { Ok(()) } else { Err(limit_error(limit)) }
}

fn limit_error(value: impl std::fmt::Display) -> Error {
    Error::invalid("limit", format!("limit is {value}: use a whole number from 1 to {}", limits::LIST_MAX))
}

/// Sets what a query may name once.
pub(crate) fn set<T>(slot: &mut Option<T>, key: &str, value: T) -> Result<(), Error> {
    if slot.replace(value).is_some() { Err(twice(key)) } else { Ok(()) }
}

/// Refuses what came a second time.
pub(crate) fn twice(key: &str) -> Error {
    Error::invalid(key, format!("{key} is given twice: give it once"))
}

/// Reads a word of a closed set.
pub(crate) fn word<T: FromStr<Err = Error>>(key: &str, value: &str) -> Result<T, Error> {
    value.parse().map_err(|error: Error| error.with_field(key))
}

/// Reads a time.
pub(crate) fn time(key: &str, value: &str) -> Result<WireTime, Error> {
    let refuse = |_| {
        let message = format!("{key} is `{value}`: use an RFC 3339 time, as 2025-11-06T10:30:00.123Z");
        Error::invalid(key, message)
    };
    value.parse().map_err(refuse)
}

/// Reads a yes or no.
pub(crate) fn flag(key: &str, value: &str) -> Result<bool, Error> {
    value.parse().map_err(|_| Error::invalid(key, format!("{key} is `{value}`: use true or false")))
}
