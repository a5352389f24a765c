//! Which dialect is spoken on which path.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::provider::manner::Page;

/// A way to speak to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::provider) enum Dialect {
    OpenAiChat,
    OpenAiResponses,
    Anthropic,
    Gemini,
    /// Ollama's own; only a provider of its manner speaks it.
    Ollama,
    Pas,
}

/// What is wanted there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::provider) enum Form {
    /// A turn of a model.
    Turn,
    /// How many tokens a request has.
    Count,
    Embeddings,
    /// The list of models.
    Models,
    /// One of them.
    Model,
    /// What only a provider of some manner tells.
    Page(Page),
}

/// What a path means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::provider) struct Route {
    pub(in crate::provider) dialect: Dialect,
    pub(in crate::provider) form: Form,
    /// The model, where the path names it.
    pub(in crate::provider) model: Option<String>,
    /// Whether the path asks for a stream.
    pub(in crate::provider) stream: bool,
}

impl Route {
    /// Of a request; `anthropic` when it has the header that only Anthropic's have. OpenAI's paths go without `/v1` too,
    /// since a base URL may have it.
    pub(in crate::provider) fn of(method: &str, path: &str, anthropic: bool) -> Option<Self> {
        let route = |dialect, form| Some(Self { dialect, form, model: None, stream: false });
        let models = if anthropic { Dialect::Anthropic } else { Dialect::OpenAiChat };
        match (method, path.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).unwrap_or(path)) {
            ("POST", "/chat/completions") => route(Dialect::OpenAiChat, Form::Turn),
            ("POST", "/responses") => route(Dialect::OpenAiResponses, Form::Turn),
            ("POST", "/responses/input_tokens") => route(Dialect::OpenAiResponses, Form::Count),
            ("POST", "/embeddings") => route(Dialect::OpenAiChat, Form::Embeddings),
            ("POST", "/messages") => route(Dialect::Anthropic, Form::Turn),
            ("POST", "/messages/count_tokens") => route(Dialect::Anthropic, Form::Count),
            ("GET", "/models") => route(models, Form::Models),
            ("POST", "/invoke") => route(Dialect::Pas, Form::Turn),
            ("GET", "/v1beta/models") => route(Dialect::Gemini, Form::Models),
            (method, rest) => {
                if let Some(model) = rest.strip_prefix("/models/").filter(|_| method == "GET") {
                    return Some(Self::with(models, Form::Model, model, false));
                }
                // Gemini's newer clients ask for `/v1/models/…` where older ones say `/v1beta`.
                let rest = rest.strip_prefix("/v1beta").unwrap_or(rest).strip_prefix("/models/")?;
                match (method, rest.rsplit_once(':')) {
                    ("POST", Some((model, "generateContent"))) => {
                        Some(Self::with(Dialect::Gemini, Form::Turn, model, false))
                    }
                    ("POST", Some((model, "streamGenerateContent"))) => {
                        Some(Self::with(Dialect::Gemini, Form::Turn, model, true))
                    }
                    ("POST", Some((model, "countTokens"))) => {
                        Some(Self::with(Dialect::Gemini, Form::Count, model, false))
                    }
                    ("GET", _) => Some(Self::with(Dialect::Gemini, Form::Model, rest, false)),
                    _ => None,
                }
            }
        }
    }

    fn with(dialect: Dialect, form: Form, model: &str, stream: bool) -> Self {
        let model = percent_decode_str(model).decode_utf8_lossy().into_owned();
        Self { dialect, form, model: Some(model), stream }
    }
}

/// Whether a query asks for this.
pub(super) fn asks_for(query: &str, name: &str, wanted: &str) -> bool {
    value_of(query, name).is_some_and(|value| value == wanted)
}

/// What a query says of this.
pub(in crate::provider) fn value_of<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    Some(percent_decode_str(value).decode_utf8_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_leads_to_what_its_documentation_says() {
        let of = |method, path| Route::of(method, path, false).map(|route| (route.dialect, route.form));
        assert_eq!(of("POST", "/v1/chat/completions"), Some((Dialect::OpenAiChat, Form::Turn)));
        assert_eq!(of("POST", "/chat/completions"), Some((Dialect::OpenAiChat, Form::Turn)));
        assert_eq!(of("POST", "/v1/responses/input_tokens"), Some((Dialect::OpenAiResponses, Form::Count)));
        assert_eq!(of("POST", "/v1/messages/count_tokens"), Some((Dialect::Anthropic, Form::Count)));
        assert_eq!(of("GET", "/v1/models"), Some((Dialect::OpenAiChat, Form::Models)));
        assert_eq!(of("GET", "/v1beta/models"), Some((Dialect::Gemini, Form::Models)));
        assert_eq!(of("GET", "/v1/chat/completions"), None);
        assert_eq!(of("POST", "/v1beta/models/a:embedContent"), None);
        let models = Route::of("GET", "/v1/models", true).map(|route| route.dialect);
        assert_eq!(models, Some(Dialect::Anthropic));
    }

    #[test]
    fn a_gemini_path_names_its_model_up_to_the_last_colon() {
        let route =
            Route::of("POST", "/v1beta/models/llama3.1:8b%20q4:streamGenerateContent", false).unwrap();
        let model = Some("llama3.1:8b q4".to_owned());
        assert_eq!(route, Route { dialect: Dialect::Gemini, form: Form::Turn, model, stream: true });
        let newer = Route::of("POST", "/v1/models/llama3.1:8b%20q4:streamGenerateContent", false);
        assert_eq!(newer, Some(route));
    }

    #[test]
    fn a_query_asks_for_what_it_says() {
        assert!(asks_for("key=a&alt=sse", "alt", "sse"));
        assert!(!asks_for("alt=json", "alt", "sse") && !asks_for("", "alt", "sse"));
    }
}
