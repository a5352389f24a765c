//! The play, as data: who there is, what they do, and what goes wrong when.

/// After so long all of it begins anew, in seconds.
pub(crate) const CYCLE_S: u64 = 180;
/// How long an agent gives an ordinary call, in milliseconds.
pub(crate) const CALL_MS: u64 = 30_000;
/// The same for one whose provider will say nothing.
pub(crate) const SILENT_CALL_MS: u64 = 75_000;
/// Seconds between beats, and without one until the first counts as missed: a death is seen within seconds.
pub(crate) const BEAT_S: u32 = 2;
pub(crate) const TTL_S: u32 = 6;

/// A model of the demo.
#[derive(Debug)]
pub(crate) struct Model {
    /// Its name, which is also the model's id. Two of one name stand in for each other.
    pub(crate) name: &'static str,
    pub(crate) locality: &'static str,
    /// None is free.
    pub(crate) usd_per_1k: Option<f64>,
    pub(crate) ctx_limit: u64,
    /// The range of milliseconds before its answers begin.
    pub(crate) begins_ms: (u64, u64),
}

pub(crate) const FAST: &str = "demo-fast";
pub(crate) const LARGE: &str = "demo-large";
pub(crate) const LOCAL: &str = "demo-local";
/// The classifier of PAS itself, on this machine.
pub(crate) const CLASSIFIER: &str = "tlc-domain-classifier";

pub(crate) const MODELS: [Model; 4] = [
    model(FAST, "external", Some(0.000_6), 128_000, (250, 900)),
    model(LARGE, "external", Some(0.004), 200_000, (600, 2_200)),
    model(LARGE, "external", Some(0.004), 200_000, (700, 2_400)),
    model(LOCAL, "local", None, 32_000, (400, 1_600)),
];

/// An agent of the demo.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) name: &'static str,
    /// The agent above it; empty for the root.
    pub(crate) parent: &'static str,
    /// What it thinks with.
    pub(crate) model: &'static str,
    /// What it does, one after the other.
    pub(crate) tasks: [&'static str; 2],
}

pub(crate) const CAST: [Agent; 42] = [
    agent("Architect", "", LARGE, ["plan the release of the importer", "plan the next milestone"]),
    agent("Director-Code", "Architect", LARGE, ["build the importer", "pay back what was borrowed"]),
    agent("Director-Research", "Architect", LARGE, ["find out what others do", "judge the new ranking"]),
    agent("Director-Data", "Architect", LARGE, ["bring the records in", "say what the records mean"]),
    agent("Director-Ops", "Architect", LARGE, ["ship the release", "keep the swarm well"]),
    agent("Lead-Backend", "Director-Code", LARGE, ["the storage of the importer", "its interface"]),
    agent("Lead-Frontend", "Director-Code", LARGE, ["the pages of the importer", "its first-run guide"]),
    agent("Lead-Quality", "Director-Code", LARGE, ["the tests of the importer", "a review of the week"]),
    agent("Lead-Literature", "Director-Research", LARGE, ["a survey of entity matching", "reading list"]),
    agent("Lead-Experiments", "Director-Research", LARGE, ["rank by recency", "rank by agreement"]),
    agent("Lead-Ingest", "Director-Data", LARGE, ["the feeds of this week", "the backlog of March"]),
    agent("Lead-Analysis", "Director-Data", LARGE, ["the quarter in ten figures", "what customers ask for"]),
    agent("Lead-Release", "Director-Ops", LARGE, ["release 4.2", "release 4.2.1"]),
    agent("Lead-Watch", "Director-Ops", LARGE, ["the night watch", "the morning report"]),
    agent("Coder-API", "Lead-Backend", LARGE, ["add paging to /records", "validate uploads"]),
    agent("Coder-Storage", "Lead-Backend", FAST, ["batch the writes", "index by source"]),
    agent("Migration-Writer", "Lead-Backend", LARGE, ["migration 0031", "undo of migration 0030"]),
    agent("Coder-UI", "Lead-Frontend", FAST, ["the upload page", "the table of conflicts"]),
    agent("Stylist", "Lead-Frontend", LOCAL, ["spacing of the forms", "the dark palette"]),
    agent("Accessibility-Checker", "Lead-Frontend", FAST, ["keyboard paths", "contrast of charts"]),
    agent("Test-Writer", "Lead-Quality", FAST, ["tests of the parser", "tests of paging"]),
    agent("Reviewer", "Lead-Quality", LARGE, ["review of #812", "review of #815"]),
    agent("Fuzzer", "Lead-Quality", LOCAL, ["fuzz the header reader", "shrink the last crash"]),
    agent("Paper-Scout", "Lead-Literature", FAST, ["papers on blocking keys", "papers on active learning"]),
    agent("Summariser", "Lead-Literature", LARGE, ["sum up 14 papers", "sum up the interviews"]),
    agent("Citation-Checker", "Lead-Literature", LOCAL, ["check 40 citations", "find the lost source"]),
    agent("Experiment-Runner", "Lead-Experiments", FAST, ["run grid 7", "run grid 8"]),
    agent("Evaluator", "Lead-Experiments", LARGE, ["judge 200 pairs", "judge the disputed pairs"]),
    agent("Statistician", "Lead-Experiments", LARGE, ["intervals of grid 7", "power of grid 8"]),
    agent("Crawler", "Lead-Ingest", LOCAL, ["fetch the feeds", "fetch what failed"]),
    agent("Cleaner", "Lead-Ingest", LOCAL, ["dates and currencies", "names and addresses"]),
    agent("Deduplicator", "Lead-Ingest", FAST, ["merge suppliers", "merge contacts"]),
    agent("Analyst", "Lead-Analysis", LARGE, ["churn by region", "revenue by product"]),
    agent("Forecaster", "Lead-Analysis", FAST, ["forecast of April", "forecast of demand"]),
    agent("Chart-Maker", "Lead-Analysis", LOCAL, ["charts of the quarter", "the map of regions"]),
    agent("Builder", "Lead-Release", FAST, ["build 4.2", "build 4.2.1"]),
    agent("Packager", "Lead-Release", LOCAL, ["package for Linux", "package for macOS"]),
    agent("Changelog-Writer", "Lead-Release", FAST, ["what is new in 4.2", "what is fixed in 4.2.1"]),
    agent("Deployer", "Lead-Release", FAST, ["roll out to staging", "roll out to a tenth"]),
    agent("Log-Watcher", "Lead-Watch", LOCAL, ["read the logs of the night", "group the warnings"]),
    agent("Cost-Watcher", "Lead-Watch", FAST, ["what the night cost", "who spends most"]),
    agent("Incident-Writer", "Lead-Watch", LARGE, ["the report of Tuesday", "the timeline of Friday"]),
];

