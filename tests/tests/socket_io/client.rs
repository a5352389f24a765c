use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

use pas_testkit::until;
use pas_tests::checked_in;
use pas_types::event::Cursor;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Every client that must work: its generation and its transport.
pub(crate) const CLIENTS: [(u8, &str); 4] =
    [(2, "websocket"), (2, "polling"), (4, "websocket"), (4, "polling")];

/// A script of `tests/node` that runs. It is killed when this is dropped.
pub(crate) struct Client {
    child: Child,
    said: Arc<Mutex<Vec<Value>>>,
}

impl Client {
    /// Starts a script with what it is asked for.
    pub(crate) fn start(script: &str, asked: &Value) -> Self {
        let directory = checked_in::root().join("tests/node");
        assert!(directory.join("node_modules").exists(), "run `npm ci` in tests/node first");
        let mut child = Command::new("node")
            .arg(directory.join(script))
            .arg(asked.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::default();
        listen(child.stdout.take().unwrap(), Arc::clone(&said));
        Self { child, said }
    }

    /// All that it has said under this key, oldest first.
    pub(crate) fn said(&self, key: &str) -> Vec<Value> {
        self.said.lock().unwrap().iter().filter_map(|line| line.get(key)).cloned().collect()
    }

    /// Whole lines that have this key, oldest first.
    pub(crate) fn lines(&self, key: &str) -> Vec<Value> {
        self.said.lock().unwrap().iter().filter(|line| line.get(key).is_some()).cloned().collect()
    }

    /// Waits until it has said something under this key so often; answers the last.
    pub(crate) async fn waits_for(&self, key: &str, times: usize) -> Value {
        until(&format!("{key}, {times} times"), async || self.said(key).get(times - 1).cloned()).await
    }

    /// Every event that came in a frame, in the order in which they came. The frames must follow each other.
    pub(crate) fn framed(&self) -> Vec<Value> {
        let frames = self.said("frame");
        let cursor = |value: &Value| value.as_str().unwrap().parse::<Cursor>().unwrap();
        for pair in frames.windows(2) {
            assert_eq!(
                cursor(&pair[1]["from"]),
                cursor(&pair[0]["to"]),
                "a frame begins where the last ended"
            );
        }
        frames.iter().flat_map(|frame| frame["events"].as_array().unwrap()).cloned().collect()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn listen(out: ChildStdout, said: Arc<Mutex<Vec<Value>>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            said.lock().unwrap().push(serde_json::from_str(&line).unwrap());
        }
    });
}
