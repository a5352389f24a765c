//! A credential. Nobody sees it but the provider that it is for: it has no `Display`, its `Debug` tells its name, and what a
//! provider repeats of it is masked.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use memchr::memmem;
use sha2::{Digest, Sha256};

use crate::profile::Scheme;

/// What stands where a credential stood.
const MASK: &[u8] = b"***";
/// What is shorter is no secret, and may be a word: servers on one's own machine take anything.
const SECRET_BYTES: usize = 12;

/// A credential, ready to be sent.
pub struct Secret {
    text: Box<str>,
    name: Arc<str>,
    id: HeaderValue,
    header: (HeaderName, HeaderValue),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.name)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Secret {
    /// The credential that `name` (a variable, and the place in it) holds; none where no header can carry it.
    pub fn new(name: String, text: &str, scheme: Scheme) -> Option<Self> {
        let (header, value) = match scheme {
            Scheme::Bearer => (http::header::AUTHORIZATION, format!("Bearer {text}")),
            Scheme::Header(header) => (HeaderName::from_static(header), text.to_owned()),
        };
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        let digest = Sha256::new().chain_update("pas-credential:").chain_update(text).finalize();
        let id: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let id = HeaderValue::try_from(format!("k{id}")).ok()?;
        Some(Self { text: text.into(), name: name.into(), id, header: (header, value) })
    }

    /// Where it was found, as `OPENAI_API_KEY#2`.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What tells it from others without telling anything of it: stays the same over restarts.
    pub fn id(&self) -> &HeaderValue {
        &self.id
    }

    /// The header that carries it.
    pub(crate) fn header(&self) -> (HeaderName, HeaderValue) {
        self.header.clone()
    }

    /// A text without it, whatever it stands in.
    pub(crate) fn masked(&self, text: Bytes) -> Bytes {
        let secret = self.text.as_bytes();
        if secret.len() < SECRET_BYTES {
            return text;
        }
        let mut places = memmem::find_iter(&text, secret).peekable();
        if places.peek().is_none() {
            return text;
        }
        let (mut masked, mut done) = (Vec::with_capacity(text.len()), 0);
        for place in places {
            masked.extend_from_slice(&text[done..place]);
            masked.extend_from_slice(MASK);
            done = place + secret.len();
        }
        masked.extend_from_slice(&text[done..]);
        masked.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new("KEY#1".to_owned(), "sk-marked-0123", Scheme::Bearer).unwrap()
    }

    #[test]
    fn a_credential_is_told_by_its_name_alone() {
        let secret = secret();
        assert_eq!(format!("{secret:?}"), "Secret(KEY#1)");
        assert_eq!(format!("{:?}", secret.header().1), "Sensitive");
        assert_eq!(secret.id(), "ka598fb38");
    }

    #[test]
    fn wherever_a_provider_repeats_it_it_is_masked() {
        let masked = |text: &'static str| secret().masked(Bytes::from_static(text.as_bytes()));
        assert_eq!(masked("sk-marked-0123 is no key: sk-marked-0123"), "*** is no key: ***");
        assert_eq!(masked("nothing of it"), "nothing of it");
        let word = Secret::new("KEY#1".to_owned(), "ollama", Scheme::Bearer).unwrap();
        assert_eq!(word.masked(Bytes::from_static(b"ollama")), "ollama");
    }

    #[test]
    fn what_no_header_carries_is_no_credential() {
        assert!(Secret::new("KEY#1".to_owned(), "sk\nmarked", Scheme::Bearer).is_none());
    }
}
