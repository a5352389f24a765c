use pas_types::registry::{Reachability, ReachabilityReport};

use super::*;

fn world() -> World {
    World::new(Tuning::default())
}

fn report(service_id: ServiceId, reachable: bool) -> ReachabilityReport {
    ReachabilityReport { service_id, reachable, latency_ms: None, reason: None }
}

#[test]
fn a_silent_service_is_degraded_then_down_then_gone() {
    let mut world = world();
    let id = world.registered(model("a")).service_id;
    world.pass(seconds(90));
    assert_eq!(world.happened(), vec![(TransitionKind::BeatMissed, Some(Status::Degraded), 1)]);
    assert!(world.offered(id));
    world.pass(seconds(60));
    assert_eq!(world.happened(), vec![(TransitionKind::BeatMissed, Some(Status::Down), 2)]);
    assert!(!world.offered(id));
    world.pass(seconds(59));
    assert_eq!(world.happened(), vec![]);
    world.pass(seconds(1));
    assert_eq!(world.happened(), vec![(TransitionKind::Evicted, None, 3)]);
    assert!(world.registry.get(id).is_none() && world.registry.gone(id).is_some());
    assert_eq!(world.beat(id, None), Err(Refusal::UnknownService(id)));
}

#[test]
fn a_beat_makes_a_service_well_again() {
    let mut world = world();
    let Registered { service_id, lease_id, .. } = world.registered(model("a"));
    world.pass(seconds(150));
    world.commit();
    world.beat(service_id, Some(lease_id)).unwrap();
    assert_eq!(world.happened(), vec![(TransitionKind::Recovered, Some(Status::Ok), 2)]);
    world.pass(seconds(89));
    assert_eq!(world.happened(), vec![]);
}

#[test]
fn a_stall_ages_nobody() {
    let mut world = world();
    let id = world.registered(model("a")).service_id;
    world.stall(seconds(900));
    assert_eq!(world.happened(), vec![(TransitionKind::Stalled, None, 0)]);
    world.pass(seconds(88));
    assert_eq!(world.status(id), Some(Status::Ok));
    world.pass(seconds(2));
    assert_eq!(world.status(id), Some(Status::Degraded));
}

#[test]
fn a_beat_that_comes_before_the_sweep_after_a_stall_counts_from_when_it_came() {
    let mut world = world();
    let id = world.registered(model("a")).service_id;
    world.now = world.now.plus(seconds(900));
    world.beat(id, None).unwrap();
    world.registry.sweep(0, world.now);
    world.pass(seconds(89));
    assert_eq!(world.status(id), Some(Status::Ok));
    world.pass(seconds(1));
    assert_eq!(world.status(id), Some(Status::Degraded));
}

#[test]
fn the_time_of_day_decides_nothing() {
    let mut world = world();
    let id = world.registered(model("a")).service_id;
    world.now.wall += Duration::from_secs(3 * 24 * 3600);
    world.pass(seconds(89));
    assert_eq!(world.status(id), Some(Status::Ok));
    world.now.wall -= Duration::from_secs(30 * 24 * 3600);
    world.pass(seconds(1));
    assert_eq!(world.status(id), Some(Status::Degraded));
}

#[test]
fn a_restart_gives_everyone_the_grace_and_says_so() {
    let mut world = world();
    let quick = Registration { heartbeat_interval_s: 10, ttl_s: 15, ..model("quick") };
    let id = world.registered(quick).service_id;
    world.restart(seconds(3600));
    assert!(world.registry.recovering(world.now));
    assert!(world.offered(id) && !world.registry.get(id).unwrap().life.verified);
    world.pass(seconds(59));
    assert_eq!(world.status(id), Some(Status::Ok));
    world.pass(seconds(8));
    assert_eq!(world.status(id), Some(Status::Degraded));
    assert!(!world.registry.recovering(world.now));
}

