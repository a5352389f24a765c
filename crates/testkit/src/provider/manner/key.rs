//! Where a credential is, and who needs one.

use super::{Manner, Page};
use crate::provider::dialect::{Form, Route, value_of};
use crate::provider::http::Request;

/// A credential, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::provider) struct Key {
    pub(in crate::provider) text: String,
    /// In `Authorization`.
    pub(super) is_bearer: bool,
}

impl Key {
    /// Of a request.
    pub(in crate::provider) fn of(manner: Manner, request: &Request) -> Option<Self> {
        let bare = |text: String| Self { text, is_bearer: false };
        let named = |name: &str| request.header(name).map(|text| bare(text.to_owned()));
        let bearer = || {
            let text = request.header("authorization")?.strip_prefix("Bearer ")?;
            Some(Self { text: text.to_owned(), is_bearer: true })
        };
        match manner {
            Manner::Plain => bearer().or_else(|| named("x-api-key")).or_else(|| named("x-goog-api-key")),
            Manner::Anthropic => named("x-api-key").or_else(bearer),
            Manner::Gemini => named("x-goog-api-key")
                .or_else(|| value_of(&request.query, "key").map(|text| bare(text.into_owned())))
                .or_else(bearer),
            _ => bearer(),
        }
    }

    /// Whether it is where the provider takes one: Gemini takes what is in `Authorization` for a token of OAuth.
    pub(super) fn is_in_place(&self, manner: Manner) -> bool {
        manner != Manner::Gemini || !self.is_bearer
    }
}

/// Whether nobody needs a credential there.
///
/// Sources: huggingface.co/docs/inference-providers (the list is public); ggml-org/llama.cpp, tools/server/README.md (health
/// and models are public); vllm-project/vllm, the `AuthenticationMiddleware` of its OpenAI server (`/v1` alone is guarded).
/// Ollama and LM Studio ask for none as they are installed.
pub(super) fn is_public(manner: Manner, route: &Route, path: &str) -> bool {
    match manner {
        Manner::Plain | Manner::Ollama | Manner::LmStudio => true,
        Manner::HuggingFace => route.form == Form::Page(Page::Models),
        Manner::LlamaCpp => matches!(route.form, Form::Page(Page::Models | Page::Health)),
        Manner::Vllm => !path.starts_with("/v1/"),
        Manner::OpenAi | Manner::Anthropic | Manner::Gemini | Manner::Xai => false,
    }
}

/// The status of a credential that isn't known, or isn't there.
pub(super) fn status(manner: Manner, key: Option<&Key>) -> u16 {
    match (manner, key) {
        (Manner::Gemini, Some(key)) if key.is_bearer => 401,
        (Manner::Gemini | Manner::Xai, Some(_)) => 400,
        (Manner::Gemini, None) => 403,
        _ => 401,
    }
}
