//! `pas up`.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::status;
use crate::home::{Home, Lock, SUPERVISOR};
use crate::supervisor::Supervisor;
use crate::swarm::{Source, Swarm};
use crate::{log_file, out, ports, proc};

/// How long a second `pas up` waits for the first one to finish.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// Starts what does not run, and shows what does.
pub(crate) async fn run(source: &Source, detach: bool) -> Result<ExitCode> {
    let swarm = Swarm::load(source)?;
    let home = swarm.home.clone();
    home.prepare()?;
    home.refuse_invented_data()?;
    let Some(lock) = home.lock()? else {
        out::line(format!("PAS is up already in {}", home.data_dir.display()))?;
        return status::conclude(&home, START_PATIENCE).await;
    };
    refuse_taken_ports(&swarm)?;
    home.ensure_token()?;
    for remark in swarm.remarks() {
        out::line(format!("note: {remark}"))?;
    }
    out::line(format!(
        "PAS starts in {}; its logs are in {}",
        home.data_dir.display(),
        home.log_dir.display()
    ))?;
    if detach {
        let supervisor = start_supervisor(supervisor(source)?, &swarm.home, lock)?;
        repeat_start(supervisor.stdout)?;
        return status::conclude(&home, Duration::ZERO).await;
    }
    let show = async || {
        // What could not be shown is in the log too.
        let _ = status::conclude(&home, Duration::ZERO).await;
    };
    Supervisor::new(swarm)?.run(show).await?;
    Ok(ExitCode::SUCCESS)
}

/// The process that `up --detach` leaves behind. Its standard input is the lock; it closes its standard output when
/// the start is over.
pub(crate) async fn supervise(source: &Source) -> Result<ExitCode> {
    proc::leave_session().context("cannot leave the terminal")?;
    let swarm = Swarm::load(source)?;
    ensure!(swarm.home.lock()?.is_none(), "this is for `pas up --detach`, which hands over the lock");
    let detach = async || {
        // If it can't be closed, `up --detach` waits for longer than it need.
        let _ = proc::close_stdout();
    };
    Supervisor::new(swarm)?.run(detach).await?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses to start where somebody else listens.
pub(super) fn refuse_taken_ports(swarm: &Swarm) -> Result<()> {
    let taken = ports::taken(swarm, swarm.home.state()?.as_ref());
    if taken.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = taken.iter().map(|port| format!("{}: {}", port.problem, port.remedy)).collect();
    bail!("{}", lines.join("\n"))
}

/// The command that supervises in the background.
pub(super) fn supervisor(source: &Source) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("cannot tell where `pas` is")?);
    command.args(source.flags()).arg("supervise");
    Ok(command)
}

/// Starts the supervisor in the background; from then on it holds the lock.
pub(super) fn start_supervisor(mut command: Command, home: &Home, lock: Lock) -> Result<Child> {
    let log = home.error_log(SUPERVISOR);
    let log = log_file::open_for_process(&log).with_context(|| format!("cannot open {}", log.display()))?;
    command.stdin(lock.hand_over()).stdout(Stdio::piped()).stderr(log);
    command.spawn().context("cannot start the supervisor")
}

/// Repeats what a supervisor says until the start is over.
pub(super) fn repeat_start(said: Option<ChildStdout>) -> Result<()> {
    for line in said.into_iter().flat_map(|said| BufReader::new(said).lines()) {
        out::line(line?)?;
    }
    Ok(())
}
