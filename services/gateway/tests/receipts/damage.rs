use std::fs::File;
use std::io::Write;

use anyhow::Result;
use pas_types::event::CallStatus;

use crate::support::{Gateway, assert_whole, caught_up, config, costs, journal, receipts_in_journal, settle};

/// The one segment of the journal.
fn segment(data: &std::path::Path) -> std::path::PathBuf {
    pas_journal::segment_files(&journal(data)).unwrap().pop().unwrap()
}

#[tokio::test]
async fn half_a_line_at_the_end_is_cut_off_and_nothing_else() -> Result<()> {
    let data = tempfile::tempdir()?;
    let gateway = Gateway::start(data.path(), config()).await?;
    let ids = settle(&gateway.receipts, 5, CallStatus::Ok).await?;
    gateway.stop().await?;
    File::options().append(true).open(segment(data.path()))?.write_all(b"{\"run_id\":\"gw-2025-11-06")?;
    let gateway = Gateway::start(data.path(), config()).await?;
    settle(&gateway.receipts, 1, CallStatus::Ok).await?;
    for run_id in ids {
        assert_eq!(gateway.client.get(&format!("/receipts/{run_id}")).await?["status"], "ok");
    }
    assert_eq!(gateway.client.all("").await?.len(), 6);
    gateway.stop().await?;
    assert_whole(data.path());
    Ok(())
}

#[tokio::test]
async fn what_a_dead_machine_lost_of_the_journal_the_index_loses_too() -> Result<()> {
    let data = tempfile::tempdir()?;
    let gateway = Gateway::start(data.path(), config()).await?;
    let ids = settle(&gateway.receipts, 5, CallStatus::Ok).await?;
    caught_up(&gateway).await;
    gateway.stop().await?;
    // The last receipt, and half of its open record.
    let path = segment(data.path());
    let text = std::fs::read_to_string(&path)?;
    let last_open = text.rfind("{\"open\"").unwrap();
    File::options().write(true).open(&path)?.set_len(last_open as u64 + 40)?;

    let gateway = Gateway::start(data.path(), config()).await?;
    let (status, _) = gateway.client.ask(&format!("/receipts/{}", ids[4])).await?;
    assert_eq!((status, gateway.client.all("").await?.len()), (404, 4));
    let fresh = settle(&gateway.receipts, 3, CallStatus::Ok).await?;
    assert!(fresh.iter().all(|run_id| !ids.contains(run_id)), "ids are not given again");
    assert_eq!(gateway.client.all("").await?.len(), 7);
    gateway.stop().await?;
    assert_whole(data.path());
    Ok(())
}

#[tokio::test]
async fn a_damaged_line_is_named_by_file_and_line_and_costs_no_other_receipt() -> Result<()> {
    let data = tempfile::tempdir()?;
    let gateway = Gateway::start(data.path(), config()).await?;
    let ids = settle(&gateway.receipts, 9, CallStatus::Ok).await?;
    gateway.stop().await?;
    let path = segment(data.path());
    let text = std::fs::read_to_string(&path)?;
    // The header, then an open record and a receipt for each call.
    let line =
        text.lines().position(|line| line.starts_with(&format!("{{\"run_id\":\"{}\"", ids[3]))).unwrap();
    std::fs::write(
        &path,
        text.replacen(
            &format!("{{\"run_id\":\"{}\",\"agent\":\"A", ids[3]),
            &format!("{{\"run_id\":\"{}\",\"agent\":\"B", ids[3]),
            1,
        ),
    )?;
    let report = pas_journal::verify(&journal(data.path()), true)?;
    let broken = report.broken.unwrap();
    assert_eq!((broken.segment, broken.line), (path, line as u64 + 1));

    let _ = std::fs::remove_file(costs(data.path()).join("receipts.db"));
    let gateway = Gateway::start(data.path(), config()).await?;
    settle(&gateway.receipts, 1, CallStatus::Ok).await?;
    let (status, _) = gateway.client.ask(&format!("/receipts/{}", ids[4])).await?;
    assert_eq!(
        (status, gateway.client.all("").await?.len()),
        (200, 10 - usize::from(receipts_in_journal(data.path()).len() < 10))
    );
    gateway.stop().await
}
