//! What is wrong with a matrix or with policies, and where.

/// Something that can't be: nothing of the document counts while it is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where it stands, as `providers[2].models[0].caps[1]`.
    pub path: String,
    /// What is wrong, and what would be accepted.
    pub message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for Fault {}

impl From<pas_types::Error> for Fault {
    fn from(error: pas_types::Error) -> Self {
        let path = error.field.unwrap_or_else(|| ".".to_owned());
        // Where it stands is said by the path alone.
        let message = match error.message.split_once(": ") {
            Some((place, what)) if path.starts_with(place) => what.to_owned(),
            _ => error.message,
        };
        Self { path, message }
    }
}

/// Faults as they are found.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Fault { path: path.into(), message: message.into() });
    }

    /// `value`, if nothing was found.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Vec<Fault>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}
