use anyhow::Result;
use pas_gateway::{Config, receipts};
use pas_types::event::CallStatus;
use pas_types::receipt::GroupBy;
use serde_json::Value;

use crate::support::{Gateway, caught_up, config, costs, files, receipts_in_journal, settle};

/// All that can be asked of an index.
async fn answers(gateway: &Gateway) -> Result<Vec<Value>> {
    let mut answers = gateway.client.all("limit=7").await?;
    answers.extend(gateway.client.all("status=error").await?);
    for group_by in GroupBy::ALL {
        answers.push(gateway.client.get(&format!("/receipts/stats?group_by={group_by}")).await?);
    }
    Ok(answers)
}

#[tokio::test]
async fn an_index_made_anew_is_the_one_that_was_kept() -> Result<()> {
    let data = tempfile::tempdir()?;
    let gateway = Gateway::start(data.path(), config()).await?;
    settle(&gateway.receipts, 40, CallStatus::Ok).await?;
    settle(&gateway.receipts, 3, CallStatus::Error).await?;
    let kept = answers(&gateway).await?;
    gateway.stop().await?;

    let gateway = Gateway::start(data.path(), config()).await?;
    assert_eq!(answers(&gateway).await?, kept, "goes on");
    gateway.stop().await?;
    for name in ["receipts.db", "receipts.db-wal", "receipts.db-shm"] {
        let _ = std::fs::remove_file(costs(data.path()).join(name));
    }
    let gateway = Gateway::start(data.path(), config()).await?;
    assert_eq!(answers(&gateway).await?, kept, "made anew");
    gateway.stop().await?;
    std::fs::write(costs(data.path()).join("receipts.db"), "this was a database".repeat(100))?;
    let gateway = Gateway::start(data.path(), config()).await?;
    assert_eq!(answers(&gateway).await?, kept, "damaged, and made anew");
    gateway.stop().await
}

#[tokio::test]
async fn each_call_has_a_file_that_is_its_line_and_one_that_somebody_removed_stays_away() -> Result<()> {
    let data = tempfile::tempdir()?;
    let gateway = Gateway::start(data.path(), config()).await?;
    let ids = settle(&gateway.receipts, 5, CallStatus::Ok).await?;
    caught_up(&gateway).await;
    assert_eq!(files(data.path()), ids.iter().map(ToString::to_string).collect::<Vec<_>>());
    let file = costs(data.path()).join(format!("{}.json", ids[2]));
    let from_file: Value = serde_json::from_str(&std::fs::read_to_string(&file)?)?;
    assert_eq!(from_file, gateway.client.get(&format!("/receipts/{}", ids[2])).await?);
    gateway.stop().await?;

    std::fs::remove_file(&file)?;
    let _ = std::fs::remove_file(costs(data.path()).join("receipts.db"));
    let gateway = Gateway::start(data.path(), config()).await?;
    caught_up(&gateway).await;
    assert_eq!(files(data.path()).len(), 4, "an index that is made anew writes no files anew");
    gateway.stop().await
}

#[tokio::test]
async fn what_comes_too_fast_has_no_file_and_is_found_all_the_same() -> Result<()> {
    let data = tempfile::tempdir()?;
    let receipts = receipts::Config { files_per_s: 1, ..config().receipts };
    let gateway = Gateway::start(data.path(), Config { receipts, ..config() }).await?;
    let ids = settle(&gateway.receipts, 50, CallStatus::Ok).await?;
    caught_up(&gateway).await;
    let written = files(data.path()).len();
    assert!((1..50).contains(&written), "{written}");
    let skipped = gateway.client.metric("pas_gateway_receipts_files_skipped_total").await?;
    assert_eq!(skipped, (50 - written) as f64);
    for run_id in ids {
        assert_eq!(gateway.client.get(&format!("/receipts/{run_id}")).await?["run_id"], run_id.as_str());
    }
    gateway.stop().await
}

#[tokio::test]
async fn without_index_and_files_receipts_are_kept_and_the_newest_are_found() -> Result<()> {
    let data = tempfile::tempdir()?;
    let receipts = receipts::Config { index: false, files: false, events: false, ..config().receipts };
    let gateway = Gateway::start(data.path(), Config { receipts, ..config() }).await?;
    let ids = settle(&gateway.receipts, 3, CallStatus::Ok).await?;
    for run_id in &ids {
        assert_eq!(gateway.client.get(&format!("/receipts/{run_id}")).await?["run_id"], run_id.as_str());
    }
    let (status, answer) = gateway.client.ask("/receipts").await?;
    assert_eq!((status, &answer["error"]["code"]), (422, &"failed_precondition".into()));
    gateway.stop().await?;
    assert_eq!((files(data.path()), costs(data.path()).join("receipts.db").exists()), (vec![], false));

    let gateway = Gateway::start(data.path(), config()).await?;
    assert_eq!(gateway.client.all("").await?.len(), 3, "an index that is wanted later has them all");
    assert_eq!(receipts_in_journal(data.path()).len(), 3);
    gateway.stop().await
}
