//! What the gateway knows of the world: what is registered, and by which documents is chosen. Heard from their owners, and
//! kept on disk, so that a gateway that starts while they are away serves by what was known last.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use pas_routing::{Fleet, Matrix, Policies, Table};
use pas_service::clock;
use pas_service::fleet::Snapshot;
use pas_types::receipt::RegistryPlace;
use pas_types::time::WireTime;
use serde::{Deserialize, Serialize};

use crate::client::Documents;
use crate::snapshot::Heard;

/// How old what is on disk may say that it is while nothing changes.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// What is known, put together.
#[derive(Debug)]
pub struct Knowledge {
    known: Mutex<Known>,
    file: PathBuf,
}

#[derive(Debug)]
struct Known {
    services: Snapshot,
    table: Arc<Table>,
    documents: Option<Documents>,
    fleet: Arc<Fleet>,
    heard: Heard,
    /// What is on disk is not what is known.
    changed: bool,
    /// The last time that the registry was heard before it was written.
    kept: Duration,
}

/// What lies on disk.
#[derive(Serialize, Deserialize)]
struct Kept {
    services: Snapshot,
    /// When the registry said so.
    #[serde(default)]
    heard: Option<WireTime>,
    matrix: Option<String>,
    policies: Option<String>,
}

impl Knowledge {
    /// Takes up what was known last, if that is in `file` and can be read; else nothing is known yet.
    pub fn open(file: PathBuf) -> anyhow::Result<Self> {
        let kept = match read(&file) {
            Ok(kept) => kept,
            Err(error) => {
                tracing::warn!(file = %file.display(), "what was known last can't be read: {error:#}");
                None
            }
        };
        let services = kept.as_ref().map(|kept| kept.services.clone()).unwrap_or_default();
        let now = clock::now();
        let since = |heard: WireTime| now.wall.duration_since(heard.timestamp());
        let aged = kept.as_ref().and_then(|kept| Duration::try_from(since(kept.heard?)).ok());
        let heard = Heard { registry: place(&services), at: now.monotonic, aged: aged.unwrap_or_default() };
        let documents =
            kept.and_then(|kept| Some(Documents { matrix: kept.matrix?, policies: kept.policies? }));
        let compiled = documents.as_ref().map(compile).transpose().unwrap_or_else(|error| {
            tracing::warn!("the documents that were in force last can't be used: {error:#}");
            None
        });
        let table = compiled.map_or_else(crate::table::bare, Ok)?;
        let fleet = Arc::new(Fleet::build(Arc::clone(&table), services.services.to_vec()));
        let known = Mutex::new(Known {
            services,
            table,
            documents,
            fleet,
            heard,
            changed: false,
            kept: now.monotonic,
        });
        Ok(Self { known, file })
    }

    /// Who can be called, and how far the registry was heard.
    pub fn fleet(&self) -> (Arc<Fleet>, Heard) {
        let known = self.lock();
        (Arc::clone(&known.fleet), known.heard)
    }

    /// The registry was heard.
    pub fn services(&self) -> Snapshot {
        self.lock().services.clone()
    }

    /// The registry was heard.
    pub fn learn_services(&self, services: &Snapshot) -> (Arc<Fleet>, Heard) {
        let mut known = self.lock();
        let same = Arc::ptr_eq(&known.services.services, &services.services);
        known.services = services.clone();
        let at = clock::monotonic();
        known.heard = Heard { registry: place(services), at, aged: Duration::ZERO };
        if !same {
            known.rebuild();
        }
        (Arc::clone(&known.fleet), known.heard)
    }

    /// Other documents are in force.
    pub fn learn_documents(&self, documents: Documents) -> anyhow::Result<(Arc<Fleet>, Heard)> {
        let table = compile(&documents)?;
        let mut known = self.lock();
        (known.table, known.documents) = (table, Some(documents));
        known.rebuild();
        Ok((Arc::clone(&known.fleet), known.heard))
    }

