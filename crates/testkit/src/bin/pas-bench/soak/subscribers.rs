//! Subscribers of the event stream that stay, and come back by their cursor when they are lost.

use std::time::Duration;

use pas_types::event::Subscribe;
use serde::de::IgnoredAny;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::load::line::Tally;
use crate::load::subscription::Subscription;

/// The time between two attempts to come back.
const ATTEMPT: Duration = Duration::from_secs(1);

/// They stay until this is dropped.
#[derive(Debug)]
pub(super) struct Subscribers {
    /// Of their frames, and of the connections that they lost.
    pub(super) tally: Tally,
    _tasks: JoinSet<()>,
}

impl Subscribers {
    /// Starts so many, each for all events.
    pub(super) fn start(runtime: &Handle, port: u16, count: usize) -> anyhow::Result<Self> {
        let (tally, mut tasks) = (Tally::default(), JoinSet::new());
        for subscription in runtime.block_on(Subscription::open_many(port, &Subscribe::default(), count))? {
            tasks.spawn_on(stay(port, subscription, tally.clone()), runtime);
        }
        Ok(Self { tally, _tasks: tasks })
    }
}

async fn stay(port: u16, mut subscription: Subscription, tally: Tally) {
    loop {
        match subscription.next::<IgnoredAny>().await {
            Ok(_) => tally.count_answered(),
            Err(error) => {
                tally.count_lost(|| format!("{error:#}"));
                let back = Subscribe { since: Some(subscription.cursor()), ..Subscribe::default() };
                subscription = come_back(port, &back, &tally).await;
            }
        }
    }
}

async fn come_back(port: u16, wanted: &Subscribe, tally: &Tally) -> Subscription {
    loop {
        match Subscription::open(port, wanted).await {
            Ok(subscription) => return subscription,
            Err(error) => tally.count_lost(|| format!("{error:#}")),
        }
        sleep(ATTEMPT).await;
    }
}
