//! A service that runs, and its end.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{ConfigError, Swarm};
use crate::sockets::Sockets;

/// How long what served the tasks may take to end. Each keeps to less by itself.
const HELPERS: Duration = Duration::from_secs(2);

/// A service that runs: what it listens on, its tasks and threads, and its data directory, claimed for it alone.
#[derive(Debug)]
pub struct Running {
    port: u16,
    url: String,
    tasks: TaskTracker,
    /// What the tasks may need up to their end.
    helpers: TaskTracker,
    tasks_ended: CancellationToken,
    threads: Vec<(&'static str, JoinHandle<()>)>,
    shutdown: CancellationToken,
    grace: Duration,
    /// Locked as long as the service runs.
    data: Option<File>,
    last: Option<Last>,
}

/// What is done when all tasks have ended.
struct Last(Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Last {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Last")
    }
}

impl Running {
    /// A service that listens on `sockets` and ends on `shutdown`.
    pub fn new(swarm: &Swarm, sockets: &Sockets, shutdown: CancellationToken) -> Self {
        Self {
            port: sockets.port(),
            url: sockets.url(),
            tasks: TaskTracker::new(),
            helpers: TaskTracker::new(),
            tasks_ended: CancellationToken::new(),
            threads: Vec::new(),
            shutdown,
            grace: Duration::from_secs(swarm.grace_s),
            data: None,
            last: None,
        }
    }

    /// The service's directory `name` under the data directory, made where it is missing, and refused where another
    /// process has it: two that write one database would each believe themselves.
    pub fn claim_data(&mut self, swarm: &Swarm, name: &str) -> anyhow::Result<PathBuf> {
        let directory = swarm.data_dir.join(name);
        let shown = directory.display();
        std::fs::create_dir_all(&directory).with_context(|| format!("{shown} can't be made"))?;
        let lock = File::options().create(true).append(true).open(directory.join("lock"));
        let lock = lock.with_context(|| format!("{shown} can't be written"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                anyhow::bail!(
                    "{shown} belongs to another {name} that runs: stop that, or name another data_dir"
                )
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{shown} can't be locked"));
            }
        }
        self.data = Some(lock);
        Ok(directory)
    }

    /// Its loops and connections. Each ends on [`Running::shutdown`], and the stop waits for them.
    pub fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// What tasks may need up to their end, and so outlives them: it is told when they have ended, and the stop
    /// waits for it then.
    pub(crate) fn spawn_helper<F>(&self, helper: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.helpers.spawn(helper(self.tasks_ended.clone()));
    }

    /// The signal to stop.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// Waits for this thread too, after the tasks: it ends when the last of them has let go of it.
    #[must_use]
    pub fn with_thread(mut self, name: &'static str, thread: JoinHandle<()>) -> Self {
        self.threads.push((name, thread));
        self
    }

    /// Does this last, when the tasks have ended, in a thread that may wait.
    #[must_use]
    pub fn ending_with(mut self, last: impl FnOnce() + Send + 'static) -> Self {
        self.last = Some(Last(Box::new(last)));
        self
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address under which this machine reaches it.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Runs until it is told to stop, then until everything in it has ended.
    pub async fn wait(self) -> anyhow::Result<()> {
        self.shutdown.cancelled().await;
        self.tasks.close();
        // Connections and loops keep to the grace themselves; a little more is for what they do after it.
        let patience = self.grace + Duration::from_secs(2);
        if tokio::time::timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "the grace is over; what is still open is cut");
        }
        self.tasks_ended.cancel();
        self.helpers.close();
        if tokio::time::timeout(HELPERS, self.helpers.wait()).await.is_err() {
            tracing::warn!(left = self.helpers.len(), "what served the tasks does not end; it is cut");
        }
        if let Some(Last(last)) = self.last {
            tokio::task::spawn_blocking(last).await?;
        }
        for (name, thread) in self.threads {
            let joined = tokio::task::spawn_blocking(move || thread.join());
            match tokio::time::timeout(patience, joined).await {
                Ok(Ok(Ok(()))) => {}
                Ok(_) => anyhow::bail!("the thread {name} panicked"),
                Err(_) => anyhow::bail!("the thread {name} did not end"),
            }
        }
        Ok(())
    }

    /// Stops it, and waits until it has.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.wait().await
    }
}

/// A token that SIGTERM or SIGINT cancels. A second signal kills.
pub fn stop_on_signals() -> anyhow::Result<CancellationToken> {
    let token = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = token.clone();
    let watch = async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        next().await;
        tracing::info!("told to stop; what is open may end");
        stop.cancel();
        next().await;
        tracing::warn!("told to stop again; ending at once");
        exit_now();
    };
    #[expect(clippy::disallowed_methods, reason = "it must outlive the shutdown, to hear the second signal")]
    drop(tokio::spawn(watch));
    Ok(token)
}

#[expect(clippy::disallowed_methods, reason = "the second signal asks for exactly this")]
fn exit_now() {
    std::process::exit(130);
}

/// How a process ends after `result`: 0, 1 for a failure, 2 for settings that can't be used.
#[expect(
    clippy::disallowed_macros,
    reason = "the last words of a process, and answers to --help, belong to the terminal"
)]
pub fn exit_code(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    match error.downcast_ref::<ConfigError>() {
        Some(ConfigError::Answered(text)) => {
            // Whoever reads may have seen enough, and closed the pipe.
            let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
            ExitCode::SUCCESS
        }
        Some(ConfigError::Refused(text)) => {
            eprintln!("{}", text.trim_end());
            ExitCode::from(2)
        }
        None => {
            tracing::error!(error = format!("{error:#}"), "the service failed");
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
