use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Client, model, process, with};

const SERVICES: usize = 5_000;
const CONNECTIONS: usize = 64;

/// Everybody registers at once, over so many connections; answers each one's answer.
async fn register_everybody(client: &Client) -> Result<Vec<Value>> {
    let mut callers = JoinSet::new();
    for caller in 0..CONNECTIONS {
        let client = client.clone();
        callers.spawn(async move {
            let mut answers = Vec::new();
            for n in (caller..SERVICES).step_by(CONNECTIONS) {
                let boot = json!({"boot_id": format!("boot-{n}")});
                answers.push(client.post("/register", with(model(&format!("m{n:04}")), boot)).await?);
            }
            anyhow::Ok(answers)
        });
    }
    let answers = callers.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    Ok(answers.into_iter().flatten().collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_register_again_at_once_when_the_database_is_lost_or_kept() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut registry = process(data.path(), &[])?;
    let client = Client::new(registry.url());
    let first = register_everybody(&client).await?;
    assert_eq!(client.names("status=any").await?.len(), SERVICES);

    registry.kill()?;
    registry.restart()?;
    let mut kept = register_everybody(&client).await?;
    let id = |answer: &Value| (answer["service_id"].to_string(), answer["lease_id"].to_string());
    let mut before: Vec<_> = first.iter().map(id).collect();
    let mut after: Vec<_> = kept.drain(..).map(|answer| id(&answer)).collect();
    before.sort_unstable();
    after.sort_unstable();
    assert_eq!(before, after, "with the database kept, everybody keeps id and lease");

    registry.kill()?;
    std::fs::remove_dir_all(data.path().join("registry"))?;
    registry.restart()?;
    let lost = register_everybody(&client).await?;
    assert_eq!(client.names("status=ok").await?.len(), SERVICES);
    assert_eq!(client.metric("pas_registry_evictions_total").await?, 0.0);
    let beats: Vec<u64> = lost.iter().filter_map(|answer| answer["next_beat_ms"].as_u64()).collect();
    let spread = |from: u64, to: u64| beats.iter().filter(|beat| (from..to).contains(beat)).count();
    let tenths: Vec<usize> = (0..9).map(|tenth| spread(6_000 * (tenth + 1), 6_000 * (tenth + 2))).collect();
    let fewest = tenths.iter().min().context("tenths")?;
    assert!(*fewest > SERVICES / 20, "first beats are spread over the interval: {tenths:?}");
    Ok(())
}
