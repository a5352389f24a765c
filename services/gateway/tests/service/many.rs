use std::collections::BTreeMap;

use pas_testkit::provider::Fault;
use pas_testkit::{Provider, Script, until};
use tokio::task::JoinSet;

use crate::support::{World, chat};

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_and_twelve_streams_at_once_come_whole_and_each_has_its_receipt() {
    const STREAMS: usize = 512;
    const CHUNKS: usize = 100;
    let (world, provider) = (World::start().await, Provider::start().unwrap());
    world.register("scripted", &provider).await;
    provider.script(Script::paced(CHUNKS, 5).forever());
    let mut streams = JoinSet::new();
    for _ in 0..STREAMS {
        let asking = world.post("/v1/chat/completions").json(&chat(true)).send();
        streams.spawn(async move {
            let answer = asking.await.unwrap();
            (answer.status(), answer.text().await.unwrap())
        });
    }
    for (status, text) in streams.join_all().await {
        assert_eq!(status, 200, "{text}");
        // The prelude has a content, too, with nothing in it.
        assert_eq!(text.matches("\"delta\":{\"content\":\"").count(), 1 + CHUNKS, "{text}");
        assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    }
    until("each has its receipt", async || {
        let stats = world.get("/receipts/stats?group_by=service").await;
        let row = stats["stats"].as_array()?.first()?;
        (row["calls"] == STREAMS && row["by_status"]["ok"] == STREAMS).then_some(())
    })
    .await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_in_a_hundred_goes_wrong_upstream_and_more_than_99_in_a_hundred_succeed() {
    const CALLERS: usize = 8;
    const EACH: usize = 100;
    let faults = [
        Script::status(500),
        Script::fault(Fault::Reset),
        Script::fault(Fault::Close),
        Script::fault(Fault::Garbage),
        Script::fault(Fault::Empty),
        Script::fault_after(Fault::Close, 1),
        Script::status(429),
    ];
    let world = World::start().await;
    let providers = [Provider::start().unwrap(), Provider::start().unwrap()];
    for (name, provider) in ["first", "second"].into_iter().zip(&providers) {
        world.register(name, provider).await;
        for fault in faults.iter().cycle().take(2 * CALLERS * EACH / 100) {
            provider.script(Script::new().times(99));
            provider.script(fault.clone());
        }
    }
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let calls: Vec<_> =
            (0..EACH).map(|_| world.post("/v1/chat/completions").json(&chat(false))).collect();
        callers.spawn(async move {
            let mut statuses = Vec::new();
            for call in calls {
                statuses.push(call.send().await.unwrap().status().as_u16());
            }
            statuses
        });
    }
    let mut statuses = BTreeMap::<u16, usize>::new();
    for status in callers.join_all().await.into_iter().flatten() {
        *statuses.entry(status).or_default() += 1;
    }
    assert!(statuses[&200] * 100 > CALLERS * EACH * 99, "{statuses:?}");
    let asked: usize = providers.iter().map(|provider| provider.requests().len()).sum();
    assert!(asked >= CALLERS * EACH * 101 / 100 - 2, "{asked}: nothing went wrong");
    until("each has its receipt", async || {
        let page = world.get("/receipts?limit=1000").await;
        (page["receipts"].as_array()?.len() == CALLERS * EACH).then_some(())
    })
    .await;
    world.stop().await;
}

#[tokio::test]
async fn a_stream_goes_over_the_connection_of_the_one_before() {
    let (world, provider) = (World::start().await, Provider::start().unwrap());
    world.register("scripted", &provider).await;
    let stream = async || {
        let answer = world.post("/v1/chat/completions").json(&chat(true)).send().await.unwrap();
        assert!(answer.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    };
    stream().await;
    // What ends the body may come a moment behind the end mark, and the next call before it.
    until("a kept connection is used", async || {
        let before = provider.accepted();
        stream().await;
        (provider.accepted() == before).then_some(())
    })
    .await;
    world.stop().await;
}
