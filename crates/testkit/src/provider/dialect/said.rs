//! What the model says in a turn, before any dialect.

use super::super::script::{Call, Fault, Script, Stop};
use super::{Ask, INVALID};

/// What is said when nothing is scripted: some of it takes more than one byte a character.
const TEXT: &str = "The quick brown fox jumps over the lazy dog. Grüße aus Zürich, 世界 🙂.";
/// The arguments of a scripted call.
const ARGUMENTS: &str = r#"{"city":"Zürich","unit":"celsius","days":[1,2]}"#;
/// Arguments are streamed in pieces of so many characters.
const ARGUMENT_PIECE: usize = 12;
/// Thoughts are in pieces of so many words.
const THOUGHT_PIECE: usize = 3;

/// A turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::provider) struct Said {
    pub(super) thinking: Vec<String>,
    pub(super) text: Vec<String>,
    pub(super) calls: Vec<Call>,
    pub(super) stop: Stop,
    pub(super) is_refused: bool,
    /// None when the client isn't told.
    pub(super) usage: Option<Usage>,
}

/// What a turn took. Nothing is counted twice, but `reasoning`, which is part of `output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) input: u64,
    pub(super) output: u64,
    pub(super) cache_read: u64,
    pub(super) cache_write: u64,
    pub(super) reasoning: u64,
}

impl Said {
    /// To a request, by a script.
    pub(in crate::provider) fn new(ask: &Ask, script: &Script) -> Self {
        let is_refused = script.fault == Some(Fault::Refusal);
        let is_silent = is_refused || script.fault == Some(Fault::Empty);
        let mut said = Self {
            thinking: script.thinking.as_deref().map(thoughts).unwrap_or_default(),
            text: if is_silent { Vec::new() } else { pieces(script) },
            calls: if is_silent { Vec::new() } else { calls(ask, script) },
            stop: Stop::End,
            is_refused,
            usage: (!script.no_usage).then_some(Usage {
                input: script.input_tokens,
                output: script.output_tokens,
                cache_read: script.cache_read_tokens,
                cache_write: script.cache_write_tokens,
                reasoning: script.reasoning_tokens,
            }),
        };
        if !said.calls.is_empty() && script.text.is_none() {
            said.text.clear();
        }
        if script.fault == Some(Fault::InvalidUtf8) {
            let place = script.after.unwrap_or(0).min(said.text.len().saturating_sub(1));
            if let Some(piece) = said.text.get_mut(place) {
                piece.insert(0, INVALID);
            }
        }
        said.stop = script.stop.unwrap_or(match said.calls.as_slice() {
            _ if is_refused => Stop::Filter,
            [] => Stop::End,
            _ => Stop::Tools,
        });
        said
    }

    /// All of the text.
    pub(super) fn whole_text(&self) -> String {
        self.text.concat()
    }
}

impl Call {
    /// The arguments in the pieces in which they are streamed.
    pub(super) fn argument_pieces(&self) -> Vec<String> {
        let characters: Vec<char> = self.arguments.chars().collect();
        characters.chunks(ARGUMENT_PIECE).map(|piece| piece.iter().collect()).collect()
    }

    /// The arguments as a value; what isn't JSON is a text.
    pub(super) fn value(&self) -> serde_json::Value {
        serde_json::from_str(&self.arguments).unwrap_or_else(|_| self.arguments.clone().into())
    }
}

fn pieces(script: &Script) -> Vec<String> {
    match (script.text.as_deref(), script.chunks) {
        (None, Some(chunks)) => (0..chunks).map(|number| format!("word{number} ")).collect(),
        (text, None) => text.unwrap_or(TEXT).split_inclusive(' ').map(str::to_owned).collect(),
        (Some(text), Some(chunks)) => {
            let characters: Vec<char> = text.chars().collect();
            let step = characters.len().div_ceil(chunks.max(1)).max(1);
            characters.chunks(step).map(|piece| piece.iter().collect()).collect()
        }
    }
}

fn thoughts(thinking: &str) -> Vec<String> {
    let words: Vec<_> = thinking.split_inclusive(' ').collect();
    words.chunks(THOUGHT_PIECE).map(<[&str]>::concat).collect()
}

fn calls(ask: &Ask, script: &Script) -> Vec<Call> {
    let offered = ask.tools.iter().cycle().take(script.tools);
    let scripted = offered.map(|name| Call { name: name.clone(), arguments: ARGUMENTS.to_owned() });
    script.calls.iter().cloned().chain(scripted).collect()
}

#[cfg(test)]
mod tests {
    use super::super::route::Route;
    use super::*;

    fn said(script: &Script) -> Said {
        let route = Route::of("POST", "/v1/chat/completions", false).unwrap();
        let body = br#"{"model": "a", "tools": [{"type": "function", "function": {"name": "weather"}}]}"#;
        Said::new(&Ask::read(&route, "", body).unwrap(), script)
    }

    #[test]
    fn the_pieces_of_a_text_are_the_text() {
        for chunks in [None, Some(1), Some(7), Some(1_000)] {
            let script = Script { chunks, ..Script::text(TEXT) };
            assert_eq!(said(&script).whole_text(), TEXT, "{chunks:?}");
        }
        assert_eq!(said(&Script::paced(100, 0)).text.len(), 100);
    }

    #[test]
    fn a_call_of_a_tool_that_is_offered_ends_the_turn() {
        let said = said(&Script { tools: 2, ..Script::new() });
        assert_eq!((said.calls.len(), said.calls[1].name.as_str()), (2, "weather"));
        assert_eq!((said.stop, said.text.len()), (Stop::Tools, 0));
        assert_eq!(said.calls[0].argument_pieces().concat(), said.calls[0].arguments);
    }

    #[test]
    fn what_is_refused_says_nothing() {
        let said = said(&Script::fault(Fault::Refusal));
        assert_eq!((said.whole_text(), said.stop, said.is_refused), (String::new(), Stop::Filter, true));
    }
}
