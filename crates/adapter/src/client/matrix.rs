//! What the provider router knows of a provider's models.

use std::time::Duration;

use http::Method;
use pas_service::client::{CallError, Client};
use pas_types::provider_router;
use pas_types::routing::MatrixView;
use serde_json::Value;

use crate::core::offer::Known;

/// Time for an answer.
const CALL: Duration = Duration::from_secs(2);

/// The way to the provider router.
#[derive(Debug)]
pub(crate) struct Router {
    client: Client,
    url: String,
}

impl Router {
    pub(crate) fn new(url: &str) -> Self {
        Self { client: Client::default(), url: url.trim_end_matches('/').to_owned() }
    }

    /// The models of this provider.
    pub(crate) async fn models(&self, provider: &str) -> Result<Vec<Known>, CallError> {
        let url = format!("{}{}", self.url, provider_router::path::MATRIX);
        let view: MatrixView = self.client.call(Method::GET, &url, &Value::Null, CALL).await?;
        Ok(models(&view.matrix, provider))
    }
}

fn models(matrix: &Value, provider: &str) -> Vec<Known> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let providers = list(&matrix["providers"]);
    let ours = providers.iter().filter(|each| each["name"] == provider);
    let models = ours.flat_map(|each| list(&each["models"]));
    let known = models.filter_map(|model| {
        let aliases = list(&model["aliases"]).iter().filter_map(text).collect();
        Some(Known { id: text(&model["id"])?, aliases })
    });
    known.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_models_of_one_provider_are_found_in_the_matrix() {
        let matrix = json!({"providers": [
            {"name": "other", "models": [{"id": "x"}]},
            {"name": "mine", "models": [{"id": "a", "aliases": ["b", "c"]}, {"id": "d"}]},
        ]});
        let aliases = vec!["b".to_owned(), "c".to_owned()];
        let wanted =
            [Known { id: "a".to_owned(), aliases }, Known { id: "d".to_owned(), aliases: Vec::new() }];
        assert_eq!(models(&matrix, "mine"), wanted);
    }
}
