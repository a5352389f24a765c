use anyhow::Result;
use pas_service::clock;
use pas_testkit::until;
use pas_types::event::CallStatus;
use serde_json::json;

use crate::support::{Gateway, begin, config, costs, receipt, settle, whole};

#[tokio::test]
async fn whoever_has_an_answer_finds_its_receipt_at_once_and_in_the_list() -> Result<()> {
    let data = tempfile::tempdir()?;
    let gateway = Gateway::start(data.path(), config()).await?;
    for _ in 0..50 {
        let run_id = gateway.receipts.next_id(clock::now());
        let seq = gateway.receipts.settle(receipt(&run_id, CallStatus::Ok)).await?;
        let found = gateway.client.get(&format!("/receipts/{run_id}")).await?;
        assert_eq!((&found["run_id"], &found["seq"]), (&json!(run_id), &json!(seq)));
        let page = gateway.client.get("/receipts?limit=1").await?;
        assert_eq!(page["receipts"][0], found);
    }
    gateway.stop().await
}

#[tokio::test]
async fn a_list_is_filtered_and_paged() -> Result<()> {
    let data = tempfile::tempdir()?;
    let gateway = Gateway::start(data.path(), config()).await?;
    let ok = settle(&gateway.receipts, 5, CallStatus::Ok).await?;
    let cut = settle(&gateway.receipts, 2, CallStatus::Cut).await?;
    let ids = async |query: &str| -> Result<Vec<String>> {
        let all = gateway.client.all(query).await?;
        Ok(all.iter().map(|it| it["run_id"].as_str().unwrap().to_owned()).collect())
    };
    let expected: Vec<String> = ok.iter().chain(&cut).rev().map(ToString::to_string).collect();
    assert_eq!(ids("limit=2").await?, expected);
    assert_eq!(ids("status=cut&agent=Architect&service=llama&model=llama-3.1-8b").await?, expected[..2]);
    assert_eq!(ids("budget=global/default").await?, expected);
    assert_eq!(ids("agent=Coder").await?, Vec::<String>::new());
    assert_eq!(ids("since=2999-01-01T00:00:00Z").await?, Vec::<String>::new());
    gateway.stop().await
}

#[tokio::test]
async fn what_the_index_has_not_taken_in_yet_is_told() -> Result<()> {
    let data = tempfile::tempdir()?;
    let gateway = Gateway::start(data.path(), config()).await?;
    settle(&gateway.receipts, 2, CallStatus::Ok).await?;
    let page = gateway.client.get("/receipts").await?;
    assert_eq!((page["receipts"].as_array().map(Vec::len), page.get("behind")), (Some(2), None));
    // Somebody else writes to it. Of each call there are two records, of its beginning and its end.
    let other = rusqlite::Connection::open(costs(data.path()).join("receipts.db"))?;
    other.execute_batch("BEGIN IMMEDIATE")?;
    settle(&gateway.receipts, 3, CallStatus::Ok).await?;
    let page = gateway.client.get("/receipts").await?;
    assert_eq!((page["receipts"].as_array().map(Vec::len), &page["behind"]), (Some(2), &json!(6)));
    let stats = gateway.client.get("/receipts/stats?group_by=day").await?;
    assert_eq!((&stats["stats"][0]["calls"], &stats["behind"]), (&json!(2), &json!(6)));
    let url = format!("{}/receipts/stats?group_by=day&format=csv", gateway.client.url);
    assert_eq!(gateway.client.http.get(url).send().await?.headers()["x-pas-behind"], "6");
    other.execute_batch("ROLLBACK")?;
    until("it has taken all in", async || {
        let stats = gateway.client.get("/receipts/stats?group_by=day").await.ok()?;
        (stats["stats"][0]["calls"] == 5 && stats.get("behind").is_none()).then_some(())
    })
    .await;
    gateway.stop().await
}

#[tokio::test]
async fn sums_come_as_json_and_as_a_table() -> Result<()> {
    let data = tempfile::tempdir()?;
    let gateway = Gateway::start(data.path(), config()).await?;
    settle(&gateway.receipts, 3, CallStatus::Ok).await?;
    settle(&gateway.receipts, 1, CallStatus::Cancelled).await?;
    let expected = json!({"group_by": "provider", "next_cursor": null, "stats": [{
        "key": "local", "calls": 4,
        "by_status": {"ok": 3, "error": 0, "cut": 0, "cancelled": 1, "refused": 0, "lost": 0},
        "tokens": {"input": 120, "output": 28, "cache_read": 4, "cache_write": 8, "reasoning": 12},
        "usd": {"confirmed": 6e-6, "estimated": 0.0}, "unknown_cost_calls": 0,
    }]});
    assert_eq!(gateway.client.get("/receipts/stats?group_by=provider").await?, expected);
    let url = format!("{}/receipts/stats?group_by=agent_run&format=csv", gateway.client.url);
    let answer = gateway.client.http.get(url).send().await?;
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8");
    let table = "agent_run,calls,ok,error,cut,cancelled,refused,lost,input_tokens,output_tokens,cache_read_tokens,\
        cache_write_tokens,reasoning_tokens,usd_confirmed,usd_estimated,unknown_cost_calls\r\n\
        R-001,4,3,0,0,1,0,0,120,28,4,8,12,0.000006,0.00,0\r\n";
    assert_eq!(answer.text().await?, table);
    gateway.stop().await
}

#[tokio::test]
async fn a_call_is_settled_once_and_what_its_client_does_not_wait_for_is_written_too() -> Result<()> {
    let data = tempfile::tempdir()?;
    let gateway = Gateway::start(data.path(), config()).await?;
    let run_id = gateway.receipts.next_id(clock::now());
    begin(&gateway.receipts, &run_id)?;
    // Nothing comes in between: the journal's answer is not heard yet, or the index keeps the first.
    let first = gateway.receipts.settle(receipt(&run_id, CallStatus::Cancelled));
    let second = gateway.receipts.settle(receipt(&run_id, CallStatus::Ok));
    drop(first);
    drop(second);
    let found =
        until("it is there", async || gateway.client.all("").await.ok().filter(|all| !all.is_empty())).await;
    let statuses: Vec<_> = found.iter().map(|receipt| &receipt["status"]).collect();
    assert_eq!(statuses, [&json!("cancelled")]);
    gateway.stop().await
}

#[tokio::test]
async fn a_gateway_serves_its_receipts_says_how_it_is_and_stops_in_order() -> Result<()> {
    let data = tempfile::tempdir()?;
    let running = whole(data.path()).await?;
    let client = crate::support::Client { http: pas_testkit::http(), url: running.url() };
    assert_eq!(client.get("/receipts").await?, json!({"receipts": [], "next_cursor": null}));
    let health = client.get("/health").await?;
    assert_eq!(
        (&health["checks"]["receipts"]["status"], &health["service"]),
        (&json!("ok"), &json!("gateway"))
    );
    running.stop().await
}
