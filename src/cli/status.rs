//! `deleverage status`: how far a sweep is, wherever its shards are.

use super::{Failure, INCOMPLETE};
use crate::output::sweep::Store;
use crate::output::sweep::merge::failure;
use serde_json::json;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

/// What is typed after `status`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Directories of one sweep's shards.
    #[arg(required = true, value_name = "DIR")]
    shards: Vec<PathBuf>,
    /// Prints it as JSON, with every missing point.
    #[arg(long)]
    json: bool,
}

/// How many missing points are named.
const LISTED: usize = 20;

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut done = BTreeSet::new();
    let mut failed = Vec::new();
    let mut times = Vec::new();
    let mut points = 0;
    let mut plan_sha256: Option<String> = None;
    for path in &arguments.shards {
        let store = Store::open(path)?;
        match &plan_sha256 {
            Some(first) if first != store.plan_sha256() => {
                return Err(Failure::Input(format!(
                    "{} is of another sweep than {}",
                    path.display(),
                    arguments.shards[0].display()
                )));
            }
            _ => plan_sha256 = Some(store.plan_sha256().to_owned()),
        }
        points = store.plan().sweep.points;
        let listing = store.list()?;
        times.extend(
            listing
                .done
                .iter()
                .filter_map(|point| store.written(*point)),
        );
        done.extend(listing.done);
        failed.extend(
            listing
                .failed
                .into_iter()
                .filter_map(|point| store.read_failed(point)),
        );
    }
    failed.retain(|found| !done.contains(&found.point));
    failed.sort_by_key(|found| found.point);
    failed.dedup_by_key(|found| found.point);
    let missing: Vec<u64> = (0..points)
        .filter(|point| !done.contains(point))
        .filter(|point| failed.iter().all(|found| found.point != *point))
        .collect();
    let left = pace(times).map(|seconds| seconds * (missing.len() + failed.len()) as f64);
    let complete = missing.is_empty() && failed.is_empty();
    let mut out = io::stdout().lock();
    if arguments.json {
        let status = json!({
            "plan_sha256": plan_sha256,
            "points": points,
            "done": done.len(),
            "failed": failed,
            "missing": missing,
            "seconds_left": left.filter(|_| !complete),
        });
        serde_json::to_writer_pretty(&mut out, &status).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        writeln!(
            out,
            "{points} points: {} done, {} failed, {} missing",
            done.len(),
            failed.len(),
            missing.len()
        )?;
        if !missing.is_empty() {
            let mut words: Vec<String> = missing.iter().take(LISTED).map(u64::to_string).collect();
            if missing.len() > LISTED {
                words.push(format!("and {} more", missing.len() - LISTED));
            }
            writeln!(out, "missing: {}", words.join(", "))?;
        }
        for found in &failed {
            writeln!(out, "{}", failure(found))?;
        }
        if let Some(left) = left.filter(|_| !complete) {
            writeln!(
                out,
                "at the pace of the points that are done about {:.2} h are left",
                left / 3_600.0
            )?;
        }
    }
    out.flush()?;
    Ok(if complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(INCOMPLETE)
    })
}

/// Median time between one point's file and the next, in seconds: a pause between two goes at a sweep is one long gap and
/// moves no median.
fn pace(mut times: Vec<SystemTime>) -> Option<f64> {
    times.sort_unstable();
    let mut gaps: Vec<f64> = times
        .windows(2)
        .filter_map(|pair| Some(pair[1].duration_since(pair[0]).ok()?.as_secs_f64()))
        .collect();
    gaps.sort_unstable_by(f64::total_cmp);
    gaps.get(gaps.len() / 2).copied()
}
