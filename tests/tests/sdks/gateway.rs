//! What they read through the gateway is what they read straight from the provider.

use pas_testkit::Provider;

use crate::door::Door;

async fn reads_the_same(script: &'static str, calls: &'static [&'static str]) {
    let door = Door::open(Provider::start().unwrap()).await;
    door.register_the_provider().await;
    door.knows("scripted-2").await;
    door.reads_the_same(script, calls).await;
    door.close().await;
}

#[tokio::test]
async fn openais_sdk_reads_the_same_through_the_gateway() {
    let calls = &[
        "chat",
        "chat_bytes",
        "stream",
        "stream_without_usage",
        "stream_async",
        "tools",
        "tools_stream",
        "refusal",
        "responses",
        "responses_stream",
        "responses_tools_stream",
        "count_tokens",
        "embeddings",
    ];
    reads_the_same("openai_sdk.py", calls).await;
}

#[tokio::test]
async fn anthropics_sdk_reads_the_same_through_the_gateway() {
    let calls = &[
        "message",
        "message_bytes",
        "stream",
        "events",
        "thinking",
        "tools",
        "tools_stream",
        "cached",
        "refusal",
        "count_tokens",
    ];
    reads_the_same("anthropic_sdk.py", calls).await;
}

#[tokio::test]
async fn googles_sdk_reads_the_same_through_the_gateway() {
    let calls = &["generate", "stream", "thinking", "tools", "tools_stream", "refusal", "count_tokens"];
    reads_the_same("gemini_sdk.py", calls).await;
}
