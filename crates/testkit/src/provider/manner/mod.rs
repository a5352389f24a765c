//! In whose manner a provider speaks: what it lists, whom it lets in, what its limits are, and how it words what goes wrong.
//! One file a provider; the sources are named there.

mod anthropic;
mod gemini;
mod hugging_face;
mod key;
mod limit;
mod llama_cpp;
mod lm_studio;
pub(super) mod ollama;
mod openai;
mod page;
mod vllm;
mod xai;

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;
use serde_json::Value;

pub(super) use key::Key;
pub(super) use limit::headers;
pub(super) use page::Page;

use super::dialect::{Ask, Dialect, Form, Route};
use super::http::Request;
use super::script::{Fault, Script};

/// In whose manner a provider speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum Manner {
    /// Nobody's: every dialect in its maker's shape, for whoever comes.
    #[default]
    Plain,
    /// OpenAI.
    OpenAi,
    /// Anthropic.
    Anthropic,
    /// Gemini.
    Gemini,
    /// xAI.
    Xai,
    /// The router of Hugging Face.
    HuggingFace,
    /// Ollama, with its own `/api/chat`.
    Ollama,
    /// LM Studio.
    LmStudio,
    /// The server of llama.cpp.
    LlamaCpp,
    /// vLLM.
    Vllm,
}

/// A model that a provider has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its name.
    pub id: String,
    /// So many tokens fit in; with Ollama and LM Studio, into what is loaded.
    pub context: Option<u64>,
    /// So many tokens come out at most.
    pub output: Option<u64>,
    /// Whether it is in memory from the start; with Ollama and LM Studio, a turn loads it.
    pub loaded: bool,
}

impl Offer {
    /// A loaded one of which nothing else is known.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), context: None, output: None, loaded: true }
    }

    /// With room for so many tokens.
    #[must_use]
    pub fn context(self, tokens: u64) -> Self {
        Self { context: Some(tokens), ..self }
    }

    /// With so many tokens to come out at most.
    #[must_use]
    pub fn output(self, tokens: u64) -> Self {
        Self { output: Some(tokens), ..self }
    }

    /// Not in memory yet.
    #[must_use]
    pub fn unloaded(self) -> Self {
        Self { loaded: false, ..self }
    }

    /// What the model was trained for, of which a server that keeps it in memory gives it a part.
    fn trained(&self) -> u64 {
        self.context.unwrap_or(32_768).max(32_768) * 4
    }
}

impl FromStr for Offer {
    type Err = String;

    /// Of `id` or `id=context`.
    fn from_str(text: &str) -> Result<Self, String> {
        let Some((id, context)) = text.rsplit_once('=') else { return Ok(Self::new(text)) };
        let tokens = context.parse().map_err(|_| format!("{context:?} is no number of tokens"))?;
        Ok(Self::new(id).context(tokens))
    }
}

/// A model and whether it is in memory now.
#[derive(Debug)]
struct Model {
    offer: Offer,
    is_loaded: AtomicBool,
}

impl Model {
    fn is_loaded(&self) -> bool {
        self.is_loaded.load(Ordering::Relaxed)
    }
}

/// What a provider is, apart from its scripts.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) manner: Manner,
    keys: Vec<String>,
    models: Vec<Model>,
}

impl Default for Profile {
    fn default() -> Self {
        Self::new(Manner::Plain, Vec::new(), Vec::new())
    }
}

impl Profile {
    /// Without keys, nobody needs one; without models, it has two.
    pub(super) fn new(manner: Manner, keys: Vec<String>, models: Vec<Offer>) -> Self {
        let usual = || {
            vec![
                Offer::new("scripted-1").context(131_072).output(16_384),
                Offer::new("scripted-2").context(32_768).output(8_192),
            ]
        };
        let models = if models.is_empty() { usual() } else { models };
        let models = models
            .into_iter()
            .map(|offer| Model { is_loaded: AtomicBool::new(offer.loaded), offer })
            .collect();
        Self { manner, keys, models }
    }

    /// What a request's path means here.
    pub(super) fn route(&self, request: &Request) -> Option<Route> {
        let is_anthropic = request.header("anthropic-version").is_some();
        page::route(self.manner, &request.method, &request.path)
            .or_else(|| Route::of(&request.method, &request.path, is_anthropic))
    }

