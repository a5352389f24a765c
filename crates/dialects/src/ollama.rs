//! Lines of Ollama's own dialect, as far as they are metered. <https://docs.ollama.com/api/chat>

use pas_types::event::{CallUsage, UsageSource};
use serde::Deserialize;

/// What a line says, as far as it matters.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(default)]
    done: bool,
    #[serde(default)]
    prompt_eval_count: u64,
    #[serde(default)]
    eval_count: u64,
}

/// The tokens that an answer's last line tells, if it is the last: an answer without it was cut.
pub fn last_line(answer: &[u8]) -> Option<CallUsage> {
    let line = answer.trim_ascii_end().rsplit(|byte| *byte == b'\n').next()?;
    let line: Line = serde_json::from_slice(line).ok()?;
    line.done.then_some(CallUsage {
        input: line.prompt_eval_count,
        output: line.eval_count,
        cache_read: 0,
        cache_write: 0,
        reasoning: 0,
        source: UsageSource::Provider,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_line_that_says_so_is_the_last() {
        let talk = r#"{"model":"m","message":{"role":"assistant","content":"Hel"},"done":false}"#;
        let last = r#"{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":11,"eval_count":18}"#;
        let usage = last_line(format!("{talk}\n{last}\n").as_bytes()).unwrap();
        assert_eq!((usage.input, usage.output, usage.source), (11, 18, UsageSource::Provider));
        assert_eq!(last_line(talk.as_bytes()), None);
        assert_eq!(last_line(br#"{"error":"it broke"}"#), None);
    }
}
