use pas_types::registry::{Deregister, Promote, Registration, Role, Selector, ServiceType};

use super::*;

fn world() -> World {
    World::new(Tuning::default())
}

fn boot(boot_id: &str) -> Option<String> {
    Some(boot_id.to_owned())
}

#[test]
fn the_same_registration_again_changes_nothing() {
    let mut world = world();
    let first = world.register(model("a")).unwrap();
    world.commit();
    let again = world.register(model("a")).unwrap();
    assert_eq!(again, (first.0, false));
    assert_eq!(world.happened(), vec![]);
    let slash = Registration { url: Some("http://127.0.0.1:9000/a/".to_owned()), ..model("a") };
    assert_eq!(world.register(slash).unwrap().0.lease_id, again.0.lease_id);
}

#[test]
fn another_process_gets_a_new_lease_and_the_old_one_is_refused() {
    let mut world = world();
    let old = world.registered(model("a"));
    let new = world.registered(Registration { boot_id: boot("second"), ..model("a") });
    assert_eq!(new.service_id, old.service_id);
    assert_eq!(world.beat(old.service_id, Some(old.lease_id)), Err(Refusal::StaleLease(old.service_id)));
    assert_eq!(world.beat(new.service_id, Some(new.lease_id)), Ok(()));
    let bye = Deregister { service_id: old.service_id, lease_id: Some(old.lease_id), reason: None };
    assert_eq!(world.registry.deregister(&bye, world.now), Err(Refusal::StaleLease(old.service_id)));
}

#[test]
fn a_registration_that_names_no_process_keeps_the_lease() {
    let mut world = world();
    let first = world.registered(model("a"));
    let again = world.registered(Registration { boot_id: None, ..model("a") });
    assert_eq!(first.lease_id, again.lease_id);
}

#[test]
fn an_agent_without_a_url_is_known_by_its_name_alone() {
    let mut world = world();
    let agent = |name: &str| Registration {
        service_type: ServiceType::Agent,
        role: Role::Execution,
        url: None,
        ..model(name)
    };
    let first = world.registered(agent("a"));
    assert_eq!(world.registered(agent("a")).service_id, first.service_id);
    assert_ne!(world.registered(agent("b")).service_id, first.service_id);
}

#[test]
fn a_service_that_names_its_id_may_move() {
    let mut world = world();
    let old = world.registered(Registration { boot_id: None, ..model("a") });
    let elsewhere = Registration {
        service_id: Some(old.service_id),
        url: Some("http://127.0.0.1:9999".to_owned()),
        boot_id: None,
        ..model("a")
    };
    let moved = world.registered(elsewhere.clone());
    assert_eq!(moved.service_id, old.service_id);
    assert_ne!(moved.lease_id, old.lease_id);
    assert_eq!(world.registered(elsewhere).lease_id, moved.lease_id);
    assert_ne!(world.registered(model("a")).service_id, old.service_id, "the old url is free");
}

#[test]
fn an_id_that_contradicts_the_name_the_url_or_the_type_is_refused() {
    let mut world = world();
    let a = world.registered(model("a")).service_id;
    let b = world.registered(model("b")).service_id;
    let as_a = |registration| Registration { service_id: Some(a), ..registration };
    let refusals = [
        world.register(as_a(model("b"))).unwrap_err(),
        world.register(Registration { service_id: Some(id(999)), ..model("a") }).unwrap_err(),
        world.register(Registration { service_type: ServiceType::Tool, ..model("a") }).unwrap_err(),
    ];
    assert_eq!(
        refusals,
        [
            Refusal::OtherName { id: a, known: "a".to_owned(), given: "b".to_owned() },
            Refusal::OtherId { name: "a".to_owned(), url: model("a").url, holder: a },
            Refusal::OtherType { id: a, known: ServiceType::Model, given: ServiceType::Tool },
        ]
    );
    let same_name = Registration { url: Some("http://127.0.0.1:1".to_owned()), ..model("b") };
    let other = world.registered(same_name).service_id;
    let onto_b = Registration { service_id: Some(other), ..model("b") };
    assert_eq!(
        world.register(onto_b),
        Err(Refusal::OtherId { name: "b".to_owned(), url: model("b").url, holder: b })
    );
    assert_eq!(world.happened(), vec![]);
}

