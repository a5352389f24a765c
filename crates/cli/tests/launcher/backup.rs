use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::{Said, Swarm};

#[tokio::test]
async fn what_was_backed_up_is_what_is_restored() {
    let swarm = Swarm::new();
    let backup = swarm.dir.path().join("backup");
    let backup = backup.to_str().unwrap();
    swarm.pas(&["up", "--detach"]).ok();
    swarm.register("before").await;
    let epoch = swarm.publish("before").await;
    let inside = swarm.data().join("backup/of/today");
    let refusal = swarm.pas(&["backup", inside.to_str().unwrap()]);
    assert!(!refusal.success && refusal.error.contains("is inside the data directory"), "{refusal:?}");
    assert!(!swarm.data().join("backup").exists());
    swarm.pas(&["backup", backup]).ok();
    assert!(!swarm.pas(&["backup", backup]).success);
    swarm.register("after").await;
    assert_eq!(swarm.publish("after").await, epoch);
    let refusal = swarm.pas(&["restore", backup]);
    assert!(!refusal.success && refusal.error.contains("`pas down` first"), "{refusal:?}");
    swarm.pas(&["down"]).ok();
    swarm.pas(&["restore", backup]).ok();
    swarm.pas(&["up", "--detach"]).ok();
    assert_eq!(swarm.agents().await, ["before"]);
    assert_eq!(swarm.published().await, ["before"]);
    assert_ne!(swarm.publish("anew").await, epoch);
    for old in ["registry/registry.db.replaced-1", "hmi/events.replaced-1"] {
        assert!(swarm.data().join(old).exists(), "{old}");
    }
}

#[tokio::test]
async fn a_backup_of_a_damaged_journal_has_the_rest_of_it_and_says_at_each_step_what_is_damaged() {
    let swarm = Swarm::new();
    let backup = swarm.dir.path().join("backup");
    let backup = backup.to_str().unwrap();
    swarm.pas(&["up", "--detach"]).ok();
    for message in ["one", "two", "three"] {
        swarm.publish(message).await;
    }
    // As a disk does it: in the middle of a file that somebody writes.
    let journal = swarm.data().join("hmi/events");
    let mut files = fs::read_dir(&journal).unwrap().map(|entry| entry.unwrap().path());
    let segment = files.find(|path| path.extension().is_some_and(|it| it == "jsonl")).unwrap();
    let content = fs::read(&segment).unwrap();
    let place = content.windows(5).position(|bytes| bytes == b"\"two\"").unwrap();
    fs::File::options().write(true).open(&segment).unwrap().write_all_at(&[0], place as u64).unwrap();
    let line = content[..place].iter().filter(|byte| **byte == b'\n').count() + 1;
    let name = segment.file_name().unwrap().to_str().unwrap();
    let told = |said: &Said, of: &Path| {
        let place = format!("note: {} is damaged: {name} line {line} (after record ", of.display());
        said.error.starts_with(&place) && said.error.ends_with("): the line is damaged\n")
    };

    let said = swarm.pas(&["backup", backup]);
    assert!(said.success && told(&said, &journal), "{said:?}");
    let of_events = said.out.lines().find(|line| line.contains("backup/hmi/events ("));
    assert!(
        of_events.is_some_and(|line| line.ends_with("bytes, DAMAGED: what can be read is there)")),
        "{said:?}"
    );
    swarm.pas(&["down"]).ok();
    let said = swarm.pas(&["restore", backup]);
    assert!(said.success && told(&said, &Path::new(backup).join("hmi/events")), "{said:?}");
    swarm.pas(&["up", "--detach"]).ok();
    swarm.publish("anew").await;
    assert_eq!(swarm.published().await, ["one", "three", "anew"]);
}
