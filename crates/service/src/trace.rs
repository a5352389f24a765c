//! What a request is known by: its id, and its place in a W3C trace, which is taken from the caller or begun here. Events
//! that are logged meanwhile say it, and it is passed on to whom a handler calls.

use std::fmt::{self, Display};

use http::{HeaderMap, HeaderName, HeaderValue};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::clock;

const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

tokio::task_local! {
    static CURRENT: Context;
}

/// Runs a handler as the answer to a request.
pub(crate) async fn within<F: Future>(context: Context, handler: F) -> F::Output {
    CURRENT.scope(context, handler).await
}

/// Names the trace that a handler runs in, if one does, to whom it calls.
pub(crate) fn pass_on(headers: &mut HeaderMap) {
    let parent = CURRENT.try_with(|context| {
        let mut parent = *b"00-................................-................-01";
        parent[3..35].copy_from_slice(&context.trace_id.0);
        parent[36..52].copy_from_slice(&hex(clock::random()));
        parent
    });
    if let Ok(parent) = parent.map_err(drop).and_then(|it| HeaderValue::from_bytes(&it).map_err(drop)) {
        headers.insert(TRACE_PARENT, parent);
    }
}

/// The id of the request that a handler answers, if one does.
pub(crate) fn current_request_id() -> Option<String> {
    CURRENT.try_with(|context| context.request_id().to_owned()).ok()
}

/// What a request is known by. Made for each, so it is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// An id that is fit for a file name.
    pub(crate) request_id: HeaderValue,
    /// The same for everything that one request sets off.
    pub(crate) trace_id: TraceId,
}

impl Context {
    fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }
}

/// The 32 hexadecimal digits of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceId([u8; 32]);

impl TraceId {
    /// Continues the trace of the caller, or begins one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let parent = headers.get(TRACE_PARENT).and_then(|value| value.to_str().ok());
        parent.and_then(Self::of_parent).unwrap_or_else(Self::random)
    }

    fn random() -> Self {
        let mut digits = [0; 32];
        let (first, second) = digits.split_at_mut(16);
        first.copy_from_slice(&hex(clock::random()));
        second.copy_from_slice(&hex(clock::random()));
        Self(digits)
    }

    /// The trace id of a `traceparent`, if it is one.
    fn of_parent(parent: &str) -> Option<Self> {
        let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let mut parts = parent.split('-');
        let (version, trace_id, span_id, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let whole = version.len() == 2 && span_id.len() == 16 && flags.len() == 2;
        let known = version != "ff" && (version != "00" || parts.next().is_none());
        let set = trace_id.bytes().any(|b| b != b'0') && span_id.bytes().any(|b| b != b'0');
        let digits = trace_id.as_bytes().try_into().ok()?;
        (whole && known && set && [version, trace_id, span_id, flags].into_iter().all(is_hex))
            .then_some(Self(digits))
    }
}

impl Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).unwrap_or_default())
    }
}

/// The hexadecimal digits of a number, without the general machinery, for they are made at each request.
pub(crate) fn hex(number: u64) -> [u8; 16] {
    std::array::from_fn(|place| b"0123456789abcdef"[(number >> (60 - 4 * place)) as usize & 15])
}

/// Formats events as `F` does, and says of each which request it belongs to. A span a request would say it too, at
/// several times the cost, and for each request rather than for those of which something is to be said.
pub(crate) struct Attributed<F> {
    /// Formats the event itself.
    pub(crate) format: F,
    /// Whether that is as JSON.
    pub(crate) json: bool,
}

impl<S, N, F> FormatEvent<S, N> for Attributed<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Ok(request) = CURRENT.try_with(Context::clone) else {
            return self.format.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.format.format_event(context, Writer::new(&mut line), event)?;
        let (id, trace) = (request.request_id(), request.trace_id);
        match line.trim_end().strip_suffix('}').filter(|_| self.json) {
            Some(line) => writeln!(writer, r#"{line},"request_id":"{id}","trace_id":"{trace}"}}"#),
            None => writeln!(writer, "{} request_id={id} trace_id={trace}", line.trim_end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_continued_only_when_its_parent_is_well_formed() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = |text: &str| TraceId::of_parent(text).map(|id| id.to_string());
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

    #[test]
    fn hexadecimal_digits_are_those_of_the_standard_library() {
        for number in [0, 1, 0xabc, 0x0123_4567_89ab_cdef, u64::MAX] {
            assert_eq!(std::str::from_utf8(&hex(number)).unwrap(), format!("{number:016x}"));
        }
    }

    #[test]
    fn an_event_names_the_request_that_it_belongs_to() {
        for json in [true, false] {
            let lines = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
            let sink = lines.clone();
            let make = move || Sink(sink.clone());
            let builder = tracing_subscriber::fmt().with_writer(make).without_time().with_ansi(false);
            let subscriber: Box<dyn Subscriber + Send + Sync> = if json {
                let builder = builder.json().flatten_event(true);
                Box::new(builder.map_event_format(|format| Attributed { format, json }).finish())
            } else {
                Box::new(builder.map_event_format(|format| Attributed { format, json }).finish())
            };
            let context =
                Context { request_id: HeaderValue::from_static("req-1"), trace_id: TraceId([b'a'; 32]) };
            tracing::subscriber::with_default(subscriber, || {
                CURRENT.sync_scope(context, || tracing::info!("within"));
                tracing::info!("without");
            });
            let text = String::from_utf8(lines.lock().unwrap().clone()).unwrap();
            let (within, without) = text.trim_end().split_once('\n').unwrap();
            assert!(within.contains("within") && !without.contains("req-1"), "{text}");
            if json {
                let line: serde_json::Value = serde_json::from_str(within).unwrap();
                assert_eq!(
                    (&line["request_id"], &line["trace_id"]),
                    (&"req-1".into(), &"a".repeat(32).into())
                );
                serde_json::from_str::<serde_json::Value>(without).unwrap();
            } else {
                assert!(
                    within.ends_with(&format!("request_id=req-1 trace_id={}", "a".repeat(32))),
                    "{within}"
                );
            }
        }
    }

    struct Sink(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
