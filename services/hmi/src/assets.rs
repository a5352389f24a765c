//! The files of the web build, as they are answered. They are in the binary; `build.rs` makes their table.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// A file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// Its path.
    pub path: &'static str,
    /// What it is.
    pub content_type: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
    /// Its content packed, where that is smaller.
    pub gzip: Option<&'static [u8]>,
    /// A hash of its content.
    pub hash: &'static str,
    /// Whether its name has a hash of its content, so that it never changes.
    pub immutable: bool,
}

/// The files of the web build that this binary was built with; none where there was no web build.
pub static BUILT: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// What is answered in place of the web interface when it was not built.
const NOT_BUILT: Asset = Asset {
    path: "/index.html",
    content_type: "text/html; charset=utf-8",
    bytes: include_bytes!("not_built.html"),
    gzip: None,
    hash: "not-built",
    immutable: false,
};

/// The page that every path of the web interface answers.
pub fn page(assets: &[Asset]) -> Asset {
    assets.iter().find(|asset| asset.path == NOT_BUILT.path).copied().unwrap_or(NOT_BUILT)
}

/// A file, packed where whoever asks takes that; only that it is still the same, where they have it.
pub fn answer(asset: &Asset, headers: &HeaderMap) -> Response {
    let packed = asset.gzip.filter(|_| takes_gzip(headers));
    // One tag is one sequence of bytes.
    let tag = format!("\"{}{}\"", asset.hash, if packed.is_some() { "-gzip" } else { "" });
    let is_known = is_known(headers, &tag);
    let content = if is_known { &[] } else { packed.unwrap_or(asset.bytes) };
    let mut response = Response::new(Body::from(Bytes::from_static(content)));
    let head = response.headers_mut();
    head.extend(HeaderValue::try_from(tag).ok().map(|tag| (header::ETAG, tag)));
    head.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let keep = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    head.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    head.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    if packed.is_some() {
        head.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// Whether gzip is among the encodings that are taken, and not by a weight of 0.
fn takes_gzip(headers: &HeaderMap) -> bool {
    listed(headers, header::ACCEPT_ENCODING).any(|encoding| {
        let (name, parameter) = encoding.split_once(';').unwrap_or((encoding, ""));
        let weight = parameter.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight != Some(0.0)
    })
}

/// Whether whoever asks has these very bytes.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    // A comparison for GET is weak.
    listed(headers, header::IF_NONE_MATCH).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

/// The members of a header that is a list.
fn listed(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests;
