//! Alerts: what the heartbeat monitor says when something needs a look, and how its history is asked, acknowledged
//! and muted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::check::{check_name, check_reason, check_text, check_within};
use crate::error::Error;
use crate::id::{AlertId, ServiceId};
use crate::limits;
use crate::object::only_objects;
use crate::query::{check_limit, flag, limit, set, time, word};
use crate::time::WireTime;
use crate::word::words;

/// The paths under which the monitor is asked for alerts.
pub mod path {
    /// `GET`: a page of them.
    pub const ALERTS: &str = "/alerts";
    /// `POST`: takes note of one.
    pub const ACK: &str = "/alerts/{alert_id}/ack";
    /// `POST`: keeps quiet about some for a while.
    pub const MUTE: &str = "/alerts/mute";
    /// `GET`: the mutes that are in force.
    pub const MUTES: &str = "/alerts/mutes";
}

/// The longest that one mute lasts: a week.
pub const MUTE_MAX_S: u64 = 7 * 24 * 3600;

words! {
    /// How much an alert matters.
    Severity, "severity" {
        /// For the record.
        Info = "info",
        /// Worth a look.
        Warning = "warning",
        /// Somebody must act.
        Critical = "critical",
    }
}

words! {
    /// What an alert is about.
    AlertType, "alert type" {
        /// A service missed a beat.
        HeartbeatMiss = "heartbeat_miss",
        /// A service that had missed beats is back.
        Recovered = "recovered",
        /// A service changes between well and unwell too often.
        Flapping = "flapping",
        /// The registry's eviction brake holds removals back.
        BrakeOn = "brake_on",
        /// The eviction brake is released.
        BrakeOff = "brake_off",
        /// The registry says nothing any more.
        RegistrySilent = "registry_silent",
        /// The registry speaks again.
        RegistryBack = "registry_back",
        /// The time of day jumped.
        ClockJump = "clock_jump",
        /// A service that answered probes answers them no more.
        Unreachable = "unreachable",
        /// A service answers probes again.
        Reachable = "reachable",
        /// An agent's context passed its hard limit.
        ContextBreach = "context_breach",
        /// An agent's state could not be saved.
        CheckpointFailed = "checkpoint_failed",
        /// A budget is nearly spent.
        BudgetWarning = "budget_warning",
        /// A budget is spent.
        BudgetExhausted = "budget_exhausted",
        /// A provider refuses a credential, or nothing is left to spend by it.
        CredentialOut = "credential_out",
        /// A failing upstream is left alone for a while.
        BreakerOpen = "breaker_open",
        /// A call went round through the gateway too often.
        HopLimit = "hop_limit",
        /// The gateway works from an old view of the swarm.
        SnapshotStale = "snapshot_stale",
        /// A changed configuration file was refused; the old one stays in force.
        ConfigRejected = "config_rejected",
        /// A publisher's buffer was full and events were lost.
        EventsDropped = "events_dropped",
    }
}

words! {
    /// What was done about it.
    AlertAction, "alert action" {
        /// The service is degraded now.
        MarkedDegraded = "marked_degraded",
        /// The service is down now.
        MarkedDown = "marked_down",
        /// The service is out of the registry.
        Deregistered = "deregistered",
        /// The service is well again.
        Recovered = "recovered",
        /// Nothing.
        None = "none",
    }
}

/// One alert, of the heartbeat monitor or of any other service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct HeartbeatAlert {
    /// Its id.
    pub alert_id: AlertId,
    /// What it is about.
    pub alert_type: AlertType,
    /// How much it matters.
    pub severity: Severity,
    /// The service that it is about, unless it is about none in the registry.
    pub service_id: Option<ServiceId>,
    /// The name of what it is about.
    #[schema(min_length = 1, max_length = 256, pattern = r"^\P{Cc}*$")]
    pub service_name: String,
    /// Beats missed in a row.
    #[schema(maximum = 4294967295u32)]
    pub missed_beats: u32,
    /// The last sign of life, if there was one.
    pub last_seen: Option<WireTime>,
    /// What was done about it.
    pub action: AlertAction,
    /// When it happened.
    pub ts: WireTime,
    /// Whether somebody has taken note of it.
    pub acked: bool,
    /// It in one sentence, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub message: Option<String>,
    /// What else is known about it; the keys depend on the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<BTreeMap<String, serde_json::Value>>,
}

impl HeartbeatAlert {
    /// Refuses what breaks a limit.
    pub fn validate(&self) -> Result<(), Error> {
        check_name("service_name", &self.service_name)?;
        match &self.message {
            Some(message) => check_text("message", message, limits::REASON_BYTES),
            None => Ok(()),
        }
    }
}

/// Which alerts to list, newest first; all criteria must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(remote = "Self", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AlertQuery {
    /// Not older than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<WireTime>,
    /// Of this severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// About this service: its id or its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 256, pattern = r"^\P{Cc}*$")]
    #[param(min_length = 1, max_length = 256, pattern = r"^\P{Cc}*$")]
    pub service: Option<String>,
    /// Of this type.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub alert_type: Option<AlertType>,
    /// Acknowledged, or not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acked: Option<bool>,
    /// At most so many; 100 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl AlertQuery {
    /// Reads the query of a URL, already decoded into pairs.
    pub fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Error> {
        let mut query = Self::default();
        for (key, value) in pairs {
            match key {
                "since" => set(&mut query.since, key, time(key, value)?)?,
                "severity" => set(&mut query.severity, key, word(key, value)?)?,
                "service" => set(&mut query.service, key, value.to_owned())?,
                "type" => set(&mut query.alert_type, key, word(key, value)?)?,
                "acked" => set(&mut query.acked, key, flag(key, value)?)?,
                "limit" => set(&mut query.limit, key, limit(value)?)?,
                "cursor" => set(&mut query.cursor, key, value.to_owned())?,
                _ => return Err(unknown(key)),
            }
        }
        query.validate()?;
        Ok(query)
    }

    /// Refuses what breaks a limit. Whether the cursor is known, only the monitor can say.
    pub fn validate(&self) -> Result<(), Error> {
        if let Some(service) = &self.service {
            check_name("service", service)?;
        }
        match self.limit {
            Some(limit) => check_limit(limit),
            None => Ok(()),
        }
    }

    /// Rows of the page, the default where none is named.
    pub fn page_size(&self) -> usize {
        self.limit.unwrap_or(limits::LIST_DEFAULT) as usize
    }
}

