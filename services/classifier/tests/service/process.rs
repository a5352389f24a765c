//! The real binary.

use std::path::Path;
use std::process::{Command, Output};

use pas_testkit::{Process, http};
use pas_types::catalog::CLASSIFIER;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::shipped;

const BINARY: &str = env!("CARGO_BIN_EXE_pas-classifier");

#[tokio::test]
async fn it_answers_as_a_process_and_ends_well_when_it_is_told_to() {
    let data = tempfile::tempdir().unwrap();
    let examples = shipped();
    let arguments = ["--training-dir", examples.to_str().unwrap()];
    let mut process = Process::start(&CLASSIFIER, Path::new(BINARY), data.path(), &arguments).unwrap();
    let request = http()
        .post(process.url() + "/invoke")
        .json(&json!({"text": "the appeal was dismissed by the court"}));
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["label"], "law");
    process.signal(Signal::TERM).unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(0));
    // It keeps nothing.
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
}

#[test]
fn a_setting_out_of_its_range_ends_the_start_with_its_name() {
    let Output { status, stderr, .. } = Command::new(BINARY).args(["--workers", "0"]).output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(2), "{said}");
    assert!(said.contains("workers is 0: use a number from 1 to 64"), "{said}");
}
