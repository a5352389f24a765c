//! The official SDKs of the providers, in Python (`tests/python/`).

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::checked_in;

/// One line of a script.
#[derive(Debug, Deserialize)]
struct Line {
    call: String,
    said: Value,
}

/// What the calls of a script tell, by their names, when they are answered under the root `base_url`. Without `calls`, it
/// makes all of its calls. What answers is best in another thread: this one waits.
pub fn said(script: &str, base_url: &str, calls: &[&str]) -> Result<BTreeMap<String, Value>> {
    let mut asked = json!({ "base_url": base_url });
    if !calls.is_empty() {
        asked["calls"] = json!(calls);
    }
    run(script, &asked)
}

/// The class of the SDK's exception that each of these errors ends in, each asked of a model of its own: `scripted-1-0` and on.
pub fn errors(script: &str, base_url: &str, errors: &[&str]) -> Result<BTreeMap<String, String>> {
    let asked = json!({ "base_url": base_url, "calls": ["errors"], "errors": errors });
    let said = run(script, &asked)?.remove("errors").context("it tells no errors")?;
    let said: BTreeMap<String, (String, Value)> = serde_json::from_value(said)?;
    Ok(said.into_iter().map(|(error, (class, _))| (error, class)).collect())
}

fn run(script: &str, asked: &Value) -> Result<BTreeMap<String, Value>> {
    let directory = checked_in::root().join("tests/python");
    let python = directory.join("venv/bin/python");
    ensure!(python.exists(), "tests/python/venv is missing: scripts/test.sh makes it");
    let output = Command::new(python)
        .arg(directory.join(script))
        .arg(asked.to_string())
        .output()
        .with_context(|| format!("{script} can't be started"))?;
    let problem = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{script}: {}\n{problem}", output.status);
    let lines = String::from_utf8(output.stdout).context("what it says is not UTF-8")?;
    let lines = lines.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned()));
    lines.map(|line| line.map(|Line { call, said }| (call, said))).collect()
}
