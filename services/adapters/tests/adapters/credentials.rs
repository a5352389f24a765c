use std::collections::BTreeSet;

use pas_adapters::{anthropic, gemini, grok, huggingface, openai};
use pas_testkit::{Fault, Manner, Script, until};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{Door, chat, message, said};

fn bearer(door: &Door) -> Vec<String> {
    let turns = door.turns();
    turns
        .iter()
        .map(|one| one.header("authorization").unwrap().trim_start_matches("Bearer ").to_owned())
        .collect()
}

#[tokio::test]
async fn several_take_turns_and_while_one_is_limited_the_other_answers_every_call() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &["k-1", "k-2"], "k-1, k-2").await;
    for _ in 0..4 {
        assert!(door.chat().await.status().is_success());
    }
    assert_eq!(bearer(&door), ["k-1", "k-2", "k-1", "k-2"]);
    door.provider.forget();
    door.provider
        .script(Script { retry_after_s: Some(600), ..Script::status(429) }.with_key("k-1").forever());
    let mut calls = JoinSet::new();
    for _ in 0..32 {
        calls.spawn(door.post("/v1/chat/completions", &chat(false)).send());
    }
    let all = calls.join_all().await;
    assert!(all.iter().all(|answer| answer.as_ref().unwrap().status().is_success()));
    let limited = bearer(&door).iter().filter(|key| *key == "k-1").count();
    assert!(limited >= 1 && bearer(&door).len() == 32 + limited);
    // From now on nobody is bothered with the one that is limited.
    door.provider.forget();
    for _ in 0..4 {
        door.chat().await;
    }
    assert_eq!(bearer(&door), ["k-2"; 4]);
    assert_eq!(door.is("limits", "ok").await, "");
    door.close().await;
}

#[tokio::test]
async fn when_all_are_limited_the_caller_is_told_the_soonest_time_and_nobody_is_asked() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &[], "k-1,k-2").await;
    for (key, seconds) in [("k-1", 90), ("k-2", 40)] {
        door.provider.script(Script { retry_after_s: Some(seconds), ..Script::status(429) }.with_key(key));
    }
    let first = door.chat().await;
    assert_eq!(first.headers()["retry-after"], "40");
    let (status, value) = said(first).await;
    assert_eq!((status, &value["error"]["code"]), (429, &json!("rate_limit_exceeded")));
    assert_eq!(door.turns().len(), 2);
    let second = door.chat().await;
    let wait: u64 = second.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=40).contains(&wait), "{wait}");
    let (status, value) = said(second).await;
    assert_eq!((status, &value["error"]["code"]), (429, &json!("rate_limited")));
    assert_eq!(door.turns().len(), 2);
    let why = door.is("limits", "degraded").await;
    assert_eq!(why, "limited: OpenAI limits scripted-1 for now");
    // Another model has limits of its own.
    let other = json!({"model": "scripted-2", "messages": []});
    assert!(door.post("/v1/chat/completions", &other).send().await.unwrap().status().is_success());
    door.close().await;
}

#[tokio::test]
async fn a_limit_ends_by_itself() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &[], "k-1").await;
    door.provider.script(Script { retry_after_s: Some(1), ..Script::status(429) });
    assert_eq!(door.chat().await.status().as_u16(), 429);
    until("it is answered again", async || door.chat().await.status().is_success().then_some(())).await;
    assert_eq!(door.turns().len(), 2);
    door.close().await;
}

#[tokio::test]
async fn what_is_left_of_a_limit_is_heeded_before_it_is_crossed() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &[], "k-1,k-2").await;
    door.provider.script(Script { reset_s: Some(600), ..Script::new() }.with_key("k-1"));
    for _ in 0..4 {
        assert!(door.chat().await.status().is_success());
    }
    assert_eq!(bearer(&door), ["k-1", "k-2", "k-2", "k-2"]);
    door.close().await;
}

#[tokio::test]
async fn a_credential_that_is_refused_is_left_and_named() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &["k-good"], "k-bad,k-good").await;
    for _ in 0..4 {
        assert!(door.chat().await.status().is_success());
    }
    // It was found out when the models were listed.
    assert_eq!(bearer(&door).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(["k-good".to_owned()]));
    let why = door.is("credential", "ok").await;
    assert_eq!(why, "credential_out: OpenAI refuses OPENAI_API_KEY#1 with 401 (it is no valid credential)");
    door.close().await;
}

