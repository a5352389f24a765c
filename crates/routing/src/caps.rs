//! Capabilities: the words that PAS's own parts use, each a bit; and the rest of them, as long as there are bits.

use std::collections::HashMap;

/// The words that PAS's own parts use, in the order of their bits.
pub const KNOWN: [&str; 16] = [
    "infer",
    "chat",
    "plan",
    "code",
    "classify",
    "classify_light",
    "summarize",
    "embed",
    "vision",
    "tools",
    "json_schema",
    "thinking",
    "prefill",
    "search",
    "manage",
    "execute",
];

/// A set of capabilities that have a bit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Caps(pub(crate) u128);

/// What a request needs of a model beyond what its caller asks for by name, as it was found in the request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs(Caps);

impl Needs {
    /// Nothing special.
    pub const NONE: Self = Self(Caps(0));
    /// It is to embed.
    pub const EMBED: Self = Self::bit(7);
    /// It has images.
    pub const VISION: Self = Self::bit(8);
    /// It offers tools.
    pub const TOOLS: Self = Self::bit(9);
    /// It wants the answer in a form of its own.
    pub const JSON_SCHEMA: Self = Self::bit(10);
    /// It wants the model to think, or brings signed thoughts along.
    pub const THINKING: Self = Self::bit(11);
    /// It ends with the beginning of the answer.
    pub const PREFILL: Self = Self::bit(12);

    const fn bit(place: u32) -> Self {
        Self(Caps(1 << place))
    }

    pub(crate) fn caps(self) -> Caps {
        self.0
    }
}

impl std::ops::BitOr for Needs {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(Caps(self.0.0 | other.0.0))
    }
}

impl std::ops::BitOrAssign for Needs {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl Caps {
    /// Whether all of `wanted` are in it.
    pub(crate) const fn has(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}

/// Which word has which bit. Words for which there is no bit left are kept by number, and looked up.
#[derive(Debug, Clone)]
pub(crate) struct Dictionary {
    words: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
}

impl Default for Dictionary {
    fn default() -> Self {
        let mut dictionary = Self { words: Vec::new(), numbers: HashMap::new() };
        for word in KNOWN {
            dictionary.learn(word);
        }
        dictionary
    }
}

/// Words that have a bit.
pub(crate) const BITS: u32 = u128::BITS;

impl Dictionary {
    /// The number of a word, a new one if need be.
    pub(crate) fn learn(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = self.words.len() as u32;
        self.words.push(word.into());
        self.numbers.insert(word.into(), number);
        number
    }

    /// The number of a word that somebody has.
    pub(crate) fn number(&self, word: &str) -> Option<u32> {
        self.numbers.get(word).copied()
    }

    /// The words of these bits.
    pub(crate) fn words(&self, caps: Caps) -> impl Iterator<Item = &str> {
        let words = self.words.iter().take(BITS as usize).enumerate();
        words.filter(move |(bit, _)| caps.0 >> bit & 1 == 1).map(|(_, word)| &**word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_need_is_the_capability_of_the_same_name() {
        let dictionary = Dictionary::default();
        let named = |need: Needs| dictionary.words(need.caps()).collect::<Vec<_>>().join(",");
        assert_eq!(named(Needs::EMBED), "embed");
        assert_eq!(named(Needs::VISION | Needs::TOOLS), "vision,tools");
        assert_eq!(named(Needs::JSON_SCHEMA), "json_schema");
        assert_eq!(named(Needs::THINKING | Needs::PREFILL), "thinking,prefill");
    }
}
