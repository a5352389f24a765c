//! `pas receipts`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use pas_types::id::CallId;
use pas_types::receipt::{GroupBy, ReceiptFilter, ReceiptQuery, ReceiptStats, StatsRow};

use crate::out;
use crate::receipts::{Entry, Receipts};
use crate::swarm::Source;

/// What to do with the receipts.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Prove that all of them are there and unchanged, or name the first break by file and line.
    Verify,
    /// Show the newest, or one of them whole.
    Show {
        /// The receipt of this call, as JSON.
        run_id: Option<CallId>,
        /// At most so many.
        #[arg(short = 'n', long, default_value_t = 20)]
        limit: usize,
        /// As JSON lines.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        filters: Filters,
    },
    /// Sum them: calls, tokens, dollars.
    Stats {
        /// By day, month, agent, agent_run, model, service, provider or budget; days and months are those of UTC.
        #[arg(long, default_value = "day")]
        by: GroupBy,
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// As a table for other programs.
        #[arg(long, conflicts_with = "json")]
        csv: bool,
        #[command(flatten)]
        filters: Filters,
    },
    /// Write them out, in the order in which they were settled: as JSON lines, or as one file a call.
    Export {
        /// One file a call, in this folder; a file that is there already is left as it is.
        #[arg(long, value_name = "DIR")]
        files: Option<PathBuf>,
        #[command(flatten)]
        filters: Filters,
    },
}

/// Which receipts are wanted; all that is given must match.
#[derive(Debug, clap::Args)]
pub(crate) struct Filters {
    /// Of calls that came in at this time or later, as 2025-11-06T10:30:00Z.
    #[arg(long)]
    since: Option<String>,
    /// Of calls by this agent.
    #[arg(long)]
    agent: Option<String>,
    /// Of calls in this run of an agent.
    #[arg(long)]
    agent_run_id: Option<String>,
    /// Answered by the service of this name; of calls that nobody answered, those for which it was asked last.
    #[arg(long)]
    service: Option<String>,
    /// Answered by this model, likewise.
    #[arg(long)]
    model: Option<String>,
    /// That ended so: ok, error, cut, cancelled, refused or lost.
    #[arg(long)]
    status: Option<String>,
    /// Paid by this node of the tree of budgets, or by one below it.
    #[arg(long)]
    budget: Option<String>,
}

impl Filters {
    /// The same, checked.
    fn read(&self) -> Result<ReceiptFilter> {
        let given = [
            ("since", &self.since),
            ("agent", &self.agent),
            ("agent_run_id", &self.agent_run_id),
            ("service", &self.service),
            ("model", &self.model),
            ("status", &self.status),
            ("budget", &self.budget),
        ];
        let pairs = given.into_iter().filter_map(|(key, value)| Some((key, value.as_deref()?)));
        Ok(ReceiptQuery::from_pairs(pairs)?.filter)
    }
}

