//! W3C trace context: taken from the caller, or begun here, and passed on to whom a handler calls.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::clock;

const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// Runs a handler as a part of a trace.
pub(crate) async fn within<F: Future>(trace: TraceContext, handler: F) -> F::Output {
    CURRENT.scope(trace, handler).await
}

/// Names the trace that a handler runs in, if one does, to whom it calls.
pub(crate) fn pass_on(headers: &mut HeaderMap) {
    let parent = CURRENT.try_with(|trace| format!("00-{}-{}-01", trace.trace_id, trace.span_id));
    if let Ok(parent) = parent.map_err(drop).and_then(|parent| HeaderValue::try_from(parent).map_err(drop)) {
        headers.insert(TRACE_PARENT, parent);
    }
}

/// The place of a request in a trace, as W3C's `traceparent` says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TraceContext {
    /// 32 hexadecimal digits, the same for everything that one request sets off.
    pub(crate) trace_id: String,
    /// 16 hexadecimal digits: this service's part of it.
    pub(crate) span_id: String,
}

impl TraceContext {
    /// Continues the trace of the caller, or begins one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let span_id = format!("{:016x}", clock::random());
        let parent = headers.get(TRACE_PARENT).and_then(|value| value.to_str().ok());
        let trace_id = parent
            .and_then(trace_id_of)
            .unwrap_or_else(|| format!("{:016x}{:016x}", clock::random(), clock::random()));
        Self { trace_id, span_id }
    }
}

/// The trace id of a `traceparent`, if it is one.
fn trace_id_of(parent: &str) -> Option<String> {
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let mut parts = parent.split('-');
    let (version, trace_id, span_id, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let whole = version.len() == 2 && trace_id.len() == 32 && span_id.len() == 16 && flags.len() == 2;
    let known = version != "ff" && (version != "00" || parts.next().is_none());
    let set = trace_id.bytes().any(|b| b != b'0') && span_id.bytes().any(|b| b != b'0');
    (whole && known && set && [version, trace_id, span_id, flags].into_iter().all(is_hex))
        .then(|| trace_id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_continued_only_when_its_parent_is_well_formed() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = |text: &str| trace_id_of(text);
        assert_eq!(parent(&format!("00-{id}-00f067aa0ba902b7-01")), Some(id.to_owned()));
        assert_eq!(parent(&format!("cc-{id}-00f067aa0ba902b7-01-what-comes")), Some(id.to_owned()));
        for bad in [
            "",
            "00",
            &format!("00-{id}-00f067aa0ba902b7-01-more"),
            &format!("ff-{id}-00f067aa0ba902b7-01"),
            &format!("00-{id}-0000000000000000-01"),
            &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            &format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
        ] {
            assert_eq!(parent(bad), None, "{bad}");
        }
    }
}
