//! What a caller is told for whom there is nobody.

use pas_types::{Error, ErrorCode};

use super::*;

fn refused(fleet: &Fleet, ask: &Ask<'_>, exclude: &impl Exclude) -> Error {
    let plan = plan(fleet, ask, &rules(fleet, ask, "balanced"), exclude, &mut Scratch::default());
    plan.refusal.unwrap()
}

#[test]
fn nobody_that_could_come_back_is_not_found() {
    let fleet = fleet(adapters());
    let ask = Ask { role: Some(Role::Canary), ..plain(&fleet, "gpt") };
    let error = refused(&fleet, &ask, &());
    assert_eq!((error.code, error.status(), error.retryable()), (ErrorCode::NoCandidate, 404, false));
    assert!(
        error.message.starts_with("nobody can answer a call for the model gpt: openai with gpt (role: is"),
        "{}",
        error.message
    );
}

#[test]
fn what_is_too_long_for_all_who_would_do_is_the_callers_to_shorten() {
    let fleet = fleet(adapters());
    let ask = Ask { input_tokens: 1_000_000, ..plain(&fleet, "gpt") };
    let error = refused(&fleet, &ask, &());
    assert_eq!((error.is_too_long(), error.status(), error.retryable()), (true, 400, false));
    assert_eq!(
        error.message,
        "the prompt is too long: nobody can answer a call for the model gpt: openai with gpt (context: needs \
         1000k, has 128k)"
    );
    let message = refused(&fleet, &Ask { output_tokens: Some(5), ..ask }, &()).message;
    assert!(
        message.starts_with("the prompt is too long, with the 5 tokens of an answer that are asked for: "),
        "{message}"
    );
}

#[test]
fn who_would_do_but_for_something_else_makes_it_no_matter_of_length() {
    let of = |name: &str, ctx_limit: u64, paused: bool| Service {
        caps: vec!["chat".to_owned()],
        ctx_limit: Some(ctx_limit),
        paused,
        ..service(name, &[("dialects", "openai.chat")])
    };
    let fleet = fleet(vec![of("small", 10, false), of("wide", 1_000, true)]);
    let error = refused(&fleet, &Ask { input_tokens: 100, ..plain(&fleet, "cap:chat") }, &());
    assert_eq!((error.code, error.status(), error.is_too_long()), (ErrorCode::Paused, 503, false));
}

#[test]
fn somebody_who_could_come_back_is_unavailable_until_the_soonest_time() {
    let fleet = fleet(adapters());
    let ask = plain(&fleet, "sonnet");
    let held = |_: u32, candidate: &Candidate| {
        let seconds = if &*candidate.model == "haiku" { 2.2 } else { 30.0 };
        Some(Held { code: Exclusion::Breaker, until: Some(Duration::from_secs_f64(seconds)) })
    };
    let error = refused(&fleet, &ask, &held);
    assert_eq!((error.code, error.status()), (ErrorCode::NoCandidate, 503));
    assert_eq!((error.retry_after_s, error.retryable()), (Some(3), true));
    assert!(error.message.contains("haiku (breaker: open after failures, for 2.2 s)"), "{}", error.message);
}

#[test]
fn limits_alone_are_answered_as_limits() {
    let fleet = fleet(adapters());
    let held = |_: u32, candidate: &Candidate| {
        let code = if &*candidate.model == "haiku" { Exclusion::CoolDown } else { Exclusion::RateLimit };
        Some(Held { code, until: Some(Duration::from_secs(7)) })
    };
    let error = refused(&fleet, &plain(&fleet, "sonnet"), &held);
    assert_eq!((error.code, error.status(), error.retry_after_s), (ErrorCode::RateLimited, 429, Some(7)));
}

#[test]
fn a_pause_alone_is_answered_as_a_pause() {
    let mut services = adapters();
    services.iter_mut().for_each(|service| service.paused = true);
    let fleet = fleet(services);
    let error = refused(&fleet, &plain(&fleet, "sonnet"), &());
    assert_eq!((error.code, error.status(), error.retry_after_s), (ErrorCode::Paused, 503, Some(5)));
}

