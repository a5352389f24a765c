//! How soon it serves.

use std::path::Path;

use super::door::Door;
use super::{AREA, Subject};
use crate::bar::{Bar, RUNS, Unit, runs};
use crate::load::upstream::Upstream;
use crate::out;
use crate::report::Report;
use crate::stats::milliseconds;

/// Measures it.
pub(super) fn measure(
    report: &mut Report,
    subject: Subject,
    upstream: &Upstream,
    place: &Path,
) -> anyhow::Result<()> {
    let mut door = Door::open(subject, upstream, place)?;
    let took = runs(|run| {
        out::progress(format!("gateway: cold start, {run} of {RUNS}"));
        Ok(milliseconds(door.start_anew()?))
    })?;
    let what = "cold start until a call is answered";
    report.add(Bar { also: Some("goal 50".to_owned()), ..Bar::new(AREA, what, Unit::Ms, 150.0, took) });
    Ok(())
}
