//! Ollama. <https://docs.ollama.com/api>. It cuts a prompt that is longer than its context, and tells nobody: what it really has is
//! read from it, and registered.

use pas_adapter::Profile;
use pas_adapter::profile::{Listing, Route, Scheme, Server};
use pas_types::catalog;
use pas_types::routing::{Dialect, Locality};

use crate::{CHAT, MODEL, MODELS};

/// Ollama.
pub static PROFILE: Profile = Profile {
    entry: catalog::OLLAMA,
    provider: Some("ollama"),
    title: "Ollama",
    locality: Locality::Local,
    base_url: "http://127.0.0.1:11434",
    scheme: Scheme::Bearer,
    needs_credential: false,
    dialects: &[Dialect::OpenaiChat, Dialect::OpenaiEmbeddings, Dialect::OllamaChat],
    routes: &[
        CHAT,
        Route::turn("/v1/embeddings", Dialect::OpenaiEmbeddings),
        Route::turn("/api/chat", Dialect::OllamaChat),
        MODELS,
        MODEL,
    ],
    caps: crate::CAPS,
    listings: &[Listing::Local(Server::Ollama)],
    headers: &[],
    withheld: &[],
    remedy: "start it with `ollama serve` and get a model with `ollama pull llama3.2`, or set PAS_OLLAMA_BASE_URL",
    pinned: None,
};
