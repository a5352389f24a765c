//! What comes of calls.

use proptest::prelude::*;

use super::*;

#[test]
fn who_leads_goes_on_without_those_who_never_get_done() {
    let (mut stage, stuck, lead) = (Stage::new(11), place("Coder-API"), place("Lead-Backend"));
    stage.pass(CYCLE_S, |agent, call| match agent == stuck {
        true => (Duration::ZERO, Outcome::Failed("500".to_owned())),
        false => well(agent, call),
    });
    let words = stage.words(lead);
    let log = |told: &&&Told| matches!(told, Told::Log { message, .. } if message.contains("goes on without") && message.contains("Coder-API"));
    assert!(words.iter().any(|told| log(&told)), "{words:?}");
    assert!(words.iter().any(|told| matches!(told, Told::Completed { .. })), "{words:?}");
}

#[test]
fn who_is_paused_waits_as_long_as_it_takes_and_asks_no_sooner_than_it_was_told() {
    let (mut stage, agent) = (Stage::new(7), place("Coder-API"));
    stage.pass(20, well);
    let mut asked = 0;
    stage.pass(600, |_, _| {
        asked += 1;
        (Duration::ZERO, Outcome::Paused(Duration::from_secs(5)))
    });
    assert!(asked <= 42 * (600 / 5), "{asked} calls in ten minutes");
    assert_eq!(stage.activity(agent), Some(Activity::Waiting));
    assert!(stage.words(agent).iter().all(|told| !matches!(told, Told::Failed { .. })));
    // However often it was told to wait, it is not the less patient with what fails then.
    stage.pass(8, |_, _| (Duration::ZERO, Outcome::Failed("500".to_owned())));
    assert!(!stage.told.iter().any(|(_, _, told)| gives_up(told)));
    let before = stage.told.len();
    stage.pass(30, well);
    let progress =
        |(_, who, told): &(Duration, usize, Told)| *who == agent && matches!(told, Told::Progress { .. });
    assert!(stage.told[before..].iter().any(progress));
}

#[test]
fn while_nothing_works_each_agent_tries_seldom_and_goes_on_afterwards() {
    let mut stage = Stage::new(8);
    stage.pass(300, |_, _| (Duration::ZERO, Outcome::Failed("the gateway can't be reached".to_owned())));
    assert!(stage.asked < 42 * 300 / 5, "{} calls in five minutes", stage.asked);
    let given_up = stage.told.iter().filter(|(_, _, told)| gives_up(told)).count();
    assert!(given_up >= 42, "{given_up} tasks were given up");
    let before = stage.told.len();
    stage.pass(120, well);
    assert!(
        stage.told[before..].iter().filter(|(_, _, told)| matches!(told, Told::Completed { .. })).count()
            > 20
    );
}

#[test]
fn the_answer_to_a_call_that_nobody_waits_for_changes_nothing() {
    let mut stage = Stage::new(9);
    stage.pass(20, well);
    let (agent, (call, ..)) = stage.calls.iter().next().unwrap();
    assert_eq!(stage.troupe.called(*agent, call.number + 1_000, Outcome::Answered, stage.now), Vec::new());
    assert_eq!(stage.troupe.called(1_000, call.number, Outcome::Answered, stage.now), Vec::new());
}

fn outcome() -> impl Strategy<Value = (u64, Outcome)> {
    let wait = || (0_u64..60).prop_map(Duration::from_secs);
    let outcome = prop_oneof![
        4 => Just(Outcome::Answered),
        1 => wait().prop_map(Outcome::Paused),
        1 => wait().prop_map(|wait| Outcome::Busy(wait, "429".to_owned())),
        1 => Just(Outcome::Failed("500".to_owned())),
    ];
    (0_u64..20_000, outcome)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_comes_of_calls_what_agents_say_of_themselves_is_possible(
        seed: u64,
        outcomes in prop::collection::vec(outcome(), 1..50),
    ) {
        let mut stage = Stage::new(seed);
        let mut outcomes = outcomes.into_iter().cycle();
        for _ in 0..200 {
            stage.pass(1, |_, _| {
                let (ms, outcome) = outcomes.next().unwrap();
                (Duration::from_millis(ms), outcome)
            });
            for agent in 0..CAST.len() {
                let Some(work) = stage.troupe.work(agent, stage.now) else { continue };
                let usage = work.token_usage.unwrap();
                prop_assert!(usage.ctx_used <= usage.ctx_limit);
                prop_assert!(work.progress.is_none_or(|progress| (0.0..=1.0).contains(&progress)));
                prop_assert_eq!(work.current_call.is_some(), stage.calls.contains_key(&agent));
            }
        }
    }

    #[test]
    fn the_same_seed_is_the_same_play(seed: u64) {
        let play = || {
            let mut stage = Stage::new(seed);
            stage.pass(60, well);
            stage.told
        };
        prop_assert_eq!(play(), play());
    }
}
