use pas_types::event::Cursor;
use pas_types::registry::{Transition, TransitionKind};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::core::alerts;

fn empty() -> (TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Fsync::Os).unwrap();
    (directory, store)
}

fn time(ms: i64) -> WireTime {
    WireTime::from_millis(ms)
}

/// What a missed beat with the place `seq` at `ms` comes to.
fn taken(seq: u64, ms: i64) -> Taken {
    let service_id = ServiceId(uuid::Uuid::from_u128(1));
    let transition = Transition {
        seq,
        ts: time(ms),
        kind: TransitionKind::BeatMissed,
        service_id: Some(service_id),
        service_name: Some("a".to_owned()),
        service_type: None,
        from_status: None,
        to_status: None,
        from_role: None,
        to_role: None,
        missed_beats: 1,
        last_seen: Some(time(ms - 1)),
        reason: Some("no beat".to_owned()),
    };
    let alert = alerts::of_transition(&transition, AlertId(uuid::Uuid::new_v4())).unwrap();
    let flapping = Flapping { changes: [ms].into(), said: true };
    Taken {
        raised: vec![Raised { alert, source_seq: Some(seq) }],
        flapping: HashMap::from([(service_id, flapping)]),
        cursor: seq,
    }
}

fn all(store: &Store) -> Vec<HeartbeatAlert> {
    store.page(&AlertQuery::default(), None, 1_000).unwrap()
}

#[test]
fn what_was_taken_is_there_whole_after_a_restart() {
    let (directory, store) = empty();
    let first = taken(1 << 40, 1_000);
    store.take(&first).unwrap();
    drop(store);
    let store = Store::open(directory.path(), Fsync::Os).unwrap();
    assert_eq!(all(&store), [first.raised[0].alert.clone()]);
    assert_eq!(store.cursor().unwrap(), first.cursor);
    assert_eq!(store.flapping(first.flapping.keys().copied()).unwrap(), first.flapping);
}

#[test]
fn a_transition_is_known_again_by_its_number_and_time() {
    let (_directory, store) = empty();
    for (seq, ms, is_new) in [(5, 1_000, true), (5, 1_000, false), (5, 2_000, true), (6, 1_000, true)] {
        assert_eq!(store.take(&taken(seq, ms)).unwrap().len(), usize::from(is_new), "{seq} at {ms}");
    }
}

#[test]
fn a_batch_that_can_not_be_stored_whole_leaves_nothing() {
    let (_directory, store) = empty();
    let mut half = taken(1, 1_000);
    let mut twin = taken(2, 2_000).raised.remove(0);
    twin.alert.alert_id = half.raised[0].alert.alert_id;
    half.raised.push(twin);
    store.take(&half).unwrap_err();
    assert_eq!((all(&store), store.cursor().unwrap()), (Vec::new(), 0));
}

#[test]
fn another_history_is_read_from_its_beginning_and_the_alerts_stay() {
    let (_directory, store) = empty();
    let taken = taken(9, 1_000);
    store.take(&taken).unwrap();
    store.forget_history().unwrap();
    assert_eq!((store.cursor().unwrap(), all(&store).len()), (0, 1));
    assert_eq!(store.flapping(taken.flapping.keys().copied()).unwrap(), HashMap::new());
}

#[test]
fn what_is_too_old_or_too_many_goes_and_its_place_is_never_given_again() {
    let (_directory, store) = empty();
    let newest =
        (1..=10).map(|n| taken(n, n as i64 * 1_000)).inspect(|it| drop(store.take(it).unwrap())).last();
    assert_eq!(store.prune(5, time(4_000), time(0)).unwrap(), 5);
    assert_eq!(store.prune(5, time(8_000), time(0)).unwrap(), 2);
    assert_eq!(
        all(&store).iter().map(|alert| alert.ts).collect::<Vec<_>>(),
        [10_000, 9_000, 8_000].map(time)
    );
    let newest = newest.unwrap().raised.remove(0).alert.alert_id;
    assert_eq!(store.seq_of(newest).unwrap(), Some(10));
    assert_eq!(store.prune(5, WireTime::from_millis(i64::MAX), time(0)).unwrap(), 3);
    let next = taken(11, 11_000);
    store.take(&next).unwrap();
    assert_eq!(store.seq_of(next.raised[0].alert.alert_id).unwrap(), Some(11));
}

#[test]
fn services_that_were_calm_for_long_are_forgotten() {
    let (_directory, store) = empty();
    let taken = taken(1, 1_000);
    store.take(&taken).unwrap();
    store.prune(5, time(0), time(1_001)).unwrap();
    assert_eq!(store.flapping(taken.flapping.keys().copied()).unwrap(), HashMap::new());
}

