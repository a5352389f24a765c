use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use pas_proto::events::v1::events_client::EventsClient;
use pas_proto::events::v1::publish_response::Result::Published;
use pas_proto::events::v1::subscribe_response::Message;
use pas_proto::events::v1::{Cursor, PublishRequest, SubscribeRequest, SubscribeResponse};
use pas_testkit::{Process, http, until};
use pas_types::catalog;
use rustix::process::Signal;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

use crate::support::{BINARY, log};

/// Publishers of each kind.
const PUBLISHERS: usize = 3;
/// Events of a batch.
const BATCH: u64 = 10;
/// Batches that a gRPC publisher sends before it waits for an answer.
const AHEAD: u64 = 16;

/// What was told of each number: by an answer, to a subscriber, or by `/events`.
#[derive(Default)]
struct Told(BTreeMap<u64, String>);

impl Told {
    fn note(&mut self, seq: u64, message: &str) {
        let before = self.0.insert(seq, message.to_owned());
        assert!(before.is_none_or(|before| before == message), "number {seq} has two contents");
    }

    fn note_line(&mut self, line: &[u8]) {
        let event: Value = serde_json::from_slice(line).unwrap();
        self.note(event["seq"].as_u64().unwrap(), event["message"].as_str().unwrap());
    }

    fn join(&mut self, other: Self) {
        other.0.iter().for_each(|(seq, message)| self.note(*seq, message));
    }
}

/// What those who publish, and the one who kills, know of each other.
#[derive(Clone)]
struct Round {
    url: String,
    number: usize,
    killed: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
}

/// What a publisher knows at its end: what was acknowledged, and whether a call was open at the kill.
type Known = (Told, bool);

impl Round {
    fn message(&self, publisher: &str, number: u64) -> String {
        format!("round {} {publisher} {number}", self.number)
    }

    fn acknowledge(&self) {
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
    }

    fn goes_on(&self) -> bool {
        !self.killed.load(Ordering::SeqCst)
    }

    async fn client(&self) -> Option<EventsClient<Channel>> {
        let channel = Channel::from_shared(self.url.clone()).unwrap();
        channel.connect().await.ok().map(EventsClient::new)
    }

    async fn post(&self, client: &reqwest::Client, body: &Value) -> Option<Value> {
        let answer = client.post(format!("{}/events", self.url)).json(body).send().await.ok()?;
        let status = answer.status();
        let answer = answer.json().await.ok()?;
        assert_eq!(status, 201, "{answer}");
        Some(answer)
    }

    /// Publishes one by one until the event stream is gone.
    async fn publish_singly(self, publisher: String) -> Known {
        let (client, mut told) = (http(), Told::default());
        for number in 0.. {
            let (message, open) = (self.message(&publisher, number), self.goes_on());
            let Some(place) = self.post(&client, &log(&message)).await else { return (told, open) };
            told.note(place["seq"].as_u64().unwrap(), &message);
            self.acknowledge();
        }
        unreachable!("nobody counts so far")
    }

    /// Publishes batches until the event stream is gone.
    async fn publish_batches(self, publisher: String) -> Known {
        let (client, mut told) = (http(), Told::default());
        for number in 0.. {
            let messages = (0..BATCH).map(|part| self.message(&publisher, number * BATCH + part));
            let messages: Vec<String> = messages.collect();
            let batch = messages.iter().map(|message| log(message)).collect();
            let open = self.goes_on();
            let Some(place) = self.post(&client, &batch).await else { return (told, open) };
            let (first, last) = (place["first_seq"].as_u64().unwrap(), place["last_seq"].as_u64().unwrap());
            assert_eq!(last - first + 1, BATCH);
            (first..).zip(&messages).for_each(|(seq, message)| told.note(seq, message));
            self.acknowledge();
        }
        unreachable!("nobody counts so far")
    }

    /// Publishes batches, some at a time on their way, until the event stream is gone.
    async fn publish_stream(self, publisher: String) -> Known {
        let mut told = Told::default();
        let (batches, requests) = tokio::sync::mpsc::channel(AHEAD as usize);
        let send = |batch: u64| {
            let messages = (0..BATCH).map(|part| self.message(&publisher, batch * BATCH + part));
            let events = messages.map(|message| log(&message).to_string().into_bytes()).collect();
            batches.try_send(PublishRequest { batch, events }).is_ok()
        };
        let mut sent = (0..AHEAD).filter(|batch| send(*batch)).count() as u64;
        let Some(mut client) = self.client().await else { return (told, false) };
        let Ok(answers) = client.publish(ReceiverStream::new(requests)).await else { return (told, false) };
        let mut answers = answers.into_inner();
        for batch in 0.. {
            let Ok(Some(answer)) = answers.message().await else { return (told, batch < sent) };
            let Some(Published(place)) = answer.result else {
                unreachable!("nothing is wrong with it: {answer:?}")
            };
            assert_eq!((answer.batch, place.last_seq - place.first_seq + 1), (batch, BATCH));
            let numbers = batch * BATCH..(batch + 1) * BATCH;
            (place.first_seq..)
                .zip(numbers)
                .for_each(|(seq, number)| told.note(seq, &self.message(&publisher, number)));
            self.acknowledge();
            sent += u64::from(self.goes_on() && send(sent));
        }
        unreachable!("nobody counts so far")
    }

    /// Begins to read what happens after a place.
    async fn follow(&self, after: Cursor) -> Streaming<SubscribeResponse> {
        let request = SubscribeRequest { after: Some(after), ..SubscribeRequest::default() };
        self.client().await.unwrap().subscribe(request).await.unwrap().into_inner()
    }
}

