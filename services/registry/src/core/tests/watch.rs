use std::collections::BTreeMap;
use std::sync::Arc;

use pas_types::registry::Deregister;
use proptest::prelude::*;

use super::super::{Cursor, Record};
use super::*;

/// What watchers are told of a service.
type Told = (Arc<Record>, Status, Vec<String>, bool);

fn told(row: &Row) -> Told {
    (row.record.clone(), row.life.status(), row.life.status_reasons(), row.life.verified)
}

/// A follower of the registry, which keeps to the rules of the proto's comments.
#[derive(Default)]
struct Watcher {
    cursor: Option<Cursor>,
    known: BTreeMap<ServiceId, Told>,
}

impl Watcher {
    fn poll(&mut self, world: &World) {
        let Some(changes) = self.cursor.and_then(|cursor| world.registry.changes_after(cursor)) else {
            return self.start_over(world);
        };
        self.cursor = Some(changes.at);
        self.known.extend(changes.upserted.iter().map(|(_, row)| (row.id(), told(row))));
        changes.removed.iter().for_each(|id| drop(self.known.remove(id)));
        if changes.more {
            self.poll(world);
        }
    }

    fn start_over(&mut self, world: &World) {
        let snapshot = world.registry.snapshot();
        if snapshot.authoritative {
            self.known.clear();
        }
        self.known.extend(snapshot.rows.iter().map(|(_, row)| (row.id(), told(row))));
        self.cursor = Some(snapshot.at);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Register(u8, u8),
    Deregister(u8),
    Beat(u8, bool),
    Pass(u64),
    Commit,
    Fail,
    Poll,
    /// The connection breaks; the watcher comes back with its cursor, or without.
    Reconnect(bool),
    Restart,
    LoseDatabase,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..8_u8, 0..3_u8).prop_map(|(who, boot)| Step::Register(who, boot)),
        3 => (0..8_u8).prop_map(Step::Deregister),
        3 => (0..8_u8, any::<bool>()).prop_map(|(who, well)| Step::Beat(who, well)),
        2 => (0..200_u64).prop_map(Step::Pass),
        5 => Just(Step::Commit),
        2 => Just(Step::Fail),
        5 => Just(Step::Poll),
        1 => any::<bool>().prop_map(Step::Reconnect),
        1 => Just(Step::Restart),
        1 => Just(Step::LoseDatabase),
    ];
    prop::collection::vec(step, 1..120)
}

fn take(world: &mut World, watcher: &mut Watcher, step: Step) {
    let name = |who: u8| format!("m{who}");
    let find = |world: &World, who| world.registry.named(&name(who)).next().map(Row::id);
    match step {
        Step::Register(who, boot) => {
            let _ = world.register(Registration { boot_id: Some(boot.to_string()), ..model(&name(who)) });
        }
        Step::Deregister(who) => {
            if let Some(service_id) = find(world, who) {
                let bye = Deregister { service_id, lease_id: None, reason: None };
                world.registry.deregister(&bye, world.now).unwrap();
            }
        }
        Step::Beat(who, well) => {
            if let Some(id) = find(world, who) {
                let status = if well { Status::Ok } else { Status::Degraded };
                let beat = Heartbeat { status: Some(status), ..Heartbeat::plain(id, None) };
                world.registry.beat(&beat, world.now).unwrap();
            }
        }
        Step::Pass(time) => world.pass(seconds(time)),
        Step::Commit => drop(world.commit()),
        Step::Fail => world.registry.failed(),
        Step::Poll => watcher.poll(world),
        Step::Reconnect(with_cursor) => watcher.cursor = watcher.cursor.filter(|_| with_cursor),
        Step::Restart => world.restart(seconds(3)),
        Step::LoseDatabase => {
            world.disk = Disk::default();
            world.restart(seconds(3));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn a_watcher_ends_up_with_what_discovery_finds(steps in steps()) {
        let mut world = World::new(Tuning { max_tombstones: 2, ..Tuning::default() });
        let mut watcher = Watcher::default();
        for step in steps {
            take(&mut world, &mut watcher, step);
        }
        world.pass(seconds(70));
        world.commit();
        watcher.poll(&world);
        let all: BTreeMap<ServiceId, Told> =
            world.registry.services.values().map(|row| (row.id(), told(row))).collect();
        prop_assert_eq!(&watcher.known, &all);
        let found = world.registry.discover(&everything()).unwrap().into_answer(world.now);
        let found: Vec<ServiceId> = found.services.iter().map(|service| service.service_id).collect();
        prop_assert!(watcher.known.keys().all(|id| found.contains(id)) && found.len() == all.len());
    }

    #[test]
    fn a_watcher_is_never_told_what_a_failed_write_takes_back(steps in steps()) {
        let mut world = World::new(Tuning { max_tombstones: 2, ..Tuning::default() });
        let mut watcher = Watcher::default();
        world.pass(seconds(70));
        for step in steps {
            if matches!(step, Step::Restart | Step::LoseDatabase) {
                continue;
            }
            take(&mut world, &mut watcher, step);
            watcher.poll(&world);
            for (id, (record, ..)) in &watcher.known {
                prop_assert_eq!(world.disk.rows.get(id).map(|row| &row.record), Some(record));
            }
        }
    }
}
