//! The directory of one run: never mixed with another, never half a file.
//!
//! # Invariants
//!
//! - `another_run_is_refused`: a directory that holds another run, or files of nobody's run, is
//!   refused unless forced. The same run (version, scenario, seed, replicate) may be written again.
//! - `files_appear_whole`: a file is written under a temporary name and renamed; the manifest is
//!   removed first and written last, so a directory with a manifest holds what the manifest says.

use super::manifest::{FileEntry, Manifest, Provenance, hexadecimal};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Component, Path, PathBuf};

/// The manifest's name within a directory.
pub const MANIFEST: &str = "manifest.json";
/// The summary's name within a directory.
pub const SUMMARY: &str = "summary.json";
/// The name of the page that is made of a directory afterwards; no part of what its manifest tells.
pub const REPORT: &str = "report.html";

/// Why output could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The directory holds another run.
    #[error(
        "{} already holds a run of {name} (seed {seed}, replicate {replicate}, version {version}); choose another directory with --out, or replace it with --force",
        path.display()
    )]
    OtherRun {
        /// The directory.
        path: PathBuf,
        /// The other run's scenario.
        name: String,
        /// Its seed.
        seed: u64,
        /// Its replicate.
        replicate: u64,
        /// The version that made it.
        version: String,
    },
    /// The directory isn't empty, and holds no run.
    #[error(
        "{} is not empty and holds no complete run (found {found}); choose another directory with --out, or write into it with --force",
        path.display()
    )]
    NotEmpty {
        /// The directory.
        path: PathBuf,
        /// One of the things in it.
        found: String,
    },
    /// The outside failed.
    #[error("could not {operation} {}: {source}", path.display())]
    Failed {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A manifest doesn't read as one.
    #[error("{} is not a manifest of this version: {source}", path.display())]
    NotAManifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
}

impl OutputError {
    /// Whether the same may go well later: a full disk, a network that is away, a limit that was reached; but not a folder that
    /// isn't there or isn't ours.
    pub fn is_transient(&self) -> bool {
        use io::ErrorKind::{
            AlreadyExists, InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied,
            ReadOnlyFilesystem, Unsupported,
        };
        match self {
            Self::Failed { source, .. } => !matches!(
                source.kind(),
                AlreadyExists
                    | InvalidInput
                    | IsADirectory
                    | NotADirectory
                    | NotFound
                    | PermissionDenied
                    | ReadOnlyFilesystem
                    | Unsupported
            ),
            _ => false,
        }
    }
}

pub(super) fn failed(
    operation: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> OutputError + use<> {
    let path = path.to_owned();
    move |source| OutputError::Failed {
        operation,
        path,
        source,
    }
}

/// An open directory of one run.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    files: Vec<FileEntry>,
    /// Files of the run that was here before.
    stale: Vec<String>,
}