#[test]
fn a_restart_keeps_the_beats_that_were_missed() {
    let mut world = world();
    let Registered { service_id, lease_id, .. } = world.registered(model("a"));
    world.pass(seconds(150));
    world.commit();
    world.restart(seconds(5));
    assert_eq!(world.status(service_id), Some(Status::Down));
    world.beat(service_id, Some(lease_id)).unwrap();
    assert_eq!(world.happened(), vec![(TransitionKind::Recovered, Some(Status::Ok), 2)]);
    assert!(world.registry.get(service_id).unwrap().life.verified);
    assert!(!world.registry.recovering(world.now), "everyone has beaten");
}

#[test]
fn an_empty_database_has_no_grace_but_is_not_sure_of_itself() {
    let mut world = world();
    assert!(!world.registry.recovering(world.now));
    assert!(!world.registry.snapshot().authoritative);
    world.pass(seconds(66));
    assert!(world.registry.snapshot().authoritative);
}

#[test]
fn what_a_service_says_of_itself_counts_until_it_says_otherwise() {
    let mut world = world();
    let id = world.registered(model("a")).service_id;
    let says = |status, reason: Option<&str>| Heartbeat {
        status: Some(status),
        reason: reason.map(str::to_owned),
        ..Heartbeat::plain(id, None)
    };
    world.registry.beat(&says(Status::Down, Some("no weights")), world.now).unwrap();
    assert_eq!(world.happened(), vec![(TransitionKind::Reported, Some(Status::Down), 0)]);
    assert_eq!(world.registry.get(id).unwrap().life.status_reasons(), ["says: no weights"]);
    assert!(!world.offered(id));
    world.beat(id, None).unwrap();
    assert_eq!(world.happened(), vec![(TransitionKind::Reported, Some(Status::Ok), 0)]);
    assert_eq!(world.registry.get(id).unwrap().life.status_reasons(), Vec::<String>::new());
}

#[test]
fn a_probe_counts_only_against_those_that_answered_before_or_promised_to() {
    let mut world = world();
    let quiet = world.registered(model("quiet")).service_id;
    let labels = [("health_path".to_owned(), Some("/live".to_owned()))].into();
    let promised = world.registered(Registration { labels, ..model("promised") }).service_id;
    let mut found = |id, reachable| {
        let probe = world.registry.probed(&report(id, reachable), world.now).unwrap();
        (probe.reachability, world.registry.get(id).unwrap().life.status())
    };
    assert_eq!(found(quiet, false), (Reachability::Unprobed, Status::Ok));
    assert_eq!(found(quiet, true), (Reachability::Reachable, Status::Ok));
    assert_eq!(found(quiet, false), (Reachability::Unreachable, Status::Degraded));
    assert_eq!(found(promised, false), (Reachability::Unreachable, Status::Degraded));
    assert_eq!(found(promised, true), (Reachability::Reachable, Status::Ok));
    assert_eq!(
        world.happened(),
        vec![
            (TransitionKind::Unreachable, Some(Status::Degraded), 0),
            (TransitionKind::Unreachable, Some(Status::Degraded), 0),
            (TransitionKind::Reachable, Some(Status::Ok), 0),
        ]
    );
}

#[test]
fn a_new_process_at_the_same_url_has_answered_before() {
    let mut world = world();
    let id = world.registered(model("a")).service_id;
    world.registry.probed(&report(id, true), world.now).unwrap();
    world.registered(Registration { boot_id: Some("second".to_owned()), ..model("a") });
    let probe = |world: &World| world.registry.get(id).unwrap().life.probe.clone();
    assert_eq!((probe(&world).reachability, probe(&world).answered), (Reachability::Unprobed, true));
    let moved =
        Registration { service_id: Some(id), url: Some("http://127.0.0.1:1".to_owned()), ..model("a") };
    world.registered(moved);
    assert_eq!((probe(&world).reachability, probe(&world).answered), (Reachability::Unprobed, false));
}
