//! One connection: requests in turn, each answered by its script.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use pas_service::clock;
use socket2::SockRef;
use tokio::net::TcpStream;

use super::answer::{self, Answer};
use super::control;
use super::dialect::Ask;
use super::http::{Head, Inbox, Request, SCRIPTED};
use super::manner::Key;
use super::play::{Player, Then};
use super::script::{Fault, Script};
use super::shared::Shared;

/// Answers what comes, until either side ends it.
pub(super) async fn serve(mut stream: TcpStream, number: u64, shared: Arc<Shared>) {
    // Whoever can't be understood, or is gone, is told nothing.
    if let Ok(Then::Reset) = run(&mut stream, number, &shared).await {
        // What is closed with nothing to linger for is reset.
        drop(SockRef::from(&stream).set_linger(Some(Duration::ZERO)));
    }
}

async fn run(stream: &mut TcpStream, number: u64, shared: &Arc<Shared>) -> io::Result<Then> {
    let mut inbox = Inbox::default();
    let mut last = None;
    for place in 1.. {
        let Some(mut head) = next(stream, &mut inbox, shared).await? else { break };
        let end = inbox.body(&mut head, stream).await?;
        let (answer, recorded) = match shared.known(&inbox, &head, &mut last) {
            Some(answer) => (answer, None),
            None => {
                let request = head.request(inbox.bytes())?;
                if control::is_control(shared.profile.manner, &request.path) {
                    (Arc::new(control::answer(shared, &request).await), None)
                } else {
                    let recorded = shared.ledger.came(&request, number, place);
                    let (answer, is_queued) = answer(shared, &request, place > 1);
                    let answer = Arc::new(answer);
                    if !is_queued {
                        shared.remember(&inbox, &head, &answer);
                    }
                    (answer, recorded)
                }
            }
        };
        inbox.forget(end);
        let player = Player { stream, inbox: &mut inbox, ledger: &shared.ledger, number: recorded };
        let then = player.play(&answer).await;
        if then != Then::Keep || head.is_last() {
            return Ok(then);
        }
    }
    Ok(Then::Close)
}

/// Waits for the head of the next request; none when the client ends, or nobody wants to wait any longer.
async fn next(stream: &mut TcpStream, inbox: &mut Inbox, shared: &Shared) -> io::Result<Option<Head>> {
    loop {
        if let Some(head) = inbox.head()? {
            return Ok(Some(head));
        }
        let read = if inbox.bytes().is_empty() {
            tokio::select! {
                read = inbox.read(stream) => read?,
                () = shared.idle.notified() => return Ok(None),
            }
        } else {
            inbox.read(stream).await?
        };
        if read == 0 {
            return Ok(None);
        }
    }
}

/// The answer to a request, and whether it comes from the queue.
fn answer(shared: &Shared, request: &Request, is_pooled: bool) -> (Answer, bool) {
    let (now, profile) = (clock::now().wall, &shared.profile);
    let Some(route) = profile.route(request) else {
        return (answer::unknown_path(profile, request), false);
    };
    let key = Key::of(profile.manner, request);
    if !profile.admits(&route, &request.path, key.as_ref()) {
        let ask = Ask::unread(&route).with_key(key);
        return (Answer::new(profile, &route, &ask, Script::fault(Fault::UnknownKey), now), false);
    }
    let ask = match Ask::read(&route, &request.query, &request.body) {
        Ok(ask) => ask.with_key(key),
        Err(message) => return (answer::unreadable(profile, &route, message, now), false),
    };
    let (model, named) = ask.scripted_model();
    let short = request.header(SCRIPTED).or(named);
    let (script, is_queued) = match short.map(Script::parse) {
        Some(Ok(script)) => (script, false),
        Some(Err(message)) => return (answer::unreadable(profile, &route, message, now), false),
        None => {
            let key = ask.key.as_ref().map(|key| key.text.as_str());
            match shared.queued(&request.path, model, key, is_pooled) {
                Some(script) => (script, true),
                None => (Script::new(), false),
            }
        }
    };
    let script = profile.judged(&route, &ask, script);
    (Answer::new(profile, &route, &ask, script, now), is_queued)
}