/// What a file of the directory is written through.
pub struct Sink {
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Directory {
    /// Where a run is written unless said otherwise: `outputs/<scenario>-<seed>`.
    pub fn default_path(provenance: &Provenance) -> PathBuf {
        Path::new("outputs").join(format!("{}-{}", provenance.name, provenance.seed))
    }

    /// Opens a directory for a run and makes sure that it can be written to. Nothing that is in it
    /// changes yet.
    ///
    /// # Errors
    ///
    /// [`OutputError::OtherRun`] and [`OutputError::NotEmpty`] unless forced, and
    /// [`OutputError::Failed`] where the directory can't be made or written to.
    pub fn create(path: &Path, provenance: &Provenance, force: bool) -> Result<Self, OutputError> {
        fs::create_dir_all(path).map_err(failed("create directory", path))?;
        let manifest = path.join(MANIFEST);
        let before = match fs::exists(&manifest).map_err(failed("look for", &manifest))? {
            true => Some(read_manifest(&manifest)),
            false => None,
        };
        let stale = match before {
            Some(Ok(before)) if force || before.is_of(provenance) => {
                before.files.into_iter().map(|file| file.name).collect()
            }
            Some(Ok(before)) => {
                return Err(OutputError::OtherRun {
                    path: path.to_owned(),
                    name: before.name,
                    seed: before.seed,
                    replicate: before.replicate,
                    version: before.version,
                });
            }
            Some(Err(error)) if !force => return Err(error),
            None if !force => {
                let mut entries = fs::read_dir(path).map_err(failed("list", path))?;
                if let Some(entry) = entries.next() {
                    let entry = entry.map_err(failed("list", path))?;
                    return Err(OutputError::NotEmpty {
                        path: path.to_owned(),
                        found: entry.file_name().to_string_lossy().into_owned(),
                    });
                }
                Vec::new()
            }
            Some(Err(_)) | None => Vec::new(),
        };
        // An error now costs a second; after the run it would cost the run.
        let probe = temporary(&manifest);
        File::create(&probe).map_err(failed("write to directory", path))?;
        fs::remove_file(&probe).map_err(failed("remove", &probe))?;
        Ok(Self {
            path: path.to_owned(),
            files: Vec::new(),
            stale,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file, in a folder of its own where the name has one (`charts/price.svg`).
    ///
    /// # Errors
    ///
    /// The file and the operation that failed; then no file of that name is left half written.
    pub fn write(
        &mut self,
        name: &str,
        fill: impl FnOnce(&mut Sink) -> io::Result<()>,
    ) -> Result<(), OutputError> {
        if self.files.is_empty() {
            // A report tells of the run that was here before.
            for name in [MANIFEST, REPORT] {
                let path = self.path.join(name);
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(failed("remove", &path)(error));
                    }
                    _ => {}
                }
            }
        }
        let entry = self.put(name, fill)?;
        self.files.retain(|file| file.name != name);
        self.files.push(entry);
        Ok(())
    }

    /// Writes a value as indented JSON.
    ///
    /// # Errors
    ///
    /// As [`Directory::write`].
    pub fn write_json(
        &mut self,
        name: &str,
        value: &impl serde::Serialize,
    ) -> Result<(), OutputError> {
        self.write(name, |out| json(out, value))
    }

    /// Writes the manifest, after every other file; then removes what the run before left and this
    /// one did not write again.
    ///
    /// # Errors
    ///
    /// As [`Directory::write`].
    pub fn finish(mut self, mut manifest: Manifest) -> Result<Manifest, OutputError> {
        manifest.files = std::mem::take(&mut self.files);
        self.put(MANIFEST, |out| json(out, &manifest))?;
        for name in &self.stale {
            // A manifest is a file like any other: its names must not lead out of the directory.
            let inside = Path::new(name)
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
            if inside && name != MANIFEST && manifest.files.iter().all(|file| file.name != *name) {
                let path = self.path.join(name);
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(failed("remove", &path)(error));
                    }
                    _ => {}
                }
            }
        }
        Ok(manifest)
    }

    fn put(
        &self,
        name: &str,
        fill: impl FnOnce(&mut Sink) -> io::Result<()>,
    ) -> Result<FileEntry, OutputError> {
        let path = self.path.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed("create directory", folder))?;
        }
        let sink = replace(&path, &temporary(&path), fill)?;
        Ok(FileEntry {
            name: name.to_owned(),
            bytes: sink.bytes,
            sha256: hexadecimal(&sink.hash.finalize()),
        })
    }
}

/// Writes a file under a draft's name in the same folder and renames it: it appears whole, or not at all.
pub(super) fn replace(
    path: &Path,
    draft: &Path,
    fill: impl FnOnce(&mut Sink) -> io::Result<()>,
) -> Result<Sink, OutputError> {
    let written = File::create(draft).and_then(|file| {
        let mut sink = Sink {
            file: BufWriter::new(file),
            hash: Sha256::new(),
            bytes: 0,
        };
        fill(&mut sink)?;
        sink.file.flush()?;
        sink.file.get_ref().sync_all()?;
        Ok(sink)
    });
    let sink = written.map_err(|error| {
        // The first error is the one to tell.
        let _ = fs::remove_file(draft);
        failed("write", path)(error)
    })?;
    fs::rename(draft, path).map_err(failed("rename a draft to", path))?;
    Ok(sink)
}

/// Writes a file that is no part of a run's directory, whole or not at all.
///
/// # Errors
///
/// The file and the operation that failed.
pub fn replace_file(
    path: &Path,
    fill: impl FnOnce(&mut Sink) -> io::Result<()>,
) -> Result<(), OutputError> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::create_dir_all(folder).map_err(failed("create directory", folder))?;
    }
    replace(path, &temporary(path), fill).map(drop)
}

fn json(out: &mut Sink, value: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".tmp");
    path.with_file_name(name)
}

/// Reads a manifest.
///
/// # Errors
///
/// [`OutputError::Failed`] where it can't be read, [`OutputError::NotAManifest`] where it isn't one.
pub fn read_manifest(path: &Path) -> Result<Manifest, OutputError> {
    let text = fs::read_to_string(path).map_err(failed("read", path))?;
    serde_json::from_str(&text).map_err(|source| OutputError::NotAManifest {
        path: path.to_owned(),
        source,
    })
}
