use pas_gateway::Config;
use pas_testkit::provider::Fault;
use pas_testkit::{Provider, Script};
use serde_json::{Value, json};

use crate::support::{World, chat, message, run_id};

/// How a caller asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) openai: bool,
    pub(crate) stream: bool,
    pub(crate) atomic: bool,
}

impl Way {
    /// The plainest.
    pub(crate) const PLAIN: Self = Self { openai: true, stream: false, atomic: false };

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        [true, false].into_iter().flat_map(|openai| {
            [(false, false), (true, false), (true, true)].into_iter().map(move |(stream, atomic)| Self {
                openai,
                stream,
                atomic,
            })
        })
    }

    /// The status, the text, and the receipt.
    pub(crate) async fn ask(self, world: &World) -> (u16, String, Value) {
        self.ask_with(world, &[]).await
    }

    /// The same with more headers.
    pub(crate) async fn ask_with(self, world: &World, more: &[(&str, &str)]) -> (u16, String, Value) {
        let (path, body) = match self.openai {
            true => ("/v1/chat/completions", chat(self.stream)),
            false => ("/v1/messages", message(self.stream)),
        };
        let delivery = if self.atomic { "atomic" } else { "live" };
        let asked =
            world.post(path).header("x-pas-policy", "local").header("x-pas-delivery", delivery).json(&body);
        let asked = more.iter().fold(asked, |asked, (name, value)| asked.header(*name, *value));
        let answer = asked.send().await.unwrap();
        let (status, id) = (answer.status().as_u16(), run_id(&answer));
        let text = answer.text().await.unwrap();
        (status, text, world.get(&format!("/receipts/{id}")).await)
    }

    /// Whether what was answered is whole.
    pub(crate) fn is_whole(self, text: &str) -> bool {
        match (self.stream, self.openai) {
            (true, true) => text.contains("data: [DONE]"),
            (true, false) => text.contains("event: message_stop"),
            (false, _) => serde_json::from_str::<Value>(text).is_ok_and(|value| value.get("error").is_none()),
        }
    }
}

/// Two providers, of which the first is asked first.
pub(crate) struct Two {
    pub(crate) world: World,
    pub(crate) first: Provider,
    pub(crate) second: Provider,
}

impl Two {
    pub(crate) async fn start() -> Self {
        Self::in_world(World::start().await).await
    }

    pub(crate) async fn in_world(world: World) -> Self {
        let (first, second) = (Provider::start().unwrap(), Provider::start().unwrap());
        // The policy prefers what is near: the first is the first choice.
        world.register("first", &first).await;
        world.register_far("second", &second).await;
        Self { world, first, second }
    }

    /// The first is well, and so nothing is held against it.
    pub(crate) async fn recover(&self) {
        self.first.clear();
        let (_, _, receipt) = Way::PLAIN.ask(&self.world).await;
        assert_eq!(
            (outcomes(&receipt), &receipt["resolved"]["name"]),
            (vec!["ok"], &json!("first")),
            "{receipt}"
        );
    }

    /// The first misbehaves so, once.
    pub(crate) fn script(&self, script: &Script) {
        self.first.script(script.clone());
    }
}

