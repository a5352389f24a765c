//! The bars of a whole swarm under `pas up`.

use std::time::Duration;

use anyhow::Context;
use pas_testkit::proc;
use pas_types::catalog::{Entry, GATEWAY, SERVICES};

use crate::bar::{Bar, RUNS, Unit, mebibytes, runs};
use crate::load::swarm::Swarm;
use crate::out;
use crate::report::Report;
use crate::stats::milliseconds;

const AREA: &str = "swarm";
/// A start is over.
const SETTLE: Duration = Duration::from_secs(5);
/// So long nothing goes on.
const IDLE: Duration = Duration::from_secs(10);

/// One run: a swarm starts, idles, and loses each of its services once.
struct Run {
    start_ms: f64,
    /// Of all services together, while nothing goes on.
    idle_cpu_percent: f64,
    /// Of each service of the catalogue.
    services: Vec<Service>,
}

struct Service {
    idle_mib: f64,
    back_ms: f64,
}

/// Measures all of them.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let measured = runs(|run| {
        out::progress(format!("swarm: start, idle, kill, {run} of {RUNS}"));
        run_once()
    })?;
    let start = measured.iter().map(|run| run.start_ms).collect();
    let what = format!("cold start of {} services under pas up, until each is healthy", SERVICES.len());
    report.add(Bar::new(AREA, what, Unit::Ms, 4_000.0, start));
    let all = format!("of {} services together, idle", SERVICES.len());
    let memory =
        measured.iter().map(|run| run.services.iter().map(|service| service.idle_mib).sum()).collect();
    report.add(Bar::new(AREA, format!("resident memory {all}"), Unit::MiB, 250.0, memory));
    let cpu = measured.iter().map(|run| run.idle_cpu_percent).collect();
    report.add(Bar::new(AREA, format!("processor time {all}"), Unit::PercentOfACore, 2.0, cpu));
    for (index, Entry { name, .. }) in SERVICES.iter().enumerate() {
        let each =
            |figure: fn(&Service) -> f64| measured.iter().map(|run| figure(&run.services[index])).collect();
        let idle = format!("resident memory of {name}, idle");
        // The gateway knows all of the fleet and keeps what it was told of it.
        let most = if *name == GATEWAY.name { 20.0 } else { 15.0 };
        report.add(Bar::new(AREA, idle, Unit::MiB, most, each(|service| service.idle_mib)));
        let back = format!("{name} answers again after SIGKILL under pas up");
        report.add(Bar::new(AREA, back, Unit::Ms, 2_000.0, each(|service| service.back_ms)));
    }
    Ok(())
}

fn run_once() -> anyhow::Result<Run> {
    let (swarm, start) = Swarm::up()?;
    std::thread::sleep(SETTLE);
    let pids = swarm.status()?.services.into_iter().map(|row| row.pid.context("a service doesn't run"));
    let pids = pids.collect::<anyhow::Result<Vec<_>>>()?;
    let cpu_s = || pids.iter().map(|pid| proc::cpu_s(*pid)).sum::<anyhow::Result<f64>>();
    let before = cpu_s()?;
    std::thread::sleep(IDLE);
    let idle_cpu_percent = (cpu_s()? - before) / IDLE.as_secs_f64() * 100.0;
    let idle = pids.iter().map(|pid| Ok(mebibytes(proc::resident_bytes(*pid)?)));
    let idle = idle.collect::<anyhow::Result<Vec<_>>>()?;
    let service = |(entry, idle_mib)| Ok(Service { idle_mib, back_ms: milliseconds(swarm.kill(entry)?) });
    let services = SERVICES.iter().zip(idle).map(service).collect::<anyhow::Result<_>>()?;
    Ok(Run { start_ms: milliseconds(start), idle_cpu_percent, services })
}
