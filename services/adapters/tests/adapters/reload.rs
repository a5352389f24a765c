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

#[tokio::test]
async fn another_programs_bad_line_takes_no_server_away_that_needs_no_credential() {
    let data = tempfile::tempdir().unwrap();
    let provider = crate::support::provider(Manner::Ollama, &[]);
    let broken = |config: &mut pas_adapter::Config| {
        std::fs::write(&config.env_file, "no line\n").unwrap();
    };
    let nobody = pas_testkit::NOBODY;
    let profile = &pas_adapters::ollama::PROFILE;
    let adapter = crate::support::adapter(profile, &provider.url(), data.path(), nobody, "", broken).await;
    crate::support::is(&adapter, "env_file", "degraded").await;
    crate::support::is(&adapter, "provider", "ok").await;
    let url = format!("{}/v1/chat/completions", adapter.url());
    assert!(pas_testkit::http().post(url).json(&chat(false)).send().await.unwrap().status().is_success());
    adapter.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_no_file_changes_nothing_and_one_that_can_be_read_again_is_read() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &["k"], "k").await;
    let file = door.data.path().join(".env");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    door.is("env_file", "degraded").await;
    assert!(door.chat().await.status().is_success());
    std::fs::remove_dir(&file).unwrap();
    write_keys(&openai::PROFILE, door.data.path(), "k");
    door.is("env_file", "ok").await;
    door.close().await;
}
