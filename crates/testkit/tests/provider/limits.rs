use pas_testkit::{Manner, Provider, Script};
use serde_json::json;

use crate::client::{Answer, CHAT, Client, GENERATE, MESSAGES, OLLAMA};

async fn limited(manner: Manner, path: &str, script: Script) -> Answer {
    let provider = Provider::in_manner(manner).unwrap();
    provider.script(script);
    Client::open(&provider).await.ask(path, false).await
}

fn spent() -> Script {
    Script { reset_s: Some(90), retry_after_s: Some(7), ..Script::status(429) }
}

/// The headers that tell of limits, in their order.
fn told(answer: &Answer) -> Vec<&str> {
    let is_limit = |line: &&str| ["ratelimit", "retry-after"].iter().any(|part| line.contains(part));
    answer.head.lines().filter(is_limit).collect()
}

#[tokio::test]
async fn openai_tells_of_requests_and_of_tokens_which_are_not_spent_together() {
    let expected = |left: &str, reset: &str| {
        [
            "x-ratelimit-limit-requests: 1000".to_owned(),
            "x-ratelimit-limit-tokens: 150000".to_owned(),
            format!("x-ratelimit-remaining-requests: {left}"),
            "x-ratelimit-remaining-tokens: 149984".to_owned(),
            format!("x-ratelimit-reset-requests: {reset}"),
            "x-ratelimit-reset-tokens: 6m0s".to_owned(),
        ]
    };
    let healthy = limited(Manner::OpenAi, CHAT, Script::new()).await;
    assert_eq!(told(&healthy), expected("999", "1m0s"));
    let refused = limited(Manner::OpenAi, CHAT, spent()).await;
    let [told @ .., retry] = &told(&refused)[..] else { panic!("no headers") };
    assert_eq!(
        (told, *retry),
        (&expected("0", "1m30s").each_ref().map(String::as_str)[..], "retry-after: 7")
    );
}

#[tokio::test]
async fn anthropic_tells_of_four_limits_each_with_a_time() {
    let answer = limited(Manner::Anthropic, MESSAGES, spent()).await;
    let now = pas_service::clock::now().wall;
    let families = ["requests", "tokens", "input-tokens", "output-tokens"].map(|family| {
        let header = |what: &str| answer.header(&format!("anthropic-ratelimit-{family}-{what}")).unwrap();
        let reset: jiff::Timestamp = header("reset").parse().unwrap();
        let away = (reset.as_second() - now.as_second() + 5) / 10 * 10;
        (header("limit"), header("remaining"), away)
    });
    let expected =
        [("1000", "0", 90), ("530000", "528000", 60), ("450000", "449000", 60), ("80000", "79000", 60)];
    assert_eq!((families, answer.header("retry-after")), (expected, Some("7")));
}

#[tokio::test]
async fn gemini_tells_in_the_body_what_is_exhausted_and_when_to_come_again() {
    let answer = limited(Manner::Gemini, GENERATE, Script { reset_s: Some(21), ..Script::status(429) }).await;
    assert_eq!(told(&answer), [""; 0]);
    let details = json!([
        {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"description": "Learn more about Gemini API quotas",
            "url": "https://ai.google.dev/gemini-api/docs/rate-limits"}]},
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{
            "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
            "quotaDimensions": {"location": "global", "model": "scripted-1"}, "quotaValue": "15"}]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "21s"},
    ]);
    let message = "You exceeded your current quota, please check your plan and billing details.";
    let expected = json!({"error": {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED",
        "details": details}});
    assert_eq!(answer.json(), expected);
    let asked_to = limited(Manner::Gemini, GENERATE, spent()).await;
    assert_eq!(told(&asked_to), ["retry-after: 7"]);
    assert_eq!(asked_to.json()["error"]["details"][2]["retryDelay"], "7s");
}

#[tokio::test]
async fn hugging_face_tells_in_the_fields_of_ietf() {
    let answer =
        limited(Manner::HuggingFace, CHAT, Script { reset_s: Some(55), ..Script::status(429) }).await;
    assert_eq!(
        told(&answer),
        [r#"ratelimit: "api";r=0;t=55"#, r#"ratelimit-policy: "fixed window";"api";q=1000;w=300"#]
    );
}

#[tokio::test]
async fn the_others_have_no_headers_of_limits() {
    for (manner, path) in [
        (Manner::Xai, CHAT),
        (Manner::Ollama, CHAT),
        (Manner::Ollama, OLLAMA),
        (Manner::LmStudio, CHAT),
        (Manner::LlamaCpp, CHAT),
        (Manner::Vllm, CHAT),
    ] {
        assert_eq!(told(&limited(manner, path, Script::new()).await), [""; 0], "{manner:?}");
        assert_eq!(told(&limited(manner, path, spent()).await), ["retry-after: 7"], "{manner:?}");
    }
}