#[tokio::test]
async fn an_empty_purse_is_no_limit() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &[], "k-1").await;
    door.provider.script(Script::fault(Fault::Quota));
    let (status, value) = said(door.chat().await).await;
    assert_eq!((status, &value["error"]["type"]), (429, &json!("insufficient_quota")));
    assert_eq!(value["error"]["message"], "OpenAI refuses OPENAI_API_KEY#1 with 429");
    let why = door.is("credential", "degraded").await;
    assert_eq!(why, "credential_out: OpenAI refuses OPENAI_API_KEY#1 with 429 (nothing is left to spend)");
    // Nobody is asked for a minute.
    let (status, value) = said(door.chat().await).await;
    assert_eq!((status, &value["error"]["code"], door.turns().len()), (429, &json!("budget_exhausted"), 1));
    door.close().await;
}

#[tokio::test]
async fn a_model_that_a_credential_may_not_use_leaves_it_the_others() {
    let door = Door::open(&anthropic::PROFILE, Manner::Anthropic, &[], "k-1").await;
    door.provider.script(Script::status(403));
    let refused = door.post("/v1/messages", &message()).send().await.unwrap();
    assert_eq!(said(refused).await.0, 403);
    let again = door.post("/v1/messages", &message()).send().await.unwrap();
    let (status, value) = said(again).await;
    assert_eq!((status, &value["error"]["type"], door.turns().len()), (403, &json!("permission_error"), 1));
    let other = json!({"model": "scripted-2", "max_tokens": 1, "messages": []});
    assert!(door.post("/v1/messages", &other).send().await.unwrap().status().is_success());
    door.close().await;
}

/// Each provider's own way to say that a key is none, and what comes of it.
#[tokio::test]
async fn a_bad_credential_is_told_in_our_own_words_and_never_repeated() {
    for (profile, manner, path, body, status) in [
        (&openai::PROFILE, Manner::OpenAi, "/v1/chat/completions", chat(false), 401),
        (&grok::PROFILE, Manner::Xai, "/v1/chat/completions", chat(false), 401),
        (&huggingface::PROFILE, Manner::HuggingFace, "/v1/chat/completions", chat(false), 401),
        (&anthropic::PROFILE, Manner::Anthropic, "/v1/messages", message(), 401),
        (
            &gemini::PROFILE,
            Manner::Gemini,
            "/v1beta/models/scripted-1:generateContent",
            json!({"contents": []}),
            401,
        ),
    ] {
        let name = profile.entry.name;
        let door = Door::open(profile, manner, &["k-good"], "k-marked-0123456789").await;
        let answer = door.post(path, &body).send().await.unwrap();
        let (of, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert_eq!(of, status, "{name}: {text}");
        assert!(
            text.contains(profile.entry.credentials[0]) && !text.contains("k-marked-0123456789"),
            "{name}: {text}"
        );
        let why = door.is("credential", "degraded").await;
        assert!(why.starts_with("credential_out: ") && !why.contains("k-marked-0123456789"), "{name}: {why}");
        door.close().await;
    }
}

#[tokio::test]
async fn without_a_credential_it_is_not_configured_and_says_what_to_set() {
    let door = Door::open(&anthropic::PROFILE, Manner::Anthropic, &["k"], "").await;
    let why = "no_credential: set ANTHROPIC_API_KEY, in the environment or in .env";
    assert_eq!(door.is("credential", "down").await, why);
    let health = door.health().await;
    assert_eq!((&health["status"], &health["reason"]), (&json!("down"), &json!(why)));
    let (status, value) = said(door.post("/v1/messages", &message()).send().await.unwrap()).await;
    assert_eq!((status, &value["error"]["type"]), (401, &json!("authentication_error")));
    assert_eq!(value["error"]["message"], why);
    assert_eq!(door.provider.requests().len(), 0);
    door.close().await;
}

#[tokio::test]
async fn no_caller_benches_a_credential_for_others() {
    let door = Door::open(&grok::PROFILE, Manner::Xai, &[], "k-1").await;
    let error =
        json!({"code": "permission-denied", "error": "Content violates usage guidelines. Failed check: X"});
    let scripts = [
        Script { error: Some(error), ..Script::status(403) },
        Script { status: Some(403), ..Script::fault(Fault::Html) },
    ];
    for script in scripts {
        door.provider.script(script.on("/chat"));
        assert_eq!(door.chat().await.status().as_u16(), 403);
        assert!(door.chat().await.status().is_success());
    }
    door.is("credential", "ok").await;
    door.close().await;
}

#[tokio::test]
async fn what_a_question_is_refused_says_nothing_of_turns() {
    let door = Door::open(&anthropic::PROFILE, Manner::Anthropic, &[], "k-1").await;
    door.provider.script(Script { retry_after_s: Some(600), ..Script::status(429) }.on("/count_tokens"));
    let counted = door.post("/v1/messages/count_tokens", &message()).send().await.unwrap();
    assert_eq!(counted.status().as_u16(), 429);
    assert!(door.post("/v1/messages", &message()).send().await.unwrap().status().is_success());
    door.close().await;
}
