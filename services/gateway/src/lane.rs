//! The way to one candidate, kept while snapshots of what is registered come and go: its connections and its breaker.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use pas_routing::{Candidate, Service};
use pas_service::clock;
use pas_types::id::ServiceId;
use pas_types::registry::Status;
use pas_upstream::{Connector, Origin, Pool, Root};

use crate::core::breaker::{Blame, Breaker, Held, News, Pass, Rules};

/// The way to one candidate.
#[derive(Debug)]
pub struct Lane {
    /// The service.
    pub service_id: ServiceId,
    /// Its name.
    pub name: Arc<str>,
    /// Its address.
    pub url: Arc<str>,
    /// The model, as the service knows it.
    pub model: Arc<str>,
    /// Both, as a caller is told them.
    pub told: Served,
    /// Its address, taken apart.
    pub root: Root,
    /// Connections to it.
    pub pool: Arc<Pool>,
    breaker: Mutex<Breaker>,
}

/// Who answers, and with which model, as headers say it.
#[derive(Debug, Clone)]
pub struct Served {
    /// The name of the service; none if no header can hold it.
    pub service: Option<HeaderValue>,
    /// The model, likewise.
    pub model: Option<HeaderValue>,
}

impl Lane {
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why it may not be called now.
    pub fn held(&self, now: Duration) -> Option<Held> {
        self.breaker().held(now)
    }

    /// A call begins, unless the breaker has something against it; `anyway`, also while that is open, as long as nobody
    /// else tries. It says what it found out by [`Trial::end`]; one that is dropped found out nothing.
    pub fn begin(self: &Arc<Self>, anyway: bool) -> Option<Trial> {
        let pass = self.breaker().begin(clock::monotonic(), anyway)?;
        Some(Trial { lane: Arc::clone(self), pass: Some(pass) })
    }
}

/// A call that is on its way to a candidate.
#[derive(Debug)]
pub struct Trial {
    lane: Arc<Lane>,
    pass: Option<Pass>,
}

impl Trial {
    /// It has found out this.
    pub fn end(mut self, blame: Blame) -> Option<News> {
        self.close(blame)
    }

    /// It answers, though it has not come to its end: whoever waited for that may come.
    pub fn answers(mut self) -> (Self, Option<News>) {
        if !self.pass.is_some_and(Pass::is_probe) {
            return (self, None);
        }
        let news = self.close(Blame::Success);
        self.pass = self.lane.breaker().begin(clock::monotonic(), false);
        (self, news)
    }

    fn close(&mut self, blame: Blame) -> Option<News> {
        let pass = self.pass.take()?;
        self.lane.breaker().end(pass, blame, &Rules::default(), clock::monotonic())
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.close(Blame::Nobody);
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct Lanes {
    connector: Connector,
    lanes: HashMap<u64, (Arc<Lane>, Arc<Service>)>,
    pools: HashMap<Origin, Arc<Pool>>,
}

impl Lanes {
    /// The ways to these candidates, in their order; none to one without an address that can be called. What leads to
    /// nobody any more is forgotten.
    pub fn lead_to(&mut self, candidates: &[Candidate]) -> Vec<Option<Arc<Lane>>> {
        let mut before = std::mem::take(&mut self.lanes);
        let pools = std::mem::take(&mut self.pools);
        let mut lead = |candidate: &Candidate| {
            let known = before
                .remove(&candidate.key)
                .filter(|(lane, _)| Some(&*lane.url) == candidate.service.url.as_deref());
            let lane = match known {
                Some((lane, service)) => {
                    if says_otherwise(&service, &candidate.service) {
                        lane.breaker().registered_anew();
                    }
                    lane
                }
                None => self.lane(candidate, &pools)?,
            };
            self.pools.entry(lane.root.origin.clone()).or_insert_with(|| Arc::clone(&lane.pool));
            self.lanes.insert(candidate.key, (Arc::clone(&lane), Arc::clone(&candidate.service)));
            Some(lane)
        };
        candidates.iter().map(&mut lead).collect()
    }

    /// Closes connections that have been idle for too long.
    pub fn shed(&self) {
        self.pools.values().for_each(|pool| pool.shed());
    }

    fn lane(&self, candidate: &Candidate, pools: &HashMap<Origin, Arc<Pool>>) -> Option<Arc<Lane>> {
        let url = candidate.service.url.as_deref()?;
        let root = Root::read(url)?;
        let known = self.pools.get(&root.origin).or_else(|| pools.get(&root.origin));
        let make = || Arc::new(Pool::new(root.origin.clone(), self.connector.clone()));
        let pool = known.map_or_else(make, Arc::clone);
        Some(Arc::new(Lane {
            service_id: candidate.service.service_id,
            name: candidate.service.name.as_str().into(),
            url: url.into(),
            model: Arc::clone(&candidate.model),
            told: Served {
                service: HeaderValue::from_str(&candidate.service.name).ok(),
                model: HeaderValue::from_str(&candidate.model).ok(),
            },
            root,
            pool,
            breaker: Mutex::default(),
        }))
    }
}

/// Whether a service says something of itself that it did not say before: what was wrong with it may be mended.
fn says_otherwise(before: &Service, now: &Service) -> bool {
    let mended = before.status != Status::Ok && now.status == Status::Ok;
    mended || before.labels != now.labels || before.caps != now.caps
}
