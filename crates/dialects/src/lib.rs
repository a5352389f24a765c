#![doc = include_str!("../README.md")]

pub mod answer;
pub mod error;
pub mod ollama;
pub mod request;
pub mod said;
pub mod splice;
pub mod sse;
pub mod stream;
pub mod usage;

pub use pas_types::routing::Dialect;

/// Whose shapes a dialect has, for errors and lists of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// PAS's own.
    Pas,
    /// OpenAI's, and of all who speak as it does.
    OpenAi,
    /// Anthropic's.
    Anthropic,
    /// Gemini's.
    Gemini,
}

impl Family {
    /// The family of a dialect.
    pub fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Pas | Dialect::OllamaChat => Self::Pas,
            Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::OpenaiEmbeddings => Self::OpenAi,
            Dialect::AnthropicMessages => Self::Anthropic,
            Dialect::GeminiGenerate => Self::Gemini,
        }
    }
}

/// Whether a JSON value, as it is written, says something: not null, and no empty text, list or object.
pub(crate) fn says_something(raw: &serde_json::value::RawValue) -> bool {
    !matches!(raw.get(), "null" | "\"\"" | "[]" | "{}")
}
