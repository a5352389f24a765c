use anyhow::Result;
use serde_json::json;

use crate::support::{Gateway, config};

#[tokio::test]
async fn a_bad_parameter_is_refused_by_name_with_what_would_be_accepted() -> Result<()> {
    let data = tempfile::tempdir()?;
    let gateway = Gateway::start(data.path(), config()).await?;
    let filters = "use since, agent, agent_run_id, service, model, status, budget";
    let groups = "day, month, agent, agent_run, model, service, provider, budget";
    let cases = [
        ("/receipts?limit=0", "limit", "limit is 0: use a whole number from 1 to 1000".to_owned()),
        ("/receipts?limit=1001", "limit", "limit is 1001: use a whole number from 1 to 1000".to_owned()),
        (
            "/receipts?since=noon",
            "since",
            "since is `noon`: use an RFC 3339 time, as 2025-11-06T10:30:00.123Z".to_owned(),
        ),
        (
            "/receipts?status=fine",
            "status",
            "`fine` is not a known status of a call: use one of ok, error, cut, cancelled, refused, lost"
                .to_owned(),
        ),
        ("/receipts?agent=", "agent", "agent has 0 bytes: use 1 to 256".to_owned()),
        ("/receipts?agent=a&agent=b", "agent", "agent is given twice: give it once".to_owned()),
        (
            "/receipts?agent_run_id=..",
            "agent_run_id",
            "a run id has 1 to 128 letters, digits, `.`, `_` or `-`, and is neither `.` nor `..`".to_owned(),
        ),
        (
            "/receipts?cursor=abc",
            "cursor",
            "the cursor names no place in the list: use the next_cursor of an answer, or begin without one"
                .to_owned(),
        ),
        (
            "/receipts?colour=red",
            "colour",
            format!("colour is not a filter of receipts: {filters}, limit or cursor"),
        ),
        ("/receipts/stats", "group_by", format!("group_by is missing: use one of {groups}")),
        (
            "/receipts/stats?group_by=colour",
            "group_by",
            format!("`colour` is not a known group of receipts: use one of {groups}"),
        ),
        (
            "/receipts/stats?group_by=day&format=xml",
            "format",
            "`xml` is not a known format: use one of json, csv".to_owned(),
        ),
        (
            "/receipts/%2e%2e%2fx",
            "run_id",
            "`../x` in the path is not a run_id: use one as it was answered".to_owned(),
        ),
    ];
    for (path, field, message) in cases {
        let (status, answer) = gateway.client.ask(path).await?;
        let error = &answer["error"];
        assert_eq!(
            (status, &error["code"], &error["field"], &error["message"]),
            (400, &json!("invalid_argument"), &json!(field), &json!(message)),
            "{path}"
        );
    }
    let (status, answer) = gateway.client.ask("/receipts/gw-2025-11-06-10-30-00-123456").await?;
    let message =
        "there is no receipt of gw-2025-11-06-10-30-00-123456: GET /receipts lists those that are kept";
    let error = &answer["error"];
    assert_eq!((status, &error["code"], &error["message"]), (404, &json!("not_found"), &json!(message)));
    gateway.stop().await
}
