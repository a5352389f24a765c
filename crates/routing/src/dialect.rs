//! Which dialect a candidate is spoken to in.

use pas_types::routing::Dialect;

/// Whether a request in the dialect `from` can be made one in the dialect `to`, and the answer the reverse. The one place
/// that says so: translation does not exist yet.
pub const fn translatable(_from: Dialect, _to: Dialect) -> bool {
    false
}

/// How a request is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// As one text, which can be put in every dialect that models speak, and in PAS's own.
    Plain,
    /// In this dialect.
    Dialect(Dialect),
}

impl Default for Speaks {
    fn default() -> Self {
        Self::Dialect(Dialect::Pas)
    }
}

/// The dialects of a service, and which of them it names first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialects {
    set: u8,
    first: Dialect,
}

impl Dialects {
    /// Reads the label `dialects`. Words that nobody knows are passed over; none if no word is known.
    pub(crate) fn read(label: Option<&str>) -> Option<Self> {
        let Some(label) = label else { return Some(Self { set: bit(Dialect::Pas), first: Dialect::Pas }) };
        let mut known = label.split(',').filter_map(|word| word.trim().parse::<Dialect>().ok());
        let first = known.next()?;
        Some(Self { set: known.fold(bit(first), |set, dialect| set | bit(dialect)), first })
    }

    /// Whether it is one of them.
    pub const fn has(self, dialect: Dialect) -> bool {
        self.set & bit(dialect) != 0
    }

    /// The one that is named first.
    pub const fn first(self) -> Dialect {
        self.first
    }

    /// The dialect in which a caller who speaks so is served, and whether it is the caller's own; none if in no one.
    pub(crate) fn serve(self, caller: Speaks) -> Option<(Dialect, bool)> {
        let own = match caller {
            Speaks::Plain => return Some((self.first_plain()?, true)),
            Speaks::Dialect(own) => own,
        };
        if self.has(own) {
            return Some((own, true));
        }
        // A server of this family has both under one root, and says with its capabilities whether it embeds.
        if own == Dialect::OpenaiEmbeddings && self.has(Dialect::OpenaiChat) {
            return Some((own, true));
        }
        Dialect::ALL
            .into_iter()
            .find(|other| self.has(*other) && translatable(own, *other))
            .map(|to| (to, false))
    }

    /// The first in which a plain text can be said: in all but that of embeddings, which take a list of texts.
    fn first_plain(self) -> Option<Dialect> {
        let plain = |dialect: &Dialect| *dialect != Dialect::OpenaiEmbeddings;
        Some(self.first)
            .filter(plain)
            .or_else(|| Dialect::ALL.into_iter().filter(plain).find(|dialect| self.has(*dialect)))
    }
}

const fn bit(dialect: Dialect) -> u8 {
    1 << dialect as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_without_the_label_speaks_the_dialect_of_pas() {
        let dialects = Dialects::read(None).unwrap();
        assert_eq!(dialects.serve(Speaks::Plain), Some((Dialect::Pas, true)));
        assert_eq!(dialects.serve(Speaks::Dialect(Dialect::Pas)), Some((Dialect::Pas, true)));
        assert_eq!(dialects.serve(Speaks::Dialect(Dialect::OpenaiChat)), None);
    }

    #[test]
    fn a_caller_is_served_in_its_own_dialect_and_a_plain_text_in_the_first_one() {
        let dialects = Dialects::read(Some("openai.responses, martian , openai.chat")).unwrap();
        assert_eq!(dialects.serve(Speaks::Plain), Some((Dialect::OpenaiResponses, true)));
        let served = |dialect| dialects.serve(Speaks::Dialect(dialect)).map(|(to, _)| to);
        assert_eq!(served(Dialect::OpenaiChat), Some(Dialect::OpenaiChat));
        assert_eq!(served(Dialect::OpenaiEmbeddings), Some(Dialect::OpenaiEmbeddings));
        assert_eq!(served(Dialect::AnthropicMessages), None);
        assert_eq!(Dialects::read(Some("martian")), None);
    }

    #[test]
    fn a_dialect_has_a_bit_of_its_own() {
        for dialect in Dialect::ALL {
            let dialects = Dialects::read(Some(dialect.as_str())).unwrap();
            assert_eq!(
                Dialect::ALL.into_iter().filter(|it| dialects.has(*it)).collect::<Vec<_>>(),
                [dialect]
            );
        }
    }
}
