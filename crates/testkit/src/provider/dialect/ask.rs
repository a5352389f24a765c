//! What a request asks for, as far as an answer depends on it. What isn't known is none of a provider's business.

use serde_json::Value;

use super::route::{Dialect, Form, Route, asks_for};
use crate::provider::manner::{Key, Page};

/// A request, read.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::provider) struct Ask {
    pub(in crate::provider) dialect: Dialect,
    /// As the request names it.
    pub(in crate::provider) model: String,
    pub(in crate::provider) stream: bool,
    /// What a stream is made of.
    pub(in crate::provider) wire: Wire,
    /// OpenAI's chat alone: a last chunk says what the turn took.
    pub(super) include_usage: bool,
    /// The names of the tools that are offered.
    pub(super) tools: Vec<String>,
    /// The request itself.
    pub(in crate::provider) body: Value,
    /// What follows the path.
    pub(in crate::provider) query: String,
    /// The credential with which it comes.
    pub(in crate::provider) key: Option<Key>,
}

/// What a stream is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::provider) enum Wire {
    /// Server-sent events.
    Events,
    /// The elements of a JSON array: Gemini, when it isn't asked for events.
    Array,
    /// JSON, one a line: Ollama.
    Lines,
}

impl Ask {
    /// Of a request's body; says what is wrong with one that can't be read.
    pub(in crate::provider) fn read(route: &Route, query: &str, body: &[u8]) -> Result<Self, String> {
        let is_bare = match route.form {
            Form::Models | Form::Model => true,
            Form::Page(page) => !matches!(page, Page::Show | Page::Load),
            Form::Turn | Form::Count | Form::Embeddings => false,
        };
        let is_ollama = route.dialect == Dialect::Ollama;
        let body = match serde_json::from_slice(body) {
            Ok(body) => body,
            Err(_) if is_bare => Value::Null,
            Err(_) if is_ollama && body.is_empty() => return Err("missing request body".to_owned()),
            Err(error) => return Err(format!("We could not parse the JSON body of your request: {error}")),
        };
        let model = route.model.clone().or_else(|| body["model"].as_str().map(str::to_owned));
        let model = match (model, route.dialect) {
            (Some(model), _) => model,
            (None, Dialect::Pas) => String::new(),
            (None, _) if is_bare => String::new(),
            (None, Dialect::Ollama) => return Err("model is required".to_owned()),
            (None, _) => return Err("you must provide a model parameter".to_owned()),
        };
        Ok(Self {
            dialect: route.dialect,
            model,
            // Ollama streams unless it is told not to.
            stream: route.stream || body["stream"] == true || is_ollama && body["stream"] != false,
            wire: match route.dialect {
                Dialect::Gemini if !asks_for(query, "alt", "sse") => Wire::Array,
                Dialect::Ollama => Wire::Lines,
                _ => Wire::Events,
            },
            include_usage: body["stream_options"]["include_usage"] == true,
            tools: tools(&body),
            body,
            query: query.to_owned(),
            key: None,
        })
    }

    /// The same for something that can't be read.
    pub(in crate::provider) fn unread(route: &Route) -> Self {
        Self {
            dialect: route.dialect,
            model: route.model.clone().unwrap_or_default(),
            stream: route.stream,
            wire: Wire::Events,
            include_usage: false,
            tools: Vec::new(),
            body: Value::Null,
            query: String::new(),
            key: None,
        }
    }

    /// With the credential that came.
    pub(in crate::provider) fn with_key(self, key: Option<Key>) -> Self {
        Self { key, ..self }
    }

    /// The model without what is scripted in its name, and that.
    pub(in crate::provider) fn scripted_model(&self) -> (&str, Option<&str>) {
        match self.model.split_once('~') {
            Some((model, script)) => (model, Some(script)),
            None => (&self.model, None),
        }
    }
}

/// OpenAI's chat nests a function, its responses and Anthropic have it flat, Gemini has lists of declarations.
fn tools(body: &Value) -> Vec<String> {
    let tools = body["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
    let named = tools.iter().flat_map(|tool| match tool["functionDeclarations"].as_array() {
        Some(declared) => declared.iter().map(|function| &function["name"]).collect(),
        None if tool["function"].is_object() => vec![&tool["function"]["name"]],
        None => vec![&tool["name"]],
    });
    named.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_tools_of_each_dialect_are_found() {
        for offered in [
            json!([{"type": "function", "function": {"name": "a"}}, {"type": "function", "function": {"name": "b"}}]),
            json!([{"type": "function", "name": "a"}, {"name": "b", "input_schema": {}}]),
            json!([{"functionDeclarations": [{"name": "a"}, {"name": "b"}]}]),
        ] {
            assert_eq!(tools(&json!({ "tools": offered })), ["a", "b"]);
        }
        assert!(tools(&json!({})).is_empty());
    }

    #[test]
    fn a_script_in_the_name_of_a_model_is_told_from_it() {
        let route = Route::of("POST", "/v1/messages", true).unwrap();
        let ask = Ask::read(&route, "", br#"{"model": "a~status=429"}"#).unwrap();
        assert_eq!(ask.scripted_model(), ("a", Some("status=429")));
        assert_eq!(Ask::unread(&route).scripted_model(), ("", None));
    }
}
