use pas_testkit::{Fault, Manner, Provider, Script};
use serde_json::{Value, json};

use crate::client::{ARRAY, CHAT, Client, GENERATE, MESSAGES, OLLAMA, RESPONSES};

async fn refused(manner: Manner, path: &str, script: Script) -> (u16, Value) {
    let provider = Provider::in_manner(manner).unwrap();
    provider.script(script);
    let answer = Client::open(&provider).await.ask(path, false).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    (answer.status, answer.json())
}

fn openai(message: &str, kind: &str, param: Option<&str>, code: Value) -> Value {
    json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
}

fn anthropic(kind: &str, message: &str) -> Value {
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_scripted1"})
}

#[tokio::test]
async fn what_does_not_fit_in_is_said_in_each_providers_words() {
    let invalid = "invalid_request_error";
    let runner = "{\"error\":{\"code\":400,\"message\":\"request (8889 tokens) exceeds the available context size (4096 \
                  tokens), try increasing it\",\"type\":\"exceed_context_size_error\",\"n_prompt_tokens\":8889,\
                  \"n_ctx\":4096}}";
    let vllm = "This model's maximum context length is 32768 tokens. However, your request has 40000 input tokens. Please \
                reduce the length of the input messages.";
    for (manner, path, expected) in [
        (
            Manner::OpenAi,
            CHAT,
            openai(
                "This model's maximum context length is 128000 tokens. However, your messages resulted in 140000 tokens. \
                 Please reduce the length of the messages.",
                invalid,
                Some("messages"),
                "context_length_exceeded".into(),
            ),
        ),
        (
            Manner::OpenAi,
            RESPONSES,
            openai(
                "Your input exceeds the context window of this model. Please adjust your input and try again.",
                invalid,
                Some("input"),
                "context_length_exceeded".into(),
            ),
        ),
        (
            Manner::Anthropic,
            MESSAGES,
            anthropic(invalid, "prompt is too long: 213462 tokens > 200000 maximum"),
        ),
        (
            Manner::Gemini,
            GENERATE,
            json!({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "The input token count (1196265) \
                exceeds the maximum number of tokens allowed (1048575)."}}),
        ),
        (
            Manner::Xai,
            CHAT,
            json!({"code": "invalid-argument", "error": "This model's maximum prompt length is 500000 but the request \
                contains 637815 tokens."}),
        ),
        (Manner::HuggingFace, CHAT, openai(vllm, "BadRequestError", None, Value::Null)),
        (Manner::Ollama, OLLAMA, json!({ "error": runner })),
        (Manner::Ollama, CHAT, openai(runner, invalid, None, Value::Null)),
        (
            Manner::LmStudio,
            CHAT,
            openai(
                "The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 10000, \
                 n_ctx: 8192)",
                invalid,
                None,
                Value::Null,
            ),
        ),
        (
            Manner::LlamaCpp,
            CHAT,
            json!({"error": {"code": 400, "message": "request (4170 tokens) exceeds the available context size (4096 \
                tokens), try increasing it", "type": "exceed_context_size_error", "n_prompt_tokens": 4_170,
                "n_ctx": 4_096}}),
        ),
        (Manner::Vllm, CHAT, openai(vllm, "BadRequestError", None, 400.into())),
    ] {
        let answer = refused(manner, path, Script::fault(Fault::ContextTooLong)).await;
        assert_eq!(answer, (400, expected), "{manner:?} {path}");
    }
}

