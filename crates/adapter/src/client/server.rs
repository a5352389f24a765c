//! What servers on this machine say of their models: above all what fits the context that they really have.
//!
//! Ollama: <https://docs.ollama.com/api/ps>, <https://docs.ollama.com/api-reference/show-model-details>,
//! <https://docs.ollama.com/context-length> (a loaded model's context is `/api/ps`'s; else the model's own `num_ctx`, else what
//! the server was started with, which nobody tells, and at least 4,096).
//! LM Studio: <https://lmstudio.ai/docs/developer/rest>. llama.cpp: ggml-org/llama.cpp tools/server/README.md.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Trouble;
use super::provider::{Provider, Seen};
use crate::profile::{Listed, Server};
use crate::secret::Secret;

/// The least that Ollama gives a model whose context nobody sets.
const OLLAMA_LEAST: u64 = 4_096;
/// Models that are looked into.
const MODELS: usize = 500;

/// What was found out of models that don't change: by name and digest.
#[derive(Debug, Default)]
pub(crate) struct Remembered(BTreeMap<(String, String), Shown>);

/// What `/api/show` tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Shown {
    /// The context that the model sets for itself.
    own: Option<u64>,
    /// The one that it was trained with.
    trained: Option<u64>,
    converses: bool,
}

/// A server, asked with a credential if there is one.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    provider: &'a Provider,
    secret: Option<&'a Arc<Secret>>,
}

/// The models of such a server, or that it is none.
pub(super) async fn models(
    kind: Server,
    provider: &Provider,
    context_tokens: u64,
    secret: Option<&Arc<Secret>>,
    remembered: &mut Remembered,
) -> Result<Vec<Listed>, Trouble> {
    let server = Asked { provider, secret };
    match kind {
        Server::Ollama => server.ollama(context_tokens, remembered).await,
        Server::LmStudio => server.lm_studio().await,
        Server::LlamaCpp => server.llama_cpp().await,
    }
}

impl Asked<'_> {
    async fn ask(self, path: &str, body: Option<&Value>) -> Result<Value, Trouble> {
        self.provider.ask(path, body, self.secret).await
    }

    async fn ollama(self, context_tokens: u64, remembered: &mut Remembered) -> Result<Vec<Listed>, Trouble> {
        let tags = self.ask("/api/tags", None).await?;
        let tags = self.list("/api/tags", &tags, "models")?;
        let loaded = self.ask("/api/ps", None).await?;
        let loaded = self.list("/api/ps", &loaded, "models")?;
        let (mut models, mut known) = (Vec::new(), BTreeMap::new());
        for model in tags.iter().take(MODELS) {
            let Some(name) = text(&model["name"]) else { continue };
            let key = (name.clone(), text(&model["digest"]).unwrap_or_default());
            let shown = match remembered.0.remove(&key) {
                Some(shown) => shown,
                None => match self.ask("/api/show", Some(&json!({ "model": name }))).await {
                    Ok(value) => shown(&value),
                    // It may have been removed just now.
                    Err(Trouble::Stranger(_) | Trouble::Failed(_)) => continue,
                    Err(trouble) => return Err(trouble),
                },
            };
            let running = loaded
                .iter()
                .find(|each| each["name"] == *name)
                .and_then(|each| each["context_length"].as_u64());
            let started_with = Some(context_tokens).filter(|tokens| *tokens > 0).unwrap_or(OLLAMA_LEAST);
            let context = running.unwrap_or_else(|| {
                let unset = shown.own.unwrap_or(started_with);
                shown.trained.map_or(unset, |trained| unset.min(trained))
            });
            models.push(Listed { converses: shown.converses, ..Listed::new(name, Some(context)) });
            known.insert(key, shown);
        }
        remembered.0 = known;
        Ok(models)
    }

    async fn lm_studio(self) -> Result<Vec<Listed>, Trouble> {
        // The newer of the two says what is loaded with which context.
        match self.ask("/api/v1/models", None).await {
            Ok(newer) if newer["models"].is_array() => {
                let models = self.list("/api/v1/models", &newer, "models")?;
                return Ok(models.iter().filter_map(newer_model).collect());
            }
            Ok(_) | Err(Trouble::Stranger(_)) => {}
            Err(trouble) => return Err(trouble),
        }
        let older = self.ask("/api/v0/models", None).await?;
        let models = self.list("/api/v0/models", &older, "data")?;
        if !models.iter().all(|model| model["state"].is_string()) {
            return Err(self.other("/api/v0/models", &older));
        }
        Ok(models.iter().filter_map(older_model).collect())
    }

    async fn llama_cpp(self) -> Result<Vec<Listed>, Trouble> {
        let properties = self.ask("/props", None).await?;
        let context = properties["default_generation_settings"]["n_ctx"].as_u64();
        let context = context.ok_or_else(|| self.other("/props", &properties))?;
        let models = self.ask("/v1/models", None).await?;
        let models = self.list("/v1/models", &models, "data")?;
        Ok(models.iter().filter_map(|model| Some(Listed::new(text(&model["id"])?, Some(context)))).collect())
    }

    /// The list of that name; null is an empty one.
    fn list<'v>(self, path: &str, value: &'v Value, name: &str) -> Result<&'v [Value], Trouble> {
        match value.get(name) {
            Some(Value::Array(list)) => Ok(list),
            Some(Value::Null) => Ok(&[]),
            _ => Err(self.other(path, value)),
        }
    }

    fn other(self, path: &str, value: &Value) -> Trouble {
        let (method, status, body) = (&Method::GET, StatusCode::OK, value.to_string().into());
        let secret = self.secret.map(|secret| &**secret);
        Trouble::Stranger(self.provider.stranger(Seen { method, path, status, body, secret }))
    }
}

