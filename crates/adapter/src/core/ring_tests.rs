use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn calls_take_turns() {
    let mut ring = Ring::new(vec!['a', 'b', 'c']);
    let taken: Vec<_> = (0..6).map(|_| ring.choose("m", &[], s(0))).collect();
    assert_eq!(taken, ['a', 'b', 'c', 'a', 'b', 'c'].map(Chosen::Use));
}

#[test]
fn a_limit_is_of_one_model_and_ends_by_itself() {
    let mut ring = Ring::new(vec!['a', 'b']);
    ring.limited(&'a', "m", Some(s(7)), s(0));
    assert_eq!(
        [ring.choose("m", &[], s(1)), ring.choose("m", &[], s(2))],
        [Chosen::Use('b'), Chosen::Use('b')]
    );
    ring.limited(&'b', "m", Some(s(20)), s(2));
    assert_eq!(ring.choose("m", &[], s(3)), Chosen::Limited(s(4)));
    assert_eq!(ring.choose("n", &[], s(3)), Chosen::Use('a'));
    assert_eq!(ring.choose("m", &[], s(7)), Chosen::Use('a'));
}

#[test]
fn what_is_refused_is_tried_by_one_call_a_minute_until_it_is_taken() {
    let mut ring = Ring::new(vec!['a']);
    ring.refused(&'a', None, 401, s(0));
    assert_eq!(ring.choose("m", &[], s(59)), Chosen::Refused(401));
    assert_eq!(ring.choose("m", &[], s(60)), Chosen::Use('a'));
    assert_eq!(ring.choose("m", &[], s(61)), Chosen::Refused(401));
    assert!(ring.accepted(&'a', "m", s(60)) && !ring.accepted(&'a', "m", s(60)));
    assert_eq!(ring.choose("m", &[], s(61)), Chosen::Use('a'));
}

#[test]
fn a_model_that_is_closed_to_a_credential_leaves_it_the_others() {
    let mut ring = Ring::new(vec!['a']);
    ring.refused(&'a', Some("m"), 403, s(0));
    assert_eq!(ring.choose("m", &[], s(1)), Chosen::Refused(403));
    assert_eq!(ring.choose("n", &[], s(1)), Chosen::Use('a'));
}

#[test]
fn a_list_of_models_mends_a_bad_credential_and_no_empty_purse() {
    let mut ring = Ring::new(vec!['a', 'b']);
    ring.refused(&'a', None, 401, s(0));
    ring.refused(&'b', None, 429, s(0));
    ring.recognised(&'a');
    ring.recognised(&'b');
    let held = ring.held(s(1));
    let out: Vec<char> = held.iter().filter(|it| !it.rests.is_empty()).map(|it| it.key).collect();
    assert_eq!(out, ['b']);
}

#[test]
fn what_is_used_up_is_spared_while_there_is_another() {
    let mut ring = Ring::new(vec!['a', 'b']);
    ring.used_up(&'a', "m", s(30), s(0));
    assert_eq!(
        [ring.choose("m", &[], s(1)), ring.choose("m", &[], s(1))],
        [Chosen::Use('b'), Chosen::Use('b')]
    );
    assert_eq!(ring.choose("m", &['b'], s(1)), Chosen::Use('a'));
}

#[test]
fn what_stays_in_other_credentials_is_known_as_before() {
    let mut ring = Ring::new(vec!['a', 'b']);
    ring.refused(&'b', None, 401, s(0));
    ring.replace(vec!['b', 'c']);
    assert_eq!(
        [ring.choose("m", &[], s(1)), ring.choose("m", &[], s(1))],
        [Chosen::Use('c'), Chosen::Use('c')]
    );
    ring.replace(Vec::new());
    assert_eq!(ring.choose("m", &[], s(1)), Chosen::Unset);
    // An answer to a call with one that is gone changes nothing.
    ring.limited(&'a', "m", None, s(1));
    assert_eq!(ring.next_change(s(1)), None);
}

#[test]
fn what_is_found_out_after_a_call_was_sent_is_not_forgotten_with_its_answer() {
    let mut ring = Ring::new(vec!['a']);
    ring.limited(&'a', "m", Some(s(600)), s(10));
    ring.limited(&'a', "m", Some(s(5)), s(11));
    assert!(!ring.accepted(&'a', "m", s(9)));
    assert_eq!(ring.choose("m", &[], s(20)), Chosen::Limited(s(590)));
}

