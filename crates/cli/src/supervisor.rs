//! Keeps a swarm running: starts its services in order, starts again what dies, stops all when it is told to.
//!
//! One task does everything. Services are in process groups of their own and do not die with it: a supervisor
//! that was killed is replaced by the next `pas up`, which takes them over as they are.

use std::cell::RefCell;
use std::future::pending;
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::future::join_all;
use tokio::signal::unix::{Signal as SignalStream, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::core::back_off::BackOff;
use crate::core::condition::Condition;
use crate::core::state::{Identity, Record, State, take_over};
use crate::home::SUPERVISOR;
use crate::proc::{self, Process, Signal};
use crate::swarm::Swarm;
use crate::{health, log_file, out};

/// A service that has not answered by then lets the others start, and is reported.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// So does one that has died so often.
const START_DEATHS: u32 = 3;

/// The supervisor of one swarm. Whoever runs it holds the lock of the data directory.
pub(crate) struct Supervisor {
    swarm: Swarm,
    state: RefCell<State>,
    /// How many services have had their turn at the start.
    settled: watch::Sender<usize>,
}

/// A service that runs; a child, unless it was taken over.
struct Running {
    process: Process,
    child: Option<Child>,
}

impl Supervisor {
    /// Takes over what still runs of the state that an earlier supervisor has left; starts nothing yet.
    pub(crate) fn new(swarm: Swarm) -> Result<Self> {
        let wanted = swarm.services.iter();
        let wanted = wanted
            .map(|service| Record::new(service.name, service.binary.clone(), service.url.clone()))
            .collect();
        let services = take_over(wanted, swarm.home.state()?, Identity::is_alive);
        let supervisor = Identity::of(std::process::id())?;
        let state = State { supervisor, grace_s: swarm.grace.as_secs(), services };
        swarm.home.save(&state)?;
        Ok(Self { swarm, state: RefCell::new(state), settled: watch::Sender::new(0) })
    }

    /// Runs until a signal says stop, and then until all is stopped. A second signal kills what still runs.
    /// `started` is called when every service has had its turn.
    pub(crate) async fn run(&self, started: impl AsyncFnOnce()) -> Result<()> {
        let mut signals = StopSignals::new()?;
        let all = self.swarm.services.len();
        let announce = async {
            let _ = self.settled.subscribe().wait_for(|settled| *settled == all).await;
            started().await;
            pending::<()>().await;
        };
        tokio::select! {
            _ = join_all((0..all).map(|index| self.keep(index))) => {}
            () = announce => {}
            () = signals.next() => {}
        }
        self.say("stopping");
        let state = self.state.borrow().clone();
        tokio::select! {
            () = stop(&state, |line| self.say(&line)) => {}
            () = signals.next() => kill(&state).await,
        }
        proc::reap_children();
        self.swarm.home.forget()
    }

    /// The life of one service, and the next one, and the next.
    async fn keep(&self, index: usize) {
        let name = self.swarm.services[index].name;
        let _ = self.settled.subscribe().wait_for(|settled| *settled >= index).await;
        let mut back_off = BackOff::default();
        let mut taken_over = self.taken_over(index);
        loop {
            let begun = Instant::now();
            let end = match taken_over.take().map_or_else(|| self.start(index), Ok) {
                Ok(running) => self.watch(index, running).await,
                Err(error) => format!("{error:#}"),
            };
            let wait = back_off.after_death(begun.elapsed(), jitter());
            self.say(&format!("{name} ended ({end}), starts again in {} ms", wait.as_millis()));
            self.edit(index, |record| record.ended(end));
            if back_off.deaths() == START_DEATHS {
                self.settle(index);
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// The service that an earlier supervisor started, if it runs.
    fn taken_over(&self, index: usize) -> Option<Running> {
        let process = Process::open(self.state.borrow().services[index].process?)?;
        Some(Running { process, child: None })
    }

    fn start(&self, index: usize) -> Result<Running> {
        let service = &self.swarm.services[index];
        let log = self.swarm.home.error_log(service.name);
        let log =
            log_file::open_for_process(&log).with_context(|| format!("cannot open {}", log.display()))?;
        let mut command = self.swarm.command(service);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let mut child =
            command.spawn().with_context(|| format!("cannot run {}", service.binary.display()))?;
        let held =
            Identity::of(child.id()).ok().and_then(|identity| Some((identity, Process::open(identity)?)));
        let Some((identity, process)) = held else {
            child.kill()?;
            child.wait()?;
            anyhow::bail!("cannot take hold of process {}", child.id());
        };
        self.edit(index, |record| {
            record.process = Some(identity);
            (record.binary, record.url) = (service.binary.clone(), service.url.clone());
        });
        Ok(Running { process, child: Some(child) })
    }

    /// Waits for the end of a service, and says how it ended.
    async fn watch(&self, index: usize, running: Running) -> String {
        let greet = async {
            self.greet(index).await;
            pending::<()>().await;
        };
        tokio::select! {
            () = running.process.exited() => {}
            () = greet => {}
        }
        match running.child.map(|mut child| child.wait()) {
            Some(Ok(status)) => status.to_string(),
            Some(Err(error)) => error.to_string(),
            None => "not a child of this supervisor".to_owned(),
        }
    }

    /// Asks a service how it is until it answers.
    async fn greet(&self, index: usize) {
        let name = self.swarm.services[index].name;
        let (url, process) = {
            let record = &self.state.borrow().services[index];
            (record.url.clone(), record.process)
        };
        let begun = Instant::now();
        let health = loop {
            match health::ask(&url).await {
                Ok(health) if health.service == name => break health,
                _ if begun.elapsed() >= START_PATIENCE => self.settle(index),
                _ => {}
            }
            let pause = (begun.elapsed() / 10).clamp(Duration::from_millis(10), Duration::from_secs(1));
            tokio::time::sleep(pause).await;
        };
        let took = begun.elapsed().as_millis();
        let pid = process.map_or(0, |process| process.pid);
        let (condition, reason) = Condition::of(true, true, Ok(health));
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        self.say(&format!("{name} answers at {url} (pid {pid}, {took} ms): {}{reason}", condition.words()));
        self.settle(index);
    }

    /// Notes that a service has had its turn at the start: it answered, or was given up waiting for.
    fn settle(&self, index: usize) {
        self.settled.send_if_modified(|settled| {
            let its_turn = *settled == index;
            *settled += usize::from(its_turn);
            its_turn
        });
    }

    fn edit(&self, index: usize, change: impl FnOnce(&mut Record)) {
        let mut state = self.state.borrow_mut();
        change(&mut state.services[index]);
        if let Err(error) = self.swarm.home.save(&state) {
            self.say(&format!("{error:#}"));
        }
    }

    /// Says a line on standard output and in the supervisor's log. That nobody can hear it must not end a swarm.
    fn say(&self, line: &str) {
        let _ = out::line(line);
        let _ = log_file::write_line(&self.swarm.home.log(SUPERVISOR), line);
    }
}

/// Stops every service of a state that runs, one after the other, each within its grace or by force.
pub(crate) async fn stop(state: &State, say: impl Fn(String)) {
    let patience = state.stop_patience();
    for record in state.stop_order() {
        let Some(process) = record.running().and_then(Process::open) else { continue };
        process.signal(Signal::TERM);
        if tokio::time::timeout(patience, process.exited()).await.is_ok() {
            say(format!("{} stopped", record.service));
        } else {
            process.signal(Signal::KILL);
            process.exited().await;
            say(format!("{} did not stop within {} s and was killed", record.service, patience.as_secs()));
        }
    }
}

/// Kills every service of a state.
async fn kill(state: &State) {
    let processes = state.services.iter().filter_map(|record| record.running().and_then(Process::open));
    let killed = processes.map(async |process| {
        process.signal(Signal::KILL);
        process.exited().await;
    });
    join_all(killed).await;
}

/// The signals that mean stop: Ctrl-C, SIGTERM, and the end of the terminal.
pub(crate) struct StopSignals([SignalStream; 3]);

impl StopSignals {
    pub(crate) fn new() -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self([
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
            listen(SignalKind::hangup())?,
        ]))
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// A number from 0 to 1.
fn jitter() -> f64 {
    proc::random::<4>().map_or(0.5, |bytes| f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX))
}
