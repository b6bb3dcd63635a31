//! The directory of a sweep while it is being made: a plan that never changes, and a file for each point.

use super::record::{FailedFile, PlanFile, PointFile, plan_hash};
use crate::experiment::sweep::plan::Layout;
use crate::output::directory::{self, MANIFEST, OutputError};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The plan's name within a directory.
pub const PLAN: &str = "plan.json";
/// The folder of the points' files.
pub const POINTS: &str = "points";
const DONE: &str = ".json";
const FAILED: &str = ".failed.json";

/// Why a sweep's directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is a sweep already.
    #[error("{} holds this sweep already; go on with it by --resume, or choose another directory with --out", .0.display())]
    Begun(PathBuf),
    /// There is another sweep.
    #[error("{} holds another sweep ({found}); a plan never changes: choose another directory with --out", path.display())]
    OtherPlan {
        /// The directory.
        path: PathBuf,
        /// What is different.
        found: String,
    },
    /// There is something else.
    #[error("{} holds no sweep (found {found}); choose another directory with --out", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
        /// One of the things in it.
        found: String,
    },
    /// A file doesn't read as it should.
    #[error("{}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The outside failed.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl StoreError {
    /// Whether the same may go well later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Output(error) if error.is_transient())
    }
    /// Whether the outside failed, and nothing that was asked for is wrong.
    pub const fn is_outside(&self) -> bool {
        matches!(self, Self::Output(_))
    }
}

/// An open directory of a sweep.
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
    plan: PlanFile,
    plan_sha256: String,
}

/// What a directory's folder of points holds, by the files' names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Points that were run.
    pub done: Vec<u64>,
    /// Points that failed.
    pub failed: Vec<u64>,
    /// Drafts that a killed process left.
    pub drafts: Vec<PathBuf>,
    /// What is none of these.
    pub foreign: Vec<PathBuf>,
}

impl Store {
    /// Opens a directory for a sweep: a new one, or with `resume` one in which it was begun.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the directory holds this sweep (without `resume`), another one, or something else; or the outside
    /// fails.
    pub fn create(path: &Path, plan: PlanFile, resume: bool) -> Result<Self, StoreError> {
        let text = plan.text();
        let file = path.join(PLAN);
        fs::create_dir_all(path).map_err(directory::failed("create directory", path))?;
        // Listed before the plan is looked for: another shard may begin in the same directory at the same time, and whatever
        // it makes there comes after its plan.
        let mut other = None;
        for entry in fs::read_dir(path).map_err(directory::failed("list", path))? {
            let entry = entry.map_err(directory::failed("list", path))?;
            // A draft is of a sweep that was killed before it began.
            if !is_draft(&entry.path()) {
                other = Some(entry.file_name().to_string_lossy().into_owned());
            }
        }
        let exists = fs::exists(&file).map_err(directory::failed("look for", &file))?;
        let path = path.to_owned();
        if exists {
            let before = fs::read_to_string(&file).map_err(directory::failed("read", &file))?;
            if before != text {
                let found = difference(&before, &plan);
                return Err(StoreError::OtherPlan { path, found });
            }
            if !resume {
                return Err(StoreError::Begun(path));
            }
        } else if let Some(found) = other {
            return Err(StoreError::NotEmpty { path, found });
        }
        let store = Self {
            path,
            plan_sha256: plan_hash(&text),
            plan,
        };
        if !exists {
            store.put(&file, text.as_bytes())?;
        }
        let points = store.path.join(POINTS);
        fs::create_dir_all(&points).map_err(directory::failed("create directory", &points))?;
        Ok(store)
    }

    /// Opens the directory of a sweep that was begun.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: there is no plan, or not one of this version.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = path.join(PLAN);
        let text = fs::read_to_string(&file).map_err(directory::failed("read", &file))?;
        let malformed = |problem: String| StoreError::Malformed {
            path: file.clone(),
            problem,
        };
        let plan: PlanFile = serde_json::from_str(&text).map_err(|error| {
            malformed(format!("is no plan of a sweep of this version: {error}"))
        })?;
        if plan.version != env!("CARGO_PKG_VERSION") {
            return Err(malformed(format!(
                "was made by version {}, this is {}",
                plan.version,
                env!("CARGO_PKG_VERSION")
            )));
        }
        if plan.text() != text {
            return Err(malformed("was changed after it was written".to_owned()));
        }
        Ok(Self {
            path: path.to_owned(),
            plan_sha256: plan_hash(&text),
            plan,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// Its plan.
    pub const fn plan(&self) -> &PlanFile {
        &self.plan
    }
    /// Hash of the plan's file.
    pub fn plan_sha256(&self) -> &str {
        &self.plan_sha256
    }

    fn name(&self, point: u64, ending: &str) -> PathBuf {
        self.path.join(POINTS).join(format!("{point:06}{ending}"))
    }

    /// Keeps a point that was run.
    ///
    /// # Errors
    ///
    /// The file and the operation that failed.
    pub fn keep(&self, point: &PointFile) -> Result<(), StoreError> {
        self.put(&self.name(point.point, DONE), &line(point))?;
        let failed = self.name(point.point, FAILED);
        match fs::remove_file(&failed) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(directory::failed("remove", &failed)(error).into())
            }
            _ => Ok(()),
        }
    }

