//! Users' files: bars of prices, snapshots of depth, accounts and their positions.
//!
//! Every loader reads plain, gzipped or zipped CSV (told by the file's first bytes, not by its
//! name), reports all problems of a file at once with their lines, repairs nothing in silence, and says in its `report()` what
//! it noticed. A file that cannot be trusted is an error; a file that is incomplete is loaded, and
//! the holes are part of the result.

pub mod brackets;
pub mod depth;
pub mod positions;
pub mod prices;

pub use depth::DepthHistory;
pub use positions::{PositionMode, PositionRow};
pub use prices::PriceHistory;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// How many problems of one file are spelled out.
const SHOWN: usize = 20;

/// The largest text that a file may unpack to.
const LARGEST: u64 = 1 << 30;

/// One line that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineProblem {
    /// The line of the (unpacked) text, from 1.
    pub line: u64,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
    /// What to do, where there is more to say than that.
    pub fix: Option<String>,
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}: found {}, expected {}",
            self.line, self.found, self.expected
        )?;
        match &self.fix {
            Some(fix) => write!(f, "; {fix}"),
            None => Ok(()),
        }
    }
}

/// Why a file was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The compressed file is damaged or cut off.
    #[error(
        "cannot unpack {} as {kind}: {reason}; the file is damaged or cut off: fetch it again",
        path.display()
    )]
    Unpack {
        /// The file.
        path: PathBuf,
        /// `gzip` or `zip`.
        kind: &'static str,
        /// What the unpacker said.
        reason: String,
    },
    /// The archive doesn't hold exactly one file.
    #[error(
        "{} holds {} ({}), expected exactly one CSV file: unpack it and name the one that is meant",
        path.display(), count(found.len() as u64, "file"), found.join(", ")
    )]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The files in it.
        found: Vec<String>,
    },
    /// The text is larger than a loader takes.
    #[error(
        "{} unpacks to more than {} MiB: cut it to the stretch that is needed",
        path.display(), LARGEST >> 20
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file holds no rows.
    #[error("{} holds no rows, expected {expected}", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
    /// The header lacks columns.
    #[error(
        "{}, line 1: found the columns {found}, expected {expected}; missing: {missing}",
        path.display()
    )]
    Columns {
        /// The file.
        path: PathBuf,
        /// The header.
        found: String,
        /// The columns that are needed.
        expected: &'static str,
        /// Those that are not there.
        missing: String,
    },
    /// Lines are wrong.
    #[error("{}: {}", path.display(), lines(problems, *more))]
    Lines {
        /// The file.
        path: PathBuf,
        /// The first of them, in order.
        problems: Vec<LineProblem>,
        /// How many more there are.
        more: usize,
    },
}

fn lines(problems: &[LineProblem], more: usize) -> String {
    let mut text = count((problems.len() + more) as u64, "problem");
    for problem in problems {
        text.push_str("\n  ");
        text.push_str(&problem.to_string());
    }
    if more > 0 {
        text.push_str(&format!("\n  and {more} more"));
    }
    text
}

/// `1 file`, `2 files`, `1,440 files`.
pub(crate) fn count(n: u64, noun: &str) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    let plural = if n == 1 { "" } else { "s" };
    format!("{text} {noun}{plural}")
}

/// Problems of one file as they are found.
#[derive(Default)]
struct Findings {
    problems: Vec<LineProblem>,
    more: usize,
}

impl Findings {
    fn add(
        &mut self,
        line: u64,
        found: impl Into<String>,
        expected: impl Into<String>,
        fix: Option<String>,
    ) {
        if self.problems.len() < SHOWN {
            self.problems.push(LineProblem {
                line,
                found: found.into(),
                expected: expected.into(),
                fix,
            });
        } else {
            self.more += 1;
        }
    }
    fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }
    fn check(self, path: &Path) -> Result<(), LoadError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.error(path))
        }
    }
    fn error(mut self, path: &Path) -> LoadError {
        self.problems.sort_by_key(|problem| problem.line);
        LoadError::Lines {
            path: path.to_owned(),
            problems: self.problems,
            more: self.more,
        }
    }
}

