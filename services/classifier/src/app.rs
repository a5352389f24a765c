//! What is done: calls are answered from the model in force; when the examples change, another takes its place.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use pas_service::{Health, Measures, clock};
use pas_types::classifier::{Answer, Classification, Order, Summary};
use pas_types::health::HealthStatus;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Config;
use crate::core::corpus::{self, Corpus};
use crate::core::model::Model;
use crate::core::reload::Watch;
use crate::core::summary::{Length, summarise};
use crate::core::training::{Trained, train};
use crate::error::Error;
use crate::metrics::Counts;
use crate::store::{self, Stamp, Store};

/// The health check of the model.
const MODEL: &str = "model";
/// Bytes of a text that is worked on at once, where it arrives; longer ones go to a thread of their own. In a release build
/// this many take less than a millisecond.
const SHORT_BYTES: usize = 2 * 1024;

/// The classifier, as its routes and tasks see it.
#[derive(Debug)]
pub struct App {
    store: Arc<Store>,
    model: RwLock<Option<Arc<Model>>>,
    watch: Mutex<Option<Watch<Stamp>>>,
    /// Places for long texts, those that wait among them; and for those that are worked on.
    places: Arc<Semaphore>,
    workers: Arc<Semaphore>,
    limits: (usize, usize),
    counts: Counts,
    measures: Measures,
    health: Health,
}

/// Why there is no new model.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    /// The files can't be used.
    #[error(transparent)]
    Files(#[from] store::Fault),
    /// What they say can't.
    #[error(transparent)]
    Examples(#[from] corpus::Fault),
    /// The thread was lost.
    #[error("the training was cut short")]
    Cut,
}

impl App {
    /// It has learned nothing yet.
    pub fn new(store: Store, config: &Config, counts: Counts, measures: Measures, health: Health) -> Self {
        Self {
            store: Arc::new(store),
            model: RwLock::new(None),
            watch: Mutex::new(None),
            places: Arc::new(Semaphore::new(config.workers + config.queue)),
            workers: Arc::new(Semaphore::new(config.workers)),
            limits: (config.workers, config.queue),
            counts,
            measures,
            health,
        }
    }

    /// Does what is ordered.
    pub async fn invoke(&self, order: Order) -> Result<Answer, Error> {
        let (task, begun) = (order.task(), clock::now());
        let answer = self.work(order).await;
        let took = clock::monotonic().saturating_sub(begun.monotonic);
        self.counts.called(task, answer.is_ok(), took);
        answer
    }

    async fn work(&self, order: Order) -> Result<Answer, Error> {
        let model = self.model.read().unwrap_or_else(PoisonError::into_inner).clone();
        let waiting = self.measures.wait();
        if order.text().len() <= SHORT_BYTES {
            let _call = waiting.begin();
            return answer(model.as_deref(), &order);
        }
        let held = self.place().await?;
        let call = waiting.begin();
        // Who asked may have gone meanwhile; the place is free when the work is done.
        let work = move || {
            let _held = (held, call);
            answer(model.as_deref(), &order)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Error::Cut)?
    }

    /// Waits for a thread to work on, if there is room to wait.
    async fn place(&self) -> Result<[OwnedSemaphorePermit; 2], Error> {
        let (workers, queue) = self.limits;
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Error::Busy { workers, queue })?;
        let worker = Arc::clone(&self.workers).acquire_owned().await.map_err(|_| Error::Cut)?;
        Ok([place, worker])
    }

    /// Learns what is there, at the start.
    pub async fn learn(&self) {
        let stamp = self.stamp().await;
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(Watch::new(stamp));
        self.adopt().await;
    }

    /// Learns it anew, if it has changed.
    pub async fn look(&self) {
        let stamp = self.stamp().await;
        if self.is_due(stamp) {
            let taken = self.adopt().await;
            self.counts.reloaded(taken);
        }
    }

    fn is_due(&self, stamp: Stamp) -> bool {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        watch.as_mut().is_some_and(|watch| watch.look(stamp))
    }

    async fn stamp(&self) -> Stamp {
        let store = Arc::clone(&self.store);
        tokio::task::spawn_blocking(move || store.stamp()).await.unwrap_or_default()
    }

    /// Makes a model of what is there, and puts it in force if that can be done; answers whether it was. Else nothing changes
    /// but the health.
    async fn adopt(&self) -> bool {
        let store = Arc::clone(&self.store);
        let made = tokio::task::spawn_blocking(move || make(&store)).await;
        let (trained, took) = match made.unwrap_or(Err(Unusable::Cut)) {
            Ok(made) => made,
            Err(error) => {
                self.complain(&error);
                return false;
            }
        };
        self.counts.learned(&trained, took);
        let Trained { model, examples, right_unseen } = trained;
        let (labels, took_ms) = (model.labels().len(), took.as_millis() as u64);
        tracing::info!(examples, labels, right_unseen, took_ms, "learned the examples");
        *self.model.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(model));
        self.health.ok(MODEL);
        true
    }

    fn complain(&self, error: &Unusable) {
        let (status, reason) = match self.model.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
            Some(_) => (HealthStatus::Degraded, format!("{error}; the model of before stays in force")),
            None if matches!(error, Unusable::Files(store::Fault::Missing(_))) => {
                (HealthStatus::Down, format!("no_weights: {error}"))
            }
            None => (HealthStatus::Down, format!("the examples can't be used: {error}")),
        };
        tracing::warn!("{reason}");
        self.health.set(MODEL, status, reason);
    }
}

fn make(store: &Store) -> Result<(Trained, Duration), Unusable> {
    let begun = clock::now();
    let trained = train(&Corpus::new(store.read()?)?);
    Ok((trained, clock::monotonic().saturating_sub(begun.monotonic)))
}

fn answer(model: Option<&Model>, order: &Order) -> Result<Answer, Error> {
    match order {
        Order::Classify { text } => model.map(|model| classification(model, text)).ok_or(Error::Untrained),
        Order::Summarize { text, max_sentences, max_chars } => {
            let length = Length { sentences: *max_sentences as usize, chars: *max_chars as usize };
            let found = summarise(text, length).ok_or(Error::Empty)?;
            let (text, truncated) = (found.text, found.is_cut);
            let (sentences, of_sentences) = (found.sentences, found.of_sentences);
            Ok(Answer::Summary(Summary { text, sentences, of_sentences, truncated }))
        }
    }
}

fn classification(model: &Model, text: &str) -> Answer {
    let judged = model.judge(text);
    let label = model.labels().get(judged.label()).cloned().unwrap_or_default();
    let named = model.labels().iter().cloned().zip(judged.probabilities.iter().copied());
    Answer::Classification(Classification {
        text: label.clone(),
        label,
        probabilities: named.collect::<BTreeMap<_, _>>(),
        words: judged.words,
        known_words: judged.known_words,
    })
}
