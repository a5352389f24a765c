use pas_adapters::openai;
use pas_testkit::{Manner, Script, until};

use crate::support::{Door, chat, write_keys};

#[tokio::test]
async fn a_changed_file_of_credentials_is_taken_without_dropping_a_call() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &["k-old", "k-new"], "k-old").await;
    door.provider.script(Script::paced(20, 100));
    let answer = door.post("/v1/chat/completions", &chat(true)).send().await.unwrap();
    write_keys(&openai::PROFILE, door.data.path(), "k-new");
    until("the new one is used", async || {
        assert!(door.chat().await.status().is_success());
        let turns = door.turns();
        (turns.last()?.header("authorization") == Some("Bearer k-new")).then_some(())
    })
    .await;
    let text = answer.text().await.unwrap();
    assert!(text.ends_with("data: [DONE]\n\n"));
    door.close().await;
}

#[tokio::test]
async fn a_credential_that_comes_later_ends_what_lacked_it() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &["k"], "").await;
    door.is("credential", "down").await;
    write_keys(&openai::PROFILE, door.data.path(), "k");
    door.is("credential", "ok").await;
    assert!(door.chat().await.status().is_success());
    door.close().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_changes_nothing_and_is_named_by_its_line() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &["k"], "k").await;
    let file = door.data.path().join(".env");
    std::fs::write(&file, "OPENAI_API_KEY=k-other\nsk-marked without a name\n").unwrap();
    let why = door.is("env_file", "degraded").await;
    let wanted = format!("{}:2: expected NAME=value; the credentials of before stay", file.display());
    assert_eq!(why, wanted);
    assert!(door.chat().await.status().is_success());
    write_keys(&openai::PROFILE, door.data.path(), "k");
    door.is("env_file", "ok").await;
    door.close().await;
}
