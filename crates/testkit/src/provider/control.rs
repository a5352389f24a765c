//! The routes by which whoever has no Rust scripts the provider and looks at what it got. They are never recorded.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::answer::Answer;
use super::http::Request;
use super::manner::Manner;
use super::script::Script;
use super::shared::Shared;

/// Whether a path is one of them. Who speaks in some provider's manner has a `/health` of that one's, or none.
pub(super) fn is_control(manner: Manner, path: &str) -> bool {
    path.starts_with("/__") || manner == Manner::Plain && path == "/health"
}

/// One script, or several in order.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Scripts {
    Many(Vec<Script>),
    One(Box<Script>),
}

/// What they answer.
pub(super) async fn answer(shared: &Arc<Shared>, request: &Request) -> Answer {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/health") => ok(&json!({"status": "ok", "service": "scripted-provider"})),
        ("POST", "/__script") => script(shared, &request.body),
        ("GET", "/__script") => ok(&json!({ "waiting": shared.waiting() })),
        ("DELETE", "/__script") => {
            shared.clear();
            ok(&json!({"waiting": 0}))
        }
        ("GET", "/__requests") => {
            let requests: Vec<_> = shared.ledger.look(|all| all.iter().map(|one| one.view()).collect());
            let open = *shared.open.borrow();
            ok(&json!({"requests": requests, "open_connections": open}))
        }
        ("DELETE", "/__requests") => {
            shared.ledger.forget();
            ok(&json!({"requests": []}))
        }
        ("POST", "/__idle") => {
            shared.idle.notify_waiters();
            ok(&json!({}))
        }
        ("POST", "/__refuse") => refuse(shared, &request.query),
        (method, path) => refused(404, &format!("{method} {path} is no control route")),
    }
}

fn script(shared: &Shared, body: &[u8]) -> Answer {
    // Both forms are tried for the sake of a message that names the field.
    let scripts = match serde_json::from_slice(body) {
        Ok(Scripts::Many(scripts)) => scripts,
        Ok(Scripts::One(script)) => vec![*script],
        Err(_) => {
            let error = match body.trim_ascii_start().first() {
                Some(b'[') => serde_json::from_slice::<Vec<Script>>(body).err(),
                _ => serde_json::from_slice::<Script>(body).err(),
            };
            return refused(400, &error.map(|error| error.to_string()).unwrap_or_default());
        }
    };
    scripts.into_iter().for_each(|script| shared.queue(script));
    ok(&json!({ "waiting": shared.waiting() }))
}

/// `?ms=500`: nobody listens for so long, and all connections are closed, this one too.
fn refuse(shared: &Arc<Shared>, query: &str) -> Answer {
    let Some(ms) = query.strip_prefix("ms=").and_then(|ms| ms.parse().ok()) else {
        return refused(400, "?ms= says for how many milliseconds");
    };
    let until = tokio::time::Instant::now() + Duration::from_millis(ms);
    shared.wanted.send_replace(false);
    shared.reopen_at.send_replace(Some(until));
    ok(&json!({"refuses_for_ms": ms}))
}

fn ok(body: &serde_json::Value) -> Answer {
    Answer::control(200, body.to_string().as_bytes())
}

fn refused(status: u16, message: &str) -> Answer {
    Answer::control(status, json!({"error": {"message": message}}).to_string().as_bytes())
}
