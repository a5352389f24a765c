//! Random histories against a small model of what must hold.

use std::collections::{BTreeMap, BTreeSet};

use pas_types::registry::{Deregister, Promote, Selector};
use proptest::prelude::*;

use super::*;

/// The names that take part; the first few always beat in time.
const NAMES: u8 = 6;
const DILIGENT: u8 = 2;
const SWEEP: Duration = Duration::from_millis(500);

#[derive(Debug, Clone)]
enum Command {
    Register { who: u8, boot: Option<u8>, port: u8, by_id: bool },
    Promote(u8, usize),
    Pause(Option<u8>, bool),
    Deregister(u8),
}

#[derive(Debug, Clone)]
enum Fact {
    Beat { who: u8, stale: bool },
    Pass(u64),
    Stall(u64),
}

#[derive(Debug, Clone)]
enum Step {
    /// Commands of one batch, what happens while it is written, and whether that succeeds.
    Batch(Vec<Command>, Vec<Fact>, bool),
    Fact(Fact),
    Restart(u64),
}

fn commands() -> impl Strategy<Value = Command> {
    let who = 0..NAMES;
    prop_oneof![
        5 => (who.clone(), prop::option::of(0..3_u8), 0..2_u8, any::<bool>())
            .prop_map(|(who, boot, port, by_id)| Command::Register { who, boot, port, by_id }),
        2 => (who.clone(), 0..4_usize).prop_map(|(who, rung)| Command::Promote(who, rung)),
        2 => (prop::option::of(who), any::<bool>()).prop_map(|(who, paused)| Command::Pause(who, paused)),
        1 => (DILIGENT..NAMES).prop_map(Command::Deregister),
    ]
}

fn facts() -> impl Strategy<Value = Fact> {
    prop_oneof![
        3 => (0..NAMES, any::<bool>()).prop_map(|(who, stale)| Fact::Beat { who, stale }),
        3 => (0..80_u64).prop_map(Fact::Pass),
        1 => (0..5_000_u64).prop_map(Fact::Stall),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let batch = (
        prop::collection::vec(commands(), 1..4),
        prop::collection::vec(facts(), 0..3),
        prop::bool::weighted(0.75),
    );
    let step = prop_oneof![
        4 => batch.prop_map(|(commands, facts, written)| Step::Batch(commands, facts, written)),
        5 => facts().prop_map(Step::Fact),
        1 => (0..4_000_u64).prop_map(Step::Restart),
    ];
    prop::collection::vec(step, 1..60)
}

fn registration(who: u8, boot: Option<u8>, port: u8) -> Registration {
    let (heartbeat_interval_s, ttl_s) =
        [(10, 11), (10, 15), (5, 60), (30, 45), (60, 90), (20, 20)][usize::from(who)];
    Registration {
        url: Some(format!("http://127.0.0.1:{port}/{who}")),
        boot_id: boot.map(|boot| boot.to_string()),
        heartbeat_interval_s,
        ttl_s,
        ..model(&format!("m{who}"))
    }
}

/// What was acknowledged of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Promised {
    lease: LeaseId,
    role: Role,
    paused: bool,
}

/// The world, and what the model knows of it.
struct Model {
    world: World,
    /// What clients were told, which must outlive everything.
    promised: BTreeMap<ServiceId, Promised>,
    /// Every lease that was ever given out.
    leases: BTreeMap<ServiceId, BTreeSet<LeaseId>>,
    /// When those that are diligent beat last, on their own clock.
    beaten: BTreeMap<ServiceId, Duration>,
    /// The time that the registry was awake, and when in it each service was heard of.
    awake: Duration,
    heard: BTreeMap<ServiceId, Duration>,
    /// Promises of the batch that is being written; none: it is gone.
    open: Vec<(ServiceId, Option<Promised>)>,
}

