//! What differs from one provider to another: data, and a few functions over JSON.

use http::Method;
use pas_dialects::Dialect;
use pas_types::catalog;
use pas_types::routing::Locality;
use serde_json::Value;

/// A provider, or a server on this machine.
#[derive(Debug)]
pub struct Profile {
    /// The service that is its door.
    pub entry: catalog::Entry,
    /// The name by which the provider matrix knows it; none where that isn't sure.
    pub provider: Option<&'static str>,
    /// Its name, as people write it.
    pub title: &'static str,
    /// Where its models run.
    pub locality: Locality,
    /// Its root, unless told otherwise.
    pub base_url: &'static str,
    /// How it wants its credential.
    pub scheme: Scheme,
    /// Whether it answers without one.
    pub needs_credential: bool,
    /// What it speaks, the one that it speaks best first.
    pub dialects: &'static [Dialect],
    /// What can be asked of it.
    pub routes: &'static [Route],
    /// What each of its models can do at least.
    pub caps: &'static [&'static str],
    /// How it lists its models: the first way that it understands counts.
    pub listings: &'static [Listing],
    /// Headers that every request has which doesn't bring them itself.
    pub headers: &'static [(&'static str, &'static str)],
    /// Headers of a caller that are none of the provider's business: what belongs to another credential.
    pub withheld: &'static [&'static str],
    /// What to do about it when nobody answers, or has no model.
    pub remedy: &'static str,
    /// The one model that is offered, where it is not all of them.
    pub pinned: Option<Pinned>,
}

/// The one model of a service.
#[derive(Debug, Clone, Copy)]
pub struct Pinned {
    /// The name by which it is offered.
    pub name: &'static str,
    /// The name by which its server knows it, unless told otherwise.
    pub model: &'static str,
}

/// How a credential is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer …`
    Bearer,
    /// A header of its own.
    Header(&'static str),
}

/// Something that can be asked of a provider.
#[derive(Debug)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path below the root; `{…}` stands for a part, which may be the model.
    pub path: &'static str,
    /// How it is spelled.
    pub dialect: Dialect,
    /// What is done there.
    pub kind: Kind,
}

/// What is done by a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A model works, and counts tokens for it.
    Turn,
    /// Something is looked up: models, counts of tokens.
    Lookup,
}

impl Route {
    /// A turn of a model.
    pub const fn turn(path: &'static str, dialect: Dialect) -> Self {
        Self { method: Method::POST, path, dialect, kind: Kind::Turn }
    }

    /// A question that costs nothing.
    pub const fn count(path: &'static str, dialect: Dialect) -> Self {
        Self { method: Method::POST, path, dialect, kind: Kind::Lookup }
    }

    /// A list.
    pub const fn list(path: &'static str, dialect: Dialect) -> Self {
        Self { method: Method::GET, path, dialect, kind: Kind::Lookup }
    }

    /// The model, where a path of this route names it: what stands between `/models/` and the verb.
    pub(crate) fn model(&self, path: &str) -> Option<String> {
        let (_, rest) = path.split_once("/models/")?;
        let model =
            rest.rsplit_once(':').filter(|_| self.method == Method::POST).map_or(rest, |(model, _)| model);
        // Colons within a name come percent-encoded, or not.
        let model = percent_encoding::percent_decode_str(model).decode_utf8_lossy().into_owned();
        Some(model).filter(|model| !model.is_empty())
    }
}

/// A way to list models.
#[derive(Debug)]
pub enum Listing {
    /// Page after page.
    Pages {
        /// The first page: path and query.
        path: &'static str,
        /// What a page says; none where it is not such a page at all.
        read: fn(&Value) -> Option<Page>,
        /// Whether only credentials that are taken get to see it, so that it tells whether one is.
        is_private: bool,
    },
    /// As a server on this machine does that has ways of its own.
    Local(Server),
}

/// Servers on this machine that say more of their models than OpenAI's list does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// `/api/tags`, `/api/ps`, `/api/show`.
    Ollama,
    /// `/api/v1/models`, or `/api/v0/models`.
    LmStudio,
    /// `/props`.
    LlamaCpp,
}

/// A page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// What is on it.
    pub models: Vec<Listed>,
    /// Path and query of the next one.
    pub next: Option<String>,
}

/// A model, as its provider lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The name by which it is asked for.
    pub id: String,
    /// Tokens that fit its context, if that is told.
    pub context: Option<u64>,
    /// Whether it converses, as far as can be told. What doesn't is offered only if the matrix knows it.
    pub converses: bool,
}

impl Listed {
    /// One that converses.
    pub fn new(id: impl Into<String>, context: Option<u64>) -> Self {
        Self { id: id.into(), context: context.filter(|tokens| *tokens > 0), converses: true }
    }
}

impl Profile {
    /// The variable that says where the provider is.
    pub fn base_url_variable(&self) -> String {
        format!("PAS_{}_BASE_URL", self.entry.section.to_ascii_uppercase())
    }
}

/// A page of OpenAI's list, as many others have it too; `context` finds out what fits a model's context, `converses` whether one
/// does by its name.
pub fn openai_page(
    value: &Value,
    context: impl Fn(&Value) -> Option<u64>,
    converses: impl Fn(&str) -> bool,
) -> Option<Page> {
    // A server that has nothing says null.
    let data = match value.get("data")? {
        Value::Array(data) => data.as_slice(),
        Value::Null => &[],
        _ => return None,
    };
    let listed = |model: &Value| {
        let id = model["id"].as_str()?;
        Some(Listed { converses: converses(id), ..Listed::new(id, context(model)) })
    };
    let models = data.iter().map(listed).collect::<Option<_>>()?;
    Some(Page { models, next: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_of_a_path_stands_before_its_last_colon() {
        let route = Route::turn("/v1beta/models/{call}", Dialect::GeminiGenerate);
        let model = |path: &str| route.model(path);
        assert_eq!(model("/v1beta/models/gemini-4:generateContent").as_deref(), Some("gemini-4"));
        assert_eq!(model("/v1/models/a%3Ab:8b:countTokens").as_deref(), Some("a:b:8b"));
        assert_eq!(model("/v1/chat/completions"), None);
        let list = Route::list("/v1/models/{model}", Dialect::OpenaiChat);
        assert_eq!(list.model("/v1/models/llama3.1:8b%20q4").as_deref(), Some("llama3.1:8b q4"));
        assert_eq!(list.model("/v1/models/100%"), Some("100%".to_owned()));
    }
}