/// Reads until the event stream is gone.
async fn read(mut messages: Streaming<SubscribeResponse>) -> Known {
    let mut told = Told::default();
    while let Ok(Some(message)) = messages.message().await {
        match message.message.unwrap() {
            Message::Hello(hello) => assert!(!hello.reset, "it resumes where it was"),
            Message::Delivery(delivery) => delivery.events.iter().for_each(|line| told.note_line(line)),
            Message::Progress(_) => {}
        }
    }
    (told, false)
}

/// All that `/events` has after a place, and the place of the newest.
async fn history(url: &str, after: Cursor) -> (Told, Cursor) {
    let (client, mut told) = (http(), Told::default());
    let mut since = format!("{}:{}", after.epoch, after.seq);
    loop {
        let page = client.get(format!("{url}/events?limit=1000&since={since}")).send().await.unwrap();
        let page: Value = page.json().await.unwrap();
        for event in page["events"].as_array().unwrap() {
            told.note(event["seq"].as_u64().unwrap(), event["message"].as_str().unwrap());
        }
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut since),
            None => {
                let number = |key: &str| page[key].as_u64().unwrap();
                return (told, Cursor { epoch: number("epoch"), seq: number("head") });
            }
        }
    }
}

/// Loads it until so many calls are acknowledged, and kills it. Answers what was told meanwhile, and the calls that were
/// open.
async fn load_and_kill(stream: &mut Process, number: usize, after: Cursor, enough: usize) -> (Told, usize) {
    let round = Round { url: stream.url(), number, killed: Arc::default(), acknowledged: Arc::default() };
    let mut callers = JoinSet::new();
    callers.spawn(read(round.follow(after).await));
    for publisher in 0..PUBLISHERS {
        callers.spawn(round.clone().publish_singly(format!("single-{publisher}")));
        callers.spawn(round.clone().publish_batches(format!("batch-{publisher}")));
        callers.spawn(round.clone().publish_stream(format!("stream-{publisher}")));
    }
    until("enough is acknowledged", async || {
        (round.acknowledged.load(Ordering::SeqCst) >= enough).then_some(())
    })
    .await;
    // In this order: a call that begins between the two may count for one that was open, but never the other way round.
    stream.signal(Signal::KILL).unwrap();
    round.killed.store(true, Ordering::SeqCst);
    stream.wait().unwrap();
    let mut told = Told::default();
    let mut open = 0;
    for (known, was_open) in callers.join_all().await {
        told.join(known);
        open += usize::from(was_open);
    }
    (told, open)
}

/// Leaves what a write that was cut leaves, which a kill alone hardly ever does: half a line at the end.
fn tear(journal: &Path) {
    let files = fs::read_dir(journal).unwrap().map(|file| file.unwrap().path());
    let newest = files.filter(|path| path.extension().is_some_and(|it| it == "jsonl")).max().unwrap();
    let mut newest = fs::File::options().append(true).open(newest).unwrap();
    newest.write_all(br#"{"event_type":"log","mess"#).unwrap();
}

#[expect(
    clippy::disallowed_macros,
    reason = "whoever reads the test's output wants to know how hard it tried"
)]
async fn kill(rounds: usize) {
    let data = tempfile::tempdir().unwrap();
    let mut stream = Process::start(&catalog::EVENT_STREAM, Path::new(BINARY), data.path(), &[]).unwrap();
    let first = http().post(stream.url() + "/events").json(&log("first")).send().await.unwrap();
    let place: Value = first.json().await.unwrap();
    let begin = Cursor { epoch: place["epoch"].as_u64().unwrap(), seq: 0 };
    let (mut told, mut at, mut hard) = (Told::default(), begin, 0);
    for number in 0..rounds {
        let (acknowledged, open) = load_and_kill(&mut stream, number, at, 1 + number * number * 5 % 97).await;
        hard += usize::from(open > 0);
        if number % 2 == 1 {
            tear(&data.path().join("hmi/events"));
        }
        stream.restart().unwrap();
        let (kept, head) = history(&stream.url(), at).await;
        assert_eq!(head.epoch, begin.epoch, "it is still the same journal");
        let lost: Vec<_> = acknowledged.0.iter().filter(|(seq, _)| !kept.0.contains_key(*seq)).collect();
        assert!(lost.is_empty(), "round {number}: told, and lost: {lost:?}");
        told.join(acknowledged);
        told.join(kept);
        at = head;
    }
    let (kept, head) = history(&stream.url(), begin).await;
    assert_eq!(kept.0, told.0, "what was kept once stays");
    assert!(kept.0.keys().copied().eq(1..=head.seq), "the numbers have no gaps");
    let distinct: BTreeSet<&String> = kept.0.values().collect();
    assert_eq!(distinct.len(), kept.0.len(), "what was sent once is kept once");
    let metrics = http().get(stream.url() + "/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("\npas_event_stream_journal_skipped_lines_total 0\n"), "no line is damaged");
    println!("{rounds} kills, {hard} with calls in flight; {} events", kept.0.len());
    assert!(hard * 10 >= rounds * 9, "only {hard} of {rounds} kills met a call in flight");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_loses_nothing_acknowledged_and_gives_no_number_two_contents() {
    kill(10).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: scripts/test.sh --long runs it"]
async fn a_hundred_kills_lose_nothing_acknowledged_and_give_no_number_two_contents() {
    kill(100).await;
}
