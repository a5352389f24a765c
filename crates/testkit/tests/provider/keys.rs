use pas_testkit::provider::Options;
use pas_testkit::{Fault, Manner, Provider, Script};
use serde_json::{Value, json};

use crate::client::{CHAT, Client, GENERATE, MESSAGES, OLLAMA, body};

fn with_keys(manner: Manner) -> Provider {
    let keys = ["sk-good-1", "sk-good-2"].map(str::to_owned).to_vec();
    Provider::with(Options { manner, keys, ..Options::default() }).unwrap()
}

async fn asked(provider: &Provider, path: &str, headers: &str) -> (u16, Value) {
    let mut client = Client::open(provider).await;
    client.send_with(path, headers, &body(false)).await;
    let answer = client.answer().await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn who_has_a_key_that_is_known_is_let_in_where_the_provider_looks_for_it() {
    for (manner, path, headers) in [
        (Manner::OpenAi, CHAT, "Authorization: Bearer sk-good-1\r\n"),
        (Manner::OpenAi, CHAT, "authorization: Bearer sk-good-2\r\n"),
        (Manner::Anthropic, MESSAGES, "x-api-key: sk-good-1\r\n"),
        (Manner::Anthropic, MESSAGES, "Authorization: Bearer sk-good-1\r\n"),
        (Manner::Gemini, GENERATE, "x-goog-api-key: sk-good-1\r\n"),
        (Manner::Gemini, "/v1/models/scripted-1:generateContent?key=sk-good-1", ""),
        (Manner::Xai, CHAT, "Authorization: Bearer sk-good-1\r\n"),
        (Manner::HuggingFace, CHAT, "Authorization: Bearer sk-good-1\r\n"),
        (Manner::LlamaCpp, CHAT, "Authorization: Bearer sk-good-1\r\n"),
        (Manner::Vllm, CHAT, "Authorization: Bearer sk-good-1\r\n"),
        (Manner::LmStudio, CHAT, ""),
        (Manner::Ollama, OLLAMA, ""),
        (Manner::Plain, CHAT, ""),
    ] {
        let (status, answer) = asked(&with_keys(manner), path, headers).await;
        assert_eq!(status, 200, "{manner:?} {headers}: {answer}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_known_is_refused_in_each_providers_words_all_of_it_told_where_any_is() {
    let bearer = "Authorization: Bearer sk-wrong-0123456789\r\n";
    let not_valid = "API key not valid. Please pass a valid API key.";
    for (manner, path, headers, status, expected) in [
        (
            Manner::OpenAi,
            CHAT,
            bearer,
            401,
            json!({"error": {"message": "Incorrect API key provided: sk-wrong-0123456789.",
                "type": "invalid_request_error", "param": null, "code": "invalid_api_key"}}),
        ),
        (
            Manner::Anthropic,
            MESSAGES,
            "x-api-key: sk-wrong-0123456789\r\n",
            401,
            json!({"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"},
                "request_id": "req_scripted1"}),
        ),
        (
            Manner::Anthropic,
            MESSAGES,
            bearer,
            401,
            json!({"type": "error", "error": {"type": "authentication_error", "message": "Invalid bearer token",
                "details": {"error_visibility": "user_facing"}}, "request_id": "req_scripted1"}),
        ),
        (
            Manner::Gemini,
            GENERATE,
            "x-goog-api-key: sk-wrong-0123456789\r\n",
            400,
            json!({"error": {"code": 400, "message": not_valid, "status": "INVALID_ARGUMENT", "details": [
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID",
                    "domain": "googleapis.com", "metadata": {"service": "generativelanguage.googleapis.com"}},
                {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": not_valid},
            ]}}),
        ),
        (
            Manner::Xai,
            CHAT,
            bearer,
            400,
            json!({"code": "Client specified an invalid argument", "error": "Incorrect API key provided: \
                sk-wrong-0123456789. You can obtain an API key from https://console.x.ai."}),
        ),
        (
            Manner::HuggingFace,
            CHAT,
            bearer,
            401,
            json!({"error": "Invalid credentials in Authorization header"}),
        ),
        (
            Manner::LlamaCpp,
            CHAT,
            bearer,
            401,
            json!({"error": {"code": 401, "message": "Invalid API Key", "type": "authentication_error"}}),
        ),
        (Manner::Vllm, CHAT, bearer, 401, json!({"error": "Unauthorized"})),
    ] {
        assert_eq!(asked(&with_keys(manner), path, headers).await, (status, expected), "{manner:?}");
    }
}

#[tokio::test]
async fn who_has_no_key_is_told_so_as_each_provider_does() {
    let unregistered = "Method doesn't allow unregistered callers (callers without established identity). Please use API \
                        Key or other form of API consumer identity to call this API.";
    for (manner, path, status, expected) in [
        (
            Manner::OpenAi,
            CHAT,
            401,
            json!({"error": {"message": "You didn't provide an API key.", "type": "invalid_request_error",
                "param": null, "code": null}}),
        ),
        (
            Manner::Anthropic,
            MESSAGES,
            401,
            json!({"type": "error", "error": {"type": "authentication_error",
                "message": "x-api-key header is required"}, "request_id": "req_scripted1"}),
        ),
        (
            Manner::Gemini,
            GENERATE,
            403,
            json!({"error": {"code": 403, "message": unregistered, "status": "PERMISSION_DENIED"}}),
        ),
        (
            Manner::Xai,
            CHAT,
            401,
            json!({"code": "unauthenticated:no-credentials", "error": "No credentials provided"}),
        ),
        (Manner::Vllm, CHAT, 401, json!({"error": "Unauthorized"})),
    ] {
        assert_eq!(asked(&with_keys(manner), path, "").await, (status, expected), "{manner:?}");
    }
}

#[tokio::test]
async fn gemini_takes_what_is_in_authorization_for_a_token_of_oauth() {
    let headers = "Authorization: Bearer sk-good-1\r\n";
    let (status, answer) = asked(&with_keys(Manner::Gemini), GENERATE, headers).await;
    assert_eq!((status, &answer["error"]["status"]), (401, &json!("UNAUTHENTICATED")));
}

#[tokio::test]
async fn what_a_provider_tells_everybody_needs_no_key_and_the_rest_does() {
    for (manner, path, status) in [
        (Manner::HuggingFace, "/v1/models", 200),
        (Manner::LlamaCpp, "/v1/models", 200),
        (Manner::LlamaCpp, "/health", 200),
        (Manner::Vllm, "/version", 200),
        (Manner::Ollama, "/api/tags", 200),
        (Manner::LmStudio, "/api/v1/models", 200),
        (Manner::LlamaCpp, "/props", 401),
        (Manner::Vllm, "/v1/models", 401),
        (Manner::OpenAi, "/v1/models", 401),
        (Manner::Anthropic, "/v1/models", 401),
        (Manner::Gemini, "/v1beta/models", 403),
        (Manner::Xai, "/v1/language-models", 401),
    ] {
        let provider = with_keys(manner);
        assert_eq!(Client::open(&provider).await.get(path, "").await.status, status, "{manner:?} {path}");
        assert_eq!(Client::open(&provider).await.get("/__requests", "").await.status, 200);
    }
}

#[tokio::test]
async fn a_script_for_one_key_is_not_for_another_and_a_wrong_key_uses_none_up() {
    let provider = with_keys(Manner::OpenAi);
    provider.script(Script::fault(Fault::Quota).with_key("sk-good-2").forever());
    let bearer = |key: &str| format!("Authorization: Bearer {key}\r\n");
    assert_eq!(asked(&provider, CHAT, &bearer("sk-good-1")).await.0, 200);
    assert_eq!(asked(&provider, CHAT, &bearer("sk-good-2")).await.0, 429);
    provider.clear();
    provider.script(Script::status(500));
    assert_eq!(asked(&provider, CHAT, &bearer("sk-wrong")).await.0, 401);
    assert_eq!(provider.waiting(), 1);
    let plain = Provider::start().unwrap();
    plain.script(Script::status(418).with_key("k").forever());
    for (headers, status) in [
        ("", 200),
        ("x-api-key: j\r\n", 200),
        ("x-api-key: k\r\n", 418),
        ("x-goog-api-key: k\r\n", 418),
        ("Authorization: Bearer k\r\n", 418),
    ] {
        assert_eq!(asked(&plain, CHAT, headers).await.0, status, "{headers}");
    }
}