pub(crate) fn outcomes(receipt: &Value) -> Vec<&str> {
    let attempts = receipt["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    attempts.iter().filter_map(|attempt| attempt["outcome"].as_str()).collect()
}

#[tokio::test]
async fn what_goes_wrong_before_anything_was_said_is_made_good_unseen() {
    for (script, outcome) in [
        (Script::status(500), "status_500"),
        (Script::status(503), "status_503"),
        (Script::status(529), "status_529"),
        (Script::fault(Fault::Empty), "empty"),
        (Script::fault(Fault::Html), "wrong_content_type"),
        (Script::fault_after(Fault::Garbage, 0), "garbage"),
        (Script::fault_after(Fault::Error, 0), "error_inside"),
        (Script::fault_after(Fault::Close, 0), "cut"),
    ] {
        let two = Two::start().await;
        for way in Way::all() {
            two.script(&script);
            let (status, text, receipt) = way.ask(&two.world).await;
            assert!(status == 200 && way.is_whole(&text), "{outcome} {way:?}: {status} {text} {receipt}");
            let outcomes = outcomes(&receipt);
            assert_eq!(outcomes.last(), Some(&"ok"), "{outcome} {way:?}: {receipt}");
            assert!(outcomes.len() > 1, "{outcome} {way:?}: {receipt}");
            assert_eq!(receipt["status"], "ok");
            two.recover().await;
        }
        two.world.stop().await;
    }
}

#[tokio::test]
async fn what_breaks_off_is_never_passed_off_as_whole() {
    for fault in [Fault::Close, Fault::Reset, Fault::End, Fault::Garbage, Fault::Error] {
        let two = Two::start().await;
        for way in Way::all().filter(|way| way.stream) {
            two.script(&Script::fault_after(fault, 3));
            let (status, text, receipt) = way.ask(&two.world).await;
            assert_eq!(status, 200, "{fault:?} {way:?}: {text}");
            if way.atomic {
                assert!(way.is_whole(&text), "{fault:?} {way:?}: {text} {receipt}");
                assert_eq!(receipt["status"], "ok", "{fault:?} {way:?}");
            } else {
                assert!(!way.is_whole(&text) && text.contains("\"error\""), "{fault:?} {way:?}: {text}");
                assert_eq!(receipt["status"], "cut", "{fault:?} {way:?}: {receipt}");
                assert_eq!(receipt["usage"]["source"], "estimated", "{receipt}");
            }
        }
        two.world.stop().await;
    }
}

#[tokio::test]
async fn the_callers_own_fault_comes_back_as_it_is_and_nobody_else_is_asked() {
    let two = Two::start().await;
    let no_file = json!({"error": {"type": "not_found_error", "message": "File not found: file_1"}});
    for way in Way::all() {
        for (status, error) in [(400, None), (404, Some(no_file.clone())), (409, None), (422, None)] {
            two.first.forget();
            two.script(&Script { error, ..Script::status(status) });
            let (answered, text, receipt) = way.ask(&two.world).await;
            assert_eq!(answered, status, "{way:?}: {text}");
            assert_eq!(outcomes(&receipt).len(), 1, "{receipt}");
            assert_eq!(receipt["status"], "error");
            let asked = two.first.requests().len() + two.second.requests().len();
            assert_eq!(asked, 1);
        }
    }
    two.world.stop().await;
}

#[tokio::test]
async fn when_all_have_had_too_much_the_caller_is_told_for_how_long() {
    for way in Way::all() {
        let (world, provider) = (World::start().await, Provider::start().unwrap());
        world.register("only", &provider).await;
        provider.script(Script { retry_after_s: Some(7), ..Script::status(429) });
        let (status, text, receipt) = way.ask(&world).await;
        assert_eq!((status, outcomes(&receipt)), (429, vec!["status_429"]), "{way:?}: {text}");
        // Nobody is asked again until then.
        let (status, _, receipt) = way.ask(&world).await;
        assert_eq!((status, outcomes(&receipt)), (429, vec![]), "{receipt}");
        assert_eq!(receipt["excluded_counts"], json!({"cool_down": 1}));
        assert_eq!(provider.requests().len(), 1);
        world.stop().await;
    }
}

#[tokio::test]
async fn an_event_that_is_larger_than_is_taken_is_a_fault_like_any_other() {
    let config = Config { event_bytes: 4_096, ..Config::default() };
    let two = Two::in_world(World::with(config).await).await;
    for way in Way::all().filter(|way| way.stream) {
        two.script(&Script { chunks: Some(1), ..Script::text("x".repeat(10_000)) });
        let (status, text, receipt) = way.ask(&two.world).await;
        assert!(status == 200 && way.is_whole(&text), "{way:?}: {status} {text} {receipt}");
        assert_eq!(outcomes(&receipt), ["too_large", "ok"], "{way:?}: {receipt}");
        two.recover().await;
    }
    two.world.stop().await;
}
