use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Write};

use crate::child::{crowded, start};
use crate::support::{all, assert_whole, at, open};

const ROUNDS: u64 = 24;

/// What a process said before it was killed.
#[derive(Default)]
struct Said {
    sent: u64,
    acknowledged: u64,
    /// Rounds of retention that merged segments.
    merges: u64,
    /// By number: the beginning of the line that was acknowledged or seen, and whether it must stay.
    known: BTreeMap<u64, (String, bool)>,
}

impl Said {
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        match words[..] {
            ["sent", _] => self.sent += 1,
            ["merged"] => self.merges += 1,
            ["saw", seq, line] => {
                let beginning = line.split(",\"seq\"").next().unwrap().to_owned();
                let stays = line.starts_with("{\"fact\"");
                self.note(seq.parse().unwrap(), beginning, stays);
            }
            ["acknowledged", first_seq, rest] => {
                self.acknowledged += 1;
                let first_seq: u64 = first_seq.parse().unwrap();
                let [id, of, kind] = rest.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
                for part in 1..=of.parse().unwrap() {
                    let beginning = format!("{{\"{kind}\":\"{id}\",\"part\":{part},\"of\":{of}");
                    self.note(first_seq + part - 1, beginning, kind == "fact");
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, seq: u64, beginning: String, stays: bool) {
        if let Some((before, _)) = self.known.insert(seq, (beginning.clone(), stays)) {
            assert_eq!(before, beginning, "number {seq} was told with two contents");
        }
    }
}

/// Kills a process after `acknowledged` groups.
fn round(directory: &std::path::Path, acknowledged: u64) -> Said {
    let mut child = start("crowd", directory, "");
    let mut said = Said::default();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        said.hear(&line.unwrap());
        if said.acknowledged == acknowledged {
            // Then what it said before it died is still to be read.
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    said
}

/// Each record of a group tells how many there are.
fn assert_groups_are_whole<'a>(lines: impl Iterator<Item = &'a String> + Clone) {
    let group = |line: &'a str| line.split_once("\"part\"").map(|(group, _)| group);
    let mut parts: HashMap<&str, u64> = HashMap::new();
    for group in lines.clone().filter_map(|line| group(line)) {
        *parts.entry(group).or_default() += 1;
    }
    for line in lines {
        let whole = group(line).is_none_or(|group| line.contains(&format!("\"of\":{},", parts[group])));
        assert!(whole, "half a group: {line}");
    }
}

#[test]
fn a_kill_at_any_moment_loses_nothing_acknowledged_and_leaves_no_half_group() {
    let directory = tempfile::tempdir().unwrap();
    let mut known: BTreeMap<u64, (String, bool)> = BTreeMap::new();
    let (mut in_flight, mut torn, mut merges, mut epochs) = (0, 0, 0, Vec::new());
    for number in 0..ROUNDS {
        let said = round(directory.path(), 1 + number * number * 5 % 997);
        in_flight += u64::from(said.sent > said.acknowledged);
        merges += said.merges;

        let journal = open(crowded(directory.path()));
        torn += u64::from(journal.recovered().torn_bytes > 0);
        epochs.push(journal.epoch());
        let records: BTreeMap<u64, String> = all(&journal).into_iter().collect();
        for (seq, (beginning, stays)) in said.known {
            let before = known.insert(seq, (beginning.clone(), stays));
            assert!(before.is_none_or(|before| before.0 == beginning), "number {seq} has two contents");
        }
        for (seq, (beginning, stays)) in &known {
            match records.get(seq) {
                Some(line) => assert!(line.starts_with(beginning.as_str()), "{seq}: {beginning}, now {line}"),
                None => assert!(!stays, "number {seq} was acknowledged or seen, and is lost: {beginning}"),
            }
        }
        assert_groups_are_whole(records.values());
        // Every other process begins with what was merged in peace, and all may die over it.
        if number.is_multiple_of(2) {
            merges += journal.retain(at(3_600_000)).unwrap().merged_segments;
        }
        journal.close().unwrap();
        assert_whole(directory.path(), true);
    }
    assert_eq!(epochs, vec![1; ROUNDS as usize]);
    let count = format!(
        "{ROUNDS} kills, {in_flight} with appends in flight, {torn} left a torn end; {merges} segments merged\n"
    );
    std::io::stdout().write_all(count.as_bytes()).unwrap();
    assert!(merges > 0, "nothing was merged");
    assert!(in_flight * 10 >= ROUNDS * 9, "only {in_flight} of {ROUNDS} kills hit appends in flight");
}