#[test]
fn an_unknown_id_becomes_the_id_of_the_new_service() {
    let mut world = world();
    let chosen = world.registered(Registration { service_id: Some(id(777)), ..model("a") });
    assert_eq!(chosen.service_id, id(777));
}

#[test]
fn a_promotion_survives_a_new_registration_and_a_tombstone() {
    let mut world = world();
    let first = world.registered(model("a"));
    let up = Promote { service_id: first.service_id, role: Role::Production, reason: None };
    world.registry.promote(&up, world.now).unwrap();
    assert_eq!(world.registered(Registration { boot_id: boot("2"), ..model("a") }).role, Role::Production);
    let bye = Deregister { service_id: first.service_id, lease_id: None, reason: None };
    world.registry.deregister(&bye, world.now).unwrap();
    assert_eq!(world.registry.deregister(&bye, world.now).unwrap().service_id, first.service_id);
    let (back, created) = world.register(model("a")).unwrap();
    assert_eq!((back.service_id, back.role, created), (first.service_id, Role::Production, true));
    assert_ne!(back.lease_id, first.lease_id);
}

#[test]
fn what_is_gone_is_forgotten_after_a_day() {
    let mut world = world();
    let first = world.registered(model("a"));
    let bye = Deregister { service_id: first.service_id, lease_id: None, reason: None };
    world.registry.deregister(&bye, world.now).unwrap();
    world.commit();
    world.stall(seconds(24 * 3600 + 1));
    world.commit();
    assert!(world.registry.gone(first.service_id).is_none() && world.disk.gone.is_empty());
    assert_ne!(world.registered(model("a")).service_id, first.service_id);
}

#[test]
fn a_full_registry_refuses_new_services_and_serves_those_it_has() {
    let mut world = World::new(Tuning { max_services: 1, ..Tuning::default() });
    world.registered(model("a"));
    assert_eq!(world.register(model("b")), Err(Refusal::Full(1)));
    assert!(world.register(model("a")).is_ok());
}

#[test]
fn only_models_and_tools_are_promoted() {
    let mut world = world();
    let agent = Registration { service_type: ServiceType::Agent, ..model("a") };
    let id = world.registered(agent).service_id;
    let up = Promote { service_id: id, role: Role::Staging, reason: None };
    let refusal = Refusal::NotPromotable { id, service_type: ServiceType::Agent };
    assert_eq!(world.registry.promote(&up, world.now), Err(refusal));
}

#[test]
fn a_subtree_is_a_name_and_all_below_it_even_in_a_circle() {
    let mut world = world();
    let mut under = |name: &str, parent: &str| {
        let labels = [("parent".to_owned(), Some(parent.to_owned()))].into();
        world.registered(Registration { labels, ..model(name) }).service_id
    };
    let (a, b, c) = (under("a", "c"), under("b", "a"), under("c", "b"));
    let other = under("other", "nobody");
    let subtree = |name: &str| Selector { subtree: Some(name.to_owned()), ..Selector::default() };
    let outcome = world.registry.pause(&subtree("a"), world.now).unwrap();
    assert_eq!((outcome.matched, outcome.changed), (3, vec![a, b, c]));
    assert!(!world.registry.get(other).unwrap().record.paused);
    let unknown = Refusal::UnknownName { field: "subtree", name: "x".to_owned() };
    assert_eq!(world.registry.pause(&subtree("x"), world.now), Err(unknown));
}

#[test]
fn all_spares_pas_itself() {
    let mut world = world();
    let own = Registration { service_type: ServiceType::Service, ..model("registry") };
    let own = world.registered(own).service_id;
    let other = world.registered(model("a")).service_id;
    let all = Selector { all: Some(true), ..Selector::default() };
    assert_eq!(world.registry.pause(&all, world.now).unwrap().changed, vec![other]);
    assert!(!world.registry.get(own).unwrap().record.paused);
    assert_eq!(world.registry.resume(&all, world.now).unwrap().changed, vec![other]);
}

#[test]
fn an_agent_may_change_its_role_by_registering_again() {
    let mut world = world();
    let agent = |role| Registration { service_type: ServiceType::Agent, role, url: None, ..model("a") };
    let first = world.registered(agent(Role::Execution));
    let again = world.registered(agent(Role::Coordinator));
    assert_eq!(
        (again.service_id, again.lease_id, again.role),
        (first.service_id, first.lease_id, Role::Coordinator)
    );
}