    /// Keeps what is known of a point that failed.
    ///
    /// # Errors
    ///
    /// The file and the operation that failed.
    pub fn fail(&self, failed: &FailedFile) -> Result<(), StoreError> {
        let text = serde_json::to_string_pretty(failed).unwrap_or_default() + "\n";
        self.put(&self.name(failed.point, FAILED), text.as_bytes())
    }

    /// What the folder of points holds.
    ///
    /// # Errors
    ///
    /// Where it can't be listed.
    pub fn list(&self) -> Result<Listing, StoreError> {
        let folder = self.path.join(POINTS);
        let mut listing = Listing::default();
        // A sweep that was killed right after its plan was written has none.
        if !fs::exists(&folder).map_err(directory::failed("look for", &folder))? {
            return Ok(listing);
        }
        for entry in fs::read_dir(&folder).map_err(directory::failed("list", &folder))? {
            let path = entry.map_err(directory::failed("list", &folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let number = |ending: &str| -> Option<u64> {
                let point = name.strip_suffix(ending)?.parse().ok()?;
                let own = self.name(point, ending) == path && point < self.plan.sweep.points;
                own.then_some(point)
            };
            if let Some(point) = number(DONE) {
                listing.done.push(point);
            } else if let Some(point) = number(FAILED) {
                listing.failed.push(point);
            } else if is_draft(&path) {
                listing.drafts.push(path);
            } else {
                listing.foreign.push(path);
            }
        }
        listing.done.sort_unstable();
        listing.failed.sort_unstable();
        listing
            .failed
            .retain(|point| listing.done.binary_search(point).is_err());
        listing.drafts.sort();
        listing.foreign.sort();
        Ok(listing)
    }

    /// Reads a point that was run and makes sure that it is this sweep's.
    ///
    /// # Errors
    ///
    /// [`StoreError::Malformed`] where it isn't.
    pub fn read(&self, point: u64, layout: &Layout<'_>) -> Result<PointFile, StoreError> {
        let path = self.name(point, DONE);
        let text = fs::read_to_string(&path).map_err(directory::failed("read", &path))?;
        let problem = match serde_json::from_str::<PointFile>(&text) {
            Ok(found) => {
                match found.problem(&layout.point(point), &self.plan_sha256, &self.plan.sweep) {
                    None => return Ok(found),
                    Some(problem) => problem,
                }
            }
            Err(error) => format!("is no point of a sweep: {error}"),
        };
        Err(StoreError::Malformed { path, problem })
    }

    /// When a point's file was written, where that is known.
    pub fn written(&self, point: u64) -> Option<std::time::SystemTime> {
        fs::metadata(self.name(point, DONE)).ok()?.modified().ok()
    }

    /// Reads what is known of a point that failed; nothing where the file isn't of this sweep.
    pub fn read_failed(&self, point: u64) -> Option<FailedFile> {
        let text = fs::read_to_string(self.name(point, FAILED)).ok()?;
        let failed: FailedFile = serde_json::from_str(&text).ok()?;
        (failed.plan_sha256 == self.plan_sha256).then_some(failed)
    }

    /// Removes the drafts that killed processes left. Only for whoever is alone with the directory.
    ///
    /// # Errors
    ///
    /// The file and the operation that failed.
    pub fn clean(&self) -> Result<(), StoreError> {
        let beside = fs::read_dir(&self.path).map_err(directory::failed("list", &self.path))?;
        let mut drafts = self.list()?.drafts;
        drafts.extend(
            beside
                .filter_map(|entry| entry.ok().map(|entry| entry.path()))
                .filter(|path| is_draft(path)),
        );
        for path in drafts {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(directory::failed("remove", &path)(error).into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes the manifest: what it says is about to change.
    ///
    /// # Errors
    ///
    /// The file and the operation that failed.
    pub fn reopen(&self) -> Result<(), StoreError> {
        let manifest = self.path.join(MANIFEST);
        match fs::remove_file(&manifest) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(directory::failed("remove", &manifest)(error).into())
            }
            _ => Ok(()),
        }
    }

    /// Writes under a name of this process's own and renames, so that shards may share a directory.
    fn put(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let draft = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
        directory::replace(path, &draft, |out| out.write_all(bytes))?;
        Ok(())
    }
}

/// Compact, one line: there may be many.
fn line(point: &PointFile) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(point).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn is_draft(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') && name.ends_with(".tmp")
}

/// In which of its parts a plan differs from the one in a file.
fn difference(before: &str, plan: &PlanFile) -> String {
    let Ok(before) = serde_json::from_str::<serde_json::Value>(before) else {
        return "its plan can't be read".to_owned();
    };
    let now = serde_json::to_value(plan).unwrap_or_default();
    let parts = |value: &serde_json::Value| -> BTreeMap<String, serde_json::Value> {
        value
            .as_object()
            .into_iter()
            .flatten()
            .flat_map(|(key, value)| match value.as_object() {
                Some(table) => table
                    .iter()
                    .map(|(inner, value)| (format!("{key}.{inner}"), value.clone()))
                    .collect(),
                None => vec![(key.clone(), value.clone())],
            })
            .collect()
    };
    let (before, now) = (parts(&before), parts(&now));
    let mut names: Vec<&str> = before
        .keys()
        .chain(now.keys())
        .filter(|name| before.get(*name) != now.get(*name))
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(3);
    format!("other {}", names.join(", "))
}
