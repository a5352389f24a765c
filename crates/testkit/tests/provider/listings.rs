use pas_testkit::provider::{Offer, Options};
use pas_testkit::{Fault, Manner, Provider, Script};
use serde_json::{Value, json};

use crate::client::{CHAT, Client, OLLAMA, body};

/// One that is loaded, and one that isn't.
fn provider(manner: Manner) -> Provider {
    let models = vec![
        Offer::new("org/one").context(40_000).output(4_000),
        Offer::new("two").context(8_000).unloaded(),
    ];
    Provider::with(Options { manner, models, ..Options::default() }).unwrap()
}

async fn get(provider: &Provider, path: &str) -> Value {
    let answer = Client::open(provider).await.get(path, "").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{path}");
    answer.json()
}

async fn post(provider: &Provider, path: &str, body: &str) -> (u16, Value) {
    let mut client = Client::open(provider).await;
    client.send(path, body).await;
    let answer = client.answer().await;
    (answer.status, answer.json())
}

/// What `field` is in each item of a list.
fn each<'a>(list: &'a Value, field: &str) -> Vec<&'a Value> {
    list.as_array().unwrap().iter().map(|item| &item[field]).collect()
}

#[tokio::test]
async fn openai_lists_names_and_when_they_end_but_no_lengths() {
    let model = |id: &str| {
        json!({"id": id, "object": "model", "created": 1_763_000_000, "owned_by": "system",
            "shutdown_date": null})
    };
    let provider = provider(Manner::OpenAi);
    let expected = json!({"object": "list", "data": [model("org/one"), model("two")]});
    assert_eq!(get(&provider, "/v1/models").await, expected);
    assert_eq!(get(&provider, "/v1/models/org%2Fone").await, model("org/one"));
    let unknown = Client::open(&provider).await.get("/v1/models/three", "").await;
    assert_eq!((unknown.status, &unknown.json()["error"]["code"]), (404, &json!("model_not_found")));
}

#[tokio::test]
async fn anthropic_lists_in_pages_of_twenty_or_of_as_many_as_are_wanted() {
    let models = (0..45).map(|number| Offer::new(format!("m{number}")).context(9).output(8)).collect();
    let provider =
        Provider::with(Options { manner: Manner::Anthropic, models, ..Options::default() }).unwrap();
    let page = async |query: &str| {
        let list = get(&provider, &format!("/v1/models{query}")).await;
        let count = list["data"].as_array().unwrap().len();
        (count, list["first_id"].clone(), list["last_id"].clone(), list["has_more"].clone())
    };
    assert_eq!(page("").await, (20, json!("m0"), json!("m19"), json!(true)));
    assert_eq!(page("?after_id=m19").await, (20, json!("m20"), json!("m39"), json!(true)));
    assert_eq!(page("?after_id=m39").await, (5, json!("m40"), json!("m44"), json!(false)));
    assert_eq!(page("?limit=1000").await, (45, json!("m0"), json!("m44"), json!(false)));
    assert_eq!(page("?after_id=m0&limit=2").await, (2, json!("m1"), json!("m2"), json!(true)));
    assert_eq!(page("?after_id=m44").await, (0, Value::Null, Value::Null, json!(false)));
    for limit in ["0", "1001", "x"] {
        let refused = Client::open(&provider).await.get(&format!("/v1/models?limit={limit}"), "").await;
        assert_eq!(
            (refused.status, &refused.json()["error"]["type"]),
            (400, &json!("invalid_request_error"))
        );
    }
    let supported = json!({"supported": true});
    let one = get(&provider, "/v1/models/m7").await;
    assert_eq!(
        one,
        json!({"type": "model", "id": "m7", "display_name": "m7", "created_at": "2025-11-13T00:00:00Z",
            "lifecycle": "active", "line": "scripted", "deprecated_at": null, "retires_at": null,
            "max_input_tokens": 9, "max_tokens": 8, "capabilities": {"batch": supported, "citations": supported,
                "code_execution": supported, "context_management": supported, "effort": supported,
                "image_input": supported, "pdf_input": supported, "server_tools": supported,
                "structured_outputs": supported, "thinking": supported}})
    );
}

