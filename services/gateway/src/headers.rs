//! What the gateway says of itself upstream.

use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

const HOPS: HeaderName = HeaderName::from_static("x-pas-hops");
const DEADLINE: HeaderName = HeaderName::from_static("x-pas-deadline-ms");

/// How long there is left, through how many gateways a call has come, and that nothing is to be compressed.
pub fn own(headers: &mut HeaderMap, left: Duration, hops: u32) {
    let left = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1);
    headers.insert(DEADLINE, HeaderValue::from(left));
    headers.insert(HOPS, HeaderValue::from(hops + 1));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
}
