//! LM Studio. <https://lmstudio.ai/docs/developer/rest>: a model has the context with which it was loaded.

use pas_adapter::Profile;
use pas_adapter::profile::{Listing, Route, Scheme, Server, openai_page};
use pas_types::catalog;
use pas_types::routing::{Dialect, Locality};

use crate::{CHAT, MODEL, MODELS};

/// LM Studio.
pub static PROFILE: Profile = Profile {
    entry: catalog::LMSTUDIO,
    provider: Some("lmstudio"),
    title: "LM Studio",
    locality: Locality::Local,
    base_url: "http://127.0.0.1:1234/v1",
    scheme: Scheme::Bearer,
    needs_credential: false,
    dialects: &[Dialect::OpenaiChat, Dialect::OpenaiEmbeddings],
    routes: &[CHAT, Route::turn("/v1/embeddings", Dialect::OpenaiEmbeddings), MODELS, MODEL],
    caps: crate::CAPS,
    listings: &[
        Listing::Local(Server::LmStudio),
        Listing::Pages {
            path: "/v1/models",
            read: |value| openai_page(value, |_| None, |id| !id.contains("embed")),
            is_private: true,
        },
    ],
    headers: &[],
    withheld: &[],
    remedy: "start its server (`lms server start`) and load a model, or set PAS_LMSTUDIO_BASE_URL",
    pinned: None,
};
