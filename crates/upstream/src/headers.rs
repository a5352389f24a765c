//! Which headers pass, each way. What belongs to one connection doesn't, nor does any credential.

use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName};

/// Whether a header of a request goes on upstream.
fn goes_on(name: &HeaderName) -> bool {
    let name = name.as_str();
    let is_withheld = matches!(
        name,
        "host"
            | "content-length"
            | "accept-encoding"
            | "cookie"
            | "authorization"
            | "proxy-authorization"
            | "x-api-key"
            | "x-goog-api-key"
            | "api-key"
            | "origin"
            | "referer"
            | "expect"
            | "x-request-id"
    );
    !is_withheld && !is_of_connection(name) && !name.starts_with("x-pas-") && !name.starts_with("sec-")
}

/// Whether a header of an answer goes back to the client.
fn comes_back(name: &HeaderName) -> bool {
    let name = name.as_str();
    let is_withheld = matches!(name, "content-length" | "date" | "server" | "set-cookie" | "alt-svc");
    !is_withheld && !is_of_connection(name) && !name.starts_with("x-pas-")
}

fn is_of_connection(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "proxy-authenticate"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Those that go on upstream.
pub fn onward(headers: HeaderMap) -> HeaderMap {
    filtered(headers, goes_on)
}

/// Those that go back.
pub fn back(headers: HeaderMap) -> HeaderMap {
    filtered(headers, comes_back)
}

fn filtered(mut headers: HeaderMap, passes: fn(&HeaderName) -> bool) -> HeaderMap {
    // What `Connection` names belongs to it as well.
    let named = headers.get(header::CONNECTION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_named = |name: &HeaderName| {
        !named.is_empty() && named.split(',').any(|word| word.trim().eq_ignore_ascii_case(name.as_str()))
    };
    let withheld: Vec<HeaderName> =
        headers.keys().filter(|name| !passes(name) || is_named(name)).cloned().collect();
    for name in withheld {
        headers.remove(name);
    }
    headers
}

/// How long a provider asks to be left alone: `retry-after` in its forms, else when its limits are reset.
pub fn retry_after(headers: &HeaderMap, now: jiff::Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let until = |at: jiff::Timestamp| Duration::try_from(at.duration_since(now)).unwrap_or_default();
    if let Some(ms) = text("retry-after-ms").and_then(|ms| ms.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    if let Some(said) = text("retry-after") {
        let seconds = said.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let date = || jiff::fmt::rfc2822::parse(said).ok().map(|date| until(date.timestamp()));
        return seconds.or_else(date);
    }
    // Of several limits, the one that is used up says when; which that is, what remains tells.
    let used_up = |remaining: &str| text(remaining).is_none_or(|left| left == "0");
    let resets = [
        ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
        ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
        ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
        ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ];
    let waits = resets.into_iter().filter(|(remaining, _)| used_up(remaining)).filter_map(|(_, reset)| {
        let said = text(reset)?;
        let at = said.parse::<jiff::Timestamp>().ok().map(until);
        at.or_else(|| said.parse::<jiff::SignedDuration>().ok().and_then(|wait| wait.try_into().ok()))
    });
    waits.max()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn no_credential_and_nothing_of_a_connection_goes_on() {
        let all = headers(&[
            ("authorization", "Bearer sk"),
            ("x-api-key", "sk"),
            ("x-goog-api-key", "sk"),
            ("cookie", "a=b"),
            ("connection", "keep-alive, x-mine"),
            ("x-mine", "1"),
            ("x-pas-agent", "A"),
            ("host", "h"),
            ("anthropic-beta", "b"),
            ("openai-organization", "o"),
            ("content-type", "application/json"),
        ]);
        let mut names: Vec<String> = onward(all).keys().map(ToString::to_string).collect();
        names.sort();
        assert_eq!(names, ["anthropic-beta", "content-type", "openai-organization"]);
    }

    #[test]
    fn how_long_to_wait_is_read_in_every_form() {
        let now: jiff::Timestamp = "2026-11-25T10:00:00Z".parse().unwrap();
        let wait = |pairs: &[(&'static str, &'static str)]| {
            retry_after(&headers(pairs), now).map(|wait| wait.as_millis())
        };
        assert_eq!(wait(&[("retry-after", "7")]), Some(7_000));
        assert_eq!(wait(&[("retry-after-ms", "250")]), Some(250));
        assert_eq!(wait(&[("retry-after", "Wed, 25 Nov 2026 10:00:30 GMT")]), Some(30_000));
        assert_eq!(wait(&[("retry-after", "Wed, 25 Nov 2026 09:00:30 GMT")]), Some(0));
        assert_eq!(wait(&[("x-ratelimit-reset-requests", "6m0s")]), Some(360_000));
        assert_eq!(
            wait(&[("x-ratelimit-remaining-requests", "3"), ("x-ratelimit-reset-requests", "6m0s")]),
            None
        );
        assert_eq!(wait(&[("anthropic-ratelimit-tokens-reset", "2026-11-25T10:00:05Z")]), Some(5_000));
        assert_eq!(wait(&[]), None);
    }
}
