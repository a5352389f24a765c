//! `pas demo`: every service, over a data directory of its own and without a credential, and a scripted swarm on them.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::future::join_all;
use pas_types::catalog::{
    EVENT_STREAM, Entry, GATEWAY, HEARTBEAT_MONITOR, HMI, PROVIDER_ROUTER, REGISTRY, SERVICES,
};

use super::{down, status, up};
use crate::core::state::Identity;
use crate::home::{Home, Lock};
use crate::proc::{Process, Signal};
use crate::supervisor::StopSignals;
use crate::swarm::{Service, Source, Swarm, program};
use crate::{health, out};

/// The program that plays the swarm.
const PLAYER: &str = "pas-demo";
/// An address at which nobody answers.
const NOBODY: &str = "http://127.0.0.1:1";
/// It takes itself off the registry within 2 s.
const PLAYER_PATIENCE: Duration = Duration::from_secs(5);
/// For a supervisor of which nobody knows yet how long its services take.
const SUPERVISOR_PATIENCE: Duration = Duration::from_secs(30);

/// Shows the swarm until it is told to stop; then nothing of it runs any more.
pub(crate) async fn run(source: &Source) -> Result<ExitCode> {
    let source = source.for_demo();
    let player = program(PLAYER)?;
    let swarm = Swarm::load(&source)?;
    let home = swarm.home.clone();
    home.prepare()?;
    home.refuse_real_data()?;
    let Some(lock) = home.lock()? else { bail!("{}", is_up_already(&swarm)) };
    refuse_where_pas_runs(&swarm).await?;
    up::refuse_taken_ports(&swarm)?;
    home.mark_as_demo()?;
    home.ensure_token()?;
    if let Some(remark) = &swarm.foreign_pages {
        out::line(format!("note: {remark}"))?;
    }
    out::line(format!("the demo starts in {}: no key is needed, and none is used", home.data_dir.display()))?;

    let mut signals = StopSignals::new()?;
    let mut supervisor = Held::of(start_supervisor(&swarm, &source, lock)?)?;
    // What it says until the start is over is in its log; a newcomer needs none of it.
    let mut said = supervisor.child.stdout.take();
    let started = tokio::task::spawn_blocking(move || {
        said.as_mut().map_or(Ok(0), |said| io::copy(said, &mut io::sink()))
    });
    let begun = tokio::select! {
        started = started => started.map(|_| true),
        () = signals.next() => Ok(false),
    };
    // Whatever went wrong is said when nothing runs any more.
    let end = match begun {
        Ok(true) => play(&swarm, player, &supervisor.process, &mut signals).await,
        Ok(false) => Ok(End::Asked),
        Err(error) => Err(error.into()),
    };

    // Who closed the terminal wants all of it stopped, too.
    let _ = out::line("the demo ends");
    let hurry = async {
        loop {
            signals.next().await;
            supervisor.process.signal(Signal::TERM);
        }
    };
    tokio::select! {
        stopped = stop_services(&home, &supervisor.process) => stopped?,
        () = hurry => {}
    }
    supervisor.child.wait().context("the supervisor can't be waited for")?;
    let _ = out::line(format!("nothing of it runs any more; what it left is in {}", home.data_dir.display()));
    match end? {
        End::Asked => Ok(ExitCode::SUCCESS),
        End::NeverBegan => bail!("the demo could not start its services"),
        End::PlayerDied(how) => bail!("{PLAYER} ended by itself ({how}), and the demo with it"),
        End::SupervisorDied => bail!("the services were stopped by somebody else, and the demo with them"),
    }
}

/// Why a demo is over.
enum End {
    Asked,
    NeverBegan,
    PlayerDied(String),
    SupervisorDied,
}

/// A child, and the hold on it.
struct Held {
    child: Child,
    process: Process,
}

impl Held {
    fn of(mut child: Child) -> Result<Self> {
        let process = Identity::of(child.id()).ok().and_then(Process::open);
        let Some(process) = process else {
            child.kill()?;
            child.wait()?;
            bail!("cannot take hold of process {}", child.id());
        };
        Ok(Self { child, process })
    }
}

