use pas_types::alert::AlertMatch;
use serde_json::json;

use super::*;

fn of(kind: Kind, path: &str, body: &Value) -> Result<Option<Deed>, Error> {
    deed(kind, path, body.to_string().as_bytes())
}

#[test]
fn what_is_done_to_others_must_say_why() {
    for (body, field) in [
        (json!({"all": true}), "reason"),
        (json!({"reason": ""}), "reason"),
        (json!({"reason": " \n\t"}), "reason"),
        (json!({"reason": 7}), "reason"),
        (json!({"reason": null}), "reason"),
        (json!({"reason": "x".repeat(limits::REASON_BYTES + 1)}), "reason"),
    ] {
        for kind in [Kind::Act, Kind::Cancel] {
            let body = if kind == Kind::Cancel { json!({"reason": body["reason"]}) } else { body.clone() };
            assert_eq!(of(kind, "/pause", &body).unwrap_err().field.as_deref(), Some(field), "{body}");
        }
    }
    assert_eq!(deed(Kind::Act, "/pause", b"").unwrap_err().field.as_deref(), Some("reason"));
    assert_eq!(of(Kind::Act, "/pause", &json!({"all": true, "reason": "lunch"})), Ok(None));
}

#[test]
fn a_deed_is_known_by_path_and_body() {
    let cancelled = Deed::Cancelled { run_id: "gw-1".to_owned(), reason: "why".to_owned() };
    assert_eq!(of(Kind::Cancel, "/inflight/gw-1/cancel", &json!({"reason": "why"})), Ok(Some(cancelled)));
    let refused = of(Kind::Cancel, "/inflight/gw-1/cancel", &json!({"reason": "why", "force": true}));
    assert_eq!(refused.unwrap_err().field.as_deref(), Some("force"));

    let acknowledged = Deed::Acknowledged { alert_id: "7".to_owned(), reason: Some("seen".to_owned()) };
    assert_eq!(of(Kind::Acknowledge, "/alerts/7/ack", &json!({"reason": "seen"})), Ok(Some(acknowledged)));
    let acknowledged = Deed::Acknowledged { alert_id: "7".to_owned(), reason: None };
    assert_eq!(deed(Kind::Acknowledge, "/alerts/7/ack", b""), Ok(Some(acknowledged)));

    let matching = AlertMatch { service: Some("x".to_owned()), ..AlertMatch::default() };
    let mute = json!({"match": {"service": "x"}, "for_s": 60});
    assert_eq!(of(Kind::Mute, "/alerts/mute", &mute), Ok(Some(Deed::Muted { matching, for_s: 60 })));
}

#[test]
fn no_call_is_listed_twice_or_under_the_prefix_of_another() {
    let mut paths: Vec<_> = PASSED.iter().map(|passed| passed.path_here()).collect();
    for (path, passed) in paths.iter().zip(PASSED) {
        let under = |owner: &Owner| path.starts_with(&format!("{}/", owner.prefix()));
        assert_eq!(Owner::ALL.into_iter().filter(under).collect::<Vec<_>>(), [passed.owner], "{path}");
    }
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), PASSED.len());
}

#[test]
fn no_header_but_those_that_are_named_passes() {
    let pairs = [
        "content-type",
        "accept",
        "anthropic-version",
        "x-pas-agent",
        "origin",
        "cookie",
        "authorization",
        "host",
        "content-length",
        "retry-after",
        "x-should-retry",
        "content-disposition",
        "x-next-cursor",
        "set-cookie",
    ];
    let all: HeaderMap =
        pairs.iter().map(|name| (HeaderName::from_static(name), "1".parse().unwrap())).collect();
    let names = |kept: HeaderMap| {
        let mut names: Vec<_> = kept.keys().map(ToString::to_string).collect();
        names.sort();
        names
    };
    assert_eq!(
        names(kept(all.clone(), goes_on)),
        ["accept", "anthropic-version", "content-type", "x-pas-agent"]
    );
    let back = [
        "content-disposition",
        "content-type",
        "retry-after",
        "x-next-cursor",
        "x-pas-agent",
        "x-should-retry",
    ];
    assert_eq!(names(kept(all, comes_back)), back);
}
