//! The headers by which each provider tells of its limits, and others of its own.
//!
//! Sources: developers.openai.com/api/docs/guides/rate-limits (`x-ratelimit-*`; the numbers of tokens are those of its
//! example); platform.claude.com/docs/en/api/rate-limits (`anthropic-ratelimit-*`, RFC 3339); huggingface/huggingface_hub,
//! src/huggingface_hub/utils/_http.py (`RateLimit`, `RateLimit-Policy`). Gemini tells of its limits in the body alone; the
//! others document no headers.

use jiff::Timestamp;

use super::Manner;
use crate::provider::dialect::error::{REQUEST_ID, later};
use crate::provider::script::Script;

/// A window of this many seconds when the script says nothing.
const WINDOW_S: u64 = 60;

/// The headers of an answer; none where they are the dialect's own.
pub(in crate::provider) fn headers(
    manner: Manner,
    script: &Script,
    now: Timestamp,
) -> Option<Vec<(&'static str, String)>> {
    let (left, reset_s) =
        (if script.reset_s.is_some() { 0 } else { 999 }, script.reset_s.unwrap_or(WINDOW_S));
    Some(match manner {
        Manner::Plain => return None,
        Manner::OpenAi => vec![
            ("x-request-id", REQUEST_ID.to_owned()),
            ("openai-organization", "org-scripted".to_owned()),
            ("openai-processing-ms", "7".to_owned()),
            ("openai-version", "2020-10-01".to_owned()),
            ("x-ratelimit-limit-requests", "1000".to_owned()),
            ("x-ratelimit-limit-tokens", "150000".to_owned()),
            ("x-ratelimit-remaining-requests", left.to_string()),
            ("x-ratelimit-remaining-tokens", "149984".to_owned()),
            ("x-ratelimit-reset-requests", duration(reset_s)),
            ("x-ratelimit-reset-tokens", "6m0s".to_owned()),
        ],
        Manner::Anthropic => vec![
            ("request-id", REQUEST_ID.to_owned()),
            ("anthropic-organization-id", "00000000-0000-4000-8000-000000000000".to_owned()),
            ("anthropic-ratelimit-requests-limit", "1000".to_owned()),
            ("anthropic-ratelimit-requests-remaining", left.to_string()),
            ("anthropic-ratelimit-requests-reset", later(now, reset_s)),
            ("anthropic-ratelimit-tokens-limit", "530000".to_owned()),
            ("anthropic-ratelimit-tokens-remaining", "528000".to_owned()),
            ("anthropic-ratelimit-tokens-reset", later(now, WINDOW_S)),
            ("anthropic-ratelimit-input-tokens-limit", "450000".to_owned()),
            ("anthropic-ratelimit-input-tokens-remaining", "449000".to_owned()),
            ("anthropic-ratelimit-input-tokens-reset", later(now, WINDOW_S)),
            ("anthropic-ratelimit-output-tokens-limit", "80000".to_owned()),
            ("anthropic-ratelimit-output-tokens-remaining", "79000".to_owned()),
            ("anthropic-ratelimit-output-tokens-reset", later(now, WINDOW_S)),
        ],
        Manner::Gemini => vec![("server-timing", "gfet4t7; dur=7".to_owned())],
        Manner::HuggingFace => vec![
            ("x-request-id", REQUEST_ID.to_owned()),
            ("ratelimit", format!("\"api\";r={left};t={reset_s}")),
            ("ratelimit-policy", "\"fixed window\";\"api\";q=1000;w=300".to_owned()),
        ],
        Manner::Xai | Manner::Ollama | Manner::LmStudio | Manner::LlamaCpp | Manner::Vllm => Vec::new(),
    })
}

/// As Go writes it: `1s`, `6m0s`, `1h0m0s`.
fn duration(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_as_go_does() {
        assert_eq!([0, 59, 60, 360, 5_400].map(duration), ["0s", "59s", "1m0s", "6m0s", "1h30m0s"]);
    }
}