#[test]
fn what_nobody_knows_is_said_to_be_unknown() {
    let everybody = fleet(adapters());
    let message = |model: &str| refused(&everybody, &plain(&everybody, model), &()).message;
    assert!(message("gtp-4").starts_with("nobody knows `gtp-4`: it is no route, no model, no alias"));
    let nobody = fleet(Vec::new());
    let message = |ask: &Ask<'_>| refused(&nobody, ask, &()).message;
    assert!(
        message(&plain(&nobody, "sonnet")).starts_with("nobody who is registered serves the model sonnet")
    );
    let of_name = Ask { name: Some("x"), target_type: TargetType::Tool, ..Ask::default() };
    assert!(
        message(&of_name).starts_with("there is no a tool named x") || message(&of_name).contains("named x")
    );
    assert!(message(&plain(&nobody, "cap:chat")).contains("no model is registered"));
}

#[test]
fn of_very_many_the_nearest_misses_are_listed_and_the_rest_is_counted() {
    let mut services: Vec<Service> = (0..200).map(|number| service(&format!("s{number}"), &[])).collect();
    for (place, service) in services.iter_mut().enumerate() {
        if place % 20 == 0 {
            service.caps = vec!["sing".to_owned()];
            service.paused = place % 40 == 0;
            service.role = if service.paused { Role::Production } else { Role::Staging };
        }
    }
    let fleet = fleet(services);
    let ask = plain(&fleet, "cap:sing");
    let plan = plan(&fleet, &ask, &rules(&fleet, &ask, "balanced"), &(), &mut Scratch::default());
    let codes: Vec<Exclusion> = plan.excluded.iter().map(|it| it.code).collect();
    assert_eq!(codes[..10], [[Exclusion::Paused; 5], [Exclusion::Role; 5]].concat());
    assert_eq!(codes.len(), LISTED);
    let counts: Vec<_> = plan.counts.iter().collect();
    assert_eq!(counts, [(Exclusion::Caps, 190), (Exclusion::Role, 5), (Exclusion::Paused, 5)]);
    let message = plan.refusal.unwrap().message;
    assert!(message.ends_with("184 more; in all: caps 190, role 5, paused 5"), "{message}");
}

#[test]
fn a_credential_alone_is_answered_as_one_that_is_refused() {
    let fleet = fleet(adapters());
    let ask = plain(&fleet, "gpt");
    for (code, told, status) in [
        (Exclusion::Credential, ErrorCode::Unauthenticated, 401),
        (Exclusion::Spent, ErrorCode::BudgetExhausted, 402),
    ] {
        let held = |_: u32, _: &Candidate| Some(Held { code, until: Some(Duration::from_secs(60)) });
        let error = refused(&fleet, &ask, &held);
        assert_eq!((error.code, error.status(), error.retryable()), (told, status, false));
    }
}

#[test]
fn a_service_that_is_down_is_listed_once_and_leaves_room_for_others() {
    let models = (0..40).map(|number| format!("m{number}")).collect::<Vec<_>>().join(",");
    let labels = [("models", models.as_str()), ("dialects", "openai.chat")];
    let down = Service { status: Status::Down, caps: vec!["chat".to_owned()], ..service("down", &labels) };
    let small = Service {
        caps: vec!["chat".to_owned()],
        ctx_limit: Some(10),
        ..service("small", &[("dialects", "openai.chat")])
    };
    let fleet = fleet(vec![down, small]);
    let plan = explained(&fleet, &Ask { input_tokens: 100, ..plain(&fleet, "cap:chat") }, "balanced");
    let told = reasons(&fleet, &plan);
    assert!(told.len() == 2 && told[0].ends_with(" status: down"), "{told:?}");
    assert_eq!(told[1], "small context: needs 100, has 10");
    assert_eq!(plan.counts.total(), 41);
}
