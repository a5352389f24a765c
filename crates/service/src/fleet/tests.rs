use pas_types::registry::{Labels, Role, ServiceType, Status};

use super::*;

fn id(n: u128) -> ServiceId {
    ServiceId(uuid::Uuid::from_u128(n))
}

fn service(n: u128) -> Arc<ListedService> {
    Arc::new(ListedService {
        service_id: id(n),
        name: n.to_string(),
        service_type: ServiceType::Model,
        role: Role::Production,
        url: None,
        caps: Vec::new(),
        labels: Labels::new(),
        ctx_limit: None,
        cost_hint_usd_per_1k: None,
        status: Status::Ok,
        status_reasons: Vec::new(),
        paused: false,
        verified: true,
        p95_ms: None,
        queue_depth: None,
        load: None,
    })
}

fn names(known: &Known) -> Vec<&str> {
    known.snapshot.services.iter().map(|service| service.name.as_str()).collect()
}

#[test]
fn what_is_known_stays_until_it_is_said_to_be_gone() {
    let mut known =
        Known::from(Snapshot { services: Arc::new([service(1), service(2)]), ..Snapshot::default() });
    known.learn(Learned { seen: vec![service(3)], ..Learned::default() });
    assert_eq!(names(&known), ["1", "2", "3"]);
    known.learn(Learned { gone: vec![id(2)], new_epoch: true, ..Learned::default() });
    assert_eq!(names(&known), ["1", "3"]);
    known.learn(Learned { only: Some([id(3)].into()), ..Learned::default() });
    assert_eq!(names(&known), ["3"]);
}

#[test]
fn the_list_is_the_same_as_long_as_nothing_changes() {
    let mut known = Known::from(Snapshot::default());
    known.learn(Learned { seen: vec![service(1)], ..Learned::default() });
    let before = Arc::clone(&known.snapshot.services);
    let at = Some(Cursor { epoch: 1, index: 7 });
    known.learn(Learned { seen: vec![service(1)], gone: vec![id(9)], at, ..Learned::default() });
    assert!(Arc::ptr_eq(&before, &known.snapshot.services));
    assert_eq!(known.snapshot.at, at);
    let paused = Arc::new(ListedService { paused: true, ..(*service(1)).clone() });
    known.learn(Learned { seen: vec![paused], ..Learned::default() });
    assert!(!Arc::ptr_eq(&before, &known.snapshot.services));
    assert_eq!(known.snapshot.at, at, "in the middle of a snapshot the place is the one before");
}

#[test]
fn a_snapshot_comes_back_from_a_file_as_it_was() {
    let snapshot = Snapshot {
        at: Some(Cursor { epoch: 3, index: 812 }),
        services: Arc::new([service(1)]),
        heard: Some(Duration::from_secs(1)),
    };
    let text = serde_json::to_string(&snapshot).unwrap();
    let back: Snapshot = serde_json::from_str(&text).unwrap();
    assert_eq!((back.at, &back.services, back.heard), (snapshot.at, &snapshot.services, None));
}
