use pas_types::routing::Window;
use proptest::prelude::*;

use super::*;

fn rule(per: LimitedBy, requests: Option<u64>, tokens: Option<u64>, window: Window) -> RateLimit {
    RateLimit { per, name: None, requests, tokens, window }
}

fn caller(name: &str) -> Keys<'_> {
    Keys { caller: Some(name), ..Keys::default() }
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Take(u64),
    Refund(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0_u64..20_000).prop_map(Step::Wait),
        5 => (0_u64..6).prop_map(Step::Take),
        1 => (0_usize..8).prop_map(Step::Refund),
    ];
    proptest::collection::vec(step, 1..200)
}

proptest! {
    #[test]
    fn in_no_stretch_as_long_as_the_window_passes_more_than_the_limit(steps in steps(), most in 1_u64..12) {
        let mut limiter = Limiter::new(&[rule(LimitedBy::Caller, None, Some(most), Window::Minute)]);
        let (mut now, mut passed) = (Duration::ZERO, Vec::<(Grant, u64)>::new());
        for step in steps {
            match step {
                Step::Wait(millis) => now += Duration::from_millis(millis),
                Step::Take(tokens) => {
                    let amount = Amount { requests: 0, tokens };
                    match limiter.take(now, &caller("a"), amount) {
                        Ok(grant) => passed.push((grant, tokens)),
                        Err(Denied { retry_after: None, .. }) => prop_assert!(tokens > most),
                        Err(Denied { retry_after: Some(wait), .. }) => {
                            prop_assert!(wait > Duration::ZERO && wait <= seconds(65.0));
                            prop_assert!(limiter.check(now + wait, &caller("a"), amount).is_ok());
                        }
                    }
                }
                Step::Refund(which) if !passed.is_empty() => {
                    let (grant, _) = passed.swap_remove(which % passed.len());
                    limiter.refund(now, &caller("a"), grant);
                }
                Step::Refund(_) => {}
            }
            // Every stretch that ends with something that passed.
            for (end, _) in &passed {
                let within = |grant: &Grant| grant.at <= end.at && end.at - grant.at < seconds(60.0);
                let sum: u64 = passed.iter().filter(|(grant, _)| within(grant)).map(|(_, tokens)| tokens).sum();
                prop_assert!(sum <= most, "{sum} of {most}");
            }
        }
    }

    #[test]
    fn what_is_given_back_is_as_if_never_taken(
        waits in proptest::collection::vec(0_u64..5_000, 1..20), most in 1_u64..5,
    ) {
        let rules = [rule(LimitedBy::Global, Some(most), None, Window::Minute)];
        let keys = Keys { global: true, ..Keys::default() };
        let mut limiter = Limiter::new(&rules);
        let mut now = seconds(1.0);
        for wait in waits {
            let grant = limiter.take(now, &keys, Amount::call(0)).unwrap();
            now += Duration::from_millis(wait);
            limiter.refund(now, &keys, grant);
            prop_assert_eq!(limiter.limits[0].slots("", true).taken(now, seconds(60.0)), 0);
        }
    }
}

#[test]
fn a_call_that_took_more_than_was_taken_for_it_is_held_against_the_next() {
    let mut limiter = Limiter::new(&[rule(LimitedBy::Caller, None, Some(100), Window::Minute)]);
    let keys = caller("a");
    let grant = limiter.take(seconds(0.0), &keys, Amount::call(50)).unwrap();
    limiter.settle(seconds(1.0), &keys, grant, Amount::call(120));
    let denied = limiter.check(seconds(2.0), &keys, Amount::call(1)).unwrap_err();
    assert_eq!(denied.limit, "100 tokens in 60 s for each caller");
    // Others are not held to it; and it is over when the window is.
    assert_eq!(limiter.check(seconds(2.0), &caller("b"), Amount::call(100)), Ok(()));
    assert_eq!(limiter.check(seconds(2.0) + denied.retry_after.unwrap(), &keys, Amount::call(1)), Ok(()));
}

#[test]
fn a_call_that_took_less_leaves_the_rest() {
    let mut limiter = Limiter::new(&[rule(LimitedBy::Caller, None, Some(100), Window::Minute)]);
    let keys = caller("a");
    let grant = limiter.take(seconds(0.0), &keys, Amount::call(90)).unwrap();
    limiter.settle(seconds(1.0), &keys, grant, Amount::call(10));
    assert_eq!(limiter.check(seconds(2.0), &keys, Amount::call(90)), Ok(()));
    assert!(limiter.check(seconds(2.0), &keys, Amount::call(91)).is_err());
}

#[test]
fn all_limits_grant_or_none_is_touched() {
    let narrow = RateLimit {
        name: Some("slow".to_owned()),
        ..rule(LimitedBy::Service, Some(1), None, Window::Second)
    };
    let mut limiter = Limiter::new(&[rule(LimitedBy::Caller, Some(2), None, Window::Hour), narrow]);
    let slow = Keys { service: Some("slow"), ..caller("a") };
    limiter.take(seconds(0.0), &slow, Amount::call(0)).unwrap();
    let denied = limiter.take(seconds(0.1), &slow, Amount::call(0)).unwrap_err();
    assert_eq!(denied.limit, "1 calls in a second for the service slow");
    // The refused call took nothing of the caller's limit, and another service isn't under the narrow one.
    limiter.take(seconds(0.2), &Keys { service: Some("fast"), ..caller("a") }, Amount::call(0)).unwrap();
    let denied = limiter.take(seconds(0.3), &caller("a"), Amount::call(0)).unwrap_err();
    assert!(denied.retry_after.unwrap() > seconds(3_500.0), "{denied:?}");
}

#[test]
fn the_windows_are_bounded_and_who_finds_none_shares_one() {
    let rules = [rule(LimitedBy::Caller, Some(1), None, Window::Minute)];
    let mut limiter = Limiter::with_windows(&rules, 2);
    for name in ["a", "b", "c"] {
        limiter.take(seconds(0.0), &caller(name), Amount::call(0)).unwrap();
    }
    assert_eq!(limiter.windows, 2);
    assert!(limiter.take(seconds(0.5), &caller("d"), Amount::call(0)).is_err(), "d shares with c");
    // When the windows of others are over, there is room again.
    limiter.take(seconds(70.0), &caller("d"), Amount::call(0)).unwrap();
    limiter.take(seconds(70.0), &caller("e"), Amount::call(0)).unwrap();
    assert_eq!(limiter.windows, 2);
}
