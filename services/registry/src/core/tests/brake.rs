use pas_types::registry::BrakeRelease;

use super::*;

fn forty_silent_services() -> World {
    let mut world = World::new(Tuning::default());
    for n in 0..40 {
        world.registered(model(&format!("m{n}")));
    }
    world.pass(seconds(209));
    world.commit();
    world
}

fn evicted(world: &mut World) -> usize {
    world.happened().iter().filter(|(kind, ..)| *kind == TransitionKind::Evicted).count()
}

#[test]
fn a_mass_death_is_marked_at_once_and_evicted_slowly() {
    let mut world = forty_silent_services();
    let down = DiscoveryQuery { status: Some(StatusFilter::Down), ..everything() };
    let page = world.registry.discover(&down).unwrap().into_answer(world.now);
    assert_eq!(page.services.len(), 40);
    world.pass(seconds(1));
    let happened = world.happened();
    assert_eq!(happened.iter().filter(|(kind, ..)| *kind == TransitionKind::Evicted).count(), 6);
    assert_eq!(happened.last(), Some(&(TransitionKind::BrakeOn, None, 0)));
    world.pass(seconds(9));
    assert_eq!(evicted(&mut world), 0);
    world.pass(seconds(1));
    assert_eq!(evicted(&mut world), 5);
}

#[test]
fn who_beats_again_while_the_brake_holds_it_stays() {
    let mut world = forty_silent_services();
    world.pass(seconds(1));
    world.commit();
    let held: Vec<ServiceId> = world.registry.services.keys().copied().collect();
    for id in &held {
        world.beat(*id, None).unwrap();
    }
    world.pass(seconds(20));
    let happened = world.happened();
    assert_eq!(happened.iter().filter(|(kind, ..)| *kind == TransitionKind::Recovered).count(), 34);
    assert_eq!(happened.last(), Some(&(TransitionKind::BrakeOff, None, 0)));
    assert_eq!(world.registry.services.len(), 34);
}

#[test]
fn an_operator_releases_the_brake() {
    let mut world = forty_silent_services();
    world.pass(seconds(1));
    let released = world.registry.release_brake(&BrakeRelease::default(), world.now).unwrap();
    assert_eq!((released.released, released.held), (true, 34));
    world.commit();
    world.pass(seconds(1));
    assert_eq!(evicted(&mut world), 34);
    let again = world.registry.release_brake(&BrakeRelease::default(), world.now).unwrap();
    assert_eq!((again.released, again.held), (false, 0));
}

#[test]
fn a_release_that_is_not_durable_did_not_happen() {
    let mut world = forty_silent_services();
    world.pass(seconds(1));
    world.commit();
    world.registry.release_brake(&BrakeRelease::default(), world.now).unwrap();
    world.registry.failed();
    world.pass(seconds(1));
    assert_eq!(world.happened(), vec![]);
    assert!(world.registry.figures().brake_on);
}
