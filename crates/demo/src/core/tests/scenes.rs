//! What happens to agents and models.

use super::*;

#[test]
fn an_agent_whose_provider_is_silent_stands_still_for_a_minute_fails_and_recovers() {
    let (mut stage, stuck) = (Stage::new(3), place("Migration-Writer"));
    stage.pass(30, well);
    let before = stage.troupe.work(stuck, stage.now).unwrap();
    assert!(before.activity == Some(Activity::Running) && before.current_call.is_some());
    stage.pass(45, well);
    let after = stage.troupe.work(stuck, stage.now).unwrap();
    assert_eq!((after.activity, after.progress), (before.activity, before.progress));
    stage.pass(75, well);
    let words = stage.words(stuck);
    let failed = words.iter().position(|told| matches!(told, Told::Failed { .. })).unwrap();
    assert!(words[failed..].iter().any(|told| matches!(told, Told::Progress { .. })), "{words:?}");
}

#[test]
fn an_agent_that_dies_is_silent_until_another_takes_its_place() {
    let (mut stage, dead) = (Stage::new(4), place("Log-Watcher"));
    stage.pass(24, well);
    assert!(stage.activity(dead).is_some());
    stage.pass(2, well);
    let words = stage.words(dead).len();
    assert_eq!(stage.activity(dead), None);
    stage.pass(22, well);
    assert_eq!((stage.activity(dead), stage.words(dead).len()), (None, words));
    stage.pass(2, well);
    assert!(stage.activity(dead).is_some());
}

#[test]
fn the_call_of_an_agent_that_dies_dies_with_it() {
    let dead = place("Log-Watcher");
    let met = (0..20).filter(|seed| {
        let mut stage = Stage::new(*seed);
        stage.pass(24, |_, _| (Duration::from_secs(20), Outcome::Answered));
        let was_calling = stage.calls.contains_key(&dead);
        stage.pass(1, well);
        assert!(stage.activity(dead).is_none() && !stage.calls.contains_key(&dead));
        was_calling
    });
    assert!(met.count() > 10, "too few of them were in a call");
}

#[test]
fn a_context_that_grows_passes_both_lines_and_is_cut_back_and_no_other_passes_one() {
    let mut stage = Stage::new(5);
    let mut most: BTreeMap<&str, f64> = BTreeMap::new();
    let mut last = 1.0;
    for _ in 0..120 {
        stage.pass(1, well);
        for (agent, role) in CAST.iter().enumerate() {
            let Some(usage) = stage.troupe.work(agent, stage.now).and_then(|work| work.token_usage) else {
                continue;
            };
            let share = usage.ctx_used as f64 / usage.ctx_limit as f64;
            let most = most.entry(role.name).or_default();
            *most = most.max(share);
            if role.name == "Summariser" {
                last = share;
            }
        }
    }
    let over: Vec<_> = most.iter().filter(|(_, share)| **share > 0.5).map(|(name, _)| *name).collect();
    assert_eq!(over, ["Analyst", "Summariser"]);
    assert!(most["Summariser"] > 0.75 && last < 0.5, "{} and then {last}", most["Summariser"]);
}

#[test]
fn a_model_ails_for_as_long_as_its_scene_says() {
    let mut stage = Stage::new(6);
    let ails: Vec<u64> = (1..=CYCLE_S)
        .filter(|_| {
            stage.pass(1, well);
            stage.troupe.ails(1, stage.now) == Some(500)
        })
        .collect();
    assert_eq!((ails.first(), ails.len()), (Some(&40), 30));
}

#[test]
fn scenes_that_were_slept_through_are_left_out() {
    let mut troupe = Troupe::new(10, "R-1".to_owned());
    let later = Duration::from_secs(1_000 * CYCLE_S + 50);
    troupe.tick(later);
    assert_eq!((troupe.ails(1, later), troupe.ails(0, later)), (Some(500), None));
    assert!(troupe.work(place("Log-Watcher"), later).is_some());
}
