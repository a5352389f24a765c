//! The checks that wire types share. Each names the field, and what it accepts.

use crate::error::Error;
use crate::limits;

/// A name that a caller gives: 1 to 256 bytes, no control characters.
pub(crate) fn check_name(field: &str, text: &str) -> Result<(), Error> {
    if text.is_empty() || text.len() > limits::NAME_BYTES {
        return Err(Error::invalid(
            field,
            format!("{field} has {} bytes: use 1 to {}", text.len(), limits::NAME_BYTES),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(field, format!("{field} has a control character: use printable text")));
    }
    Ok(())
}

/// A free text that a caller gives as a reason.
pub(crate) fn check_reason(reason: Option<&str>) -> Result<(), Error> {
    match reason {
        Some(text) if text.len() > limits::REASON_BYTES => Err(Error::invalid(
            "reason",
            format!("reason has {} bytes: use at most {}", text.len(), limits::REASON_BYTES),
        )),
        _ => Ok(()),
    }
}

/// A measure that can't be negative.
pub(crate) fn check_not_negative(field: &str, value: Option<f64>) -> Result<(), Error> {
    match value {
        Some(value) if value < 0.0 => {
            Err(Error::invalid(field, format!("{field} is {value}: use a number that is 0 or more")))
        }
        _ => Ok(()),
    }
}

/// How much of a task is done.
pub(crate) fn check_progress(progress: Option<f64>) -> Result<(), Error> {
    match progress {
        Some(progress) if !(0.0..=1.0).contains(&progress) => {
            Err(Error::invalid("progress", format!("progress is {progress}: use a number from 0 to 1")))
        }
        _ => Ok(()),
    }
}

/// A number of tokens, where there is one.
pub(crate) fn check_tokens(field: &str, tokens: Option<u64>) -> Result<(), Error> {
    check_within(field, tokens.unwrap_or_default(), 0, limits::TOKENS)
}

/// A name, where there is one.
pub(crate) fn check_name_if_given(field: &str, name: Option<&str>) -> Result<(), Error> {
    name.map_or(Ok(()), |name| check_name(field, name))
}

/// Capabilities, each one word.
pub(crate) fn check_caps(field: &str, caps: &[String]) -> Result<(), Error> {
    check_texts(field, caps, limits::CAPABILITIES, limits::CAPABILITY_BYTES)?;
    match caps.iter().position(|cap| !is_word(cap)) {
        Some(place) => {
            let field = format!("{field}[{place}]");
            let message = format!("{field} has a comma or white space: use one word, as `infer`");
            Err(Error::invalid(field, message))
        }
        None => Ok(()),
    }
}

/// One word of a caller's own.
pub(crate) fn check_word(field: &str, text: &str) -> Result<(), Error> {
    let max = limits::CAPABILITY_BYTES;
    if !(1..=max).contains(&text.len()) {
        return Err(Error::invalid(field, format!("{field} has {} bytes: use 1 to {max}", text.len())));
    }
    if is_word(text) {
        return Ok(());
    }
    Err(Error::invalid(field, format!("{field} has a comma or white space: use one word, as `started`")))
}

fn is_word(text: &str) -> bool {
    !text.chars().any(|c| c == ',' || c.is_whitespace() || c.is_control())
}

/// A path in the tree of budgets.
pub(crate) fn check_budget_path(field: &str, path: &str) -> Result<(), Error> {
    check_text(field, path, limits::BUDGET_PATH_BYTES)?;
    let is_segment =
        |text: &str| !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    if path.split('/').all(is_segment) {
        return Ok(());
    }
    let message = format!(
        "{field} is no path of percent-encoded segments: use one as `global/default/R-001/Architect`"
    );
    Err(Error::invalid(field, message))
}

/// One label.
pub(crate) fn check_label(field: &str, key: &str, value: Option<&str>) -> Result<(), Error> {
    check_name(field, key)?;
    check_text(&format!("{field}.{key}"), value.unwrap_or_default(), limits::LABEL_BYTES)
}

/// A free text of at most `max` bytes.
pub(crate) fn check_text(field: &str, text: &str, max: usize) -> Result<(), Error> {
    if text.len() <= max {
        return Ok(());
    }
    Err(Error::invalid(field, format!("{field} has {} bytes: use at most {max}", text.len())))
}

/// A list of at most `max` texts, each of 1 to `max_bytes` bytes.
pub(crate) fn check_texts(field: &str, texts: &[String], max: usize, max_bytes: usize) -> Result<(), Error> {
    check_count(field, texts.len(), max)?;
    for (place, text) in texts.iter().enumerate() {
        if text.is_empty() || text.len() > max_bytes {
            let field = format!("{field}[{place}]");
            let message = format!("{field} has {} bytes: use 1 to {max_bytes}", text.len());
            return Err(Error::invalid(field, message));
        }
    }
    Ok(())
}

/// A list of at most `max` entries.
pub(crate) fn check_count(field: &str, entries: usize, max: usize) -> Result<(), Error> {
    if entries <= max {
        return Ok(());
    }
    Err(Error::invalid(field, format!("{field} has {entries} entries: use at most {max}")))
}

/// A list that names nothing twice.
pub(crate) fn check_unique<T: Ord + std::fmt::Display>(field: &str, entries: &[T]) -> Result<(), Error> {
    let mut seen = std::collections::BTreeSet::new();
    match entries.iter().find(|entry| !seen.insert(*entry)) {
        Some(twice) => Err(Error::invalid(field, format!("{field} names {twice} twice: name it once"))),
        None => Ok(()),
    }
}

/// A number from `min` to `max`.
pub(crate) fn check_within<T>(field: &str, value: T, min: T, max: T) -> Result<(), Error>
where
    T: PartialOrd + std::fmt::Display,
{
    if (&min..=&max).contains(&&value) {
        return Ok(());
    }
    Err(Error::invalid(field, format!("{field} is {value}: use {min} to {max}")))
}