/// Does it.
pub(crate) fn run(source: &Source, command: Command) -> Result<ExitCode> {
    let receipts = Receipts::new(&source.home()?.data_dir);
    match command {
        Command::Verify => return verify(&receipts),
        Command::Show { run_id: Some(run_id), .. } => show_one(&receipts, &run_id)?,
        Command::Show { run_id: None, limit, json, filters } => {
            show(&receipts, limit, json, &filters.read()?)?
        }
        Command::Stats { by, json, csv, filters } => {
            let stats = sum(&receipts, by, &filters.read()?)?;
            if csv {
                out::line(stats.to_csv().trim_end())?;
            } else if json {
                out::line(serde_json::to_string_pretty(&stats)?)?;
            } else {
                show_stats(&stats)?;
            }
        }
        Command::Export { files: None, filters } => {
            let filter = filters.read()?;
            receipts.each(
                |entry| if filter.admits(&entry.receipt) { Ok(out::line(entry.line)?) } else { Ok(()) },
            )?;
        }
        Command::Export { files: Some(dir), filters } => {
            let written = export(&receipts, &dir, &filters.read()?)?;
            out::line(format!("{written} files in {}", dir.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The receipt of a call; one that isn't there is an error that says so.
pub(crate) fn find(receipts: &Receipts, run_id: &CallId) -> Result<Entry> {
    receipts.find(run_id)?.with_context(|| {
        format!(
            "there is no receipt of {run_id} in {}: `pas receipts show` lists the newest",
            receipts.journal().display()
        )
    })
}

fn verify(receipts: &Receipts) -> Result<ExitCode> {
    let journal = receipts.journal();
    let report = pas_journal::verify(&journal, true)?;
    if let Some(broken) = report.broken {
        out::line(out::verdict("broken", false))?;
        out::line(format!("{broken}"))?;
        return Ok(ExitCode::FAILURE);
    }
    if report.segments == 0 {
        out::line(format!("there are no receipts in {}", journal.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    out::line(format!(
        "{}: {} records in {} files, from {} to {}",
        out::verdict("whole", true),
        report.records,
        report.segments,
        report.first_seq,
        report.last_seq
    ))?;
    if let (Some(anchor), Some(last)) = (report.anchor, report.last_hash) {
        out::line(format!("anchor {anchor}\nlast   {last}"))?;
        out::line("Whoever kept one of the two elsewhere knows that nobody has written them all anew.")?;
    }
    if report.unfinished_bytes > 0 {
        let bytes = report.unfinished_bytes;
        out::line(format!("{bytes} bytes at the end are being written, or were when the gateway died"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show_one(receipts: &Receipts, run_id: &CallId) -> Result<()> {
    let entry = find(receipts, run_id)?;
    out::line(serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&entry.line)?)?)?;
    Ok(())
}

fn show(receipts: &Receipts, limit: usize, json: bool, filter: &ReceiptFilter) -> Result<()> {
    let newest = receipts.newest(limit, |receipt| filter.admits(receipt))?;
    if json {
        newest.iter().try_for_each(|entry| out::line(&entry.line))?;
        return Ok(());
    }
    let rows = newest.iter().map(|Entry { receipt, .. }| {
        let asked = receipt.asked();
        [
            receipt.run_id.to_string(),
            receipt.status.to_string(),
            receipt.agent.as_deref().unwrap_or("-").to_owned(),
            asked.map_or("-", |asked| asked.name).to_owned(),
            asked.map_or("-", |asked| asked.model).to_owned(),
            receipt.timings_ms.total.to_string(),
            receipt.usage.map_or("-".to_owned(), |usage| format!("{}+{}", usage.input, usage.output)),
            receipt.cost_estimate.usd.map_or("unknown".to_owned(), |usd| usd.to_string()),
        ]
    });
    out::table(&["CALL", "STATUS", "AGENT", "SERVICE", "MODEL", "TOOK", "TOKENS", "USD"], rows)?;
    Ok(())
}

/// Sums as they come, so that it takes no more memory than there are groups.
fn sum(receipts: &Receipts, by: GroupBy, filter: &ReceiptFilter) -> Result<ReceiptStats> {
    let mut groups: BTreeMap<Option<String>, StatsRow> = BTreeMap::new();
    receipts.each(|Entry { receipt, .. }| {
        if filter.admits(&receipt) {
            let key = by.key(&receipt);
            groups.entry(key.clone()).or_insert_with(|| StatsRow::new(key)).add(&receipt);
        }
        Ok(())
    })?;
    Ok(ReceiptStats::sorted(by, groups.into_values().collect()))
}

fn show_stats(stats: &ReceiptStats) -> Result<()> {
    let by = stats.group_by.as_str().to_uppercase();
    let rows = stats.stats.iter().map(|row| {
        let failed = row
            .by_status
            .iter()
            .filter(|(status, _)| status.as_str() != "ok")
            .map(|(_, calls)| calls)
            .sum::<u64>();
        [
            row.key.clone().unwrap_or("-".to_owned()),
            row.calls.to_string(),
            failed.to_string(),
            row.tokens.input.to_string(),
            row.tokens.output.to_string(),
            row.usd.confirmed.to_string(),
            row.usd.estimated.to_string(),
            row.unknown_cost_calls.to_string(),
        ]
    });
    let headers =
        [&by, "CALLS", "NOT OK", "INPUT", "OUTPUT", "USD CONFIRMED", "USD ESTIMATED", "COST UNKNOWN"];
    out::table(&headers, rows)?;
    Ok(())
}

/// Writes the files of calls; answers how many were not there yet.
fn export(receipts: &Receipts, dir: &Path, filter: &ReceiptFilter) -> Result<u64> {
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let mut written = 0;
    receipts.each(|Entry { line, receipt }| {
        let path = dir.join(format!("{}.json", receipt.run_id));
        if !filter.admits(&receipt) || path.exists() {
            return Ok(());
        }
        let unfinished = dir.join("export.unfinished");
        let stored = fs::write(&unfinished, line + "\n").and_then(|()| fs::rename(&unfinished, &path));
        stored.with_context(|| format!("cannot write {}", path.display()))?;
        written += 1;
        Ok(())
    })?;
    Ok(written)
}