impl Model {
    fn new() -> Self {
        // With a wide brake the model can say exactly who is gone; the brake has tests of its own.
        let world = World::new(Tuning { brake_percent: 100, ..Tuning::default() });
        let mut model = Self {
            world,
            promised: BTreeMap::new(),
            leases: BTreeMap::new(),
            beaten: BTreeMap::new(),
            awake: Duration::ZERO,
            heard: BTreeMap::new(),
            open: Vec::new(),
        };
        for who in 0..DILIGENT {
            model.command(Command::Register { who, boot: Some(0), port: 0, by_id: false });
        }
        model.write();
        model
    }

    fn find(&self, who: u8) -> Option<ServiceId> {
        self.world.registry.named(&format!("m{who}")).next().map(Row::id)
    }

    fn current(&self, id: ServiceId) -> Promised {
        let record = &self.world.registry.get(id).expect("it is on the list").record;
        Promised { lease: record.lease_id, role: record.role, paused: record.paused }
    }

    fn command(&mut self, command: Command) {
        let now = self.world.now;
        match command {
            Command::Register { who, boot, port, by_id } => {
                let port = if who < DILIGENT { 0 } else { port };
                let service_id = self.find(who).filter(|_| by_id);
                let registration = Registration { service_id, ..registration(who, boot, port) };
                let Ok((registered, _)) = self.world.register(registration) else { return };
                let id = registered.service_id;
                self.leases.entry(id).or_default().insert(registered.lease_id);
                self.heard.insert(id, self.awake);
                self.open.push((id, Some(self.current(id))));
                if who < DILIGENT {
                    self.beaten.insert(id, now.monotonic);
                }
            }
            Command::Promote(who, rung) => {
                let Some(service_id) = self.find(who) else { return };
                let promote = Promote { service_id, role: Role::RUNGS[rung], reason: None };
                self.world.registry.promote(&promote, now).expect("a model can be promoted");
                self.open.push((service_id, Some(self.current(service_id))));
            }
            Command::Pause(who, paused) => {
                let name = who.map(|who| format!("m{who}"));
                let selector = Selector { all: name.is_none().then_some(true), name, ..Selector::default() };
                let registry = &mut self.world.registry;
                let outcome =
                    if paused { registry.pause(&selector, now) } else { registry.resume(&selector, now) };
                for id in outcome.map(|outcome| outcome.changed).unwrap_or_default() {
                    self.open.push((id, Some(self.current(id))));
                }
            }
            Command::Deregister(who) => {
                let Some(service_id) = self.find(who) else { return };
                let bye = Deregister { service_id, lease_id: None, reason: None };
                self.world.registry.deregister(&bye, now).expect("it is on the list");
                self.open.push((service_id, None));
            }
        }
    }

    fn fact(&mut self, fact: &Fact) {
        match *fact {
            Fact::Beat { who, stale } => {
                let Some(id) = self.find(who) else { return };
                let current = self.world.registry.get(id).expect("it is on the list").record.lease_id;
                let old = self.leases[&id].iter().copied().find(|lease| *lease != current);
                let lease = if stale { old } else { Some(current) };
                let refused = lease.is_some_and(|lease| lease != current);
                let answer = self.world.beat(id, lease);
                assert_eq!(answer.is_err(), refused, "exactly one lease of a service lives");
                if !refused {
                    self.heard.insert(id, self.awake);
                    self.beaten.entry(id).and_modify(|beaten| *beaten = self.world.now.monotonic);
                }
            }
            Fact::Pass(time) => {
                for _ in 0..time * 2 {
                    self.beat_diligently();
                    self.awake += SWEEP;
                    self.world.pass(SWEEP);
                    self.check_offers();
                }
            }
            Fact::Stall(time) => {
                self.awake += seconds(time).min(SWEEP);
                self.world.stall(seconds(time));
                self.beat_diligently();
                self.check_offers();
            }
        }
    }

    /// The diligent beat when their interval is over; nobody can while the registry stands still, or is away.
    fn beat_diligently(&mut self) {
        let now = self.world.now.monotonic;
        for (id, beaten) in &mut self.beaten {
            let Some(row) = self.world.registry.get(*id) else { continue };
            if now.saturating_sub(*beaten) >= row.record.interval() {
                let lease = Some(row.record.lease_id);
                self.world
                    .registry
                    .beat(&Heartbeat::plain(*id, lease), self.world.now)
                    .expect("it has the lease");
                *beaten = now;
                self.heard.insert(*id, self.awake);
            }
        }
    }

