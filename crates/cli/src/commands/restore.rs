//! `pas restore`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};

use crate::core::state::Record;
use crate::home::Home;
use crate::out;
use crate::stores::{RESTORING, Store, beside};
use crate::swarm::Source;

/// Replaces databases and journals by those of a backup. All are copied and checked before the first one is replaced.
pub(crate) fn run(source: &Source, dir: &Path) -> Result<ExitCode> {
    let home = source.home()?;
    home.prepare()?;
    let Some(_lock) = home.lock()? else { bail!("PAS runs: `pas down` first") };
    refuse_running(&home)?;
    let stores = Store::find(dir)?;
    ensure!(!stores.is_empty(), "there is no database and no journal in {}", dir.display());
    let mut swaps = Vec::new();
    for store in stores {
        let target = home.data_dir.join(&store.path);
        let copy = beside(&target, RESTORING);
        store.copy(dir, &copy)?.tell_damage(&dir.join(&store.path));
        swaps.push((store, copy, target));
    }
    for (store, copy, target) in swaps {
        match store.replace(&copy, &target)? {
            Some(old) => out::line(format!("{} (the old one is {})", target.display(), old.display()))?,
            None => out::line(target.display())?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Services that outlived their supervisor hold no lock.
fn refuse_running(home: &Home) -> Result<()> {
    let services = home.state()?.map(|state| state.services).unwrap_or_default();
    let running: Vec<&str> = services
        .iter()
        .filter(|record| record.running().is_some())
        .map(|Record { service, .. }| service.as_str())
        .collect();
    ensure!(running.is_empty(), "{} runs: `pas down` first", running.join(", "));
    Ok(())
}