#[tokio::test]
async fn what_was_paid_for_and_is_used_up_is_said_in_each_providers_words() {
    let exceeded = "You exceeded your current quota, please check your plan and billing details.";
    for (manner, path, status, expected) in [
        (
            Manner::OpenAi,
            CHAT,
            429,
            openai(exceeded, "insufficient_quota", None, "credit_balance_exhausted".into()),
        ),
        (Manner::Anthropic, MESSAGES, 402, anthropic("billing_error", "Your credit balance is too low.")),
        (
            Manner::Xai,
            CHAT,
            429,
            json!({"code": "Some resource has been exhausted", "error": "Your team has either used all available credits \
                or reached its monthly spending limit."}),
        ),
        (
            Manner::HuggingFace,
            CHAT,
            402,
            json!({"error": "You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO to \
                get 20x more monthly included credits."}),
        ),
    ] {
        let answer = refused(manner, path, Script::fault(Fault::Quota)).await;
        assert_eq!(answer, (status, expected), "{manner:?}");
    }
    // A day's: that one may come again soon is not to be believed.
    let (status, gemini) = refused(Manner::Gemini, GENERATE, Script::fault(Fault::Quota)).await;
    let details = &gemini["error"]["details"];
    assert_eq!(
        (status, &details[1]["violations"][0]["quotaId"], &details[2]["retryDelay"]),
        (429, &json!("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), &json!("38s"))
    );
}

#[tokio::test]
async fn a_model_that_is_not_there_is_said_in_each_providers_words() {
    let invalid = "invalid_request_error";
    for (manner, path, status, expected) in [
        (
            Manner::OpenAi,
            CHAT,
            404,
            openai(
                "The model `scripted-1` does not exist or you do not have access to it.",
                invalid,
                None,
                "model_not_found".into(),
            ),
        ),
        (Manner::Anthropic, MESSAGES, 404, anthropic("not_found_error", "model: scripted-1")),
        (
            Manner::Gemini,
            GENERATE,
            404,
            json!({"error": {"code": 404, "status": "NOT_FOUND", "message": "models/scripted-1 is not found for API version \
                v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and \
                their supported methods."}}),
        ),
        (
            Manner::Xai,
            CHAT,
            404,
            json!({"code": "not-found", "error": "The model scripted-1 does not exist or your team scripted-team does not \
                have access to it. If you believe this is a mistake, please contact support and quote your team ID and the \
                model name."}),
        ),
        (
            Manner::HuggingFace,
            CHAT,
            400,
            openai(
                "The requested model 'scripted-1' is not supported by any provider you have enabled.",
                invalid,
                Some("model"),
                "model_not_supported".into(),
            ),
        ),
        (Manner::Ollama, OLLAMA, 404, json!({"error": "model 'scripted-1' not found"})),
        (
            Manner::Ollama,
            CHAT,
            404,
            openai("model 'scripted-1' not found", "not_found_error", None, Value::Null),
        ),
        (
            Manner::LmStudio,
            CHAT,
            400,
            openai(
                "No models loaded. Please load a model in the developer page or use the 'lms load' command.",
                invalid,
                Some("model"),
                Value::Null,
            ),
        ),
        (
            Manner::Vllm,
            CHAT,
            404,
            openai("The model `scripted-1` does not exist.", "NotFoundError", Some("model"), 404.into()),
        ),
    ] {
        let answer = refused(manner, path, Script::fault(Fault::UnknownModel)).await;
        assert_eq!(answer, (status, expected), "{manner:?} {path}");
    }
}

#[tokio::test]
async fn each_provider_words_a_status_and_a_script_can_word_it_otherwise() {
    for (manner, path, status, expected) in [
        (
            Manner::OpenAi,
            CHAT,
            503,
            openai(
                "Our servers are currently overloaded. Please try again later.",
                "service_unavailable_error",
                None,
                "server_is_overloaded".into(),
            ),
        ),
        (Manner::Anthropic, MESSAGES, 529, anthropic("overloaded_error", "Overloaded")),
        (
            Manner::Gemini,
            GENERATE,
            503,
            json!({"error": {"code": 503, "status": "UNAVAILABLE", "message": "This model is currently experiencing high \
                demand. Spikes in demand are usually temporary. Please try again later."}}),
        ),
        (
            Manner::Xai,
            CHAT,
            429,
            json!({"code": "Some resource has been exhausted", "error": "Too many requests"}),
        ),
        (
            Manner::HuggingFace,
            CHAT,
            403,
            json!({"error": "This authentication method does not have sufficient permissions to call Inference Providers on \
                behalf of user scripted"}),
        ),
        (
            Manner::Ollama,
            OLLAMA,
            503,
            json!({"error": "server busy, please try again.  maximum pending requests exceeded"}),
        ),
        (
            Manner::Ollama,
            CHAT,
            503,
            openai(
                "server busy, please try again.  maximum pending requests exceeded",
                "api_error",
                None,
                Value::Null,
            ),
        ),
        (
            Manner::LlamaCpp,
            CHAT,
            503,
            json!({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}),
        ),
    ] {
        assert_eq!(refused(manner, path, Script::status(status)).await, (status, expected), "{manner:?}");
    }
    let script = Script { message: Some("mine".to_owned()), ..Script::status(500) };
    let expected = openai("mine", "InternalServerError", None, 500.into());
    assert_eq!(refused(Manner::Vllm, CHAT, script).await, (500, expected));
    let script = Script { error: Some(json!({"error": "any"})), ..Script::status(500) };
    assert_eq!(refused(Manner::Xai, CHAT, script).await, (500, json!({"error": "any"})));
}

#[tokio::test]
async fn gemini_has_an_error_in_an_array_where_a_stream_was_to_be_one() {
    let (_, bare) = refused(Manner::Gemini, GENERATE, Script::status(500)).await;
    assert_eq!(refused(Manner::Gemini, ARRAY, Script::status(500)).await, (500, json!([bare])));
}

#[tokio::test]
async fn an_error_in_the_midst_of_a_stream_is_told_in_each_providers_way_or_not_at_all() {
    let ended = async |manner| {
        let provider = Provider::in_manner(manner).unwrap();
        let script = Script { message: Some("no".to_owned()), ..Script::fault_after(Fault::Error, 2) };
        provider.script(script);
        let answer = Client::open(&provider).await.ask(CHAT, true).await;
        assert_eq!((answer.status, answer.texts().len()), (200, 2));
        (answer.events().pop().unwrap(), answer.text().contains("event: error\n"))
    };
    let code: Value = 500.into();
    let expected = openai("no", "InternalServerError", None, code);
    assert_eq!(ended(Manner::Vllm).await, (expected, false));
    let expected = json!({"type": "error", "error": {"message": "no"}});
    assert_eq!(ended(Manner::LmStudio).await, (expected, true));
    let (last, _) = ended(Manner::Ollama).await;
    assert_eq!((&last["object"], last.get("error")), (&json!("chat.completion.chunk"), None));
}
