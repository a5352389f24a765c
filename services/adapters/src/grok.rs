//! xAI's Grok. <https://docs.x.ai/developers/rest-api-reference>: `/v1/language-models` tells what writes text; contexts are the
//! matrix's.

use pas_adapter::Profile;
use pas_adapter::profile::{Listed, Listing, Page, Route, Scheme, openai_page};
use pas_types::catalog;
use pas_types::routing::{Dialect, Locality};
use serde_json::Value;

use crate::{CHAT, MODEL, MODELS};

/// Grok.
pub static PROFILE: Profile = Profile {
    entry: catalog::GROK,
    provider: Some("xai"),
    title: "xAI",
    locality: Locality::External,
    base_url: "https://api.x.ai/v1",
    scheme: Scheme::Bearer,
    needs_credential: true,
    dialects: &[Dialect::OpenaiChat, Dialect::OpenaiResponses],
    routes: &[
        CHAT,
        Route::turn("/v1/responses", Dialect::OpenaiResponses),
        Route::count("/v1/tokenize-text", Dialect::OpenaiChat),
        MODELS,
        MODEL,
    ],
    caps: crate::CAPS,
    listings: &[
        Listing::Pages { path: "/v1/language-models", read: page, is_private: true },
        Listing::Pages {
            path: "/v1/models",
            read: |value| openai_page(value, |_| None, |id| !id.contains("image") && !id.contains("video")),
            is_private: true,
        },
    ],
    headers: &[],
    withheld: &[],
    remedy: "see https://status.x.ai",
    pinned: None,
};

fn page(value: &Value) -> Option<Page> {
    let listed = |model: &Value| {
        let writes = model["output_modalities"].as_array();
        let converses = writes.is_none_or(|all| all.iter().any(|modality| modality == "text"));
        Some(Listed { converses, ..Listed::new(model["id"].as_str()?, None) })
    };
    Some(Page { models: value["models"].as_array()?.iter().map(listed).collect::<Option<_>>()?, next: None })
}
