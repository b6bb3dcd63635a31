//! From the points' files to the tables: of one directory, or of the shards of a sweep.
//!
//! Strict: what is missing, there twice, or of another sweep is told by name, all of it at once, and nothing is written.

use super::pictures::{self, Shown};
use super::record::{FailedFile, PlanFile};
use super::store::{PLAN, Store, StoreError};
use super::tables;
use crate::chart::ChartError;
use crate::experiment::sweep::plan::Layout;
use crate::output::{Directory, Format, Manifest, OutputError, Provenance, Status};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How many names a list has before it is cut short.
const LISTED: usize = 20;

/// Why a sweep can't be put together.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// Directories or files don't belong together.
    #[error("{}", .0.join("\n"))]
    Refused(Vec<String>),
    /// Points are missing.
    #[error("{}", told(.points, .missing, .failed))]
    Incomplete {
        /// How many points the sweep has.
        points: u64,
        /// Points that nobody ran.
        missing: Vec<u64>,
        /// Points that failed.
        failed: Vec<FailedFile>,
    },
    /// A directory or a file can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A chart can't be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// The outside failed.
    #[error(transparent)]
    Output(#[from] OutputError),
}

fn told(points: &u64, missing: &[u64], failed: &[FailedFile]) -> String {
    let mut lines = Vec::new();
    if !missing.is_empty() {
        lines.push(format!(
            "{} of {points} points are missing: {}",
            missing.len(),
            numbers(missing)
        ));
    }
    if !failed.is_empty() {
        lines.push(format!("{} of {points} points failed:", failed.len()));
        lines.extend(failed.iter().take(LISTED).map(failure));
        if failed.len() > LISTED {
            lines.push(format!("and {} more", failed.len() - LISTED));
        }
    }
    lines.join("\n")
}

/// A failed point in words, with the command that shows it again.
pub fn failure(failed: &FailedFile) -> String {
    let settings: Vec<String> = failed
        .settings
        .iter()
        .map(|(path, value)| format!("{path}={value}"))
        .collect();
    let reason: Vec<&str> = failed.message.trim().lines().collect();
    format!(
        "point {} ({}), replicate {}:\n    {}\n  replay: {}",
        failed.point,
        settings.join(" "),
        failed.replicate,
        reason.join("\n    "),
        failed.replay
    )
}

fn numbers(points: &[u64]) -> String {
    let mut words: Vec<String> = points.iter().take(LISTED).map(u64::to_string).collect();
    if points.len() > LISTED {
        words.push(format!("and {} more", points.len() - LISTED));
    }
    words.join(", ")
}

/// Puts shards together in a directory: every point of all of them, and the tables. One directory may be put together in
/// place.
///
/// # Errors
///
/// [`MergeError`]; nothing is written then, save where the outside fails.
pub fn merge(
    shards: &[PathBuf],
    out: &Path,
    partial: bool,
    format: Format,
    charts: &[Shown],
) -> Result<Store, MergeError> {
    let mut stores = Vec::new();
    for path in shards {
        stores.push(Store::open(path)?);
    }
    let Some(first) = stores.first() else {
        return Err(MergeError::Refused(vec![
            "no directory is named".to_owned(),
        ]));
    };
    let mut wrong: Vec<String> = stores
        .iter()
        .filter(|store| store.plan_sha256() != first.plan_sha256())
        .map(|store| {
            let (one, other) = (first.path().display(), store.path().display());
            format!("{other} is of another sweep than {one}: their {PLAN} differ")
        })
        .collect();
    if !wrong.is_empty() {
        return Err(MergeError::Refused(wrong));
    }
    let plan: PlanFile = first.plan().clone();
    let layout = plan.sweep.layout();
    let mut owners: BTreeMap<u64, &Store> = BTreeMap::new();
    let mut failed: BTreeMap<u64, FailedFile> = BTreeMap::new();
    for store in &stores {
        let listing = store.list()?;
        for path in listing.foreign {
            wrong.push(format!("{} is no point of this sweep", path.display()));
        }
        for point in listing.done {
            match store.read(point, &layout) {
                Err(error) if !error.is_outside() => wrong.push(error.to_string()),
                found => {
                    let found = found?;
                    match owners.get(&point) {
                        Some(owner) => {
                            let same = owner.read(point, &layout)? == found;
                            wrong.push(format!(
                                "point {point} is in {} and in {}, {}",
                                owner.path().display(),
                                store.path().display(),
                                if same {
                                    "twice the same"
                                } else {
                                    "and the two differ"
                                }
                            ));
                        }
                        None => {
                            owners.insert(point, store);
                        }
                    }
                }
            }
        }
        for point in listing.failed {
            if let Some(found) = store.read_failed(point) {
                failed.insert(point, found);
            }
        }
    }
    if !wrong.is_empty() {
        return Err(MergeError::Refused(wrong));
    }
    if !partial {
        complete(&plan, |point| owners.contains_key(&point), &mut failed)?;
    }
    let store = Store::create(out, plan.clone(), true)?;
    store.reopen()?;
    for (point, owner) in &owners {
        if !same_folder(owner.path(), out) {
            store.keep(&owner.read(*point, &layout)?)?;
        }
    }
    finish(&store, &layout, partial, format, charts)?;
    Ok(store)
}

