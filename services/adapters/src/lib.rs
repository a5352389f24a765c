#![doc = include_str!("../README.md")]

pub mod anthropic;
pub mod gemini;
pub mod grok;
pub mod huggingface;
pub mod lmstudio;
pub mod ollama;
pub mod openai;

use pas_adapter::Profile;
use pas_adapter::profile::Route;
use pas_types::routing::Dialect;

/// What every model that converses can do at least.
const CAPS: &[&str] = &["infer", "chat", "plan"];

/// What can be asked of whoever speaks as OpenAI does.
const CHAT: Route = Route::turn("/v1/chat/completions", Dialect::OpenaiChat);
const MODELS: Route = Route::list("/v1/models", Dialect::OpenaiChat);
const MODEL: Route = Route::list("/v1/models/{*model}", Dialect::OpenaiChat);

/// Every profile, in the order of their ports.
pub const PROFILES: [&Profile; 7] = [
    &openai::PROFILE,
    &anthropic::PROFILE,
    &gemini::PROFILE,
    &grok::PROFILE,
    &huggingface::PROFILE,
    &ollama::PROFILE,
    &lmstudio::PROFILE,
];
