//! What the router does, for whoever asks: read the files, judge them whole, swap them whole, choose.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use pas_routing::{Ask, Fleet, Scratch, Speaks, explain};
use pas_service::fleet::Snapshot;
use pas_service::publisher::Publisher;
use pas_service::{Health, clock};
use pas_types::alert::{AlertAction, AlertType, HeartbeatAlert, Severity};
use pas_types::health::HealthStatus;
use pas_types::id::AlertId;
use pas_types::routing::{
    MatrixView, PoliciesView, PriceView, PricesView, RateView, RefusalView, RouteAnswer, RouteRequest,
};
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::watch;

use crate::ENTRY;
use crate::core::{Documents, Rejection, judge};
use crate::error::Error;
use crate::metrics::Counts;
use crate::store::{Store, Texts};

/// The check that says whether the files hold.
const CHECK: &str = "files";

/// The router at work.
#[derive(Debug)]
pub struct App {
    store: Store,
    /// What was read last, so that nothing is judged twice.
    read: tokio::sync::Mutex<Option<Texts>>,
    documents: watch::Sender<Option<Arc<Documents>>>,
    fleet: watch::Sender<Option<Arc<Fleet>>>,
    scratch: Mutex<Scratch>,
    publisher: Publisher,
    health: Health,
    counts: Counts,
}

impl App {
    /// Nothing is in force yet.
    pub fn new(store: Store, publisher: Publisher, health: Health, counts: Counts) -> Self {
        Self {
            store,
            read: tokio::sync::Mutex::default(),
            documents: watch::Sender::new(None),
            fleet: watch::Sender::new(None),
            scratch: Mutex::default(),
            publisher,
            health,
            counts,
        }
    }

    /// Looks at the files. What is new and valid as a whole is in force from here on; what has a fault changes nothing,
    /// and is told.
    pub async fn look(&self) {
        let mut read = self.read.lock().await;
        let texts = self.store.read().await;
        if read.as_ref() == Some(&texts) {
            return;
        }
        let (matrix, policies) = self.store.names();
        match judge((&matrix, &policies), &texts.matrix, &texts.policies) {
            Ok(documents) => self.accept(documents),
            Err(rejection) => self.reject(&rejection),
        }
        *read = Some(texts);
    }

    fn accept(&self, documents: Documents) {
        self.health.ok(CHECK);
        let versions = documents.table.versions();
        let known = self.documents.borrow().as_ref().map(|known| known.table.versions().clone());
        if known.as_ref() == Some(versions) {
            return;
        }
        tracing::info!(matrix = versions.matrix, policies = versions.policies, "the files are in force");
        self.counts.loads.inc();
        self.documents.send_replace(Some(Arc::new(documents)));
    }

    fn reject(&self, rejection: &Rejection) {
        let (status, meanwhile) = match self.documents.borrow().as_ref() {
            Some(_) => (HealthStatus::Degraded, "what was in force before still is"),
            None => (HealthStatus::Down, "nothing is in force"),
        };
        let reason = format!("config_rejected: {rejection}; {meanwhile}");
        tracing::error!("{reason}");
        self.counts.rejections.inc();
        self.health.set(CHECK, status, reason.clone());
        let faults = rejection.faults.iter().take(64).cloned().collect::<Vec<_>>();
        let alert = HeartbeatAlert {
            alert_id: AlertId(clock::new_id()),
            alert_type: AlertType::ConfigRejected,
            severity: Severity::Critical,
            service_id: None,
            service_name: ENTRY.name.to_owned(),
            missed_beats: 0,
            last_seen: None,
            action: AlertAction::None,
            ts: clock::now().wall.into(),
            acked: false,
            message: Some(shortened(reason)),
            details: Some(BTreeMap::from([("faults".to_owned(), faults.into())])),
        };
        self.publisher.publish(alert.into());
    }