/// The text of a file, unpacked where it is gzipped or zipped.
fn read_text(path: &Path) -> Result<Vec<u8>, LoadError> {
    let failed = |source| LoadError::Read {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(failed)?;
    let mut raw = Vec::new();
    (&mut file)
        .take(LARGEST + 1)
        .read_to_end(&mut raw)
        .map_err(failed)?;
    let mut text = if raw.starts_with(&[0x1f, 0x8b]) {
        unpack(
            path,
            "gzip",
            flate2::read::MultiGzDecoder::new(raw.as_slice()),
        )?
    } else if raw.starts_with(b"PK") {
        unzip(path, &raw)?
    } else {
        raw
    };
    if text.len() as u64 > LARGEST {
        return Err(LoadError::TooLarge {
            path: path.to_owned(),
        });
    }
    if text.starts_with(b"\xef\xbb\xbf") {
        text.drain(..3);
    }
    Ok(text)
}

fn unpack(path: &Path, kind: &'static str, packed: impl Read) -> Result<Vec<u8>, LoadError> {
    let mut text = Vec::new();
    packed
        .take(LARGEST + 1)
        .read_to_end(&mut text)
        .map_err(|error| LoadError::Unpack {
            path: path.to_owned(),
            kind,
            reason: error.to_string(),
        })?;
    Ok(text)
}

fn unzip(path: &Path, raw: &[u8]) -> Result<Vec<u8>, LoadError> {
    let damaged = |error: zip::result::ZipError| LoadError::Unpack {
        path: path.to_owned(),
        kind: "zip",
        reason: error.to_string(),
    };
    let mut archive = zip::ZipArchive::new(io::Cursor::new(raw)).map_err(damaged)?;
    let found: Vec<String> = archive
        .file_names()
        .filter(|name| !name.ends_with('/'))
        .map(str::to_owned)
        .collect();
    let [name] = found.as_slice() else {
        return Err(LoadError::Archive {
            path: path.to_owned(),
            found,
        });
    };
    let entry = archive.by_name(name).map_err(damaged)?;
    unpack(path, "zip", entry)
}

/// The rows of a CSV text with the lines on which they stand; fields are trimmed, blank lines skipped.
fn rows(path: &Path, text: &[u8]) -> Result<Vec<(u64, csv::StringRecord)>, LoadError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text);
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                rows.push((line, record));
            }
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                let mut findings = Findings::default();
                findings.add(
                    line,
                    "bytes that are not text",
                    "a CSV file in UTF-8",
                    Some("is it another kind of file, or damaged?".into()),
                );
                return Err(findings.error(path));
            }
        }
    }
    Ok(rows)
}

/// The place of each wanted column in a header, by any of its names; columns that aren't known are left alone.
fn columns<const N: usize>(
    path: &Path,
    header: &csv::StringRecord,
    wanted: [&[&str]; N],
    expected: &'static str,
) -> Result<[usize; N], LoadError> {
    let mut places = [0; N];
    let mut missing = Vec::new();
    for (place, names) in places.iter_mut().zip(wanted) {
        match header
            .iter()
            .position(|found| names.iter().any(|name| found.eq_ignore_ascii_case(name)))
        {
            Some(at) => *place = at,
            None => missing.push(names[0]),
        }
    }
    if missing.is_empty() {
        return Ok(places);
    }
    Err(LoadError::Columns {
        path: path.to_owned(),
        found: header.iter().collect::<Vec<_>>().join(","),
        expected,
        missing: missing.join(", "),
    })
}

/// A field as it is shown in a message.
fn quoted(field: &str) -> String {
    if field.is_empty() {
        "nothing".into()
    } else if field.chars().count() > 40 {
        format!("\"{}…\"", field.chars().take(40).collect::<String>())
    } else {
        format!("\"{field}\"")
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Small files to load, and the real ones where they are at hand.

    use std::io::Write;
    use std::path::{Path, PathBuf};

    pub fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        (dir, path)
    }

    pub fn gzipped(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    pub fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, text) in files {
            writer
                .start_file(*name, zip::write::SimpleFileOptions::default())
                .unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    /// The folder of real data: `DELEVERAGE_DATA`, or `shared/data` beside the project; without it a
    /// test says that it skips.
    pub fn real(name: &str) -> Option<PathBuf> {
        let root = std::env::var_os("DELEVERAGE_DATA")
            .map(PathBuf::from)
            .or_else(|| {
                Path::new(env!("CARGO_MANIFEST_DIR"))
                    .ancestors()
                    .map(|folder| folder.join("shared/data"))
                    .find(|folder| folder.is_dir())
            });
        let found = root
            .map(|root| root.join(name))
            .filter(|path| path.exists());
        if found.is_none() {
            println!("skipped: {name} is not there (set DELEVERAGE_DATA)");
        }
        found
    }
}
