//! What an adapter knows: its provider, its credentials, what it offers; and what it says of itself because of that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use pas_service::{Health, Measures, clock};
use pas_types::health::HealthStatus;
use pas_types::registry::Registration;
use pas_types::routing::Locality;
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::client::{Provider, Router, Trouble};
use crate::config::Config;
use crate::core::offer::{Known, Offer};
use crate::core::ring::{Held, Ring};
use crate::core::standing::{self, Credential, Standing};
use crate::environment::{Environment, Fault};
use crate::metrics::Counts;
use crate::profile::{Listed, Profile};
use crate::secret::Secret;

/// The checks of an adapter's health.
mod check {
    /// Whether there is a credential that is taken.
    pub(super) const CREDENTIAL: &str = "credential";
    /// Whether the provider limits what may be asked.
    pub(super) const LIMITS: &str = "limits";
    /// Whether the provider is there, and is who it should be.
    pub(super) const PROVIDER: &str = "provider";
    /// Whether there is anything to offer.
    pub(super) const MODELS: &str = "models";
    /// Whether the file of credentials can be read.
    pub(super) const FILE: &str = "env_file";
}

/// Models that are named where none of them will do.
const LISTED: usize = 5;

/// A credential; none for a provider that needs none.
pub(crate) type Key = Option<Arc<Secret>>;

/// An adapter, as its routes and tasks see it.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) profile: &'static Profile,
    pub(crate) config: Config,
    pub(crate) provider: Provider,
    pub(crate) router: Router,
    pub(crate) measures: Measures,
    pub(crate) counts: Counts,
    /// Places for calls, those that wait among them; and for those that are on their way.
    pub(crate) places: Arc<Semaphore>,
    pub(crate) ways: Arc<Semaphore>,
    /// Somebody wants the provider looked at now.
    pub(crate) look: Notify,
    /// What holds of credentials has changed.
    pub(crate) turned: Notify,
    environment: Environment,
    /// Where the provider is could not be read with the rest of the file at the start.
    is_unsure: AtomicBool,
    /// Why the file is not read.
    unread: Mutex<Option<String>>,
    stop: CancellationToken,
    ring: Mutex<Ring<Key>>,
    registration: watch::Sender<Option<Registration>>,
    /// The name by which the provider knows the one model that is offered.
    own_name: RwLock<Option<Arc<str>>>,
    health: Health,
}

impl App {
    #[expect(clippy::too_many_arguments, reason = "it is what an adapter is made of, put together once")]
    pub(crate) fn new(
        profile: &'static Profile,
        config: Config,
        environment: Environment,
        provider: Provider,
        counts: Counts,
        measures: Measures,
        health: Health,
        stop: CancellationToken,
    ) -> Self {
        let is_unsure = environment.value(&profile.base_url_variable()).is_err();
        Self {
            router: Router::new(&config.router_url),
            places: Arc::new(Semaphore::new(config.calls + config.queue)),
            ways: Arc::new(Semaphore::new(config.calls)),
            profile,
            config,
            provider,
            measures,
            counts,
            look: Notify::new(),
            turned: Notify::new(),
            environment,
            is_unsure: is_unsure.into(),
            unread: Mutex::default(),
            stop,
            ring: Mutex::new(Ring::new(Vec::new())),
            registration: watch::Sender::new(None),
            own_name: RwLock::default(),
            health,
        }
    }

    /// The registration, as it changes; none until it is known what is offered.
    pub(crate) fn registrations(&self) -> watch::Receiver<Option<Registration>> {
        self.registration.subscribe()
    }

    /// The environment, whose file may change.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The credentials, to choose from or to say something of.
    pub(crate) fn ring(&self) -> MutexGuard<'_, Ring<Key>> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the credentials that are there now. A file that can't be read changes nothing.
    pub(crate) fn load_credentials(&self, why: &str) {
        let found = self.environment.credentials(self.profile.entry.credentials, self.profile.scheme);
        let secrets = match found {
            Ok(secrets) if self.is_elsewhere() => {
                tracing::error!(
                    "the file that can be read now says another base URL: ending, to be started with it"
                );
                drop(secrets);
                self.stop.cancel();
                return;
            }
            Ok(secrets) => {
                self.health.ok(check::FILE);
                *self.unread() = None;
                secrets
            }
            Err(fault) => {
                self.refuse_file(&fault);
                if self.ring().keys().next().is_some() {
                    return;
                }
                Vec::new()
            }
        };
        let count = secrets.len();
        let mut keys: Vec<Key> = secrets.into_iter().map(Some).collect();
        if keys.is_empty() && !self.profile.needs_credential {
            keys.push(None);
        }
        self.ring().replace(keys);
        tracing::info!(credentials = count, why, "credentials are loaded");
        self.tell_of_credentials();
        self.look.notify_one();
    }

    /// Whether what could not be read at the start leads somewhere else: nobody's credential goes to the wrong place.
    fn is_elsewhere(&self) -> bool {
        let Ok(said) = self.environment.value(&self.profile.base_url_variable()) else { return false };
        let was_unsure = self.is_unsure.swap(false, Ordering::Relaxed);
        was_unsure && said.is_some_and(|said| said != self.config.base_url)
    }

