//! Answers that are known already. For benches, where a provider must cost next to nothing: a request that came before, byte
//! for byte, has the same answer, and nothing of it is read again.

use std::sync::Arc;

use super::answer::Answer;
use super::http::{Head, Inbox};

/// So many are kept; a bench has a few.
const KNOWN: usize = 64;

/// A request and its answer.
#[derive(Debug)]
pub(super) struct Known {
    line: Vec<u8>,
    script: Vec<u8>,
    body: Vec<u8>,
    pub(super) answer: Arc<Answer>,
}

impl Known {
    fn new(inbox: &Inbox, head: &Head, answer: &Arc<Answer>) -> Self {
        let bytes = inbox.bytes();
        Self {
            line: bytes[head.line.clone()].to_vec(),
            script: bytes[head.script.clone()].to_vec(),
            body: bytes[head.end..head.end + head.length].to_vec(),
            answer: Arc::clone(answer),
        }
    }

    /// Whether it is this request; headers but the script are none of its business.
    pub(super) fn is(&self, inbox: &Inbox, head: &Head) -> bool {
        let bytes = inbox.bytes();
        self.line == bytes[head.line.clone()]
            && self.script == bytes[head.script.clone()]
            && self.body == bytes[head.end..head.end + head.length]
    }
}

/// Those that are known.
#[derive(Debug, Default)]
pub(super) struct Memory {
    known: Vec<Arc<Known>>,
}

impl Memory {
    pub(super) fn find(&self, inbox: &Inbox, head: &Head) -> Option<Arc<Known>> {
        self.known.iter().find(|known| known.is(inbox, head)).cloned()
    }

    pub(super) fn add(&mut self, inbox: &Inbox, head: &Head, answer: &Arc<Answer>) {
        if self.known.len() < KNOWN {
            self.known.push(Arc::new(Known::new(inbox, head, answer)));
        }
    }
}