/// What happens to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The agent's next call is a stream that breaks off.
    Cut(&'static str),
    /// The provider of the agent's next call says nothing, until the gateway's time for the call is over.
    Silent(&'static str),
    /// The agent's context grows with each call, until it is cut back.
    Fills(&'static str),
    /// The agent's process dies without a word; another takes its place so many seconds later.
    Dies(&'static str, u64),
    /// The model in this place of [`MODELS`] answers with this status for so many seconds.
    Ails(usize, u16, u64),
}

/// When it happens, in seconds of each cycle; in order.
pub(crate) const SCENES: [(u64, What); 12] = [
    (6, What::Fills("Summariser")),
    (8, What::Cut("Coder-UI")),
    (10, What::Silent("Migration-Writer")),
    (25, What::Dies("Log-Watcher", 24)),
    (40, What::Ails(1, 500, 30)),
    (58, What::Cut("Chart-Maker")),
    (70, What::Fills("Analyst")),
    (85, What::Silent("Evaluator")),
    (95, What::Ails(0, 429, 10)),
    (115, What::Dies("Deployer", 20)),
    (125, What::Fills("Reviewer")),
    (145, What::Ails(3, 503, 15)),
];

/// What models say.
pub(crate) const SAID: [&str; 8] = [
    "The reader takes the new header; three tests are left, and each of them names the line at which it fails.",
    "Two of the fourteen sources disagree. I would keep the later one and say so in the note below the table.",
    "Nothing in the log points to the disk. The pauses begin with the nightly job and end with it.",
    "I split the change in two: first the index, which is safe to undo, then the code that relies on it.",
    "The interval is wide because the sample is small. Twice as many pairs would settle it.",
    "Merged 312 records into 147. Eleven pairs are doubtful and wait for somebody to look.",
    "The page can be used without a mouse now. One colour was too pale on white and is darker.",
    "Done: the package installs on a clean machine, starts, and removes itself without a trace.",
];

const fn model(
    name: &'static str,
    locality: &'static str,
    usd_per_1k: Option<f64>,
    ctx_limit: u64,
    begins_ms: (u64, u64),
) -> Model {
    Model { name, locality, usd_per_1k, ctx_limit, begins_ms }
}

const fn agent(
    name: &'static str,
    parent: &'static str,
    model: &'static str,
    tasks: [&'static str; 2],
) -> Agent {
    Agent { name, parent, model, tasks }
}
