//! Mutes: somebody knows, and wants to hear no more of it for a while.
//!
//! A mute silences, it does not hide. An alert that it covers is stored and listed as any other, and says by
//! `muted_until` in its details that it was muted; the log keeps quiet about it, and so does the event stream.

use pas_types::alert::{HeartbeatAlert, Mute};
use pas_types::time::WireTime;
use serde_json::json;

/// Mutes at the same time. An operator who needs more wants another rule for alerts.
pub const MUTES: usize = 1_000;

/// The key in an alert's details under which the end of its mute stands.
pub const MUTED_UNTIL: &str = "muted_until";

/// The mutes that are in force. They end by the time of day, since they outlive the process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mutes(Vec<Mute>);

impl Mutes {
    /// Of what was stored, what is still in force.
    pub fn new(mutes: Vec<Mute>, now: WireTime) -> Self {
        Self(mutes.into_iter().filter(|mute| mute.until > now).collect())
    }

    /// These and one more, which replaces an earlier one about the same alerts. None when there are too many.
    pub fn with(&self, mute: Mute, now: WireTime) -> Option<Self> {
        let mut mutes = self.0.clone();
        mutes.retain(|other| other.matching != mute.matching && other.until > now);
        mutes.push(mute);
        (mutes.len() <= MUTES).then_some(Self(mutes))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Mute> {
        self.0.iter()
    }

    /// Marks `alert` if it is muted.
    pub fn mark(&self, alert: &mut HeartbeatAlert, now: WireTime) {
        let until =
            self.0.iter().filter(|mute| mute.until > now && mute.matching.matches(alert)).map(|it| it.until);
        if let Some(until) = until.max() {
            alert.details.get_or_insert_default().insert(MUTED_UNTIL.to_owned(), json!(until));
        }
    }
}

/// Whether `alert` was muted when it was raised.
pub fn is_muted(alert: &HeartbeatAlert) -> bool {
    alert.details.as_ref().is_some_and(|details| details.contains_key(MUTED_UNTIL))
}

#[cfg(test)]
mod tests {
    use pas_types::alert::{AlertMatch, Severity};
    use pas_types::id::AlertId;
    use pas_types::time::Now;

    use super::*;
    use crate::core::alerts;

    fn time(ms: i64) -> WireTime {
        WireTime::from_millis(ms)
    }

    fn mute(severity: Severity, until: i64) -> Mute {
        let matching = AlertMatch { severity: Some(severity), ..AlertMatch::default() };
        Mute { matching, until: time(until) }
    }

    fn warning() -> HeartbeatAlert {
        let now = Now { monotonic: std::time::Duration::ZERO, wall: time(0).timestamp() };
        alerts::clock_jump(9_000, now, AlertId(uuid::Uuid::nil()))
    }

    fn marked(mutes: &Mutes, now: i64) -> HeartbeatAlert {
        let mut alert = warning();
        mutes.mark(&mut alert, time(now));
        alert
    }

    #[test]
    fn a_muted_alert_says_until_when_and_keeps_all_else() {
        let mutes = Mutes::new(vec![mute(Severity::Warning, 500), mute(Severity::Warning, 900)], time(0));
        let mut expected = warning();
        expected.details.get_or_insert_default().insert(MUTED_UNTIL.to_owned(), json!(time(900)));
        assert_eq!(marked(&mutes, 100), expected);
        assert!(is_muted(&expected));
    }

    #[test]
    fn what_no_mute_covers_or_only_one_that_ended_is_not_muted() {
        let mutes = Mutes::new(vec![mute(Severity::Critical, 900), mute(Severity::Warning, 500)], time(0));
        assert_eq!(marked(&mutes, 500), warning());
        assert!(!is_muted(&warning()));
    }

    #[test]
    fn a_mute_of_the_same_alerts_replaces_the_earlier_one_and_ended_ones_fall_away() {
        let mutes = Mutes::new(vec![mute(Severity::Info, 100), mute(Severity::Warning, 900)], time(0));
        let mutes = mutes.with(mute(Severity::Warning, 300), time(200)).unwrap();
        assert_eq!(mutes, Mutes(vec![mute(Severity::Warning, 300)]));
    }

    #[test]
    fn there_are_never_too_many_mutes() {
        let about = |n: usize| {
            let matching = AlertMatch { service: Some(n.to_string()), ..AlertMatch::default() };
            Mute { matching, until: time(900) }
        };
        let full = Mutes::new((0..MUTES).map(about).collect(), time(0));
        assert_eq!(full.with(about(MUTES), time(1)), None);
        assert_eq!(full.with(about(0), time(1)).map(|mutes| mutes.iter().count()), Some(MUTES));
    }
}