fn unknown(key: &str) -> Error {
    let message = format!(
        "{key} is not a filter of /alerts: use since, severity, service, type, acked, limit or cursor"
    );
    Error::invalid(key, message)
}

/// A page of alerts, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertPage {
    /// The alerts.
    pub alerts: Vec<HeartbeatAlert>,
    /// Where the next page begins; null when this is the last one.
    pub next_cursor: Option<String>,
}

/// The optional body of an acknowledgement. The answer is the alert as it is now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct AckRequest {
    /// Why it needs nothing more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub reason: Option<String>,
}

impl AckRequest {
    /// Refuses what breaks a limit.
    pub fn validate(&self) -> Result<(), Error> {
        check_reason(self.reason.as_deref())
    }
}

/// Which alerts a mute is about; all criteria that are given must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct AlertMatch {
    /// About this service: its id or its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 256, pattern = r"^\P{Cc}*$")]
    pub service: Option<String>,
    /// Of this type.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub alert_type: Option<AlertType>,
    /// Of this severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

impl AlertMatch {
    /// Whether `alert` is meant.
    pub fn matches(&self, alert: &HeartbeatAlert) -> bool {
        let is_service = |wanted: &String| {
            *wanted == alert.service_name || alert.service_id.is_some_and(|id| id.to_string() == *wanted)
        };
        self.service.as_ref().is_none_or(is_service)
            && self.alert_type.is_none_or(|wanted| wanted == alert.alert_type)
            && self.severity.is_none_or(|wanted| wanted == alert.severity)
    }
}

/// Asks for silence about some alerts for a while. They are kept in the history all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct MuteRequest {
    /// Which alerts.
    #[serde(rename = "match")]
    pub matching: AlertMatch,
    /// For how many seconds.
    #[schema(minimum = 1, maximum = 604800)]
    pub for_s: u64,
}

impl MuteRequest {
    /// Refuses what breaks a limit, and a mute of everything.
    pub fn validate(&self) -> Result<(), Error> {
        if self.matching == AlertMatch::default() {
            return Err(Error::invalid(
                "match",
                "match is empty, which would mute every alert: name a service, a type or a severity",
            ));
        }
        if let Some(service) = &self.matching.service {
            check_name("match.service", service)?;
        }
        check_within("for_s", self.for_s, 1, MUTE_MAX_S)
    }
}

/// A mute that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mute {
    /// Which alerts it silences.
    #[serde(rename = "match")]
    pub matching: AlertMatch,
    /// When it ends.
    pub until: WireTime,
}

only_objects!(AlertQuery, AckRequest, AlertMatch, MuteRequest, HeartbeatAlert);

/// The mutes that are in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MutePage {
    /// The mutes.
    pub mutes: Vec<Mute>,
    /// Always null: there are never more than a page of them.
    pub next_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &[(&str, &str)]) -> Result<AlertQuery, Error> {
        AlertQuery::from_pairs(text.iter().copied())
    }

    #[test]
    fn a_query_reads_every_filter() {
        let pairs = [
            ("since", "2025-11-06T10:30:00Z"),
            ("severity", "critical"),
            ("service", "gateway"),
            ("type", "heartbeat_miss"),
            ("acked", "false"),
            ("limit", "7"),
            ("cursor", "c1"),
        ];
        let wanted = AlertQuery {
            since: Some("2025-11-06T10:30:00Z".parse().unwrap()),
            severity: Some(Severity::Critical),
            service: Some("gateway".to_owned()),
            alert_type: Some(AlertType::HeartbeatMiss),
            acked: Some(false),
            limit: Some(7),
            cursor: Some("c1".to_owned()),
        };
        assert_eq!(query(&pairs), Ok(wanted));
    }

    #[test]
    fn a_filter_that_is_wrong_is_named_with_what_is_legal() {
        let cases = [
            (("severity", "loud"), "`loud` is not a known severity: use one of info, warning, critical"),
            (("acked", "maybe"), "acked is `maybe`: use true or false"),
            (("since", "noon"), "since is `noon`: use an RFC 3339 time, as 2025-11-06T10:30:00.123Z"),
            (("limit", "1001"), "limit is 1001: use a whole number from 1 to 1000"),
            (("service", ""), "service has 0 bytes: use 1 to 256"),
            (
                ("colour", "red"),
                "colour is not a filter of /alerts: use since, severity, service, type, acked, limit or cursor",
            ),
        ];
        for (pair, message) in cases {
            assert_eq!(query(&[pair]), Err(Error::invalid(pair.0, message)));
        }
        assert_eq!(
            query(&[("limit", "1"), ("limit", "2")]),
            Err(Error::invalid("limit", "limit is given twice: give it once"))
        );
    }

    #[test]
    fn a_mute_of_everything_is_refused() {
        let request = MuteRequest { matching: AlertMatch::default(), for_s: 60 };
        assert_eq!(request.validate().unwrap_err().field.as_deref(), Some("match"));
    }
}