/// Writes the tables, the charts and the manifest of a directory that has all of its points, or in part those it has.
///
/// # Errors
///
/// [`MergeError::Incomplete`] unless in part.
pub fn finish(
    store: &Store,
    layout: &Layout<'_>,
    partial: bool,
    format: Format,
    charts: &[Shown],
) -> Result<(), MergeError> {
    let listing = store.list()?;
    let plan = store.plan();
    let mut failed: BTreeMap<u64, FailedFile> = listing
        .failed
        .iter()
        .filter_map(|point| Some((*point, store.read_failed(*point)?)))
        .collect();
    if !partial {
        complete(
            plan,
            |point| listing.done.binary_search(&point).is_ok(),
            &mut failed,
        )?;
    }
    let record = serde_json::json!({ "sweep": plan });
    let provenance = Provenance {
        version: plan.version.clone(),
        ..Provenance::new(
            &format!("sweep-{}", plan.name),
            &record,
            plan.sweep.seed,
            plan.sweep.replicate,
        )
    };
    store.clean()?;
    let mut directory = Directory::create(store.path(), &provenance, true)?;
    let metadata = [
        ("deleverage.version".to_owned(), plan.version.clone()),
        ("deleverage.sweep".to_owned(), plan.name.clone()),
        (
            "deleverage.plan_sha256".to_owned(),
            store.plan_sha256().to_owned(),
        ),
    ];
    let source = tables::Source {
        store,
        layout,
        done: &listing.done,
        metadata: &metadata,
        format,
    };
    tables::save(&source, &mut directory)?;
    let drawn = pictures::draw(store, layout, &listing.done, charts)??;
    crate::output::pictures::save(&drawn, &mut directory)?;
    let mut manifest = Manifest::new(&provenance, record, plan.model.clone(), Status::Complete)
        .with_options(plan.sweep.twin, format);
    manifest.units = tables::units(&plan.sweep);
    directory.finish(manifest)?;
    Ok(())
}

fn complete(
    plan: &PlanFile,
    has: impl Fn(u64) -> bool,
    failed: &mut BTreeMap<u64, FailedFile>,
) -> Result<(), MergeError> {
    let points = plan.sweep.points;
    failed.retain(|point, _| !has(*point));
    let missing: Vec<u64> = (0..points)
        .filter(|point| !has(*point) && !failed.contains_key(point))
        .collect();
    if missing.is_empty() && failed.is_empty() {
        return Ok(());
    }
    Err(MergeError::Incomplete {
        points,
        missing,
        failed: std::mem::take(failed).into_values().collect(),
    })
}

fn same_folder(one: &Path, other: &Path) -> bool {
    match (std::fs::canonicalize(one), std::fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
