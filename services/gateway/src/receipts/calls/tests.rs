use std::collections::{BTreeMap, VecDeque};

use pas_types::time::WireTime;
use proptest::prelude::*;

use super::*;

fn id(number: u64) -> CallId {
    format!("gw-{number}").parse().unwrap()
}

fn call(number: u64) -> Opened {
    Opened {
        run_id: id(number),
        ts: WireTime::from_millis(0),
        agent: None,
        agent_run_id: None,
        route: "/invoke".into(),
        budget: None,
        target_request: None,
        asked: None,
    }
}

#[test]
fn a_call_that_is_over_soon_is_never_recorded_as_begun() {
    let mut calls = Calls::new(7);
    calls.begin(id(1)).unwrap();
    calls.begin(id(2)).unwrap();
    assert_eq!(calls.settle(&id(1)), Settle::Now);
    assert!(!calls.tell(&call(1)), "its receipt is on its way");
    calls.settled(&id(1), 8);
    assert_eq!([1, 2, 2].map(|number| calls.tell(&call(number))), [false, true, false]);
    assert_eq!(calls.standing(), (8, vec![]), "what is not there yet is in no checkpoint");
    calls.opened(&[id(2)], 9);
    assert_eq!((calls.standing(), calls.untold(100)), ((9, vec![9]), vec![]));
}

#[test]
fn a_receipt_is_taken_once() {
    let mut calls = Calls::new(0);
    calls.begin(id(1)).unwrap();
    assert_eq!([calls.settle(&id(1)), calls.settle(&id(1))], [Settle::Now, Settle::Twice]);
}

#[test]
fn a_call_stays_open_until_the_journal_has_its_receipt() {
    let mut calls = Calls::new(0);
    calls.begin(id(1)).unwrap();
    assert!(calls.tell(&call(1)));
    assert_eq!(calls.settle(&id(1)), Settle::AfterRecord);
    calls.opened(&[id(1)], 1);
    assert_eq!(calls.standing(), (1, vec![1]));
    calls.settled(&id(1), 2);
    assert_eq!(calls.standing(), (2, vec![]));
}

#[test]
fn what_the_journal_could_not_take_is_told_again() {
    let mut calls = Calls::new(0);
    calls.begin(id(1)).unwrap();
    calls.begin(id(2)).unwrap();
    assert!(calls.tell(&call(1)) && calls.tell(&call(2)));
    assert_eq!(calls.untold(100), []);
    calls.not_opened(&[id(1), id(2), id(3)]);
    let mut untold = [calls.untold(1), calls.untold(1)].concat();
    untold.sort_by(|one, other| one.run_id.cmp(&other.run_id));
    assert_eq!((untold, calls.untold(1)), (vec![call(1), call(2)], vec![]));
}

#[test]
fn more_calls_than_may_be_open_are_refused() {
    let mut calls = Calls::new(0);
    for number in 0..MOST as u64 {
        calls.begin(id(number)).unwrap();
    }
    assert_eq!((calls.begin(id(u64::MAX)), calls.len()), (Err(TooMany), MOST));
}

/// What happens to calls and their journal.
#[derive(Debug, Clone)]
enum Step {
    Begin,
    Settle(usize),
    /// A call turns out to be long.
    Tell(usize),
    /// The journal is told of what it could not be told before.
    TellAgain,
    /// The journal writes the next group that it was handed, or fails to.
    Write(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Begin),
        3 => any::<usize>().prop_map(Step::Settle),
        2 => any::<usize>().prop_map(Step::Tell),
        1 => Just(Step::TellAgain),
        4 => proptest::bool::weighted(0.9).prop_map(Step::Write),
    ];
    proptest::collection::vec(step, 1..200)
}

/// A group on its way: calls that began, or a receipt.
enum Group {
    Opens(Vec<CallId>),
    Receipt(CallId),
}

proptest! {
    /// Who starts from a checkpoint and reads the journal behind it finds those calls lost that the whole journal says are.
    #[test]
    fn a_checkpoint_and_what_follows_it_tell_what_the_whole_journal_tells(steps in steps()) {
        let mut calls = Calls::new(0);
        let (mut number, mut live) = (0, Vec::new());
        let mut on_the_way: VecDeque<Group> = VecDeque::new();
        // The journal, by place: a call that began, or was settled.
        let mut journal: Vec<(bool, CallId)> = Vec::new();
        let mut checkpoints = Vec::new();
        for step in steps {
            match step {
                Step::Begin => {
                    number += 1;
                    calls.begin(id(number)).unwrap();
                    live.push(id(number));
                }
                Step::Settle(which) if !live.is_empty() => {
                    let run_id = live.swap_remove(which % live.len());
                    prop_assert!(calls.settle(&run_id) != Settle::Twice);
                    on_the_way.push_back(Group::Receipt(run_id));
                }
                Step::Tell(which) if number > 0 => {
                    let opened = call(which as u64 % number + 1);
                    if calls.tell(&opened) {
                        on_the_way.push_back(Group::Opens(vec![opened.run_id]));
                    }
                }
                Step::TellAgain => {
                    let untold = calls.untold(3);
                    if !untold.is_empty() {
                        on_the_way.push_back(Group::Opens(untold.into_iter().map(|opened| opened.run_id).collect()));
                    }
                }
                Step::Write(succeeds) => match (on_the_way.pop_front(), succeeds) {
                    (Some(Group::Opens(group)), true) => {
                        calls.opened(&group, journal.len() as u64 + 1);
                        journal.extend(group.into_iter().map(|run_id| (true, run_id)));
                    }
                    (Some(Group::Opens(group)), false) => calls.not_opened(&group),
                    (Some(Group::Receipt(run_id)), true) => {
                        calls.settled(&run_id, journal.len() as u64 + 1);
                        journal.push((false, run_id));
                    }
                    // It stays on its way: it is written again, later.
                    (Some(Group::Receipt(run_id)), false) => on_the_way.push_back(Group::Receipt(run_id)),
                    (None, _) => {}
                },
                Step::Settle(_) | Step::Tell(_) => {}
            }
            checkpoints.push(calls.standing());
        }
        let lost = |from: Vec<(bool, CallId)>| {
            let mut open = BTreeMap::new();
            for (began, run_id) in from {
                if began { open.insert(run_id, ()); } else { open.remove(&run_id); }
            }
            open.into_keys().collect::<Vec<_>>()
        };
        let whole = lost(journal.clone());
        for (at, open) in checkpoints {
            let listed = open.iter().map(|seq| journal[*seq as usize - 1].clone());
            let behind = journal[at as usize..].iter().cloned();
            prop_assert_eq!(lost(listed.chain(behind).collect()), whole.clone());
        }
    }
}
