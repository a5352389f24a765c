use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Event;
use super::body::{Body, Fields};
use crate::alert::{AlertAction, AlertType, HeartbeatAlert, Severity};
use crate::check::{check_name, check_text};
use crate::error::Error;
use crate::id::AlertId;
use crate::limits;
use crate::schema::Name;
use crate::time::WireTime;

/// Something needs a look: the frame of every alert, whose `ts` and `service_id` are the event's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// Its id.
    pub alert_id: AlertId,
    /// What it is about.
    pub alert_type: AlertType,
    /// How much it matters.
    pub severity: Severity,
    /// The name of what it is about.
    #[schema(value_type = Name)]
    pub service_name: String,
    /// Beats missed in a row.
    #[schema(maximum = 4294967295u32)]
    pub missed_beats: u32,
    /// The last sign of life, if there was one.
    pub last_seen: Option<WireTime>,
    /// What was done about it.
    pub action: AlertAction,
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

impl Fields for Alert {
    fn validate(&self) -> Result<(), Error> {
        check_name("service_name", &self.service_name)?;
        check_text("message", self.message.as_deref().unwrap_or_default(), limits::REASON_BYTES)
    }
}

impl From<HeartbeatAlert> for Event {
    /// The same alert sent twice is kept once: its id is the key.
    fn from(alert: HeartbeatAlert) -> Self {
        let fields = Alert {
            alert_id: alert.alert_id,
            alert_type: alert.alert_type,
            severity: alert.severity,
            service_name: alert.service_name,
            missed_beats: alert.missed_beats,
            last_seen: alert.last_seen,
            action: alert.action,
            acked: alert.acked,
            message: alert.message,
            details: alert.details,
        };
        Self {
            service_id: alert.service_id,
            idempotency_key: Some(alert.alert_id.to_string()),
            ..Self::new(alert.ts, fields)
        }
    }
}

impl Event {
    /// The alert that this event is, if it is one.
    pub fn into_alert(self) -> Option<HeartbeatAlert> {
        let Body::Alert(alert) = self.body else { return None };
        Some(HeartbeatAlert {
            alert_id: alert.alert_id,
            alert_type: alert.alert_type,
            severity: alert.severity,
            service_id: self.service_id,
            service_name: alert.service_name,
            missed_beats: alert.missed_beats,
            last_seen: alert.last_seen,
            action: alert.action,
            ts: self.ts,
            acked: alert.acked,
            message: alert.message,
            details: alert.details,
        })
    }
}
