//! Google's Gemini. <https://ai.google.dev/api/models>: names carry `models/` before them, and what generates no content is on
//! the same list.

use pas_adapter::Profile;
use pas_adapter::profile::{Listed, Listing, Page, Route, Scheme};
use pas_types::catalog;
use pas_types::routing::{Dialect, Locality};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Gemini.
pub static PROFILE: Profile = Profile {
    entry: catalog::GEMINI,
    provider: Some("google"),
    title: "Gemini",
    locality: Locality::External,
    base_url: "https://generativelanguage.googleapis.com",
    scheme: Scheme::Header("x-goog-api-key"),
    needs_credential: true,
    dialects: &[Dialect::GeminiGenerate],
    routes: &[
        Route::turn("/v1beta/models/{*call}", Dialect::GeminiGenerate),
        Route::turn("/v1/models/{*call}", Dialect::GeminiGenerate),
        Route::list("/v1beta/models", Dialect::GeminiGenerate),
        Route::list("/v1/models", Dialect::GeminiGenerate),
        Route::list("/v1beta/models/{*call}", Dialect::GeminiGenerate),
        Route::list("/v1/models/{*call}", Dialect::GeminiGenerate),
    ],
    caps: crate::CAPS,
    listings: &[Listing::Pages { path: LIST, read: page, is_private: true }],
    headers: &[],
    withheld: &["x-goog-user-project"],
    remedy: "see https://status.cloud.google.com",
    pinned: None,
};

const LIST: &str = "/v1beta/models?pageSize=1000";

/// What is on the list and takes no part in a conversation.
const OTHERS: [&str; 5] = ["-image", "-tts", "-live", "-audio", "embedding"];

fn page(value: &Value) -> Option<Page> {
    let listed = |model: &Value| {
        let id = model["name"].as_str()?.trim_start_matches("models/");
        let methods = model["supportedGenerationMethods"].as_array();
        let generates =
            methods.is_some_and(|methods| methods.iter().any(|method| method == "generateContent"));
        let converses = generates && !OTHERS.iter().any(|word| id.contains(word));
        Some(Listed { converses, ..Listed::new(id, model["inputTokenLimit"].as_u64()) })
    };
    let models = value["models"].as_array()?.iter().map(listed).collect::<Option<_>>()?;
    let next = value["nextPageToken"].as_str().filter(|token| !token.is_empty());
    let next = next.map(|token| format!("{LIST}&pageToken={}", utf8_percent_encode(token, NON_ALPHANUMERIC)));
    Some(Page { models, next })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_has_names_without_their_prefix_and_tells_what_generates() {
        let value = json!({"models": [
            {"name": "models/gemini-4", "inputTokenLimit": 1_048_576, "supportedGenerationMethods": ["generateContent"]},
            {"name": "models/gemini-embedding", "supportedGenerationMethods": ["embedContent"]},
        ], "nextPageToken": "Ch/="});
        let silent = Listed { converses: false, ..Listed::new("gemini-embedding", None) };
        let next = Some("/v1beta/models?pageSize=1000&pageToken=Ch%2F%3D".to_owned());
        let models = vec![Listed::new("gemini-4", Some(1_048_576)), silent];
        assert_eq!(page(&value), Some(Page { models, next }));
    }
}
