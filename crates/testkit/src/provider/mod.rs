//! A provider of models that says and breaks what a test wants, at the level of the socket.
//!
//! It speaks the dialects of OpenAI (chat completions, responses, embeddings, models), Anthropic (messages, count_tokens,
//! models) and Gemini (generateContent, streamGenerateContent, countTokens, models), and `POST /invoke` of PAS, which it
//! echoes. What it answers is a [`Script`]: of the request's header `x-scripted` (in short form), else of the part of its
//! model's name after `~` (in short form too), else the first in the queue that is for such a request, else a healthy answer.
//!
//! It can stand in for a real provider ([`Manner`]): its lists of models, its errors and limits in its own words, whom it lets
//! in, and with Ollama the dialect of `/api/chat`.
//!
//! It keeps every request and what became of it ([`Recorded`]); [`Provider::when`] waits for that without sleeping.

mod answer;
mod connection;
mod control;
mod dialect;
mod http;
mod instant;
mod listen;
mod manner;
mod play;
mod record;
mod script;
mod shared;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use manner::{Manner, Offer};
pub use record::{Ended, Recorded};
pub use script::{Call, Fault, Framing, Script, Stop};

use crate::PATIENCE;
use manner::Profile;
use shared::Shared;

/// How a provider runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The port of 127.0.0.1; 0 is a free one.
    pub port: u16,
    /// So many requests are kept, the newest ones.
    pub keep: usize,
    /// A request that came before has the same answer, whatever its credential, is read no further, and isn't kept: for benches.
    pub instant: bool,
    /// In whose manner it speaks.
    pub manner: Manner,
    /// The credentials that are accepted; without any, none is looked at. Plainly, and in the manners of Ollama and LM Studio,
    /// none ever is.
    pub keys: Vec<String>,
    /// The models that it has, when it speaks in some manner; without any, it is `scripted-1` and `scripted-2`.
    pub models: Vec<Offer>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            keep: 10_000,
            instant: false,
            manner: Manner::Plain,
            keys: Vec::new(),
            models: Vec::new(),
        }
    }
}

/// A provider in this process. It is gone when this is dropped.
#[derive(Debug)]
pub struct Provider {
    shared: Arc<Shared>,
    port: u16,
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

impl Provider {
    /// Listens on a free port of 127.0.0.1, in the runtime that calls this.
    pub fn start() -> anyhow::Result<Self> {
        Self::with(Options::default())
    }

    /// Likewise, in the manner of some provider.
    pub fn in_manner(manner: Manner) -> anyhow::Result<Self> {
        Self::with(Options { manner, ..Options::default() })
    }

    /// Likewise, with options.
    pub fn with(options: Options) -> anyhow::Result<Self> {
        let listener = listen::listen(options.port).context("the provider can't listen")?;
        let port = listener.local_addr()?.port();
        let profile = Profile::new(options.manner, options.keys, options.models);
        let shared = Arc::new(Shared::new(profile, options.keep, options.instant));
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(listen::accept(listener, port, Arc::clone(&shared), shutdown.clone()));
        Ok(Self { shared, port, shutdown, tasks })
    }

    /// Its root.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next request that this script is for, and that scripts before it are not for, is answered by it.
    pub fn script(&self, script: Script) {
        self.shared.queue(script);
    }

    /// How many scripts wait for requests.
    pub fn waiting(&self) -> usize {
        self.shared.waiting()
    }

    /// Forgets all scripts.
    pub fn clear(&self) {
        self.shared.clear();
    }

    /// Every request that is kept, oldest first.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.ledger.requests()
    }

    /// Forgets all requests. Numbers go on.
    pub fn forget(&self) {
        self.shared.ledger.forget();
    }

    /// Waits until `find` finds something in the requests that are kept; panics with `what` after [`PATIENCE`].
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    pub async fn when<T>(&self, what: &str, mut find: impl FnMut(&[Recorded]) -> Option<T>) -> T {
        let mut changes = self.shared.ledger.changes();
        let wait = async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = self.shared.ledger.look(&mut find) {
                    return found;
                }
                // The sender is this provider's own.
                drop(changes.changed().await);
            }
        };
        match timeout(PATIENCE, wait).await {
            Ok(found) => found,
            Err(_) => panic!("{what}: not within {} s; there are {:#?}", PATIENCE.as_secs(), self.requests()),
        }
    }

    /// Waits until so many requests have come and ended in whatever way, and tells them.
    pub async fn ended(&self, count: usize) -> Vec<Recorded> {
        self.when(&format!("{count} requests have ended"), |all| {
            let ended = all.iter().filter(|one| one.ended.is_some()).count();
            (ended >= count).then(|| all.to_vec())
        })
        .await
    }

    /// Connections that were ever accepted.
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::Relaxed)
    }

    /// Connections that are open; can be waited on.
    pub fn open(&self) -> watch::Receiver<usize> {
        self.shared.open.subscribe()
    }

    /// Closes every connection that waits for a request.
    pub fn close_idle(&self) {
        self.shared.idle.notify_waiters();
    }

    /// Closes the port and every connection: from now on, connections are refused.
    pub async fn refuse(&self) {
        self.shared.wanted.send_replace(false);
        self.is_listening(false).await;
    }

    /// Listens again, on the same port.
    pub async fn accept(&self) {
        self.shared.wanted.send_replace(true);
        self.is_listening(true).await;
    }

    /// Closes everything and waits until that is done.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    #[expect(clippy::panic, reason = "a test fails by panicking")]
    async fn is_listening(&self, wanted: bool) {
        let mut listening = self.shared.listening.subscribe();
        let reached = listening.wait_for(|is| *is == wanted);
        if timeout(PATIENCE, reached).await.is_err() {
            panic!("port {} is not as it should be: is somebody else listening there?", self.port);
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
