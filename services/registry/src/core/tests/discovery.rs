use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn registrations() -> impl Strategy<Value = Vec<Registration>> {
    let one = (
        0..6_u8,
        prop::sample::select(vec![ServiceType::Model, ServiceType::Tool, ServiceType::Agent]),
        prop::sample::select(Role::RUNGS.to_vec()),
        prop::collection::vec((0..5_u8).prop_map(|cap| format!("cap{cap}")), 0..4),
        prop::option::of((1..3_u8).prop_map(|tier| tier.to_string())),
    )
        .prop_map(|(name, service_type, role, caps, tier)| Registration {
            name: format!("name-{name}"),
            service_type,
            role,
            caps,
            labels: [("tier".to_owned(), tier)].into(),
            ..model("any")
        });
    prop::collection::vec(one, 0..30).prop_map(|rows| {
        let at = |(port, row)| Registration { url: Some(format!("http://127.0.0.1:{}", 1000 + port)), ..row };
        rows.into_iter().enumerate().map(at).collect()
    })
}

fn queries() -> impl Strategy<Value = DiscoveryQuery> {
    (
        prop::option::of(prop::sample::select(vec![ServiceType::Model, ServiceType::Tool])),
        prop::option::of(prop::sample::select(Role::RUNGS.to_vec())),
        prop::collection::vec((0..5_u8).prop_map(|cap| format!("cap{cap}")), 0..3),
        prop::option::of(prop::sample::select(StatusFilter::ALL.to_vec())),
        prop::option::of((0..7_u8).prop_map(|name| format!("name-{name}"))),
        prop::option::of((1..3_u8).prop_map(|tier| BTreeMap::from([("tier".to_owned(), tier.to_string())]))),
        1..5_u32,
    )
        .prop_map(|(service_type, role, cap, status, name, label, limit)| DiscoveryQuery {
            service_type,
            role,
            cap,
            status,
            name,
            label: label.unwrap_or_default(),
            limit: Some(limit),
            cursor: None,
        })
}

/// The same answer, the slow way.
fn naive(world: &World, query: &DiscoveryQuery) -> Vec<ServiceId> {
    let mut rows: Vec<&Row> = world
        .registry
        .services
        .values()
        .filter(|row| {
            let (record, status) = (&row.record, row.life.status());
            query.service_type.is_none_or(|it| it == record.service_type)
                && query.role.is_none_or(|it| it == record.role)
                && query.cap.iter().all(|it| record.caps.iter().any(|cap| **cap == **it))
                && query.name.as_deref().is_none_or(|it| it == &*record.name)
                && query.label.iter().all(|(key, it)| record.labels.get(key) == Some(&Some(it.clone())))
                && query.status.map_or(status != Status::Down, |it| it.admits(status))
        })
        .collect();
    rows.sort_by_key(|row| (row.record.name.clone(), row.id()));
    rows.into_iter().map(Row::id).collect()
}

fn walk(world: &World, mut query: DiscoveryQuery) -> Vec<ServiceId> {
    let mut found = Vec::new();
    loop {
        let page = world.registry.discover(&query).unwrap().into_answer(world.now);
        assert!(page.services.len() <= query.page_size());
        found.extend(page.services.iter().map(|service| service.service_id));
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            return found;
        }
    }
}

proptest! {
    #[test]
    fn the_pages_of_a_query_are_what_a_naive_filter_finds(
        registrations in registrations(),
        silent in prop::collection::vec(any::<bool>(), 30),
        query in queries(),
    ) {
        let mut world = World::new(Tuning::default());
        let ids: Vec<ServiceId> =
            registrations.into_iter().map(|registration| world.registered(registration).service_id).collect();
        world.pass(seconds(80));
        for (id, _) in ids.iter().zip(&silent).filter(|(_, silent)| !**silent) {
            world.beat(*id, None).unwrap();
        }
        world.pass(seconds(75));
        prop_assert_eq!(walk(&world, query.clone()), naive(&world, &query));
    }
}

#[test]
fn a_cursor_of_other_filters_or_of_nobodys_is_refused() {
    let mut world = World::new(Tuning::default());
    world.registered(model("a"));
    world.registered(model("b"));
    let query = DiscoveryQuery { limit: Some(1), ..DiscoveryQuery::default() };
    let page = world.registry.discover(&query).unwrap().into_answer(world.now);
    let cursor = page.next_cursor.unwrap();
    let with = |cursor: &str, role| DiscoveryQuery { cursor: Some(cursor.to_owned()), role, ..query.clone() };
    assert!(world.registry.discover(&with(&cursor, None)).is_ok());
    let mut bent = cursor.clone();
    bent.replace_range(20..21, if &cursor[20..21] == "0" { "1" } else { "0" });
    for refused in [with(&cursor, Some(Role::Staging)), with(&bent, None), with("x", None), with("é1", None)]
    {
        assert_eq!(world.registry.discover(&refused).unwrap_err(), Refusal::UnknownCursor);
    }
}
