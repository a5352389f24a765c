//! What went wrong upstream, whose fault it is, and what is done about it: the fault table, as one function.

use std::time::Duration;

use pas_dialects::said::Meaning;

use super::breaker::{Blame, Out};

/// What went wrong with one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No connection could be made: nothing was sent.
    Unreachable,
    /// None was made in time: nothing was sent.
    ConnectTimeout,
    /// The connection broke before a byte of the answer.
    Reset,
    /// It answered with an error; with the time to wait, where it named one.
    Status {
        /// The HTTP status.
        status: u16,
        /// What it means.
        meaning: Meaning,
        /// When to come again.
        retry_after: Option<Duration>,
    },
    /// Its answer is of another kind than was asked for.
    WrongType,
    /// Its answer, or a part of it, can't be read.
    Garbage,
    /// Its answer has nothing in it.
    Empty,
    /// Its answer is an error in spite of its status.
    Inside(Meaning),
    /// Its answer is larger than is taken.
    TooLarge,
    /// Nothing that bears content came in time.
    FirstToken,
    /// Nothing more came in time.
    Stalled,
    /// The connection broke in the middle of the answer.
    Cut,
    /// The answer ended without its end mark.
    NoEnd,
    /// A content filter refused, and the policy wants somebody else asked then.
    Filtered,
    /// A limit was reached just before: nothing was sent.
    Limited,
    /// Its breaker opened just before, or somebody else tries: nothing was sent.
    Held,
    /// The call's own time was over.
    Deadline {
        /// The caller gave it less than it would have had.
        by_caller: bool,
    },
}

/// What is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The provider's own answer goes back as it is.
    Return,
    /// The same candidate is tried once more after a pause; failing that, the next.
    Again,
    /// The next candidate.
    Elsewhere,
    /// The next candidate that takes more; the provider's own answer if nobody does.
    Larger,
    /// The next candidate; the provider's own answer if nobody knows better.
    Another,
    /// Nothing: the time is over.
    Stop,
}

/// What a fault comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What is done next, if nothing has reached the client yet and the call may be repeated.
    pub next: Next,
    /// What it says of the candidate.
    pub blame: Blame,
    /// The candidate can't have begun on it, so that also what must not be done twice may go elsewhere.
    pub unsent: bool,
}

impl Fault {
    /// Why the credential is out, if it is.
    pub fn credential_out(self) -> Option<Out> {
        match self {
            Self::Status { meaning: Meaning::Credential, .. } | Self::Inside(Meaning::Credential) => {
                Some(Out::Refused)
            }
            Self::Status { meaning: Meaning::Spent, .. } | Self::Inside(Meaning::Spent) => Some(Out::Spent),
            _ => None,
        }
    }

    /// The word on the receipt.
    pub fn word(self) -> String {
        match self {
            Self::Unreachable => "unreachable".to_owned(),
            Self::ConnectTimeout => "connect_timeout".to_owned(),
            Self::Reset => "reset".to_owned(),
            Self::Status { meaning: Meaning::ContextTooLong, .. } | Self::Inside(Meaning::ContextTooLong) => {
                "context_too_long".to_owned()
            }
            Self::Status { meaning: Meaning::Filtered, .. } => "filtered".to_owned(),
            Self::Status { status, .. } => format!("status_{status}"),
            Self::WrongType => "wrong_content_type".to_owned(),
            Self::Garbage => "garbage".to_owned(),
            Self::Empty => "empty".to_owned(),
            Self::Inside(_) => "error_inside".to_owned(),
            Self::TooLarge => "too_large".to_owned(),
            Self::FirstToken => "first_token_timeout".to_owned(),
            Self::Stalled => "stalled".to_owned(),
            Self::Cut => "cut".to_owned(),
            Self::NoEnd => "no_end_mark".to_owned(),
            Self::Filtered => "filtered".to_owned(),
            Self::Limited => "rate_limit".to_owned(),
            Self::Held => "breaker".to_owned(),
            Self::Deadline { .. } => "deadline".to_owned(),
        }
    }

