//! The counts of every provider, normalised once: what was cached is no input, what was thought is no output.
//!
//! | provider's word | holds | so |
//! |---|---|---|
//! | OpenAI `prompt_tokens`, `input_tokens` | what was cached too | is taken out |
//! | OpenAI `completion_tokens`, `output_tokens` | what was thought too | is taken out |
//! | the same of others who speak OpenAI (xAI) | what was thought not, as `total_tokens` shows | stays |
//! | Anthropic `input_tokens` | neither what was read from nor written to the cache | stays |
//! | Anthropic `output_tokens` | what was thought too, which is not told apart | is output |
//! | Gemini `promptTokenCount` | what was cached too; tools' prompts not | is taken out; are added |
//! | Gemini `candidatesTokenCount` | what was thought not | stays |
//!
//! <https://platform.openai.com/docs/api-reference/chat/object>, <https://docs.x.ai/docs/guides/reasoning>,
//! <https://docs.anthropic.com/en/api/messages>, <https://ai.google.dev/api/generate-content#UsageMetadata>

use pas_types::event::{CallUsage, UsageSource};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Dialect;

/// The tokens that a provider's own object of usage tells; none if it is none.
pub fn read(dialect: Dialect, raw: &RawValue) -> Option<CallUsage> {
    let text = raw.get();
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::OpenaiEmbeddings => {
            serde_json::from_str::<OpenAi>(text).ok().map(OpenAi::normalised)
        }
        Dialect::AnthropicMessages => serde_json::from_str::<Anthropic>(text).ok().map(Anthropic::normalised),
        Dialect::GeminiGenerate => serde_json::from_str::<Gemini>(text).ok().map(Gemini::normalised),
        Dialect::Pas | Dialect::OllamaChat => None,
    }
}

/// What is assumed where the provider tells nothing.
pub fn estimated(input: u64, output_bytes: u64) -> CallUsage {
    const BYTES_PER_TOKEN: u64 = 4;
    let output = output_bytes.div_ceil(BYTES_PER_TOKEN);
    CallUsage { input, output, cache_read: 0, cache_write: 0, reasoning: 0, source: UsageSource::Estimated }
}

#[derive(Deserialize)]
struct OpenAi {
    #[serde(alias = "input_tokens", default)]
    prompt_tokens: Option<u64>,
    #[serde(alias = "output_tokens", default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    total_tokens: Option<u64>,
    #[serde(alias = "input_tokens_details", default)]
    prompt_tokens_details: Option<Cached>,
    #[serde(alias = "output_tokens_details", default)]
    completion_tokens_details: Option<Thought>,
}

#[derive(Deserialize)]
struct Cached {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Thought {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

impl OpenAi {
    fn normalised(self) -> CallUsage {
        let (prompt, completion) = (self.prompt_tokens.unwrap_or(0), self.completion_tokens.unwrap_or(0));
        let cached = self.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or(0);
        let thought =
            self.completion_tokens_details.and_then(|details| details.reasoning_tokens).unwrap_or(0);
        let is_apart = self.total_tokens == Some(prompt.saturating_add(completion).saturating_add(thought));
        let output = if is_apart { completion } else { completion.saturating_sub(thought) };
        provider(prompt.saturating_sub(cached), output, cached, 0, thought)
    }
}

#[derive(Deserialize)]
struct Anthropic {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
}

impl Anthropic {
    fn normalised(self) -> CallUsage {
        let number = |number: Option<u64>| number.unwrap_or(0);
        provider(
            number(self.input_tokens),
            number(self.output_tokens),
            number(self.cache_read_input_tokens),
            number(self.cache_creation_input_tokens),
            0,
        )
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Gemini {
    #[serde(default)]
    prompt_token_count: Option<u64>,
    #[serde(default)]
    tool_use_prompt_token_count: Option<u64>,
    #[serde(default)]
    candidates_token_count: Option<u64>,
    #[serde(default)]
    cached_content_token_count: Option<u64>,
    #[serde(default)]
    thoughts_token_count: Option<u64>,
}

impl Gemini {
    fn normalised(self) -> CallUsage {
        let number = |number: Option<u64>| number.unwrap_or(0);
        let cached = number(self.cached_content_token_count);
        let input = number(self.prompt_token_count).saturating_sub(cached);
        provider(
            input.saturating_add(number(self.tool_use_prompt_token_count)),
            number(self.candidates_token_count),
            cached,
            0,
            number(self.thoughts_token_count),
        )
    }
}

fn provider(input: u64, output: u64, cache_read: u64, cache_write: u64, reasoning: u64) -> CallUsage {
    CallUsage { input, output, cache_read, cache_write, reasoning, source: UsageSource::Provider }
}

/// What two parts of one stream tell: of each count the later, which is the larger, for counts only grow.
pub(crate) fn later(before: Option<CallUsage>, now: CallUsage) -> CallUsage {
    let Some(before) = before else { return now };
    CallUsage {
        input: before.input.max(now.input),
        output: before.output.max(now.output),
        cache_read: before.cache_read.max(now.cache_read),
        cache_write: before.cache_write.max(now.cache_write),
        reasoning: before.reasoning.max(now.reasoning),
        source: now.source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(dialect: Dialect, text: &str) -> [u64; 5] {
        let raw = RawValue::from_string(text.to_owned()).unwrap();
        let usage = read(dialect, &raw).unwrap();
        [usage.input, usage.output, usage.cache_read, usage.cache_write, usage.reasoning]
    }

    #[test]
    fn what_was_cached_is_no_input_and_what_was_thought_no_output() {
        let openai = r#"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
            "prompt_tokens_details":{"cached_tokens":60},"completion_tokens_details":{"reasoning_tokens":20}}"#;
        assert_eq!(counts(Dialect::OpenaiChat, openai), [40, 30, 60, 0, 20]);
        let responses = r#"{"input_tokens":100,"output_tokens":50,"total_tokens":150,
            "input_tokens_details":{"cached_tokens":60},"output_tokens_details":{"reasoning_tokens":20}}"#;
        assert_eq!(counts(Dialect::OpenaiResponses, responses), [40, 30, 60, 0, 20]);
        let xai = r#"{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,
            "completion_tokens_details":{"reasoning_tokens":94}}"#;
        assert_eq!(counts(Dialect::OpenaiChat, xai), [32, 9, 0, 0, 94]);
        let anthropic = r#"{"input_tokens":10,"output_tokens":5,"cache_read_input_tokens":7,
            "cache_creation_input_tokens":3}"#;
        assert_eq!(counts(Dialect::AnthropicMessages, anthropic), [10, 5, 7, 3, 0]);
        let gemini = r#"{"promptTokenCount":20,"candidatesTokenCount":5,"cachedContentTokenCount":8,
            "thoughtsTokenCount":4,"toolUsePromptTokenCount":2,"totalTokenCount":31}"#;
        assert_eq!(counts(Dialect::GeminiGenerate, gemini), [14, 5, 8, 0, 4]);
    }

    #[test]
    fn counts_that_are_missing_or_absurd_are_no_panic() {
        assert_eq!(counts(Dialect::OpenaiChat, "{}"), [0; 5]);
        let absurd = format!(
            r#"{{"prompt_tokens":{0},"completion_tokens":{0},"total_tokens":{0},"completion_tokens_details":{{"reasoning_tokens":{0}}}}}"#,
            u64::MAX
        );
        counts(Dialect::OpenaiChat, &absurd);
    }
}
