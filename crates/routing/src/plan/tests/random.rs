//! Whatever is asked of whatever fleet: there is an answer, and it is sound.

use std::sync::{Arc, LazyLock};

use pas_types::registry::Labels;

use super::*;
use crate::sample;

/// A generator of numbers: the same seed, the same numbers.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        let place = self.below(all.len() as u64) as usize;
        all[place].clone()
    }

    fn measure(&mut self) -> Option<f64> {
        self.of(&[
            None,
            Some(0.0),
            Some(0.3),
            Some(800.0),
            Some(-1.0),
            Some(f64::NAN),
            Some(f64::INFINITY),
            Some(1e300),
        ])
    }

    fn tokens(&mut self) -> u64 {
        self.of(&[0, 1, 10, 100, 1_000, 10_000, 30_000, 150_000, u64::MAX])
    }
}

const CAPS: [&str; 7] = ["chat", "plan", "tools", "vision", "sing", "ünïcode", "x"];
const NAMES: [&str; 8] = ["anthropic", "own", "s1", "s2", "s3", "claude", "ü", "auto"];

fn random_service(dice: &mut Dice) -> Service {
    let labels: [(&str, &[&str]); 7] = [
        ("models", &["sonnet", "haiku,gpt", "llama:latest", "mystery,unheard,unheard", ",", "", "own"]),
        ("provider", &["anthropic", "openai", "ollama", "acme", ""]),
        ("dialects", &["openai.chat", "anthropic.messages", "pas", "openai.chat,pas", "martian", "", ","]),
        ("locality", &["local", "external", "moon"]),
        ("tier", &["light", "strong", "?"]),
        ("weight", &["1", "7", "0", "x", "99999999999"]),
        ("colour", &["red", "blue"]),
    ];
    let mut said = Labels::new();
    for (key, values) in labels {
        if dice.one_in(2) {
            said.insert(key.to_owned(), Some(dice.of(values).to_owned()));
        }
    }
    let number = dice.below(1_000);
    Service {
        service_type: if dice.one_in(3) { dice.of(&ServiceType::ALL) } else { ServiceType::Model },
        role: if dice.one_in(3) { dice.of(&Role::ALL) } else { Role::Production },
        url: dice.of(&[
            None,
            Some("http://127.0.0.1:1".to_owned()),
            Some("https://a.example".to_owned()),
            Some("?".to_owned()),
        ]),
        caps: CAPS.iter().filter(|_| !dice.one_in(4)).map(|cap| (*cap).to_owned()).collect(),
        labels: said,
        ctx_limit: dice.of(&[None, Some(1), Some(32_000), Some(u64::MAX)]),
        cost_hint_usd_per_1k: dice.measure(),
        status: dice.of(&[Status::Ok, Status::Ok, Status::Degraded, Status::Down]),
        paused: dice.one_in(5),
        verified: !dice.one_in(5),
        p95_ms: dice.measure(),
        load: dice.measure(),
        queue_depth: dice.of(&[None, Some(0), Some(u64::MAX)]),
        name: dice.of(&NAMES).to_owned(),
        ..sample::service(&number.to_string(), &[])
    }
}

fn random_ask<'a>(
    dice: &mut Dice,
    fleet: &Fleet,
    caps: &'a [String],
    labels: &'a std::collections::BTreeMap<String, String>,
) -> Ask<'a> {
    let models = [
        "auto",
        "cheap",
        "pair",
        "sonnet",
        "claude",
        "gpt",
        "unheard",
        "own",
        "s1",
        "cap:chat",
        "cap:sing,x",
        "cap:nobody",
        "??",
    ];
    let wanted = if dice.one_in(4) {
        crate::ask::Wanted::Any
    } else {
        resolve(fleet.table(), dice.of(&models)).unwrap()
    };
    let speaks: Vec<Speaks> =
        Dialect::ALL.into_iter().map(Speaks::Dialect).chain([Speaks::Plain; 20]).collect();
    Ask {
        target_type: if dice.one_in(4) { dice.of(&TargetType::ALL) } else { TargetType::Model },
        role: dice.of(&[
            None,
            None,
            None,
            None,
            None,
            None,
            Some(Role::Production),
            Some(Role::Canary),
            Some(Role::System),
        ]),
        caps: if dice.one_in(3) { caps } else { &[] },
        name: if dice.one_in(6) { Some(dice.of(&NAMES)) } else { None },
        wanted,
        labels: if dice.one_in(8) { Some(labels) } else { None },
        speaks: dice.of(&speaks),
        needs: dice.of(&[
            Needs::NONE,
            Needs::NONE,
            Needs::NONE,
            Needs::NONE,
            Needs::NONE,
            Needs::TOOLS,
            Needs::VISION | Needs::PREFILL,
            Needs::EMBED,
        ]),
        input_tokens: dice.tokens(),
        output_tokens: dice.of(&[None, None, None, Some(0), Some(100), Some(100_000), Some(u64::MAX)]),
        deadline: dice.of(&[
            None,
            None,
            None,
            Some(Duration::ZERO),
            Some(Duration::from_millis(400)),
            Some(Duration::MAX),
        ]),
        agent: dice.of(&[None, Some("own")]),
        tried: dice.of(&[&[][..], &[0, 2], &[u32::MAX]]),
    }
}

