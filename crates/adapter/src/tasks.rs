//! Loops: looking at the provider, at the file of credentials, and at what ends by itself. Each ends on shutdown.

use std::sync::Arc;
use std::time::Duration;

use pas_service::clock;
use pas_types::registry::Registration;
use pas_types::routing::Locality;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::{App, Key};
use crate::client::{Remembered, Trouble};
use crate::core::offer::Known;
use crate::environment::Stamp;
use crate::profile::Listed;

/// From one look at the file of credentials to the next.
const FILE: Duration = Duration::from_millis(500);
/// From one look at a provider that is not well to the next: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// From one look at connections to the next.
const SHED: Duration = Duration::from_secs(5);
/// From one look at the matrix to the next.
const MATRIX: Duration = Duration::from_secs(60);
/// The least from one look to the next, whoever wants one: at what is on this machine, and at a provider elsewhere.
const LEAST: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// Loads the credentials anew on SIGHUP, and when their file has changed and stays as it is: an editor may be at it.
pub(crate) async fn follow_credentials(
    app: Arc<App>,
    mut loaded: Stamp,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut seen = loaded;
    loop {
        let why = tokio::select! {
            _ = hangup.recv() => "SIGHUP",
            () = tokio::time::sleep(FILE) => {
                let now = app.environment().stamp();
                let has_settled = now == std::mem::replace(&mut seen, now);
                if !has_settled || now == loaded {
                    continue;
                }
                "the file has changed"
            }
            () = shutdown.cancelled() => return Ok(()),
        };
        // Before it is read: what is written meanwhile is another change.
        loaded = app.environment().stamp();
        app.load_credentials(why);
    }
}

/// Lets go of connections that nobody has used for a while.
pub(crate) async fn shed_connections(app: Arc<App>, shutdown: CancellationToken) {
    while shutdown.run_until_cancelled(tokio::time::sleep(SHED)).await.is_some() {
        app.provider.pool().shed();
    }
}

/// Says how it is with the credentials, whenever that changes.
pub(crate) async fn follow_rests(app: Arc<App>, shutdown: CancellationToken) {
    loop {
        let next = app.tell_of_credentials();
        let ends = async {
            match next {
                Some(next) => tokio::time::sleep(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = ends => {}
            () = app.turned.notified() => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// Looks at what the provider offers, from time to time and when somebody wants it, and offers that.
pub(crate) async fn follow_provider(app: Arc<App>, registration: Registration, shutdown: CancellationToken) {
    let mut seen = Seen::default();
    let mut pause = PAUSES.0;
    loop {
        let look = seen.look(&app, &registration);
        let Some(is_well) = shutdown.run_until_cancelled(look).await else { return };
        let regular = Duration::from_secs(app.config.look_every_s);
        let wait = if is_well { regular } else { clock::jittered(pause, 0.2).min(regular.max(PAUSES.0)) };
        pause = if is_well { PAUSES.0 } else { (pause * 2).min(PAUSES.1) };
        let wanted = async {
            let is_local = app.profile.locality == Locality::Local;
            tokio::time::sleep(if is_local { LEAST.0 } else { LEAST.1 }).await;
            app.look.notified().await;
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = wanted => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// What was seen so far.
#[derive(Debug, Default)]
struct Seen {
    listed: Option<Vec<Listed>>,
    matrix: Vec<Known>,
    /// When that was; on the monotonic clock.
    matrix_at: Option<Duration>,
    remembered: Remembered,
}

impl Seen {
    /// Looks, and offers what there is. Answers whether all is known that can be.
    async fn look(&mut self, app: &App, registration: &Registration) -> bool {
        let now = clock::monotonic();
        let is_fresh = self.matrix_at.is_some_and(|at| now.saturating_sub(at) < MATRIX);
        let matrix = async { if is_fresh { None } else { matrix(app).await } };
        let (matrix, listed) = tokio::join!(matrix, listed(app, &mut self.remembered));
        if let Some(matrix) = matrix {
            (self.matrix, self.matrix_at) = (matrix, Some(now));
        }
        let is_well = match listed {
            Ok(listed) => {
                let is_well = listed.is_some() || app.ring().keys().next().is_none();
                self.listed = listed.or_else(|| self.listed.take());
                app.provider_is_well();
                is_well
            }
            Err(trouble) => {
                tracing::debug!(?trouble, "the provider is not well");
                app.provider_is_not_well(&trouble);
                false
            }
        };
        let offer = app.offer_of(self.listed.as_deref(), &self.matrix);
        let mut registration = registration.clone();
        offer.label(&mut registration.labels);
        app.offer(&offer, self.listed.as_deref(), registration);
        is_well && self.matrix_at.is_some()
    }
}

/// What the matrix knows of this provider; none when the router can't be asked.
async fn matrix(app: &App) -> Option<Vec<Known>> {
    let Some(provider) = app.profile.provider else { return Some(Vec::new()) };
    match app.router.models(provider).await {
        Ok(models) => Some(models),
        Err(error) => {
            tracing::debug!(%error, "the matrix is not known");
            None
        }
    }
}

/// What the provider lists; none where no credential may ask. Every credential asks, so that a bad one is known before a call
/// takes it.
async fn listed(app: &App, remembered: &mut Remembered) -> Result<Option<Vec<Listed>>, Trouble> {
    let keys: Vec<Key> = app.ring().keys().cloned().collect();
    let (mut found, mut trouble) = (None, None);
    for key in keys {
        let context_tokens = app.config.context_tokens;
        let heard = app.provider.models(app.profile.listings, context_tokens, key.as_ref(), remembered).await;
        let now = clock::monotonic();
        match heard {
            Ok(heard) => {
                if heard.is_private {
                    app.ring().recognised(&key);
                }
                found = found.or(Some(heard.models));
                if !heard.is_private {
                    break;
                }
            }
            // What may not list models may yet call them.
            Err(Trouble::Refused(403)) => {}
            Err(Trouble::Refused(status)) => app.ring().unlisted(&key, status, now),
            Err(other) => trouble = trouble.or(Some(other)),
        }
    }
    app.turned.notify_one();
    match trouble {
        Some(trouble) if found.is_none() => Err(trouble),
        _ => Ok(found),
    }
}
