//! Closed sets of words: an enum whose variants have one spelling, on the wire, in a database and in a metric.

/// Defines the enum, its list `ALL`, `as_str`, `Display` and `FromStr`.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $noun:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:tt),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every one of them.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.into_iter().find(|word| word.as_str() == text).ok_or_else(|| {
                    let legal = Self::ALL.map(Self::as_str).join(", ");
                    let message = format!("`{text}` is not a known {}: use one of {legal}", $noun);
                    $crate::Error::new($crate::ErrorCode::InvalidArgument, message)
                })
            }
        }
    };
}

pub(crate) use words;

/// The one of `words` that is most like `text`, if any is like it at all.
pub(crate) fn nearest<'a>(words: impl IntoIterator<Item = &'a str>, text: &str) -> Option<&'a str> {
    let likeness = |word: &str| strsim::jaro_winkler(word, text);
    let nearest = words.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    nearest.filter(|word| likeness(word) > 0.8)
}

#[cfg(test)]
mod tests {
    use crate::alert::AlertType;

    #[test]
    fn a_word_is_spelled_alike_in_rust_and_on_the_wire() {
        for word in AlertType::ALL {
            assert_eq!(serde_json::to_value(word).unwrap(), serde_json::json!(word.as_str()));
            assert_eq!(word.as_str().parse(), Ok(word));
        }
    }

    #[test]
    fn a_word_outside_the_set_is_refused_with_the_legal_ones() {
        let error = "loud".parse::<crate::alert::Severity>().unwrap_err();
        assert_eq!(error.message, "`loud` is not a known severity: use one of info, warning, critical");
    }
}
