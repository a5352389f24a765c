//! A request's body, read within its limits of size and time.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use pas_types::Error;

/// Time within which a body must have arrived.
const BODY_TIME: Duration = Duration::from_secs(30);
/// Bytes of a body that is too large which are read and dropped, so that its sender gets to see the answer.
const DISCARDED_BYTES: usize = 16 * 1024 * 1024;

/// The bytes that the body of this request may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit(pub(crate) usize);

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Bytes, Error> {
    let too_large = || {
        let message = format!("the body is larger than {limit} bytes, which is the most that is taken here");
        Error::invalid("body", message).with_status(413)
    };
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if declared > limit.saturating_add(DISCARDED_BYTES) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_TIME, collect(body, limit)).await {
        Ok(Ok(Some(body))) => Ok(body),
        Ok(Ok(None)) => Err(too_large()),
        Ok(Err(_)) => Err(Error::invalid("body", "the body ended before it was whole")),
        Err(_) => {
            Err(Error::invalid("body", format!("the body did not arrive within {} s", BODY_TIME.as_secs())))
        }
    }
}

/// The body, or nothing where it is larger than `limit`.
async fn collect(mut body: Body, limit: usize) -> Result<Option<Bytes>, axum::Error> {
    // What comes in one piece, as most do, is not copied.
    let mut first = Bytes::new();
    let mut kept = BytesMut::new();
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let before = seen;
        seen = seen.saturating_add(data.len());
        if before == 0 && seen <= limit {
            first = data;
        } else if seen <= limit {
            kept.extend_from_slice(&std::mem::take(&mut first));
            kept.extend_from_slice(&data);
        } else if seen > limit.saturating_add(DISCARDED_BYTES) {
            break;
        }
    }
    Ok((seen <= limit).then(|| if kept.is_empty() { first } else { kept.freeze() }))
}
