//! Which models a provider has, as it says itself.

use std::sync::Arc;

use http::{Method, StatusCode};

use super::Trouble;
use super::provider::{Provider, Seen};
use super::server::{self, Remembered};
use crate::profile::{Listed, Listing};
use crate::secret::Secret;

/// Pages of a list.
const PAGES: usize = 50;

/// What was listed, and whether the credential has been looked at for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) models: Vec<Listed>,
    pub(crate) is_private: bool,
}

impl Provider {
    /// Asks in each way that the profile knows; the first one that is understood counts, and of none the first one's trouble.
    pub(crate) async fn models(
        &self,
        listings: &'static [Listing],
        context_tokens: u64,
        secret: Option<&Arc<Secret>>,
        remembered: &mut Remembered,
    ) -> Result<Heard, Trouble> {
        let mut first = None;
        for listing in listings {
            let heard = match listing {
                Listing::Pages { path, read, is_private } => {
                    let models = self.pages(path, *read, secret).await;
                    models.map(|models| Heard { models, is_private: *is_private })
                }
                Listing::Local(kind) => {
                    let models = server::models(*kind, self, context_tokens, secret, remembered).await;
                    models.map(|models| Heard { models, is_private: true })
                }
            };
            match heard {
                Ok(heard) => return Ok(heard),
                // Whoever doesn't answer, or doesn't let one in, does so on other paths as well.
                Err(trouble @ (Trouble::Unreachable(_) | Trouble::Refused(_))) => return Err(trouble),
                Err(trouble) => first = first.or(Some(trouble)),
            }
        }
        Err(first.unwrap_or_else(|| Trouble::Failed("there is no way to list its models".to_owned())))
    }

    async fn pages(
        &self,
        path: &str,
        read: fn(&serde_json::Value) -> Option<crate::profile::Page>,
        secret: Option<&Arc<Secret>>,
    ) -> Result<Vec<Listed>, Trouble> {
        let (mut models, mut next) = (Vec::new(), Some(path.to_owned()));
        for _ in 0..PAGES {
            let Some(path) = next.take() else { break };
            let value = self.ask(&path, None, secret).await?;
            let page = read(&value).ok_or_else(|| {
                let (method, status, body) = (&Method::GET, StatusCode::OK, value.to_string().into());
                let secret = secret.map(|secret| &**secret);
                Trouble::Stranger(self.stranger(Seen { method, path: &path, status, body, secret }))
            })?;
            models.extend(page.models);
            next = page.next;
        }
        Ok(models)
    }
}
