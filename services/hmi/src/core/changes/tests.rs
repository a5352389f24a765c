use pas_types::registry::{Labels, Role, ServiceType, Status};
use proptest::prelude::*;

use super::*;

fn id(n: u8) -> ServiceId {
    ServiceId(uuid::Uuid::from_u128(n.into()))
}

fn service(n: u8, version: u64) -> Arc<ListedService> {
    Arc::new(ListedService {
        service_id: id(n),
        name: n.to_string(),
        service_type: ServiceType::Agent,
        role: Role::Experimental,
        url: None,
        caps: Vec::new(),
        labels: Labels::new(),
        ctx_limit: Some(version),
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

/// A reader that knows what it was told.
#[derive(Debug, Clone, Default)]
struct Reader {
    at: Option<Cursor>,
    known: BTreeMap<ServiceId, Arc<ListedService>>,
}

impl Reader {
    fn catch_up(&mut self, log: &Changes) {
        let News { cursor, reset, services, gone } = log.since(self.at);
        if reset {
            self.known.clear();
        }
        self.known.extend(services.into_iter().map(|service| (service.service_id, service)));
        self.known.retain(|id, _| !gone.contains(id));
        self.at = Some(cursor);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Learn { seen: Vec<(u8, u64)>, gone: Vec<u8>, only: Option<Vec<u8>> },
    CatchUp(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let number = || 0_u8..12;
    let seen = prop::collection::vec((number(), 0_u64..3), 0..4);
    let gone = prop::collection::vec(number(), 0..3);
    let only = prop::option::weighted(0.15, prop::collection::vec(number(), 0..8));
    let learn = (seen, gone, only).prop_map(|(seen, gone, only)| Step::Learn { seen, gone, only });
    prop_oneof![3 => learn, 1 => (0_usize..3).prop_map(Step::CatchUp)]
}

proptest! {
    #[test]
    fn however_readers_come_and_changes_fall_each_knows_what_there_is(
        steps in prop::collection::vec(step(), 0..60),
        kept in 0_usize..6,
    ) {
        let mut log = Changes::new(7, kept);
        let mut there = BTreeMap::new();
        let mut readers = vec![Reader::default(); 3];
        for step in steps {
            match step {
                Step::Learn { seen, gone, only } => {
                    let seen: Vec<_> = seen.into_iter().map(|(n, version)| service(n, version)).collect();
                    let gone: Vec<_> = gone.into_iter().map(id).collect();
                    let only = only.map(|only| only.into_iter().map(id).collect::<HashSet<_>>());
                    there.extend(seen.iter().map(|service| (service.service_id, Arc::clone(service))));
                    there.retain(|id, _| !gone.contains(id) && only.as_ref().is_none_or(|only| only.contains(id)));
                    log.learn(seen, gone, only.as_ref());
                }
                Step::CatchUp(reader) => {
                    readers[reader].catch_up(&log);
                    prop_assert_eq!(&readers[reader].known, &there);
                }
            }
            prop_assert!(log.gone.len() <= kept);
        }
        for reader in &mut readers {
            reader.catch_up(&log);
            prop_assert_eq!(&reader.known, &there);
        }
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written(epoch: u64, index: u64) {
        let cursor = Cursor { epoch, index };
        prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }
}

#[test]
fn a_reader_is_told_what_it_does_not_know_and_no_more() {
    let mut log = Changes::new(7, KEPT);
    log.learn(vec![service(1, 0), service(2, 0)], Vec::new(), None);
    let first = log.since(None);
    log.learn(vec![service(1, 0), service(2, 1)], vec![id(9)], None);
    log.learn(Vec::new(), vec![id(1)], None);
    let news = log.since(Some(first.cursor));
    let cursor = Cursor { epoch: 7, index: 3 };
    assert_eq!(news, News { cursor, reset: false, services: vec![service(2, 1)], gone: vec![id(1)] });
    assert_eq!(
        log.since(Some(cursor)),
        News { cursor, reset: false, services: Vec::new(), gone: Vec::new() }
    );
}

#[test]
fn what_is_said_again_is_no_change() {
    let mut log = Changes::new(7, KEPT);
    log.learn(vec![service(1, 0)], Vec::new(), None);
    let before = log.since(None).cursor;
    log.learn(vec![service(1, 0)], vec![id(2)], Some(&HashSet::from([id(1)])));
    assert_eq!(log.since(None).cursor, before);
}

#[test]
fn a_cursor_of_another_start_is_told_everything() {
    let mut log = Changes::new(7, KEPT);
    log.learn(vec![service(1, 0)], Vec::new(), None);
    for foreign in [Cursor { epoch: 6, index: 1 }, Cursor { epoch: 7, index: 2 }] {
        let news = log.since(Some(foreign));
        assert_eq!((news.reset, news.services), (true, vec![service(1, 0)]), "{foreign}");
    }
}

#[test]
fn a_cursor_from_before_the_oldest_removal_that_is_remembered_is_told_everything() {
    let mut log = Changes::new(7, 1);
    log.learn(vec![service(1, 0), service(2, 0), service(3, 0)], Vec::new(), None);
    let early = log.since(None).cursor;
    log.learn(Vec::new(), vec![id(1)], None);
    let late = log.since(None).cursor;
    log.learn(Vec::new(), vec![id(2)], None);
    let news = log.since(Some(early));
    assert_eq!((news.reset, news.services, news.gone), (true, vec![service(3, 0)], Vec::new()));
    let news = log.since(Some(late));
    assert_eq!((news.reset, news.services, news.gone), (false, Vec::new(), vec![id(2)]));
}

#[test]
fn who_was_gone_and_is_back_is_not_gone() {
    let mut log = Changes::new(7, KEPT);
    log.learn(vec![service(1, 0)], Vec::new(), None);
    let before = log.since(None).cursor;
    log.learn(Vec::new(), vec![id(1)], None);
    log.learn(vec![service(1, 5)], Vec::new(), None);
    let news = log.since(Some(before));
    assert_eq!((news.services, news.gone), (vec![service(1, 5)], Vec::new()));
}

#[test]
fn what_is_no_cursor_is_refused() {
    for text in ["", "7", "7:", ":1", "a:b", "7:1:2", "-1:2"] {
        assert_eq!(text.parse::<Cursor>().unwrap_err().field.as_deref(), Some("since"), "{text}");
    }
}
