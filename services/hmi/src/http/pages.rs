//! The web interface: its pages, its files, and what a browser may do with them.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

use crate::assets::{self, Asset};

/// The pages, each with what is below it. The web interface itself tells them apart.
const PAGES: [&str; 6] = ["/tree", "/costs", "/alerts", "/receipts", "/services", "/playground"];
/// The names of this machine for itself, of which a content policy knows the first two: it has no way to write an IPv6 address.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// The routes of pages and files.
pub(super) fn routes(assets: &'static [Asset]) -> Router {
    let page = assets::page(assets);
    let show = move || get(async move |headers: HeaderMap| assets::answer(&page, &headers));
    let mut router = Router::new().route("/", show());
    for path in PAGES {
        for path in [path.to_owned(), format!("{path}/"), format!("{path}/{{*below}}")] {
            router = router.route(&path, show());
        }
    }
    for asset in assets {
        router = router.route(asset.path, get(async |headers: HeaderMap| assets::answer(asset, &headers)));
    }
    router
}

/// What a browser is told that it may do with whatever is answered.
#[derive(Debug, Clone)]
pub(super) struct Policy(Option<HeaderValue>);

impl Policy {
    /// Pages load from here alone, and connect to here and to the event stream.
    pub(super) fn new(events_url: &str) -> Self {
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
             connect-src 'self' {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            event_streams(events_url).join(" ")
        );
        Self(HeaderValue::try_from(policy).ok())
    }

    /// Says it.
    pub(super) fn put(&self, mut answer: Response) -> Response {
        let headers = answer.headers_mut();
        headers.extend(self.0.clone().map(|policy| (header::CONTENT_SECURITY_POLICY, policy)));
        let mut put = |name: &'static str, value| {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        };
        put("x-content-type-options", "nosniff");
        put("referrer-policy", "no-referrer");
        put("cross-origin-opener-policy", "same-origin");
        put("cross-origin-resource-policy", "same-origin");
        answer
    }
}

/// The event stream as a browser may call it: a page that was opened under one name of this machine may use another.
fn event_streams(url: &str) -> Vec<String> {
    let uri: Uri = url.parse().unwrap_or_default();
    let Some(authority) = uri.authority() else { return Vec::new() };
    let (host, port) = (authority.host(), authority.port_u16());
    let hosts = if LOOPBACK.contains(&host) { LOOPBACK[..2].to_vec() } else { vec![host] };
    let places = hosts.into_iter().map(|host| match port {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    });
    places.flat_map(|place| [format!("http://{place}"), format!("ws://{place}")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_stream_may_be_called_by_each_name_of_this_machine() {
        let all =
            ["http://127.0.0.1:6102", "ws://127.0.0.1:6102", "http://localhost:6102", "ws://localhost:6102"];
        for url in ["http://127.0.0.1:6102", "http://localhost:6102/", "http://[::1]:6102"] {
            assert_eq!(event_streams(url), all, "{url}");
        }
        let elsewhere = ["http://events.example", "ws://events.example"];
        assert_eq!(event_streams("http://events.example/"), elsewhere);
    }
}
