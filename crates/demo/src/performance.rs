//! The play is performed: what the core decides is done, and what came of it is told to the core.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pas_service::client::Client;
use pas_service::clock;
use pas_types::registry::{Role, ServiceType, Work};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::calls::Gateway;
use crate::core::{Call, Effect, Outcome, Troupe};
use crate::events::Events;
use crate::models::Played;
use crate::out::{self, Link};
use crate::presence::{Presence, registration};
use crate::story::{self, CAST};

/// How often the core is told the time.
const TICK: Duration = Duration::from_millis(200);
/// All that ends has so much time for it.
const END: Duration = Duration::from_millis(1_500);

/// Where the services are that the play is performed on.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) registry: String,
    pub(crate) gateway: String,
    pub(crate) events: String,
}

/// A call that has ended: whose, its number, and what came of it.
type Ended = (usize, u64, Outcome);

struct Performance {
    troupe: Arc<Mutex<Troupe>>,
    events: Arc<Events>,
    gateway: Gateway,
    tasks: TaskTracker,
    /// Ends the call that an agent waits for.
    calls: HashMap<usize, CancellationToken>,
    ended: mpsc::UnboundedSender<Ended>,
    shutdown: CancellationToken,
}

/// Plays until `shutdown`.
pub(crate) async fn run(services: &Services, shutdown: CancellationToken) -> anyhow::Result<()> {
    let prefix = format!("R-{}", clock::now().wall.as_second());
    let (ended, mut ends) = mpsc::unbounded_channel();
    let mut performance = Performance {
        troupe: Arc::new(Mutex::new(Troupe::new(clock::random(), prefix))),
        events: Arc::default(),
        gateway: Gateway::new(&services.gateway),
        tasks: TaskTracker::new(),
        calls: HashMap::new(),
        ended,
        shutdown: shutdown.clone(),
    };
    let models = story::MODELS.iter().map(|model| Played::start(model, clock::random()));
    let mut models: Vec<Played> = models.collect::<Result<_, _>>()?;
    performance.register(services, &models);
    performance.publish(services);
    let (agents, kinds) = (CAST.len(), models.len());
    out::line(format!(
        "{agents} agents and {kinds} models play: scripted, without a key, and free of charge"
    ));

    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let effects = tokio::select! {
            _ = ticks.tick() => performance.tick(&mut models),
            Some((agent, call, outcome)) = ends.recv() => performance.called(agent, call, outcome),
            () = shutdown.cancelled() => break,
        };
        effects.into_iter().for_each(|effect| performance.perform(effect));
    }
    performance.tasks.close();
    let stopped = async {
        performance.tasks.wait().await;
        for model in models {
            model.stop().await;
        }
    };
    match timeout(END, stopped).await {
        Ok(()) => out::line("the play is over; nothing of it is registered any more"),
        Err(_) => {
            out::line("the play is over; what could not be taken off the registry will be missed there soon")
        }
    }
    Ok(())
}

impl Performance {
    fn troupe(&self) -> MutexGuard<'_, Troupe> {
        self.troupe.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps agents and models in the registry.
    fn register(&self, services: &Services, models: &[Played]) {
        let (client, link) = (Client::default(), Link::new("registry"));
        for model in models {
            let works = || Some(Work::default());
            let presence = Presence::new(&services.registry, &client, &link, model.registration(), works);
            self.tasks.spawn(presence.run(self.shutdown.clone()));
        }
        for (place, agent) in CAST.iter().enumerate() {
            let leads = CAST.iter().any(|other| other.parent == agent.name);
            let role = if leads { Role::Coordinator } else { Role::Execution };
            let labels = [("parent", agent.parent)];
            let labels = if agent.parent.is_empty() { &[] } else { &labels[..] };
            let registration = registration(agent.name, ServiceType::Agent, role, labels);
            let troupe = Arc::clone(&self.troupe);
            let work = move || {
                let troupe = troupe.lock().unwrap_or_else(PoisonError::into_inner);
                troupe.work(place, clock::monotonic())
            };
            let presence = Presence::new(&services.registry, &client, &link, registration, work);
            self.tasks.spawn(presence.run(self.shutdown.clone()));
        }
    }

    fn publish(&self, services: &Services) {
        let (events, url, shutdown) =
            (Arc::clone(&self.events), services.events.clone(), self.shutdown.clone());
        let run =
            async move { events.run(&url, Client::default(), Link::new("event stream"), shutdown).await };
        self.tasks.spawn(run);
    }

    fn tick(&self, models: &mut [Played]) -> Vec<Effect> {
        let now = clock::monotonic();
        let mut troupe = self.troupe();
        let effects = troupe.tick(now);
        for (place, model) in models.iter_mut().enumerate() {
            model.look(troupe.ails(place, now));
        }
        effects
    }

    fn called(&mut self, agent: usize, call: u64, outcome: Outcome) -> Vec<Effect> {
        self.troupe().called(agent, call, outcome, clock::monotonic())
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Call { agent, call } => self.call(agent, call),
            Effect::Hang { agent } => {
                if let Some(call) = self.calls.remove(&agent) {
                    call.cancel();
                }
            }
            Effect::Tell { agent, run, told } => self.events.tell(CAST[agent].name, run, told),
        }
    }

    fn call(&mut self, agent: usize, call: Call) {
        let stop = self.shutdown.child_token();
        self.calls.insert(agent, stop.clone());
        let (gateway, ended) = (self.gateway.clone(), self.ended.clone());
        self.tasks.spawn(async move {
            let outcome = stop.run_until_cancelled(gateway.call(CAST[agent].name, &call)).await;
            if let Some(outcome) = outcome {
                // Nobody hears it when the play is over.
                drop(ended.send((agent, call.number, outcome)));
            }
        });
    }
}
