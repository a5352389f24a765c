//! Where a swarm keeps what its launcher must remember: `<data>/run/{pids,token,lock,demo}` and the folder of its logs.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{self, Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use crate::core::state::State;
use crate::proc;
use crate::stores::Store;

/// The data directory of who says nothing else; its logs lie where people look for them.
pub(crate) const DEFAULT_DATA_DIR: &str = "artifacts";
/// The same for `pas demo`.
pub(crate) const DEMO_DATA_DIR: &str = "artifacts/demo";
const DEFAULT_LOG_DIR: &str = "/tmp/pas_logs";
/// The name under which the supervisor keeps its own log.
pub(crate) const SUPERVISOR: &str = "pas";

/// The folders of one swarm.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// Everything that its services write lies here. Absolute, so that a message means the same anywhere.
    pub(crate) data_dir: PathBuf,
    /// Its logs.
    pub(crate) log_dir: PathBuf,
}

/// Held by who supervises a swarm, or replaces its data. The kernel gives it back when its last holder has died.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// As the standard input of another process, which holds it from then on.
    pub(crate) fn hand_over(self) -> Stdio {
        self.0.into()
    }
}

impl Home {
    /// The folders that go with this data directory.
    pub(crate) fn new(data_dir: PathBuf) -> Result<Self> {
        let is_default = data_dir.as_path() == Path::new(DEFAULT_DATA_DIR);
        let data_dir = path::absolute(data_dir).context("cannot tell where the data directory is")?;
        let log_dir = if is_default { PathBuf::from(DEFAULT_LOG_DIR) } else { data_dir.join("logs") };
        Ok(Self { data_dir, log_dir })
    }

    /// The log of a service, or of the supervisor.
    pub(crate) fn log(&self, service: &str) -> PathBuf {
        self.log_dir.join(format!("{service}.log"))
    }

    /// What a service, or the supervisor, prints although it has a log: why it could not start, above all. A file of
    /// its own, since a service sets its log aside by itself when that is full.
    pub(crate) fn error_log(&self, name: &str) -> PathBuf {
        self.log_dir.join(format!("{name}.err.log"))
    }

    /// Makes the folders, where they are missing.
    pub(crate) fn prepare(&self) -> Result<()> {
        let run = self.data_dir.join("run");
        fs::create_dir_all(&run).with_context(|| format!("cannot create {}", run.display()))?;
        private_dir(&self.log_dir)
    }