fn shown(value: &Value) -> Shown {
    let parameters = value["parameters"].as_str().unwrap_or_default();
    let own = parameters.lines().find_map(|line| line.strip_prefix("num_ctx")?.trim().parse().ok());
    let architecture = value["model_info"]["general.architecture"].as_str().unwrap_or_default();
    let trained = value["model_info"][format!("{architecture}.context_length")].as_u64();
    // Old servers don't say what a model can do.
    let can = |what: &str| value["capabilities"].as_array().is_none_or(|all| all.iter().any(|it| it == what));
    Shown { own, trained, converses: can("completion") }
}

fn newer_model(model: &Value) -> Option<Listed> {
    let loaded = model["loaded_instances"].as_array().into_iter().flatten();
    let context = loaded.filter_map(|each| each["config"]["context_length"].as_u64()).min();
    let converses = model["type"] != "embedding";
    Some(Listed { converses, ..Listed::new(text(&model["key"])?, context) })
}

fn older_model(model: &Value) -> Option<Listed> {
    let converses = model["type"] != "embeddings";
    Some(Listed { converses, ..Listed::new(text(&model["id"])?, model["loaded_context_length"].as_u64()) })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ollama_shows_of_a_model_is_its_own_context_and_the_trained_one() {
        let value = json!({
            "parameters": "num_ctx                        8192\nstop                           \"<end_of_turn>\"",
            "model_info": {"general.architecture": "gemma3", "gemma3.context_length": 131_072},
            "capabilities": ["completion", "tools"],
        });
        assert_eq!(shown(&value), Shown { own: Some(8_192), trained: Some(131_072), converses: true });
        let embedder = json!({"model_info": {}, "capabilities": ["embedding"]});
        assert_eq!(shown(&embedder), Shown::default());
        assert!(shown(&json!({})).converses);
    }

    #[test]
    fn what_lm_studio_has_loaded_says_how_much_fits() {
        let newer = json!({"type": "llm", "key": "a/b", "loaded_instances": [{"id": "a/b",
            "config": {"context_length": 4_096}}], "max_context_length": 262_144});
        assert_eq!(newer_model(&newer), Some(Listed::new("a/b", Some(4_096))));
        let older =
            json!({"id": "c", "type": "embeddings", "state": "not-loaded", "max_context_length": 2_048});
        assert_eq!(older_model(&older), Some(Listed { converses: false, ..Listed::new("c", None) }));
    }
}
