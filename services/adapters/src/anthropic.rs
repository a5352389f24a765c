//! Anthropic. <https://platform.claude.com/docs/en/api/models-list>. Its keys are taken as `x-api-key` whatever their age; a
//! request names the version of the API that it is written for, and one that doesn't gets the oldest that is served
//! (<https://platform.claude.com/docs/en/api/versioning>).

use pas_adapter::Profile;
use pas_adapter::profile::{Listed, Listing, Page, Route, Scheme};
use pas_types::catalog;
use pas_types::routing::{Dialect, Locality};
use serde_json::Value;

/// Anthropic.
pub static PROFILE: Profile = Profile {
    entry: catalog::ANTHROPIC,
    provider: Some("anthropic"),
    title: "Anthropic",
    locality: Locality::External,
    base_url: "https://api.anthropic.com",
    scheme: Scheme::Header("x-api-key"),
    needs_credential: true,
    dialects: &[Dialect::AnthropicMessages],
    routes: &[
        Route::turn("/v1/messages", Dialect::AnthropicMessages),
        Route::count("/v1/messages/count_tokens", Dialect::AnthropicMessages),
        Route::list("/v1/models", Dialect::AnthropicMessages),
        Route::list("/v1/models/{*model}", Dialect::AnthropicMessages),
    ],
    caps: crate::CAPS,
    listings: &[Listing::Pages { path: LIST, read: page, is_private: true }],
    headers: &[("anthropic-version", "2023-06-01")],
    withheld: &["anthropic-workspace-id"],
    remedy: "see https://status.claude.com",
    pinned: None,
};

const LIST: &str = "/v1/models?limit=1000";

fn page(value: &Value) -> Option<Page> {
    let listed = |model: &Value| Some(Listed::new(model["id"].as_str()?, model["max_input_tokens"].as_u64()));
    let served = value["data"].as_array()?.iter().filter(|model| model["lifecycle"] != "retired");
    let models = served.map(listed).collect::<Option<_>>()?;
    let next = value["last_id"].as_str().filter(|_| value["has_more"] == true);
    Some(Page { models, next: next.map(|last| format!("{LIST}&after_id={last}")) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_tells_contexts_and_where_the_next_one_is() {
        let value = json!({"data": [
            {"type": "model", "id": "claude-a", "lifecycle": "active", "max_input_tokens": 200_000},
            {"type": "model", "id": "claude-b", "lifecycle": "retired", "max_input_tokens": null},
        ], "has_more": true, "first_id": "claude-a", "last_id": "claude-b"});
        let next = Some("/v1/models?limit=1000&after_id=claude-b".to_owned());
        assert_eq!(page(&value), Some(Page { models: vec![Listed::new("claude-a", Some(200_000))], next }));
        assert_eq!(page(&json!({"object": "list"})), None);
    }
}
