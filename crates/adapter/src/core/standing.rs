//! What is said of the credentials: whether one is taken, and whether limits stand in the way.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pas_types::health::HealthStatus;

use super::ring::{Rest, Why};

/// Names in a reason.
const SHOWN: usize = 8;
/// A limit that is over by then is not worth a word.
const BRIEF: Duration = Duration::from_secs(5);

/// How it is with something, and why.
pub(crate) type Standing = (HealthStatus, Option<String>);

/// A credential by its name, and what keeps it from calls: of all models (none), or of one.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) name: String,
    pub(crate) rests: Vec<(Option<String>, Rest)>,
}

impl Credential {
    /// Whether it is out for all models.
    pub(crate) fn is_out(&self) -> bool {
        self.rests.iter().any(|(model, _)| model.is_none())
    }

    fn is_refused(&self) -> bool {
        self.rests.iter().any(|(_, rest)| matches!(rest.why, Why::Refused(_)))
    }

    /// The models that it is limited for, for longer than a moment.
    fn limited(&self, now: Duration) -> BTreeSet<String> {
        let is_long = |rest: &Rest| rest.why == Why::Limited && rest.until.saturating_sub(now) >= BRIEF;
        self.rests.iter().filter(|(_, rest)| is_long(rest)).filter_map(|(model, _)| model.clone()).collect()
    }
}

/// Whether the credentials are taken: badly, if something is refused to each of them. `unread` says why their file is not read.
pub(crate) fn refused(
    title: &str,
    variable: &str,
    credentials: &[Credential],
    unread: Option<&str>,
) -> Standing {
    if credentials.is_empty() {
        let reason = match unread {
            Some(why) => format!("no_credential: {variable} can't be looked up: {why}"),
            None => format!("no_credential: set {variable}, in the environment or in .env"),
        };
        return (HealthStatus::Down, Some(reason));
    }
    let words = credentials.iter().flat_map(|credential| {
        credential.rests.iter().filter_map(|(model, rest)| {
            let Why::Refused(status) = rest.why else { return None };
            let model = model.as_ref().map(|model| format!(" for {model}")).unwrap_or_default();
            Some(format!("{}{model} with {status}{}", credential.name, meant(status)))
        })
    });
    let words: Vec<String> = words.take(SHOWN).collect();
    if words.is_empty() {
        return (HealthStatus::Ok, None);
    }
    let all = credentials.iter().all(Credential::is_refused);
    let status = if all { HealthStatus::Degraded } else { HealthStatus::Ok };
    (status, Some(format!("credential_out: {title} refuses {}", words.join(", "))))
}

/// Which models are limited, for every credential that isn't out, for otherwise another answers: badly, if all that are offered are.
pub(crate) fn limited(
    title: &str,
    credentials: &[Credential],
    offered: &BTreeSet<Arc<str>>,
    now: Duration,
) -> Standing {
    let of_each = credentials.iter().filter(|it| !it.is_out()).map(|it| it.limited(now));
    let common = of_each.reduce(|one, other| one.intersection(&other).cloned().collect()).unwrap_or_default();
    if common.is_empty() {
        return (HealthStatus::Ok, None);
    }
    let all = !offered.is_empty() && offered.iter().all(|model| common.contains(&**model));
    let status = if all { HealthStatus::Degraded } else { HealthStatus::Ok };
    let words: Vec<&str> = common.iter().take(SHOWN).map(String::as_str).collect();
    (status, Some(format!("limited: {title} limits {} for now", words.join(", "))))
}

/// What a refusal means.
fn meant(status: u16) -> &'static str {
    match status {
        400 | 401 => " (it is no valid credential)",
        402 | 429 => " (nothing is left to spend)",
        403 => " (it may not do that)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    fn credential(name: &str, rests: &[(Option<&str>, Why, u64)]) -> Credential {
        let rest = |(model, why, until): &(Option<&str>, Why, u64)| {
            let rest = Rest { why: *why, since: NOW, until: Duration::from_secs(*until) };
            (model.map(str::to_owned), rest)
        };
        Credential { name: name.to_owned(), rests: rests.iter().map(rest).collect() }
    }

    fn offered() -> BTreeSet<Arc<str>> {
        ["a", "b"].map(Arc::from).into()
    }

    #[test]
    fn it_is_bad_when_something_is_refused_to_each_and_worth_a_word_when_it_is_to_one() {
        let good = credential("K#1", &[]);
        let bad = credential("K#2", &[(None, Why::Refused(401), 160)]);
        let closed = credential("K#3", &[(Some("a"), Why::Refused(403), 160)]);
        let words = "credential_out: X refuses K#2 with 401 (it is no valid credential)";
        let refused = |credentials: &[Credential]| refused("X", "K", credentials, Some(".env:3: a fault"));
        assert_eq!(refused(std::slice::from_ref(&good)), (HealthStatus::Ok, None));
        assert_eq!(refused(&[good, bad.clone()]), (HealthStatus::Ok, Some(words.to_owned())));
        let words = format!("{words}, K#3 for a with 403 (it may not do that)");
        assert_eq!(refused(&[bad, closed]), (HealthStatus::Degraded, Some(words)));
        let unread = "no_credential: K can't be looked up: .env:3: a fault".to_owned();
        assert_eq!(refused(&[]), (HealthStatus::Down, Some(unread)));
        let none = "no_credential: set K, in the environment or in .env".to_owned();
        assert_eq!(super::refused("X", "K", &[], None), (HealthStatus::Down, Some(none)));
    }

    #[test]
    fn a_model_is_limited_when_no_credential_is_left_for_it() {
        let of_a = credential("K#1", &[(Some("a"), Why::Limited, 160)]);
        let of_both = credential("K#2", &[(Some("a"), Why::Limited, 130), (Some("b"), Why::Limited, 160)]);
        let out = credential("K#3", &[(None, Why::Refused(402), 160)]);
        let brief = credential("K#4", &[(Some("a"), Why::Limited, 103)]);
        let limits = |credentials: &[Credential]| limited("X", credentials, &offered(), NOW);
        let words = |models: &str| Some(format!("limited: X limits {models} for now"));
        assert_eq!(limits(&[of_a.clone(), of_both.clone()]), (HealthStatus::Ok, words("a")));
        assert_eq!(limits(&[of_both.clone(), out]), (HealthStatus::Degraded, words("a, b")));
        assert_eq!(limits(&[of_a, brief]), (HealthStatus::Ok, None));
        assert_eq!(limits(&[of_both, credential("K#5", &[])]), (HealthStatus::Ok, None));
    }
}