#[test]
fn who_may_not_list_models_may_be_tried_and_is_not_held_back_once_it_has_answered() {
    let mut ring = Ring::new(vec!['a']);
    ring.unlisted(&'a', 401, s(0));
    ring.unlisted(&'a', 401, s(50));
    assert_eq!(ring.choose("m", &[], s(59)), Chosen::Refused(401));
    assert_eq!(ring.choose("m", &[], s(60)), Chosen::Use('a'));
    assert!(ring.accepted(&'a', "m", s(60)));
    ring.unlisted(&'a', 401, s(61));
    assert_eq!(ring.choose("m", &[], s(62)), Chosen::Use('a'));
}

#[test]
fn what_was_refused_is_shown_until_it_is_taken() {
    let mut ring = Ring::new(vec!['a']);
    ring.refused(&'a', None, 402, s(0));
    assert_eq!(ring.held(s(500))[0].rests.len(), 1);
    ring.accepted(&'a', "m", s(500));
    assert_eq!(ring.held(s(500))[0].rests.len(), 0);
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Choose(u8),
    Refuse(u8, Option<u8>),
    Limit(u8, u8, Option<u64>),
    UseUp(u8, u8, u64),
    Accept(u8, u8),
    Replace(BTreeSet<u8>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (key, model) = (0..4_u8, 0..3_u8);
    let step = prop_oneof![
        (0..90_u64).prop_map(Step::Wait),
        model.clone().prop_map(Step::Choose),
        (key.clone(), prop::option::of(model.clone())).prop_map(|(key, model)| Step::Refuse(key, model)),
        (key.clone(), model.clone(), prop::option::of(0..90_u64))
            .prop_map(|(key, model, wait)| Step::Limit(key, model, wait)),
        (key.clone(), model.clone(), 0..90_u64).prop_map(|(key, model, wait)| Step::UseUp(key, model, wait)),
        (key, model).prop_map(|(key, model)| Step::Accept(key, model)),
        prop::collection::btree_set(0..4_u8, 0..4).prop_map(Step::Replace),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    /// Whatever happened: no call waits while a credential is free for it, none gets one that is held, and who has to wait is
    /// told a time at which one is free.
    #[test]
    fn a_call_gets_a_free_credential_whenever_there_is_one(steps in steps()) {
        let mut ring = Ring::new(vec![0, 1, 2]);
        let mut now = s(1_000);
        for step in steps {
            match step {
                Step::Wait(seconds) => now += s(seconds),
                Step::Refuse(key, model) => ring.refused(&key, model.map(name).as_deref(), 401, now),
                Step::Limit(key, model, wait) => ring.limited(&key, &name(model), wait.map(s), now),
                Step::UseUp(key, model, wait) => ring.used_up(&key, &name(model), s(wait), now),
                Step::Accept(key, model) => drop(ring.accepted(&key, &name(model), now)),
                Step::Replace(keys) => ring.replace(keys.into_iter().collect()),
                Step::Choose(model) => {
                    let model = name(model);
                    let held = ring.held(now).into_iter().map(|held| {
                        let of = |(on, _): &(Option<String>, Rest)| on.as_ref().is_none_or(|on| *on == model);
                        let rests = held.rests.into_iter().filter(of).map(|(_, rest)| rest);
                        (held.key, rests.filter(|rest| rest.until > now && rest.why != Why::UsedUp).collect())
                    });
                    let held: Vec<(u8, Vec<Rest>)> = held.collect();
                    let free = held.iter().any(|(_, rests)| rests.is_empty());
                    match ring.choose(&model, &[], now) {
                        Chosen::Use(key) => {
                            prop_assert!(held.iter().any(|(known, rests)| *known == key && rests.is_empty()));
                        }
                        Chosen::Limited(wait) => {
                            prop_assert!(!free);
                            let by_limit = |(_, rests): &&(u8, Vec<Rest>)| {
                                rests.iter().max_by_key(|rest| rest.until).is_some_and(|rest| rest.why == Why::Limited)
                            };
                            let ends = held.iter().filter(by_limit).filter_map(|(_, rests)| rests.iter().map(|it| it.until).max());
                            prop_assert_eq!(Some(now + wait), ends.min());
                        }
                        Chosen::Refused(_) => prop_assert!(!free && !held.is_empty()),
                        Chosen::Unset => prop_assert!(held.is_empty()),
                    }
                }
            }
        }
    }

    /// With nothing against any of them, everyone has the same share.
    #[test]
    fn nobody_is_used_more_than_others(keys in 1..7_usize, rounds in 1..9_usize) {
        let mut ring = Ring::new((0..keys).collect());
        let mut used = vec![0; keys];
        for _ in 0..keys * rounds {
            let Chosen::Use(key) = ring.choose("m", &[], s(0)) else { panic!("one is free") };
            used[key] += 1;
        }
        prop_assert_eq!(used, vec![rounds; keys]);
    }
}

fn name(model: u8) -> String {
    format!("m{model}")
}