    fn unread(&self) -> MutexGuard<'_, Option<String>> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse_file(&self, fault: &Fault) {
        tracing::warn!("{fault}");
        *self.unread() = Some(fault.to_string());
        self.health.set(
            check::FILE,
            HealthStatus::Degraded,
            format!("{fault}; the credentials of before stay"),
        );
    }

    /// Says how it is with the credentials now; answers when something of that ends.
    pub(crate) fn tell_of_credentials(&self) -> Option<Duration> {
        let now = clock::monotonic();
        let (held, next) = {
            let ring = self.ring();
            (ring.held(now), ring.next_change(now))
        };
        let credentials = named(held);
        let variable = self.profile.entry.credentials.first().copied().unwrap_or_default();
        let title = self.profile.title;
        let credential = standing::refused(title, variable, &credentials, self.unread().as_deref());
        let limits = standing::limited(title, &credentials, &self.counts.offered(), now);
        self.set(check::CREDENTIAL, credential);
        self.set(check::LIMITS, limits);
        next.map(|at| at.saturating_sub(now))
    }

    fn set(&self, name: &'static str, (status, reason): Standing) {
        match reason {
            Some(reason) => self.health.set(name, status, reason),
            None => self.health.ok(name),
        }
    }

    /// The provider answers as it should.
    pub(crate) fn provider_is_well(&self) {
        self.health.ok(check::PROVIDER);
    }

    /// The provider doesn't. One on this machine can't be used then; one elsewhere may yet answer others.
    pub(crate) fn provider_is_not_well(&self, trouble: &Trouble) {
        let is_local = self.profile.locality == Locality::Local;
        let (status, reason) = match trouble {
            Trouble::Unreachable(reason) if is_local => {
                (HealthStatus::Down, format!("no_backend: {reason}: {}", self.profile.remedy))
            }
            Trouble::Stranger(reason) if is_local => (HealthStatus::Down, reason.clone()),
            Trouble::Unreachable(reason) | Trouble::Failed(reason) | Trouble::Stranger(reason) => {
                (HealthStatus::Degraded, reason.clone())
            }
            // That is said by the credential.
            Trouble::Refused(_) => return self.provider_is_well(),
        };
        self.health.set(check::PROVIDER, status, reason);
    }

    /// The name by which the provider knows the one model that is offered; none where each has its own.
    pub(crate) fn own_name(&self) -> Option<Arc<str>> {
        self.own_name.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What there is of a list, and of the matrix: all of it, or the one model of this service.
    pub(crate) fn offer_of(&self, listed: Option<&[Listed]>, matrix: &[Known]) -> Offer {
        let Some(pinned) = self.profile.pinned else {
            return Offer::new(&self.config.models, listed, matrix);
        };
        let found = Offer::pinned(pinned.name, &self.config.model, listed.unwrap_or_default());
        let (offer, own_name) =
            found.map_or_else(Default::default, |(offer, name)| (offer, Some(name.into())));
        *self.own_name.write().unwrap_or_else(PoisonError::into_inner) = own_name;
        offer
    }

    /// What a server lacks of which a model is wanted, and what it lists.
    fn lack(&self, listed: &[Listed]) -> String {
        let shown = self.provider.shown();
        let lack = match self.config.model.as_str() {
            _ if self.profile.pinned.is_none() => {
                format!("{} has no model to offer at {shown}", self.profile.title)
            }
            "" => format!("{shown} has not one model: name in `model` which is meant"),
            model => format!("{shown} has no {model}"),
        };
        let names: Vec<&str> = listed.iter().map(|model| model.id.as_str()).take(LISTED).collect();
        match names.as_slice() {
            [] => lack,
            names => format!("{lack} (it lists {})", names.join(", ")),
        }
    }

    /// Whether there is a credential that is not refused.
    fn has_taken(&self) -> bool {
        named(self.ring().held(clock::monotonic())).iter().any(|credential| !credential.is_out())
    }

    /// Offers this; of what was listed, unless that could not be found out yet.
    pub(crate) fn offer(&self, offer: &Offer, listed: Option<&[Listed]>, registration: Registration) {
        self.counts.offer(offer.models.iter().map(|model| model.id.as_str()));
        match (offer.models.len(), offer.left_out) {
            // That is said by the credential.
            (0, _) if !self.has_taken() => self.health.ok(check::MODELS),
            (0, _) => {
                let reason = match listed {
                    Some(listed) => format!("no_weights: {}: {}", self.lack(listed), self.profile.remedy),
                    None => format!("nobody knows yet which models {} has", self.profile.title),
                };
                self.health.set(check::MODELS, HealthStatus::Down, reason);
            }
            (_, 0) => self.health.ok(check::MODELS),
            (room, more) => {
                let reason = format!(
                    "{room} models are offered; there is no room for {more} more: name in `models` those that matter"
                );
                self.health.set(check::MODELS, HealthStatus::Ok, reason);
            }
        }
        let is_new = |known: &mut Option<Registration>| {
            let is_new = known.as_ref() != Some(&registration);
            if is_new {
                *known = Some(registration);
            }
            is_new
        };
        self.registration.send_if_modified(is_new);
    }
}

/// By their names.
fn named(held: Vec<Held<Key>>) -> Vec<Credential> {
    let name = |key: &Key| match key {
        Some(secret) => secret.name().to_string(),
        None => "a call without a credential".to_owned(),
    };
    held.into_iter().map(|Held { key, rests }| Credential { name: name(&key), rests }).collect()
}
