//! What somebody did through the HMI, as the event stream is told where the owner doesn't.

use std::fmt::{self, Display};

use pas_types::alert::AlertMatch;

/// A deed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A call was ended.
    Cancelled {
        /// Which.
        run_id: String,
        /// Why.
        reason: String,
    },
    /// Somebody took note of an alert.
    Acknowledged {
        /// Which.
        alert_id: String,
        /// Why, where that was said.
        reason: Option<String>,
    },
    /// Some alerts were muted.
    Muted {
        /// Which.
        matching: AlertMatch,
        /// For how many seconds.
        for_s: u64,
    },
}

impl Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled { run_id, reason } => write!(f, "cancelled {run_id} from the HMI: {reason}"),
            Self::Acknowledged { alert_id, reason: Some(reason) } => {
                write!(f, "acknowledged the alert {alert_id} from the HMI: {reason}")
            }
            Self::Acknowledged { alert_id, reason: None } => {
                write!(f, "acknowledged the alert {alert_id} from the HMI")
            }
            Self::Muted { matching, for_s } => {
                let AlertMatch { service, alert_type, severity } = matching;
                let named = [
                    service.as_ref().map(|service| format!("of {service}")),
                    alert_type.map(|alert_type| format!("of type {alert_type}")),
                    severity.map(|severity| format!("of severity {severity}")),
                ];
                let named = named.into_iter().flatten().collect::<Vec<_>>().join(" ");
                write!(f, "muted alerts {named} for {for_s} s from the HMI")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pas_types::alert::{AlertType, Severity};

    use super::*;

    #[test]
    fn a_deed_is_said_with_its_reason() {
        let cancelled = Deed::Cancelled { run_id: "gw-1".to_owned(), reason: "too slow".to_owned() };
        assert_eq!(cancelled.to_string(), "cancelled gw-1 from the HMI: too slow");
        let acknowledged = Deed::Acknowledged { alert_id: "7".to_owned(), reason: None };
        assert_eq!(acknowledged.to_string(), "acknowledged the alert 7 from the HMI");
        let matching = AlertMatch {
            service: Some("ollama".to_owned()),
            alert_type: Some(AlertType::HeartbeatMiss),
            severity: Some(Severity::Warning),
        };
        assert_eq!(
            Deed::Muted { matching, for_s: 60 }.to_string(),
            "muted alerts of ollama of type heartbeat_miss of severity warning for 60 s from the HMI"
        );
    }
}