    /// Takes the lock, or says by `None` that somebody has it.
    pub(crate) fn lock(&self) -> Result<Option<Lock>> {
        let path = self.run("lock");
        let file = File::options().create(true).append(true).mode(0o600).open(&path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// What was last saved; none when nothing was started here or all was stopped.
    pub(crate) fn state(&self) -> Result<Option<State>> {
        let path = self.run("pids");
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).with_context(|| {
                format!("{} is not understood; remove it if no service of PAS runs", path.display())
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Saves the state: whoever reads sees the old one or this one, never half of it.
    pub(crate) fn save(&self, state: &State) -> Result<()> {
        let (new, path) = (self.run("pids.new"), self.run("pids"));
        fs::write(&new, serde_json::to_vec_pretty(state)?)
            .and_then(|()| fs::rename(&new, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Forgets the state, after all was stopped.
    pub(crate) fn forget(&self) -> Result<()> {
        match fs::remove_file(self.run("pids")) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context("cannot remove run/pids"),
            _ => Ok(()),
        }
    }

    /// Makes the token that calls which run or end programs must show; one that exists is kept. A full disk leaves
    /// none behind, rather than an empty one.
    pub(crate) fn ensure_token(&self) -> Result<()> {
        let (new, path) = (self.run("token.new"), self.run("token"));
        if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > 0) {
            return Ok(());
        }
        let token: String = proc::random::<32>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&new);
        file.and_then(|mut file| file.write_all(token.as_bytes()))
            .and_then(|()| fs::rename(&new, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Refuses a data directory in which services have run that were no demo's, or of which a copy was put back.
    pub(crate) fn refuse_real_data(&self) -> Result<()> {
        if self.run("demo").exists() {
            return Ok(());
        }
        ensure!(
            !self.run("token").exists() && Store::find(&self.data_dir)?.is_empty(),
            "{} has real data, which must not mix with what a demo invents: name another --data-dir, or none",
            self.data_dir.display()
        );
        Ok(())
    }

    /// Refuses a data directory that is a demo's.
    pub(crate) fn refuse_invented_data(&self) -> Result<()> {
        ensure!(
            !self.run("demo").exists(),
            "what is in {} was invented by `pas demo`, and must not mix with real data: name another --data-dir, or none",
            self.data_dir.display()
        );
        Ok(())
    }

    /// Makes the data directory a demo's, for good.
    pub(crate) fn mark_as_demo(&self) -> Result<()> {
        let mark = self.run("demo");
        fs::write(&mark, "what is kept here was invented by `pas demo`\n")
            .with_context(|| format!("cannot write {}", mark.display()))
    }

    fn run(&self, file: &str) -> PathBuf {
        self.data_dir.join("run").join(file)
    }
}

/// Makes a folder that only this user can read, or makes sure that an existing one is: in `/tmp` somebody else
/// may have been here first.
fn private_dir(path: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => check_private_dir(path)?,
        made => made.with_context(|| format!("cannot create {}", path.display()))?,
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
        .with_context(|| format!("cannot make {} private", path.display()))
}

/// Refuses a folder of logs that is not this user's own.
pub(crate) fn check_private_dir(path: &Path) -> Result<()> {
    let metadata =
        fs::symlink_metadata(path).with_context(|| format!("cannot look at {}", path.display()))?;
    ensure!(metadata.is_dir(), "{} is not a folder (a link is refused too)", path.display());
    ensure!(metadata.uid() == proc::user(), "{} belongs to another user", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::state::{Identity, Record};

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(dir.path().to_owned()).unwrap();
        home.prepare().unwrap();
        (dir, home)
    }

    #[test]
    fn a_folder_of_logs_that_is_a_link_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/tmp", dir.path().join("logs")).unwrap();
        let refusal = Home::new(dir.path().to_owned()).unwrap().prepare().unwrap_err().to_string();
        assert!(refusal.ends_with("logs is not a folder (a link is refused too)"), "{refusal}");
    }

    #[test]
    fn the_token_is_for_the_owner_alone_and_survives_the_next_start() {
        let (_dir, home) = home();
        home.ensure_token().unwrap();
        let token = fs::read_to_string(home.run("token")).unwrap();
        home.ensure_token().unwrap();
        assert_eq!(fs::read_to_string(home.run("token")).unwrap(), token);
        assert_eq!(token.len(), 64);
        assert_eq!(fs::metadata(home.run("token")).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn an_empty_token_is_replaced() {
        let (_dir, home) = home();
        fs::write(home.run("token"), "").unwrap();
        home.ensure_token().unwrap();
        let token = fs::metadata(home.run("token")).unwrap();
        assert_eq!((token.len(), token.mode() & 0o777), (64, 0o600));
    }

    #[test]
    fn a_token_that_cannot_be_written_whole_is_not_there_at_all() {
        let (_dir, home) = home();
        std::os::unix::fs::symlink("/dev/full", home.run("token.new")).unwrap();
        home.ensure_token().unwrap_err();
        assert!(!home.run("token").exists());
    }

    #[test]
    fn a_demo_takes_its_own_data_directory_again_and_never_one_with_real_data() {
        let (_dir, home) = home();
        home.refuse_real_data().unwrap();
        home.ensure_token().unwrap();
        let refusal = home.refuse_real_data().unwrap_err().to_string();
        assert!(refusal.contains(" has real data, "), "{refusal}");
        home.mark_as_demo().unwrap();
        home.refuse_real_data().unwrap();
    }

    #[test]
    fn what_was_put_back_is_real_data_although_nothing_has_run_there() {
        let (_dir, home) = home();
        fs::create_dir(home.data_dir.join("registry")).unwrap();
        fs::write(home.data_dir.join("registry/registry.db"), "").unwrap();
        let refusal = home.refuse_real_data().unwrap_err().to_string();
        assert!(refusal.contains(" has real data, "), "{refusal}");
        home.mark_as_demo().unwrap();
        home.refuse_real_data().unwrap();
    }

    #[test]
    fn only_one_can_hold_the_lock() {
        let (_dir, home) = home();
        let held = home.lock().unwrap();
        assert!(held.is_some());
        assert!(home.lock().unwrap().is_none());
        drop(held);
        assert!(home.lock().unwrap().is_some());
    }

    #[test]
    fn what_was_saved_is_what_is_read() {
        let (_dir, home) = home();
        assert_eq!(home.state().unwrap(), None);
        let supervisor = Identity { pid: 1, start_time: 2 };
        let mut record = Record::new("registry", "/bin/true".into(), "http://127.0.0.1:1".into());
        record.process = Some(supervisor);
        let state = State { supervisor, grace_s: 10, services: vec![record] };
        home.save(&state).unwrap();
        assert_eq!(home.state().unwrap(), Some(state));
        home.forget().unwrap();
        assert_eq!(home.state().unwrap(), None);
    }

    #[test]
    fn logs_lie_in_tmp_only_for_the_default_data_directory() {
        let log = |data_dir: &str| Home::new(data_dir.into()).unwrap().log("registry");
        assert_eq!(log("artifacts"), Path::new("/tmp/pas_logs/registry.log"));
        assert_eq!(log("/srv/pas"), Path::new("/srv/pas/logs/registry.log"));
    }

    #[test]
    fn the_folders_of_a_relative_data_directory_are_absolute() {
        let here = std::env::current_dir().unwrap();
        let home = Home::new("data".into()).unwrap();
        assert_eq!((home.data_dir, home.log_dir), (here.join("data"), here.join("data/logs")));
    }
}