/// Plays the swarm until somebody ends it.
async fn play(
    swarm: &Swarm,
    player: PathBuf,
    supervisor: &Process,
    signals: &mut StopSignals,
) -> Result<End> {
    // The play goes on without those that did not come up, and shows what it can.
    let report = status::report(&swarm.home).await?;
    status::complain(&swarm.home, &report)?;
    if report.services.is_empty() {
        return Ok(End::NeverBegan);
    }
    out::line(format!(
        "{} services run; `pas --data-dir {} status` shows them",
        report.services.iter().filter(|row| row.state.is_up()).count(),
        swarm.home.data_dir.display()
    ))?;
    let mut command = Command::new(player);
    for (flag, entry) in
        [("--registry-url", REGISTRY), ("--gateway-url", GATEWAY), ("--events-url", EVENT_STREAM)]
    {
        command.args([flag, url(swarm, &entry)?]);
    }
    without_credentials(&mut command);
    // The end of its standard input ends it, should this process be killed; Ctrl-C is told to it from here, when it is time.
    command.arg("--end-with-stdin").stdin(Stdio::piped()).process_group(0);
    let mut player = Held::of(command.spawn().with_context(|| format!("cannot run {PLAYER}"))?)?;
    let _stays_open = player.child.stdin.take();
    out::line(format!("\nLook: {}\nEnd it with Ctrl-C.\n", url(swarm, &HMI)?))?;
    let end = tokio::select! {
        () = signals.next() => End::Asked,
        () = supervisor.exited() => End::SupervisorDied,
        () = player.process.exited() => End::PlayerDied(player.child.wait()?.to_string()),
    };
    down::end(&player.process, PLAYER_PATIENCE).await;
    player.child.wait()?;
    Ok(end)
}

/// Stops the supervisor, and what it may have left behind.
async fn stop_services(home: &Home, supervisor: &Process) -> Result<()> {
    let patience = home.state()?.map_or(SUPERVISOR_PATIENCE, |state| state.supervisor_patience());
    down::end(supervisor, patience).await;
    down::stop_the_rest(home).await
}

/// As for `pas up --detach`, but the services have no credential, neither of the environment nor of a file, and know each other
/// alone, whatever the settings say: no other swarm hears of what is invented, and no provider or server is asked.
fn start_supervisor(swarm: &Swarm, source: &Source, lock: Lock) -> Result<Child> {
    let mut command = up::supervisor(source)?;
    without_credentials(&mut command);
    let no_file = swarm.home.data_dir.join("run/no-credentials");
    for entry in SERVICES.iter().filter(|entry| !entry.credentials.is_empty()) {
        command.env(variable(entry, "ENV_FILE"), &no_file);
        command.env(variable(entry, "BASE_URL"), NOBODY);
        // A shorter name for the same.
        command.env_remove(format!("PAS_{}_BASE_URL", entry.section.to_ascii_uppercase()));
        command.env(variable(entry, "ROUTER_URL"), url(swarm, &PROVIDER_ROUTER)?);
    }
    command.env("PAS_SWARM__REGISTRY_URL", url(swarm, &REGISTRY)?);
    command.env("PAS_SWARM__EVENTS_URL", url(swarm, &EVENT_STREAM)?);
    command.env(variable(&GATEWAY, "ROUTER_URL"), url(swarm, &PROVIDER_ROUTER)?);
    command.env(variable(&HMI, "GATEWAY_URL"), url(swarm, &GATEWAY)?);
    command.env(variable(&HMI, "MONITOR_URL"), url(swarm, &HEARTBEAT_MONITOR)?);
    command.env(variable(&HMI, "ROUTER_URL"), url(swarm, &PROVIDER_ROUTER)?);
    command.env(variable(&HMI, "DEMO"), "true");
    up::start_supervisor(command, &swarm.home, lock)
}

fn without_credentials(command: &mut Command) {
    for name in SERVICES.iter().flat_map(|entry| entry.credentials) {
        command.env_remove(name);
    }
}

/// The variable that sets a key of a service.
fn variable(entry: &Entry, key: &str) -> String {
    format!("PAS_{}__{key}", entry.section.to_ascii_uppercase())
}

/// What is invented must not go where real calls are kept.
async fn refuse_where_pas_runs(swarm: &Swarm) -> Result<()> {
    let ask = async |service: &Service| match health::ask(&service.url).await {
        Ok(health) if health.service == service.name => Some(format!("{} at {}", service.name, service.url)),
        _ => None,
    };
    let running: Vec<String> = join_all(swarm.services.iter().map(ask)).await.into_iter().flatten().collect();
    if running.is_empty() {
        return Ok(());
    }
    bail!(
        "PAS runs already where the demo would ({}): `pas down` stops it, with its --data-dir if it has one; then start the \
         demo again",
        running.join(", ")
    )
}

fn is_up_already(swarm: &Swarm) -> String {
    let data_dir = swarm.home.data_dir.display();
    let look = url(swarm, &HMI).unwrap_or_default();
    format!(
        "the demo is up already in {data_dir}: look at {look}; `pas --data-dir {data_dir} down` ends it, also when whoever \
         started it was killed"
    )
}

/// Where a service is.
fn url<'a>(swarm: &'a Swarm, entry: &Entry) -> Result<&'a str> {
    let service = swarm.services.iter().find(|service| service.name == entry.name);
    service.map(|service| &*service.url).with_context(|| format!("the catalogue names no {}", entry.name))
}
