//! OpenAI. <https://developers.openai.com/api/reference>: its list tells neither contexts nor what a model is for, so that what
//! converses is told by its name, and everything else is the matrix's.

use pas_adapter::Profile;
use pas_adapter::profile::{Listing, Route, Scheme, openai_page};
use pas_types::catalog;
use pas_types::routing::{Dialect, Locality};

use crate::{CHAT, MODEL, MODELS};

/// OpenAI.
pub static PROFILE: Profile = Profile {
    entry: catalog::OPENAI,
    provider: Some("openai"),
    title: "OpenAI",
    locality: Locality::External,
    base_url: "https://api.openai.com/v1",
    scheme: Scheme::Bearer,
    needs_credential: true,
    dialects: &[Dialect::OpenaiChat, Dialect::OpenaiResponses, Dialect::OpenaiEmbeddings],
    routes: &[
        CHAT,
        Route::turn("/v1/responses", Dialect::OpenaiResponses),
        Route::count("/v1/responses/input_tokens", Dialect::OpenaiResponses),
        Route::turn("/v1/embeddings", Dialect::OpenaiEmbeddings),
        MODELS,
        MODEL,
    ],
    caps: crate::CAPS,
    listings: &[Listing::Pages {
        path: "/v1/models",
        read: |value| openai_page(value, |_| None, converses),
        is_private: true,
    }],
    headers: &[],
    withheld: &["openai-organization", "openai-project"],
    remedy: "see https://status.openai.com",
    pinned: None,
};

/// Families whose models take part in a conversation over `/v1/chat/completions`.
const FAMILIES: [&str; 5] = ["gpt-", "chatgpt-", "o1", "o3", "o4"];
/// Members of them that don't.
const OTHERS: [&str; 12] = [
    "instruct",
    "realtime",
    "audio",
    "transcribe",
    "tts",
    "image",
    "codex",
    "deep-research",
    "-pro",
    "search",
    "live",
    "moderation",
];

fn converses(id: &str) -> bool {
    // A model of one's own is named after the one that it comes from.
    let base = id.strip_prefix("ft:").unwrap_or(id);
    FAMILIES.iter().any(|family| base.starts_with(family)) && !OTHERS.iter().any(|word| base.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_converses_is_told_by_its_name() {
        let yes = ["gpt-6.2-sol", "gpt-4o-mini", "o4-mini", "chatgpt-4o-latest", "ft:gpt-4o:mine::1"];
        let no = [
            "whisper-1",
            "text-embedding-3-small",
            "gpt-image-1",
            "gpt-realtime",
            "dall-e-3",
            "gpt-3.5-turbo-instruct",
        ];
        assert!(yes.iter().all(|id| converses(id)) && !no.iter().any(|id| converses(id)));
    }
}
