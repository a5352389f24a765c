use anyhow::Result;
use pas_gateway::{Config, receipts};
use pas_testkit::until;
use pas_types::event::CallStatus;

use crate::support::{Gateway, assert_whole, config, journal, receipts_in_journal, settle};

#[tokio::test]
async fn retention_keeps_the_chain_provable_and_takes_out_of_the_index_what_it_drops() -> Result<()> {
    let data = tempfile::tempdir()?;
    let receipts = receipts::Config { keep_mb: 2, segment_mb: 1, files: false, ..config().receipts };
    let config = Config { receipts, ..config() };
    let gateway = Gateway::start(data.path(), config.clone()).await?;
    let first = settle(&gateway.receipts, 1, CallStatus::Ok).await?;
    // Each leaves some 1,200 bytes.
    let last = until("the oldest files are dropped", async || {
        let ids = settle(&gateway.receipts, 500, CallStatus::Ok).await.ok()?;
        let oldest = gateway.client.metric("pas_gateway_receipts_journal_oldest").await.ok()?;
        (oldest > 1.0).then_some(ids)
    })
    .await;
    until("the index lets go of them", async || {
        let listed = gateway.client.all("limit=1000").await.ok()?.len();
        (listed == receipts_in_journal(data.path()).len()).then_some(())
    })
    .await;
    let (status, answer) = gateway.client.ask(&format!("/receipts/{}", first[0])).await?;
    assert_eq!((status, &answer["error"]["code"]), (404, &"not_found".into()));
    let newest = last.last().map(ToString::to_string).unwrap_or_default();
    assert_eq!(gateway.client.get(&format!("/receipts/{newest}")).await?["run_id"], newest);
    gateway.stop().await?;

    assert_whole(data.path());
    let report = pas_journal::verify(&journal(data.path()), true)?;
    assert!(report.first_seq > 1 && report.anchor.is_some(), "{report:?}");
    // An index that begins anew has what is there, and misses nothing that was.
    for file in ["receipts.db", "receipts.db-wal", "receipts.db-shm"] {
        drop(std::fs::remove_file(data.path().join("costs").join(file)));
    }
    // It drops nothing more meanwhile.
    let receipts = receipts::Config { keep_mb: 64, ..config.receipts.clone() };
    let gateway = Gateway::start(data.path(), Config { receipts, ..config }).await?;
    settle(&gateway.receipts, 1, CallStatus::Ok).await?;
    until("the index has all that is there", async || {
        let listed = gateway.client.all("limit=1000").await.ok()?.len();
        (listed == receipts_in_journal(data.path()).len()).then_some(())
    })
    .await;
    assert_eq!(gateway.client.metric("pas_gateway_receipts_missed_total").await?, 0.0);
    gateway.stop().await?;
    assert_whole(data.path());
    Ok(())
}