    /// What is done about it, and what it says of the candidate.
    pub fn verdict(self) -> Verdict {
        let (next, blame) = match self {
            Self::Unreachable | Self::Reset => (Next::Again, Blame::Failure),
            Self::ConnectTimeout | Self::FirstToken => (Next::Elsewhere, Blame::Failure),
            Self::Status { status, meaning, retry_after } => of_status(status, meaning, retry_after),
            Self::Inside(Meaning::ContextTooLong) => (Next::Larger, Blame::Nobody),
            Self::Inside(Meaning::Credential) => (Next::Elsewhere, Blame::Credential(Out::Refused)),
            Self::Inside(Meaning::Spent) => (Next::Elsewhere, Blame::Credential(Out::Spent)),
            Self::Inside(Meaning::RateLimited) => (Next::Elsewhere, Blame::Busy(None)),
            Self::Inside(Meaning::Caller | Meaning::Filtered | Meaning::Missing) => {
                (Next::Elsewhere, Blame::Nobody)
            }
            Self::Filtered | Self::Limited | Self::Held => (Next::Elsewhere, Blame::Nobody),
            Self::Inside(_)
            | Self::WrongType
            | Self::Garbage
            | Self::Empty
            | Self::TooLarge
            | Self::Stalled
            | Self::Cut
            | Self::NoEnd => (Next::Elsewhere, Blame::Failure),
            // Who gives it no time has not found out anything about it.
            Self::Deadline { by_caller } => {
                (Next::Stop, if by_caller { Blame::Nobody } else { Blame::Failure })
            }
        };
        let unsent = matches!(self, Self::Unreachable | Self::ConnectTimeout | Self::Limited | Self::Held);
        Verdict { next, blame, unsent }
    }
}

fn of_status(status: u16, meaning: Meaning, retry_after: Option<Duration>) -> (Next, Blame) {
    match meaning {
        Meaning::Credential => (Next::Elsewhere, Blame::Credential(Out::Refused)),
        Meaning::Spent => (Next::Elsewhere, Blame::Credential(Out::Spent)),
        Meaning::RateLimited => (Next::Elsewhere, Blame::Busy(retry_after)),
        Meaning::ContextTooLong => (Next::Larger, Blame::Nobody),
        // Whoever asked by a route or an alias never named it. It is not held against the candidate: Gemini answers for an
        // endpoint that a model doesn't have in the same words.
        Meaning::Missing => (Next::Another, Blame::Nobody),
        Meaning::Filtered => (Next::Return, Blame::Nobody),
        // It asks for time, which it is given.
        Meaning::Overloaded | Meaning::Failed if retry_after.is_some() => {
            (Next::Elsewhere, Blame::Busy(retry_after))
        }
        Meaning::Overloaded | Meaning::Failed => (Next::Again, Blame::Failure),
        Meaning::Caller if status == 408 => (Next::Again, Blame::Nobody),
        Meaning::Caller => (Next::Return, Blame::Nobody),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, meaning: Meaning) -> (Next, Blame) {
        let verdict = Fault::Status { status, meaning, retry_after: None }.verdict();
        (verdict.next, verdict.blame)
    }

    #[test]
    fn the_callers_own_faults_trip_nothing_and_are_not_repeated() {
        for code in [400, 404, 409, 413, 422] {
            assert_eq!(status(code, Meaning::Caller), (Next::Return, Blame::Nobody), "{code}");
        }
        assert_eq!(status(400, Meaning::Filtered), (Next::Return, Blame::Nobody));
        assert_eq!(status(400, Meaning::ContextTooLong), (Next::Larger, Blame::Nobody));
        assert_eq!(status(404, Meaning::Missing), (Next::Another, Blame::Nobody));
    }

    #[test]
    fn only_what_was_never_sent_may_be_repeated_whatever_it_does() {
        let faults = [Fault::Unreachable, Fault::ConnectTimeout, Fault::Reset, Fault::FirstToken, Fault::Cut];
        assert_eq!(faults.map(|fault| fault.verdict().unsent), [true, true, false, false, false]);
    }

    #[test]
    fn a_deadline_that_the_caller_set_says_nothing_of_the_candidate() {
        let blame = |by_caller| Fault::Deadline { by_caller }.verdict().blame;
        assert_eq!((blame(true), blame(false)), (Blame::Nobody, Blame::Failure));
    }
}
