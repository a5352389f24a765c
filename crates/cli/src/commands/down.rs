//! `pas down`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use crate::home::Home;
use crate::out;
use crate::proc::{Process, Signal};
use crate::supervisor::stop;
use crate::swarm::Source;

/// Stops all, and returns when nothing runs any more.
pub(crate) async fn run(source: &Source) -> Result<ExitCode> {
    let home = source.home_or_default()?;
    let Some(state) = home.state()? else {
        out::line(format!("nothing of PAS runs in {}", home.data_dir.display()))?;
        return Ok(ExitCode::SUCCESS);
    };
    if state.supervisor.is_alive()
        && let Some(supervisor) = Process::open(state.supervisor)
    {
        end(&supervisor, state.supervisor_patience()).await;
    }
    stop_the_rest(&home).await?;
    out::line(format!("PAS is stopped in {}", home.data_dir.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Asks a process to end, and kills it when that takes too long.
pub(super) async fn end(process: &Process, patience: Duration) {
    process.signal(Signal::TERM);
    if tokio::time::timeout(patience, process.exited()).await.is_err() {
        process.signal(Signal::KILL);
        process.exited().await;
    }
}

/// Stops what a supervisor that was killed has left behind; one that stopped by itself leaves nothing.
pub(super) async fn stop_the_rest(home: &Home) -> Result<()> {
    if let Some(state) = home.state()? {
        stop(&state, |line| {
            // Who does not read on still wants the rest stopped.
            let _ = out::line(line);
        })
        .await;
    }
    home.forget()
}