    /// Nothing that beats in time is ever unwell, and nothing is offered past its second miss.
    fn check_offers(&self) {
        for id in self.beaten.keys() {
            let gone = self.world.registry.gone(*id).is_some();
            let missed = self.world.registry.get(*id).map_or(0, |row| row.life.missed);
            assert!(!gone && missed == 0, "{id} beats in time, but missed {missed}, gone: {gone}");
        }
        let page = self.world.registry.discover(&DiscoveryQuery::default()).expect("the query is legal");
        for service in page.into_answer(self.world.now).services {
            let silent = self.awake.saturating_sub(self.heard[&service.service_id]);
            let second_miss = seconds(u64::from(service.ttl_s + service.heartbeat_interval_s));
            assert!(silent <= second_miss + SWEEP, "{} is offered, silent for {silent:?}", service.name);
        }
    }

    fn batch(&mut self, commands: Vec<Command>, meanwhile: &[Fact], written: bool) {
        let heard = self.heard.clone();
        commands.into_iter().for_each(|command| self.command(command));
        let batch = self.world.registry.batch();
        meanwhile.iter().for_each(|fact| self.fact(fact));
        if written {
            self.world.disk.write(&batch);
            self.world.registry.committed(&batch);
            self.keep_promises(&batch);
        } else {
            self.world.registry.failed();
            self.open.clear();
            // Who was taken off by a command that is undone has the deadline that it had before.
            for (id, before) in heard {
                self.heard.entry(id).and_modify(|heard| *heard = before.max(*heard));
            }
        }
        // What fell silent meanwhile is written next.
        self.write();
    }

    fn write(&mut self) {
        let batch = self.world.commit();
        self.keep_promises(&batch);
        self.check_promises();
    }

    fn keep_promises(&mut self, batch: &Batch) {
        // In a batch, whoever fell silent did so before the commands.
        for transition in batch.transitions.iter().filter(|it| it.kind == TransitionKind::Evicted) {
            self.promised.remove(&transition.service_id.expect("a service was evicted"));
        }
        for (id, promised) in self.open.drain(..) {
            match promised {
                Some(promised) => drop(self.promised.insert(id, promised)),
                None => drop(self.promised.remove(&id)),
            }
        }
    }

    /// What was acknowledged is there, nothing else is, the disk says the same, and one place has one service.
    fn check_promises(&self) {
        let registry = &self.world.registry;
        let live: BTreeMap<ServiceId, Promised> =
            registry.services.keys().map(|id| (*id, self.current(*id))).collect();
        assert_eq!(live, self.promised);
        let written: BTreeSet<ServiceId> = self.world.disk.rows.keys().copied().collect();
        assert_eq!(written, live.keys().copied().collect());
        for (id, row) in &self.world.disk.rows {
            assert_eq!(row.record, registry.services[id].record);
        }
        let places: BTreeSet<_> = registry.services.values().map(|row| row.record.url.clone()).collect();
        assert_eq!(places.len(), live.len(), "two services at one place");
        let seqs: Vec<u64> = self.world.disk.transitions.iter().map(|it| it.seq).collect();
        assert!(seqs.is_sorted_by(|a, b| a < b), "places of transitions are used once, and in order");
    }

    fn restart(&mut self, away: u64) {
        self.world.restart(seconds(away));
        self.check_promises();
        for (id, row) in &self.world.registry.services {
            let grace = row.record.ttl().max(seconds(60)).mul_f64(1.1);
            self.heard.insert(*id, self.awake + grace - row.record.ttl());
        }
        self.beat_diligently();
        self.check_offers();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn promises_and_liveness_hold_through_every_history(steps in steps()) {
        let mut model = Model::new();
        for step in steps {
            match step {
                Step::Batch(commands, meanwhile, written) => model.batch(commands, &meanwhile, written),
                Step::Fact(fact) => model.fact(&fact),
                Step::Restart(away) => {
                    model.write();
                    model.restart(away);
                }
            }
        }
        model.write();
    }
}
