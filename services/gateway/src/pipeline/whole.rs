//! An answer that is read whole before anything of it is passed on.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
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