    /// Writes what has changed. To be called in a thread that may wait.
    pub fn keep(&self) -> anyhow::Result<()> {
        let kept = {
            let mut known = self.lock();
            let is_old = known.heard.at.saturating_sub(known.kept) >= KEPT_FOR;
            if !std::mem::take(&mut known.changed) && !is_old {
                return Ok(());
            }
            known.kept = known.heard.at;
            let now = clock::now();
            let age = now.monotonic.saturating_sub(known.heard.at) + known.heard.aged;
            let heard = known.heard.registry.and_then(|_| now.wall.checked_sub(age).ok()).map(WireTime::from);
            let documents = known.documents.clone();
            let (matrix, policies) = documents.map(|it| (it.matrix, it.policies)).unzip();
            Kept { services: known.services.clone(), heard, matrix, policies }
        };
        write(&self.file, &kept).inspect_err(|_| self.lock().changed = true)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn rebuild(&mut self) {
        self.fleet = Arc::new(Fleet::build(Arc::clone(&self.table), self.services.services.to_vec()));
        self.changed = true;
    }
}

fn place(services: &Snapshot) -> Option<RegistryPlace> {
    services.at.map(|at| RegistryPlace { epoch: at.epoch, index: at.index })
}

fn compile(documents: &Documents) -> anyhow::Result<Arc<Table>> {
    let unreadable = |fault: pas_routing::Fault| anyhow::anyhow!("{fault}");
    let matrix = Matrix::read(documents.matrix.as_bytes()).map_err(unreadable)?;
    let policies = Policies::read(documents.policies.as_bytes()).map_err(unreadable)?;
    let table = Table::compile(&matrix, &policies);
    table.map(Arc::new).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", faults.join("; "))
    })
}

fn read(file: &Path) -> anyhow::Result<Option<Kept>> {
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(Some(serde_json::from_slice(&text)?))
}

/// Writes beside it first, so that whoever dies in between leaves the old one.
fn write(file: &Path, kept: &Kept) -> anyhow::Result<()> {
    let unfinished = file.with_extension("unfinished");
    if let Some(directory) = file.parent() {
        std::fs::create_dir_all(directory).context("its directory can't be made")?;
    }
    std::fs::write(&unfinished, serde_json::to_vec(kept)?).context("it can't be written")?;
    std::fs::rename(&unfinished, file).context("it can't be put in its place")
}

#[cfg(test)]
mod tests {
    use pas_service::fleet::Cursor;

    use super::*;

    fn documents() -> Documents {
        let policies = crate::table::POLICIES.to_owned();
        Documents { matrix: r#"{"providers":[],"routes":[]}"#.to_owned(), policies }
    }

    #[test]
    fn only_the_registry_makes_what_is_known_any_younger() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("gateway.json");
        let knowledge = Knowledge::open(file.clone()).unwrap();
        let services = Snapshot { at: Some(Cursor { epoch: 1, index: 2 }), ..Snapshot::default() };
        let (_, heard) = knowledge.learn_services(&services);
        assert_eq!(heard.registry, Some(RegistryPlace { epoch: 1, index: 2 }));
        assert_eq!(knowledge.learn_documents(documents()).unwrap().1, heard);
        // A day passes before somebody starts anew.
        knowledge.keep().unwrap();
        let mut kept = read(&file).unwrap().unwrap();
        let day = Duration::from_secs(24 * 3_600);
        kept.heard = Some(kept.heard.unwrap().timestamp().checked_sub(day).unwrap().into());
        write(&file, &kept).unwrap();
        let (_, later) = Knowledge::open(file).unwrap().fleet();
        assert_eq!(later.registry, heard.registry);
        assert!(later.aged >= day, "{later:?}");
    }

    #[test]
    fn what_was_known_last_is_known_again_and_what_is_damaged_is_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("run/gateway.json");
        let knowledge = Knowledge::open(file.clone()).unwrap();
        knowledge.learn_documents(documents()).unwrap();
        knowledge.keep().unwrap();
        let again = Knowledge::open(file.clone()).unwrap();
        assert_eq!(again.lock().documents, Some(documents()));
        std::fs::write(&file, "{\"services\":").unwrap();
        assert_eq!(Knowledge::open(file).unwrap().lock().documents, None);
    }
}