#[test]
fn of_two_acknowledgements_the_first_counts() {
    let (_directory, store) = empty();
    let mut alert = taken(1, 1_000).raised.remove(0).alert;
    store.keep(&[Raised { alert: alert.clone(), source_seq: None }]).unwrap();
    let mut late = alert.clone();
    alerts::acknowledge(&mut alert, None, time(2_000));
    alerts::acknowledge(&mut late, Some("late".to_owned()), time(3_000));
    assert!(store.acknowledge(&alert).unwrap());
    assert!(!store.acknowledge(&late).unwrap());
    assert_eq!(store.alert(alert.alert_id).unwrap(), Some(alert));
}

#[test]
fn mutes_are_replaced_as_a_whole() {
    let (_directory, store) = empty();
    let mute = |service: Option<&str>, alert_type, severity, until| Mute {
        matching: AlertMatch { service: service.map(str::to_owned), alert_type, severity },
        until: time(until),
    };
    use pas_types::alert::Severity;
    let first =
        [mute(Some("a"), None, None, 1), mute(None, Some(AlertType::Flapping), Some(Severity::Info), 2)];
    store.put_mutes(first.iter()).unwrap();
    assert_eq!(store.mutes().unwrap(), first);
    let second = [mute(None, None, Some(Severity::Critical), 3)];
    store.put_mutes(second.iter()).unwrap();
    assert_eq!(store.mutes().unwrap(), second);
}

#[test]
fn the_latest_word_about_the_registrys_silence_counts() {
    let (_directory, store) = empty();
    let mut found = Vec::new();
    for alert_type in [AlertType::RegistrySilent, AlertType::RegistryBack, AlertType::RegistrySilent] {
        let alert = taken(1, 1_000).raised.remove(0).alert;
        store.keep(&[Raised { alert: HeartbeatAlert { alert_type, ..alert }, source_seq: None }]).unwrap();
        found.push(store.registry_is_silent().unwrap());
    }
    assert_eq!(found, [true, false, true]);
}

#[test]
fn what_others_say_of_the_registrys_silence_does_not_count() {
    let (_directory, store) = empty();
    let mut others = taken(1, 1_000).raised;
    others[0].alert.alert_type = AlertType::RegistrySilent;
    others[0].source_seq = None;
    store.hear(&others, Cursor { epoch: 1, seq: 1 }).unwrap();
    assert!(!store.registry_is_silent().unwrap());
}

#[test]
fn what_comes_back_or_comes_twice_is_kept_once_and_the_place_moves_with_it() {
    let (directory, store) = empty();
    let own = taken(1, 1_000).raised;
    store.keep(&own).unwrap();
    let mut others = taken(2, 2_000).raised;
    others[0].source_seq = None;
    let (first, second) = (Cursor { epoch: 1, seq: 1 }, Cursor { epoch: u64::MAX, seq: u64::MAX });
    assert_eq!(store.hear(&own, first).unwrap(), [] as [&HeartbeatAlert; 0]);
    assert_eq!(store.hear(&others, first).unwrap(), [&others[0].alert]);
    assert_eq!(store.hear(&others, second).unwrap(), [] as [&HeartbeatAlert; 0]);
    drop(store);
    let store = Store::open(directory.path(), Fsync::Os).unwrap();
    assert_eq!(all(&store), [others[0].alert.clone(), own[0].alert.clone()]);
    assert_eq!(store.heard().unwrap(), second);
    assert_eq!(store.unpublished(10).unwrap(), [(own[0].alert.clone(), 1)]);
    store.set_published(1).unwrap();
    assert_eq!(store.unpublished(10).unwrap(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn an_alert_comes_back_as_it_was_stored(
        name in "\\PC{1,64}",
        missed_beats in any::<u32>(),
        ms in -1_000_000_000_000i64..4_000_000_000_000,
        message in prop::option::of("\\PC{0,64}"),
        detail in prop::option::of((any::<i64>(), "\\PC{0,16}")),
    ) {
        let (_directory, store) = empty();
        let alert = HeartbeatAlert {
            service_name: name,
            missed_beats,
            last_seen: (ms % 2 == 0).then(|| time(ms)),
            ts: time(ms),
            message,
            details: detail.map(|(number, text)| {
                [("number".to_owned(), number.into()), ("text".to_owned(), text.into())].into()
            }),
            ..taken(1, 1_000).raised.remove(0).alert
        };
        store.keep(&[Raised { alert: alert.clone(), source_seq: None }]).unwrap();
        prop_assert_eq!(all(&store), [alert]);
    }
}
