//! Hugging Face's router. <https://huggingface.co/docs/inference-providers>: it hands a call to one of several providers, whose
//! contexts differ. What fits is what fits the least of those that are live; a model without one is not served.

use pas_adapter::Profile;
use pas_adapter::profile::{Listed, Listing, Page, Scheme};
use pas_types::catalog;
use pas_types::routing::{Dialect, Locality};
use serde_json::Value;

use crate::{CHAT, MODEL, MODELS};

/// Hugging Face.
pub static PROFILE: Profile = Profile {
    entry: catalog::HUGGINGFACE,
    provider: Some("huggingface"),
    title: "Hugging Face",
    locality: Locality::External,
    base_url: "https://router.huggingface.co/v1",
    scheme: Scheme::Bearer,
    needs_credential: true,
    dialects: &[Dialect::OpenaiChat],
    routes: &[CHAT, MODELS, MODEL],
    caps: crate::CAPS,
    // Anybody may see it, so that it tells nothing of a token.
    listings: &[Listing::Pages { path: "/v1/models", read: page, is_private: false }],
    headers: &[],
    withheld: &["x-hf-bill-to"],
    remedy: "see https://status.huggingface.co",
    pinned: None,
};

fn page(value: &Value) -> Option<Page> {
    let listed = |model: &Value| {
        let id = model["id"].as_str()?;
        let Some(providers) = model["providers"].as_array() else { return Some(Some(Listed::new(id, None))) };
        let live: Vec<&Value> = providers.iter().filter(|provider| provider["status"] == "live").collect();
        let contexts = live.iter().map(|provider| provider["context_length"].as_u64());
        // One that doesn't tell may have less than all others.
        let least = contexts.collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().min());
        Some((!live.is_empty()).then(|| Listed::new(id, least)))
    };
    let models = value["data"].as_array()?.iter().map(listed).collect::<Option<Vec<_>>>()?;
    Some(Page { models: models.into_iter().flatten().collect(), next: None })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_is_what_fits_every_provider_that_is_live() {
        let provider =
            |status: &str, context: Option<u64>| json!({"status": status, "context_length": context});
        let value = json!({"object": "list", "data": [
            {"id": "a", "providers": [provider("live", Some(131_072)), provider("live", Some(32_768)), provider("error", Some(8))]},
            {"id": "b", "providers": [provider("live", Some(131_072)), provider("live", None)]},
            {"id": "c", "providers": [provider("staging", Some(8))]},
        ]});
        let models = vec![Listed::new("a", Some(32_768)), Listed::new("b", None)];
        assert_eq!(page(&value), Some(Page { models, next: None }));
    }
}