    /// Whether a request is let in.
    pub(super) fn admits(&self, route: &Route, path: &str, key: Option<&Key>) -> bool {
        self.keys.is_empty()
            || key::is_public(self.manner, route, path)
            || key.is_some_and(|key| key.is_in_place(self.manner) && self.keys.contains(&key.text))
    }

    /// What becomes of a healthy script by what the provider knows of its models.
    pub(super) fn judged(&self, route: &Route, ask: &Ask, script: Script) -> Script {
        if self.manner == Manner::Plain || script.status.is_some() || script.fault.is_some() {
            return script;
        }
        let model = self.find(ask.scripted_model().0);
        let script = match route.form {
            Form::Page(page) => page.judged(self.manner, model.is_some(), ask, script),
            _ if self.manner == Manner::Ollama => {
                ollama::fitted(ask, model.and_then(|model| model.offer.context), script)
            }
            _ => script,
        };
        if let Some(model) = model
            && matches!(route.form, Form::Turn | Form::Page(Page::Load))
            && script.fault.is_none()
        {
            model.is_loaded.store(true, Ordering::Relaxed);
        }
        script
    }

    /// What a page says.
    pub(super) fn page(&self, page: Page, ask: &Ask, script: &Script) -> Vec<u8> {
        let models = if script.fault == Some(Fault::Empty) { &[] } else { self.models.as_slice() };
        page.body(self.manner, models, self.find(&ask.model), ask)
    }

    /// The status of what goes wrong, where the script doesn't say.
    pub(super) fn status(&self, ask: &Ask, script: &Script) -> u16 {
        let usual = match (script.fault, self.manner) {
            (Some(Fault::Error), _) => 500,
            (Some(Fault::ContextTooLong), _) => 400,
            (Some(Fault::UnknownModel), Manner::HuggingFace | Manner::LmStudio) => 400,
            (Some(Fault::UnknownModel), _) => 404,
            (Some(Fault::UnknownKey), manner) => key::status(manner, ask.key.as_ref()),
            (Some(Fault::Quota), Manner::Plain | Manner::Anthropic | Manner::HuggingFace) => 402,
            (Some(Fault::Quota), _) => 429,
            _ => 200,
        };
        script.status.unwrap_or(usual)
    }

    /// The body of an error; none where it is the dialect's own.
    pub(super) fn error(&self, ask: &Ask, script: &Script, status: u16) -> Option<Value> {
        let error = match (self.manner, ask.dialect) {
            (Manner::Plain, _) | (_, Dialect::Pas) => return None,
            (Manner::Anthropic, _) => anthropic::error,
            (Manner::Gemini, _) => gemini::error,
            (_, Dialect::Anthropic | Dialect::Gemini) => return None,
            (Manner::OpenAi, _) => openai::error,
            (Manner::Xai, _) => xai::error,
            (Manner::HuggingFace, _) => hugging_face::error,
            (Manner::Ollama, _) => ollama::error,
            (Manner::LmStudio, _) => lm_studio::error,
            (Manner::LlamaCpp, _) => llama_cpp::error,
            (Manner::Vllm, _) => vllm::error,
        };
        Some(error(ask, script, status))
    }

    /// The status and the body of an answer to what no dialect knows: OpenAI's shape, but for who is odd.
    pub(super) fn unknown_path(&self, method: &str, path: &str) -> (u16, Value) {
        if self.manner == Manner::LmStudio {
            return (200, lm_studio::unknown_path(method, path));
        }
        let message = format!("Invalid URL ({method} {path})");
        (404, openai::shape(&message, openai::INVALID, None, Value::Null))
    }

    fn find(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| match self.manner {
            Manner::Ollama => ollama::tagged(&model.offer.id) == ollama::tagged(name),
            _ => model.offer.id == name.strip_prefix("models/").unwrap_or(name),
        })
    }
}

/// A sentence of our own, for what a provider has none that is known.
fn sentence(status: u16) -> String {
    let sentence = match status {
        429 => "Too many requests.",
        400..=499 => "The request is not valid.",
        _ => "The server failed.",
    };
    sentence.to_owned()
}

/// The script's message, or the usual one.
fn message(script: &Script, usual: impl Into<String>) -> String {
    script.message.clone().unwrap_or_else(|| usual.into())
}