    /// Takes in what is registered, or what is in force, where one of them changed.
    pub fn rebuild(&self, snapshot: &Snapshot) {
        let Some(documents) = self.documents.borrow().clone() else { return };
        let fleet = Fleet::build(Arc::clone(&documents.table), snapshot.services.to_vec());
        self.counts.candidates.set(fleet.candidates().len() as i64);
        self.fleet.send_replace(Some(Arc::new(fleet)));
    }

    /// What is in force, told on each change.
    pub fn documents(&self) -> watch::Receiver<Option<Arc<Documents>>> {
        self.documents.subscribe()
    }

    /// How many gateways listen.
    pub fn watchers(&self) -> &Gauge {
        &self.counts.watchers
    }

    fn in_force(&self) -> Result<Arc<Documents>, Error> {
        self.documents.borrow().clone().ok_or(Error::NoTable)
    }

    /// Who would be asked, and who would not, and why.
    pub fn route(&self, request: &RouteRequest) -> Result<RouteAnswer, pas_types::Error> {
        let fleet = self.fleet.borrow().clone().ok_or(Error::NoTable)?;
        let table = fleet.table();
        let ask = Ask {
            speaks: request.dialect.map_or(Speaks::Plain, Speaks::Dialect),
            input_tokens: request.input_tokens.unwrap_or_default(),
            output_tokens: request.output_tokens,
            agent: request.agent.as_deref(),
            ..Ask::of_target(table, &request.target)?
        };
        let rules = table.rules(request.policy.as_ref(), &ask)?;
        let ask = Ask { deadline: Some(rules.call), ..ask };
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = explain(&fleet, &ask, &rules, &(), &mut scratch);
        drop(scratch);
        Ok(RouteAnswer {
            policy: rules.view(table),
            versions: table.versions().clone(),
            candidates: plan.candidate_views(&fleet, &ask, &rules).collect(),
            usable: plan.usable,
            excluded: plan.excluded_views(&fleet).collect(),
            excluded_counts: plan.counts.iter().collect(),
            refusal: plan.refusal.as_ref().map(RefusalView::from),
        })
    }

    /// The matrix.
    pub fn matrix(&self) -> Result<MatrixView, Error> {
        let documents = self.in_force()?;
        let version = documents.table.versions().matrix.clone();
        Ok(MatrixView { version, matrix: raw(&documents.matrix_json) })
    }

    /// The policies.
    pub fn policies(&self) -> Result<PoliciesView, Error> {
        let documents = self.in_force()?;
        let version = documents.table.versions().policies.clone();
        Ok(PoliciesView { version, policies: raw(&documents.policies_json) })
    }

    /// What each model costs.
    pub fn prices(&self) -> Result<PricesView, Error> {
        let documents = self.in_force()?;
        let models = documents.matrix.providers.iter().flat_map(|provider| {
            provider.models.iter().map(move |model| PriceView {
                provider: provider.name.clone(),
                model: model.id.clone(),
                usd_per_million: model.prices.as_ref().map(|prices| rates(&prices.usd_per_million)),
                above_input_tokens: model.prices.as_ref().and_then(|it| it.above).map(|it| it.input_tokens),
                usd_per_million_above: model
                    .prices
                    .as_ref()
                    .and_then(|it| it.above)
                    .map(|it| rates(&it.usd_per_million)),
                source: model.prices.as_ref().map(|prices| prices.source.clone()),
                date: model.prices.as_ref().map(|prices| prices.date.clone()),
            })
        });
        Ok(PricesView { version: documents.table.versions().prices.clone(), prices: models.collect() })
    }
}

fn rates(rates: &pas_routing::matrix::Rates) -> RateView {
    RateView {
        input: rates.input,
        output: rates.output,
        cache_read: rates.cache_read,
        cache_write: rates.cache_write,
    }
}

/// As much of a message as an alert may carry.
fn shortened(mut message: String) -> String {
    message.truncate(message.floor_char_boundary(pas_types::limits::REASON_BYTES));
    message
}

/// A document that was written by us, to be handed out as it is.
fn raw(json: &str) -> serde_json::Value {
    serde_json::from_str(json).unwrap_or_default()
}