/// Asks as often as `asks` says, of a new fleet each hundred times.
fn ask_at_random(seed: u64, asks: u64) {
    static TABLE: LazyLock<Arc<crate::Table>> = LazyLock::new(sample::table);
    const POLICIES: [&str; 8] =
        ["balanced", "local", "cheapest", "fastest", "best", "resilient", "private", "careful"];
    let mut dice = Dice(seed);
    let caps = ["chat".to_owned(), "sing".to_owned()];
    let labels = [("colour".to_owned(), "red".to_owned())].into();
    let mut scratch = Scratch::default();
    let (mut answered, mut refused) = (0_u64, 0_u64);
    let mut fleet = Fleet::build(Arc::clone(&TABLE), Vec::new());
    for number in 0..asks {
        if number % 100 == 0 {
            let services = (0..dice.below(40)).map(|_| Arc::new(random_service(&mut dice))).collect();
            fleet = Fleet::build(Arc::clone(&TABLE), services);
        }
        let ask = random_ask(&mut dice, &fleet, &caps, &labels);
        let rules = Rules { fallback: !dice.one_in(4), ..rules(&fleet, &ask, dice.of(&POLICIES)) };
        let salt = dice.next();
        let held = |_: u32, candidate: &Candidate| {
            let code = [Exclusion::Breaker, Exclusion::CoolDown, Exclusion::RateLimit, Exclusion::InUse]
                [(candidate.key % 4) as usize];
            let until = salt.is_multiple_of(3).then(|| Duration::from_millis(salt % 100_000));
            (candidate.key ^ salt).is_multiple_of(5).then_some(Held { code, until })
        };
        let quick = plan(&fleet, &ask, &rules, &held, &mut scratch);
        let whole = explain(&fleet, &ask, &rules, &held, &mut scratch);
        check(&fleet, &ask, &rules, &quick, &whole, &held);
        match quick.refusal {
            Some(_) => refused += 1,
            None => answered += 1,
        }
    }
    assert!(answered > asks / 20 && refused > asks / 20, "{answered} answered, {refused} refused");
}

fn check(fleet: &Fleet, ask: &Ask<'_>, rules: &Rules, quick: &Plan, whole: &Plan, held: &impl Exclude) {
    // Both find as many, and for the same reasons.
    assert_eq!((quick.usable, quick.counts), (whole.usable, whole.counts), "{ask:?}");
    let listed = (whole.usable as usize).min(LISTED).min(if rules.fallback { LISTED } else { 1 });
    for plan in [quick, whole] {
        assert_eq!(plan.refusal.is_some(), plan.choices.is_empty());
        assert_eq!(plan.choices.len(), listed);
        let mut places: Vec<u32> = plan.choices.iter().map(|choice| choice.index).collect();
        for choice in &plan.choices {
            let candidate = fleet.candidate(choice.index).unwrap();
            assert!((0.0..=1.0).contains(&choice.score), "{choice:?}");
            assert!(held.held(choice.index, candidate).is_none());
            assert!(!ask.tried.contains(&choice.index));
            assert!(!candidate.service.paused && candidate.service.status != Status::Down);
            assert_eq!(candidate.service.service_type, ask.target_type.into());
            let limit = candidate.ctx_limit.unwrap_or(u64::MAX);
            assert!(ask.input_tokens.saturating_add(ask.output_tokens.unwrap_or(0)) <= limit);
            assert!(rules.max_cost.is_none_or(|max| choice.cost.usd.is_some_and(|usd| usd <= max)));
        }
        assert!(plan.choices.is_sorted_by_key(|choice| choice.rank), "{plan:?}");
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), plan.choices.len(), "somebody is chosen twice");
        if let Some(error) = &plan.refusal {
            let passes = plan.counts.iter().any(|(code, _)| code.passes());
            let nearest = plan.counts.iter().map(|(code, _)| code).max();
            assert_eq!(error.is_too_long(), nearest == Some(Exclusion::Context), "{error:?}");
            assert_eq!(!matches!(error.status(), 400 | 404), passes, "{error:?}");
            assert!(error.message.len() < 16_384);
        }
    }
    let room = (whole.counts.total() as usize).min(LISTED - whole.choices.len());
    let of_services =
        whole.counts.iter().any(|(code, _)| matches!(code, Exclusion::Paused | Exclusion::Status));
    assert!(whole.excluded.len() == room || (of_services && whole.excluded.len() < room), "{whole:?}");
    assert_eq!(whole.excluded.is_empty(), room == 0);
    for excluded in &whole.excluded {
        assert!(excluded.reason.starts_with(excluded.code.as_str()), "{excluded:?}");
    }
    // People see as many as there are.
    assert_eq!(whole.candidate_views(fleet, ask, rules).count(), whole.choices.len());
    assert_eq!(whole.excluded_views(fleet).count(), whole.excluded.len());
}

#[test]
fn whatever_is_asked_of_whatever_fleet_has_a_sound_answer() {
    ask_at_random(1, 20_000);
}

#[test]
#[ignore = "takes minutes: ten million questions"]
fn ten_million_questions_have_sound_answers() {
    let threads: Vec<_> =
        (2..4).map(|seed| std::thread::spawn(move || ask_at_random(seed, 5_000_000))).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
