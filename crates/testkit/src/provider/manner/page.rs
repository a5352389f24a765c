//! What a provider tells of itself and its models, apart from turns: which pages there are, and where.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{
    Manner, Model, anthropic, gemini, hugging_face, llama_cpp, lm_studio, ollama, openai, vllm, xai,
};
use crate::provider::dialect::{Ask, Dialect, Form, Route};
use crate::provider::script::{Fault, Script};

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::provider) enum Page {
    /// The list of models where clients of any provider look for it.
    Models,
    /// One of them.
    Model,
    /// xAI's list with prices.
    LanguageModels,
    /// LM Studio's own list, before 0.4 and since.
    OlderModels,
    NewerModels,
    Version,
    /// Ollama's models on disk, what is known of one, those in memory, and the way into it.
    Tags,
    Show,
    Running,
    Load,
    /// llama.cpp's state and settings; vLLM has a state too.
    Health,
    Properties,
}

/// What a path means to a provider of this manner; none where it means what it does to all.
pub(super) fn route(manner: Manner, method: &str, path: &str) -> Option<Route> {
    let page = match (manner, method, path) {
        (Manner::Plain, ..) => return None,
        (Manner::Ollama, "POST", "/api/chat") => {
            return Some(Route { dialect: Dialect::Ollama, form: Form::Turn, model: None, stream: false });
        }
        (Manner::Ollama, "GET", "/api/version") | (Manner::Vllm, "GET", "/version") => Page::Version,
        (Manner::Ollama, "GET", "/api/tags") => Page::Tags,
        (Manner::Ollama, "POST", "/api/show") => Page::Show,
        (Manner::Ollama, "GET", "/api/ps") => Page::Running,
        (Manner::Ollama, "POST", "/api/generate") => Page::Load,
        (Manner::Xai, "GET", "/v1/language-models") => Page::LanguageModels,
        (Manner::LmStudio, "GET", "/api/v0/models") => Page::OlderModels,
        (Manner::LmStudio, "GET", "/api/v1/models") => Page::NewerModels,
        (Manner::LlamaCpp | Manner::Vllm, "GET", "/health") => Page::Health,
        (Manner::LlamaCpp, "GET", "/props") => Page::Properties,
        (Manner::Gemini, "GET", "/v1beta/models") => Page::Models,
        (_, "GET", "/v1/models" | "/models") => Page::Models,
        (_, "GET", _) => Page::Model,
        _ => return None,
    };
    let model = match page {
        Page::Model => Some(one(manner, path)?),
        _ => None,
    };
    let dialect = match manner {
        Manner::Anthropic => Dialect::Anthropic,
        Manner::Gemini => Dialect::Gemini,
        Manner::Ollama if path.starts_with("/api/") => Dialect::Ollama,
        _ => Dialect::OpenAiChat,
    };
    Some(Route { dialect, form: Form::Page(page), model, stream: false })
}

/// The model that the path of its page names.
fn one(manner: Manner, path: &str) -> Option<String> {
    let beta = path.strip_prefix("/v1beta").filter(|_| manner == Manner::Gemini);
    let rest = beta.or_else(|| path.strip_prefix("/v1")).unwrap_or(path);
    let name = rest.strip_prefix("/models/")?;
    Some(percent_decode_str(name).decode_utf8_lossy().into_owned())
}

impl Page {
    /// What becomes of a healthy script when what is asked for isn't there.
    pub(super) fn judged(self, manner: Manner, is_known: bool, ask: &Ask, script: Script) -> Script {
        let fault = |fault| Script { fault: Some(fault), ..script.clone() };
        let refusal =
            |message: &str| Script { status: Some(400), message: Some(message.to_owned()), ..script.clone() };
        match (self, manner) {
            (Self::Model, Manner::LmStudio | Manner::HuggingFace) if !is_known => {
                Script { status: Some(404), ..fault(Fault::UnknownModel) }
            }
            (Self::Model | Self::Show | Self::Load, _) if !is_known => fault(Fault::UnknownModel),
            (Self::Models, Manner::Anthropic) if anthropic::limit(ask).is_none() => {
                refusal("limit: Input should be from 1 to 1000")
            }
            (Self::Models, Manner::Gemini) if gemini::begin(ask).is_none() => {
                refusal("Request contains an invalid page token.")
            }
            _ => script,
        }
    }

    /// What it says of these models, or of this one.
    pub(super) fn body(self, manner: Manner, models: &[Model], found: Option<&Model>, ask: &Ask) -> Vec<u8> {
        let item: fn(&Model) -> Value = match manner {
            Manner::Anthropic => anthropic::model,
            Manner::Gemini => gemini::model,
            Manner::Xai => xai::model,
            Manner::HuggingFace => hugging_face::model,
            Manner::Ollama => ollama::model,
            Manner::LmStudio => lm_studio::model,
            Manner::LlamaCpp => llama_cpp::model,
            Manner::Vllm => vllm::model,
            Manner::Plain | Manner::OpenAi => openai::model,
        };
        let value = match (self, manner) {
            (Self::Models, Manner::Anthropic) => anthropic::models(models, ask),
            (Self::Models, Manner::Gemini) => gemini::models(models, ask),
            (Self::Models, Manner::HuggingFace) => hugging_face::models(models),
            (Self::Models, Manner::Ollama) => ollama::models(models),
            (Self::Models, _) => {
                json!({"object": "list", "data": models.iter().map(item).collect::<Vec<_>>()})
            }
            (Self::Model, _) => found.map(item).unwrap_or_default(),
            (Self::LanguageModels, _) => xai::language_models(models),
            (Self::OlderModels, _) => lm_studio::older(models),
            (Self::NewerModels, _) => lm_studio::newer(models),
            (Self::Version, Manner::Ollama) => json!({"version": "0.33.3"}),
            (Self::Version, _) => json!({"version": "0.30.0"}),
            (Self::Tags, _) => ollama::tags(models),
            (Self::Show, _) => found.map(ollama::show).unwrap_or_default(),
            (Self::Running, _) => ollama::running(models),
            (Self::Load, _) => ollama::loaded(ask),
            // It has no body.
            (Self::Health, Manner::Vllm) => return Vec::new(),
            (Self::Health, _) => json!({"status": "ok"}),
            (Self::Properties, _) => llama_cpp::properties(models),
        };
        value.to_string().into_bytes()
    }
}
