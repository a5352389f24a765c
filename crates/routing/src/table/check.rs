//! Checks that several parts of the two documents share.

use jiff::civil::Date;

use crate::fault::Faults;
use crate::matrix::TimeLimits;

/// Bytes of a name.
const NAME_BYTES: usize = pas_types::limits::NAME_BYTES;

/// A name that callers write: `cap:` and blanks would be read as something else.
pub(super) fn name(faults: &mut Faults, path: &str, name: &str) {
    if name.is_empty() || name.len() > NAME_BYTES {
        faults.add(path, format!("has {} bytes: use 1 to {NAME_BYTES}", name.len()));
    } else if name.chars().any(|c| c.is_whitespace() || c.is_control() || c == ',') {
        faults.add(path, format!("`{name}` has a comma or white space: use one word"));
    } else if name.starts_with("cap:") {
        faults.add(path, format!("`{name}` would be read as capabilities: use a name without `cap:`"));
    }
}

/// Where something was read, and when.
pub(super) fn origin(faults: &mut Faults, path: &str, source: &str, date: &str) {
    address(faults, path, source);
    if date.len() != 10 || date.parse::<Date>().is_err() {
        faults.add(
            format!("{path}.date"),
            format!("`{date}` is no date: use the day of reading, as 2026-11-25"),
        );
    }
}

/// Where something can be read.
pub(super) fn address(faults: &mut Faults, path: &str, source: &str) {
    let is_address = url::Url::parse(source).is_ok_and(|url| url.scheme() == "https" && url.has_host());
    if !is_address {
        let message = format!("`{source}` is no public address: use an https URL under which it can be read");
        faults.add(format!("{path}.source"), message);
    }
}

/// Limits of time.
pub(super) fn timeouts(faults: &mut Faults, path: &str, limits: &TimeLimits) {
    let all = [
        ("connect_s", limits.connect_s),
        ("first_token_s", limits.first_token_s),
        ("between_tokens_s", limits.between_tokens_s),
        ("call_s", limits.call_s),
    ];
    for (field, seconds) in all {
        number(faults, &format!("{path}.{field}"), seconds, 0.001, pas_types::limits::CALL_S);
    }
}

/// A number, where there is one.
pub(super) fn number(faults: &mut Faults, path: &str, value: Option<f64>, least: f64, most: f64) {
    if let Some(value) = value
        && !(least..=most).contains(&value)
    {
        faults.add(path, format!("is {value}: use a number from {least} to {most}"));
    }
}

/// A count that is none when it is 0.
pub(super) fn positive(faults: &mut Faults, path: &str, value: Option<u64>) {
    if value == Some(0) {
        faults.add(path, "is 0: use 1 or more, or leave it out");
    }
}
