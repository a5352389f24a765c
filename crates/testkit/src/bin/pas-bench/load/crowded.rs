//! Many turns at the same time, made by one thread.

use std::time::Duration;

use anyhow::Context;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::turn::{Caller, Streamed};

/// No load takes so long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(300);

/// What became of calls that were made as fast as they were answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flood {
    pub(crate) calls: u64,
    pub(crate) lasted: Duration,
}

/// How long a flood goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// For so long.
    Time(Duration),
    /// For about so many calls.
    Calls(u64),
}

/// Makes the same call over so many connections, on each the next as soon as the last is answered.
pub(crate) fn flood(port: u16, request: &[u8], connections: usize, until: Until) -> anyhow::Result<Flood> {
    run(async move {
        let callers = Caller::many(port, connections).await?;
        let begun = Instant::now();
        let (each, end) = match until {
            Until::Time(time) => (u64::MAX, Some(begun + time)),
            Until::Calls(calls) => (calls / connections as u64, None),
        };
        let calls = callers.into_iter().map(|caller| call(caller, request.to_vec(), each, end));
        let calls = all(calls).await?;
        Ok(Flood { calls: calls.into_iter().sum(), lasted: begun.elapsed() })
    })
}

/// Makes `rounds` streamed turns one after the other over each of so many connections. Their begins are spread over
/// `spread`.
pub(crate) fn streams(
    port: u16,
    request: &[u8],
    connections: usize,
    rounds: usize,
    spread: Duration,
) -> anyhow::Result<Vec<Streamed>> {
    run(async move {
        let callers = Caller::many(port, connections).await?;
        let begun = Instant::now();
        let begins = (0..).map(|place| begun + spread.mul_f64(f64::from(place) / connections as f64));
        let turns = callers.into_iter().zip(begins);
        let turns = turns.map(|(caller, begin)| stream(caller, request.to_vec(), rounds, begin));
        Ok(all(turns).await?.concat())
    })
}

async fn call(mut caller: Caller, request: Vec<u8>, most: u64, end: Option<Instant>) -> anyhow::Result<u64> {
    let mut calls = 0;
    while calls < most && end.is_none_or(|end| Instant::now() < end) {
        caller.call(&request).await?;
        calls += 1;
    }
    Ok(calls)
}

async fn stream(
    mut caller: Caller,
    request: Vec<u8>,
    rounds: usize,
    begin: Instant,
) -> anyhow::Result<Vec<Streamed>> {
    sleep_until(begin).await;
    let mut streamed = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        streamed.push(caller.streamed(&request).await?);
    }
    Ok(streamed)
}

/// In a runtime of this thread alone.
fn run<T>(load: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async { timeout(PATIENCE, load).await.context("a load has no end")? })
}

/// What all of them bring; the first that fails ends it.
async fn all<T: 'static>(
    works: impl Iterator<Item = impl Future<Output = anyhow::Result<T>> + 'static>,
) -> anyhow::Result<Vec<T>> {
    let mut tasks = tokio::task::JoinSet::new();
    for work in works {
        tasks.spawn_local(work);
    }
    let mut found = Vec::new();
    while let Some(one) = tasks.join_next().await {
        found.push(one.context("a caller panicked")??);
    }
    Ok(found)
}
