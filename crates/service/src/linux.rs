//! What only Linux can tell.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets this process open `wanted` files, or as many as it may; answers how many that are.
pub(crate) fn raise_file_limit(wanted: u64) -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    // None is unlimited.
    let current = limit.current?;
    let target = wanted.min(limit.maximum.unwrap_or(wanted)).max(current);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(target), ..limit });
    Some(if raised.is_ok() { target } else { current })
}

/// Name, description and value of what this process uses; what can't be read is left out.
pub(crate) fn process_use() -> Vec<(&'static str, &'static str, i64)> {
    let pages = fs::read_to_string("/proc/self/statm").ok();
    let resident = pages.and_then(|text| text.split(' ').nth(1)?.parse::<i64>().ok());
    let page_bytes = rustix::param::page_size() as i64;
    let files = fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as i64);
    [
        ("process_resident_bytes", "Memory that is resident", resident.map(|pages| pages * page_bytes)),
        ("process_open_files", "File descriptors that are open", files),
    ]
    .into_iter()
    .filter_map(|(name, help, value)| Some((name, help, value?)))
    .collect()
}
