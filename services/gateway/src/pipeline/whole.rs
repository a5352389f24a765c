//! An answer that is read whole before anything of it is passed on.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use pas_dialects::said;
use pas_types::{Error, ErrorCode};

/// An answer.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) text: Option<String>,
    pub(crate) is_answer: bool,
}

/// A provider's own answer that is an error.
#[derive(Debug)]
pub(crate) struct AsIs {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Whole {
    /// A provider's own refusal, as it is.
    pub(crate) fn refusal(AsIs { status, headers, body }: AsIs) -> Self {
        Self { status, headers, body, text: None, is_answer: false }
    }

    /// The same for the receipt.
    pub(crate) fn refusal_error(&self) -> Error {
        let said = said::read(&self.body).unwrap_or_default();
        let what = if said.message.is_empty() { &said.kind } else { &said.message };
        let message = format!("the provider refused the request with {}: {what}", self.status.as_u16());
        Error::new(ErrorCode::InvalidArgument, message).with_status(self.status.as_u16())
    }
}

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// It broke off.
    Cut,
    /// It has more than is taken.
    TooLarge,
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read(body: &mut pas_upstream::Answer, limit: usize) -> Result<Bytes, Unread> {
    // What comes in one piece, as most do, is not copied.
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Unread::Cut)?.into_data() else { continue };
        if first.len() + rest.len() + data.len() > limit {
            return Err(Unread::TooLarge);
        }
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&std::mem::take(&mut first));
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}
