//! `scripts/start_pas_services.sh` on a machine of a few programs, some of them stand-ins.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use pas_testkit::until;
use pas_tests::checked_in;

/// What the script needs and every machine has.
const PROGRAMS: [&str; 12] =
    ["bash", "cat", "cut", "dirname", "grep", "head", "id", "mktemp", "rm", "sed", "sleep", "sort"];

/// A machine with these programs besides: name and text of each. Its home is the folder.
fn machine(programs: &[(&str, &str)]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for name in PROGRAMS {
        let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(name));
        symlink(found.iter().find(|path| path.exists()).unwrap(), home.path().join(name)).unwrap();
    }
    for (name, text) in programs {
        let path = home.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    home
}

fn start(home: &Path) -> Command {
    let mut command = Command::new("/bin/bash");
    command.arg(checked_in::root().join("scripts/start_pas_services.sh"));
    command.env_clear().env("HOME", home).env("PATH", home).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn without_cargo_the_command_that_installs_it_is_shown() {
    let home = machine(&[("cc", ""), ("make", ""), ("curl", "exit 7")]);
    let said = start(home.path()).output().unwrap();
    let error = String::from_utf8(said.stderr).unwrap();
    let command =
        "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal\n";
    assert!(!said.status.success() && error.ends_with(command), "{error}");
}

#[tokio::test]
async fn whoever_interrupts_a_build_leaves_no_compiler_behind() {
    let cargo = "[ \"$1\" = --version ] && echo cargo 99.0.0 && exit\n\
        sleep 600 &\n\
        echo $! >\"$HOME/compiler\"\n\
        wait";
    let home = machine(&[("cc", ""), ("make", ""), ("curl", ""), ("cargo", cargo)]);
    let mut script = start(home.path()).spawn().unwrap();
    let compiler = until("the build runs", async || {
        fs::read_to_string(home.path().join("compiler")).ok()?.trim().parse::<u32>().ok()
    })
    .await;
    let sent = Command::new("kill").args(["-INT", &script.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert_eq!(script.wait().unwrap().code(), Some(130));
    let stat = Path::new("/proc").join(compiler.to_string()).join("stat");
    until("the compiler is gone", async || match fs::read_to_string(&stat) {
        // One that nobody has reaped yet is dead all the same.
        Ok(stat) => stat.contains(") Z ").then_some(()),
        Err(_) => Some(()),
    })
    .await;
}

#[test]
fn with_demo_the_script_becomes_the_demo_and_starts_no_other_service() {
    let home = machine(&[("cc", ""), ("make", ""), ("curl", ""), ("cargo", "echo cargo 99.0.0")]);
    let release = home.path().join("built/release");
    fs::create_dir_all(&release).unwrap();
    let pas = release.join("pas");
    fs::write(&pas, "#!/bin/sh\necho \"pas $*\"\n").unwrap();
    fs::set_permissions(&pas, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = start(home.path());
    command.args(["--data-dir", "elsewhere", "--demo"]).env("CARGO_TARGET_DIR", home.path().join("built"));
    command.env("TMPDIR", home.path());
    let said = command.output().unwrap();
    let out = String::from_utf8(said.stdout).unwrap();
    assert!(said.status.success() && out.ends_with("s\npas demo --data-dir elsewhere\n"), "{out}");
    let left = fs::read_dir(home.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("tmp."));
    assert_eq!(left.count(), 0, "its log is left behind");
}