#[tokio::test]
async fn gemini_lists_in_pages_also_what_cannot_talk() {
    let provider = provider(Manner::Gemini);
    for version in ["/v1beta", "/v1"] {
        let first = get(&provider, &format!("{version}/models?pageSize=3")).await;
        assert_eq!(
            each(&first["models"], "name"),
            ["models/scripted-embedding", "models/org/one", "models/two"]
        );
        let token = first["nextPageToken"].as_str().unwrap();
        let second = get(&provider, &format!("{version}/models?pageSize=3&pageToken={token}")).await;
        assert_eq!(
            second,
            json!({"models": [{"name": "models/scripted-image", "version": "001", "displayName": "scripted-image",
                "description": "scripted", "inputTokenLimit": 2_048, "supportedGenerationMethods": ["predict"]}]})
        );
    }
    let all = get(&provider, "/v1beta/models").await;
    assert_eq!((all["models"].as_array().unwrap().len(), all.get("nextPageToken")), (4, None));
    assert_eq!(
        get(&provider, "/v1beta/models/org/one").await,
        json!({"name": "models/org/one", "version": "001", "displayName": "org/one", "description": "scripted",
            "inputTokenLimit": 40_000, "outputTokenLimit": 4_000, "supportedGenerationMethods":
                ["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"]})
    );
    let lost = Client::open(&provider).await.get("/v1beta/models?pageToken=lost", "").await;
    assert_eq!((lost.status, &lost.json()["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
}

#[tokio::test]
async fn xai_has_a_short_list_and_one_with_prices() {
    let provider = provider(Manner::Xai);
    let short = |id: &str| json!({"id": id, "created": 1_763_000_000, "object": "model", "owned_by": "xai"});
    let expected = json!({"object": "list", "data": [short("org/one"), short("two")]});
    assert_eq!(get(&provider, "/v1/models").await, expected);
    let long = get(&provider, "/v1/language-models").await;
    assert_eq!(each(&long["models"], "id"), ["org/one", "two"]);
    assert_eq!(
        long["models"][1],
        json!({"id": "two", "fingerprint": "fp_scripted", "created": 1_763_000_000, "object": "model",
            "owned_by": "xai", "version": "1.0", "input_modalities": ["text", "image"],
            "output_modalities": ["text"], "prompt_text_token_price": 20_000,
            "cached_prompt_text_token_price": 5_000, "prompt_image_token_price": 0,
            "completion_text_token_price": 60_000, "search_price": 0, "aliases": []})
    );
}

#[tokio::test]
async fn hugging_face_lists_providers_each_with_its_own_room_and_a_model_that_nobody_serves() {
    let list = get(&provider(Manner::HuggingFace), "/v1/models").await;
    assert_eq!(each(&list["data"], "id"), ["org/one", "two", "scripted/unserved"]);
    let provider = |name: &str, status: &str, tokens: u64| {
        json!({"provider": name, "status": status, "context_length": tokens, "pricing": {"input": 3, "output": 7},
            "is_free": false, "supports_tools": true, "supports_structured_output": true,
            "is_model_author": false})
    };
    assert_eq!(
        list["data"][0],
        json!({"id": "org/one", "object": "model", "created": 1_738_368_000, "owned_by": "scripted",
            "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
            "providers": [provider("together", "live", 160_000), provider("novita", "live", 40_000),
                provider("deepinfra", "error", 20_000)]})
    );
    assert_eq!(each(&list["data"][2]["providers"], "status"), ["staging"]);
}

#[tokio::test]
async fn ollama_tells_what_is_on_disk_what_is_in_memory_and_what_each_was_trained_for() {
    let provider = provider(Manner::Ollama);
    assert_eq!(get(&provider, "/api/version").await, json!({"version": "0.33.3"}));
    let listed = get(&provider, "/v1/models").await;
    assert_eq!(each(&listed["data"], "id"), ["org/one:latest", "two:latest"]);
    assert_eq!(each(&get(&provider, "/api/tags").await["models"], "name"), ["org/one:latest", "two:latest"]);
    let running = get(&provider, "/api/ps").await;
    let details = json!({"parent_model": "", "format": "gguf", "family": "gemma3", "families": ["gemma3"],
        "parameter_size": "4.3B", "quantization_level": "Q4_K_M"});
    let digest = "a2af6cc3eb7fa8be8504abaf9b04e88f17a119ec3f04a3addf55f92841195f5a";
    assert_eq!(
        running,
        json!({"models": [{"name": "org/one:latest", "model": "org/one:latest", "size": 3_338_801_804_u64,
            "digest": digest, "details": details, "expires_at": "2026-10-01T12:05:00.1+02:00",
            "size_vram": 3_338_801_804_u64, "context_length": 40_000}]})
    );
    let show = async |body: &str| post(&provider, "/api/show", body).await;
    let (_, one) = show(r#"{"model": "org/one"}"#).await;
    let stop = r#"stop                           "<end_of_turn>""#;
    assert_eq!(
        (&one["parameters"], &one["model_info"]["gemma3.context_length"], &one["capabilities"]),
        (&json!(stop), &json!(160_000), &json!(["completion", "tools"]))
    );
    let (_, two) = show(r#"{"model": "two:latest"}"#).await;
    let room = format!("num_ctx                        8000\n{stop}");
    assert_eq!(
        (&two["parameters"], &two["model_info"]["gemma3.context_length"]),
        (&json!(room), &json!(131_072))
    );
    assert_eq!(show(r#"{"model": "x"}"#).await, (404, json!({"error": "model 'x' not found"})));
    assert_eq!(show("{}").await, (400, json!({"error": "model is required"})));
    assert_eq!(show("").await, (400, json!({"error": "missing request body"})));
}

#[tokio::test]
async fn ollama_has_a_model_in_memory_once_it_was_asked_for() {
    for (path, body) in [("/api/generate", r#"{"model": "two"}"#), (OLLAMA, r#"{"model": "two"}"#)] {
        let provider = provider(Manner::Ollama);
        let mut client = Client::open(&provider).await;
        client.send(path, body).await;
        let loaded = client.answer().await.lines().remove(0);
        assert_eq!((&loaded["done"], &loaded["done_reason"]), (&json!(true), &json!("load")), "{path}");
        let running = get(&provider, "/api/ps").await;
        assert_eq!(each(&running["models"], "context_length"), [40_000, 8_000], "{path}");
    }
    let refused = provider(Manner::Ollama);
    refused.script(Script::status(500));
    assert_eq!(post(&refused, "/api/generate", r#"{"model": "two"}"#).await.0, 500);
    assert_eq!(each(&get(&refused, "/api/ps").await["models"], "name"), ["org/one:latest"]);
}

#[tokio::test]
async fn ollama_without_models_has_null_for_a_list() {
    let provider = provider(Manner::Ollama);
    provider.script(Script::fault(Fault::Empty).on("/models"));
    assert_eq!(get(&provider, "/v1/models").await, json!({"object": "list", "data": null}));
    provider.script(Script::fault(Fault::Empty).on("/api/tags"));
    assert_eq!(get(&provider, "/api/tags").await, json!({"models": []}));
}

#[tokio::test]
async fn lm_studio_has_three_lists_which_tell_ever_more() {
    let provider = provider(Manner::LmStudio);
    assert_eq!(
        get(&provider, "/v1/models").await["data"][0],
        json!({"id": "org/one", "object": "model", "owned_by": "organization_owner"})
    );
    let older = get(&provider, "/api/v0/models").await;
    assert_eq!(each(&older["data"], "id"), ["org/one", "two", "text-embedding-scripted"]);
    assert_eq!(each(&older["data"], "type"), ["llm", "llm", "embeddings"]);
    assert_eq!(each(&older["data"], "state"), ["loaded", "not-loaded", "not-loaded"]);
    assert_eq!(each(&older["data"], "max_context_length"), [160_000, 131_072, 2_048]);
    assert_eq!(each(&older["data"], "loaded_context_length"), [&json!(40_000), &Value::Null, &Value::Null]);
    let newer = get(&provider, "/api/v1/models").await;
    assert_eq!(each(&newer["models"], "key"), ["org/one", "two", "text-embedding-scripted"]);
    assert_eq!(each(&newer["models"], "type"), ["llm", "llm", "embedding"]);
    assert_eq!(
        each(&newer["models"], "loaded_instances"),
        [
            &json!([{"id": "org/one", "config": {"context_length": 40_000, "parallel": 4}}]),
            &json!([]),
            &json!([])
        ]
    );
    assert_eq!(
        get(&provider, "/api/v2/models").await,
        json!({"error": "Unexpected endpoint or method. (GET /api/v2/models)"})
    );
    let turn = body(false).replace("scripted-1", "two");
    assert_eq!(post(&provider, CHAT, &turn).await.0, 200);
    assert_eq!(each(&get(&provider, "/api/v0/models").await["data"], "state")[1], "loaded");
}

#[tokio::test]
async fn llama_cpp_tells_in_its_settings_how_much_fits_in() {
    let provider = provider(Manner::LlamaCpp);
    assert_eq!(get(&provider, "/health").await, json!({"status": "ok"}));
    assert_eq!(
        get(&provider, "/v1/models").await["data"][0],
        json!({"id": "org/one", "object": "model", "created": 1_763_000_000, "owned_by": "llamacpp",
            "meta": {"vocab_type": 2, "n_vocab": 128_256, "n_ctx_train": 160_000, "n_embd": 4_096,
                "n_params": 8_030_261_312_u64, "size": 4_912_898_304_u64}})
    );
    assert_eq!(
        get(&provider, "/props").await,
        json!({"default_generation_settings": {"n_ctx": 40_000}, "total_slots": 4,
            "model_path": "/models/org/one.gguf", "modalities": {"vision": false, "audio": false},
            "chat_template": "", "build_info": "b9999-scripted", "is_sleeping": false})
    );
    provider.script(Script::status(503));
    let loading = Client::open(&provider).await.get("/health", "").await;
    assert_eq!(
        (loading.status, loading.json()),
        (503, json!({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}))
    );
}

#[tokio::test]
async fn vllm_lists_how_much_fits_in() {
    let provider = provider(Manner::Vllm);
    assert_eq!(get(&provider, "/version").await, json!({"version": "0.30.0"}));
    assert_eq!(
        get(&provider, "/v1/models").await["data"][1],
        json!({"id": "two", "object": "model", "created": 1_763_000_000, "owned_by": "vllm", "root": "two",
            "parent": null, "max_model_len": 8_000, "permission": []})
    );
    let health = Client::open(&provider).await.get("/health", "").await;
    assert_eq!((health.status, &*health.body), (200, &b""[..]));
}

#[tokio::test]
async fn a_list_is_scripted_like_all_else_and_is_kept() {
    let provider = Provider::in_manner(Manner::OpenAi).unwrap();
    provider.script(Script::status(503).on("/models"));
    assert_eq!(Client::open(&provider).await.get("/v1/models", "").await.status, 503);
    assert_eq!(each(&get(&provider, "/v1/models").await["data"], "id"), ["scripted-1", "scripted-2"]);
    let kept: Vec<_> = provider.ended(2).await.into_iter().map(|one| (one.method, one.path)).collect();
    assert_eq!(kept, [("GET", "/v1/models"); 2].map(|(method, path)| (method.to_owned(), path.to_owned())));
}
