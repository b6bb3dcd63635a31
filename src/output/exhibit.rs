//! What a directory of results can show: each chart by name, with words for it and a drawing of any size.
//!
//! A run, a comparison and a sweep keep different tables; from here on they look alike. A kind of chart joins by a line in
//! [`pictures::KINDS`](super::pictures::KINDS), or by what [`Source::exhibits`] says of the other two.

use super::compare::{self, ComparisonFile};
use super::directory::{MANIFEST, OutputError, failed, read_manifest};
use super::frame::Frame;
use super::manifest::Manifest;
use super::pictures::{PictureError, RunTables};
use super::sweep::store::PLAN;
use super::sweep::{Shown, Store, StoreError, pictures};
use crate::chart::{Chart, ChartError, Options};
use std::fs;
use std::path::{Path, PathBuf};

/// Why a directory can't be shown.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is nothing that this program wrote.
    #[error(
        "{} holds no results (no manifest.json): expected the directory of a run, a comparison or a sweep", .0.display()
    )]
    Nothing(PathBuf),
    /// There is no chart of that name.
    #[error("{} has no chart `{name}`; it has: {has}", path.display())]
    NoChart {
        /// The directory.
        path: PathBuf,
        /// What was asked for.
        name: String,
        /// What there is.
        has: String,
    },
    /// A run's tables.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A sweep's points.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What a comparison says.
    #[error("{} is no comparison of this version: {source}", path.display())]
    Comparison {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A manifest.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The drawing.
    #[error(transparent)]
    Chart(#[from] ChartError),
}

/// What draws a chart.
type Draw<'a> = Box<dyn Fn(&Options) -> Result<Chart, SourceError> + 'a>;

/// A chart that can be drawn.
pub struct Exhibit<'a> {
    /// What it is called: on the command line, and as a file.
    pub name: String,
    /// What it shows, in a sentence or two.
    pub caption: String,
    draw: Draw<'a>,
}

impl<'a> Exhibit<'a> {
    /// A chart of this name.
    pub fn new(
        name: impl Into<String>,
        caption: impl Into<String>,
        draw: impl Fn(&Options) -> Result<Chart, SourceError> + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            caption: caption.into(),
            draw: Box::new(draw),
        }
    }

    /// Draws it, in the size and under the title of the options; the subtitle is its own.
    ///
    /// # Errors
    ///
    /// What keeps it from being drawn.
    pub fn draw(&self, options: &Options) -> Result<Chart, SourceError> {
        (self.draw)(options)
    }
}

/// What a directory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A run.
    Run,
    /// A comparison of variants.
    Comparison,
    /// A sweep.
    Sweep,
    /// Something else with a manifest, such as a backtest.
    Other,
}

/// An opened directory of results.
pub struct Source {
    path: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// What it holds.
    pub holds: Holds,
    /// A run's tables.
    pub run: Option<RunTables>,
    /// What a comparison, or an ensemble, says.
    pub comparison: Option<ComparisonFile>,
    /// Every metric of its runs.
    runs: Frame,
    /// A sweep's points.
    pub sweep: Option<Store>,
    /// Name of the settlement currency.
    pub currency: String,
}

impl Source {
    /// Opens a directory.
    ///
    /// # Errors
    ///
    /// It holds no results, or they can't be read.
    pub fn open(path: &Path, currency: &str) -> Result<Self, SourceError> {
        let file = path.join(MANIFEST);
        if !fs::exists(&file).map_err(failed("look for", &file))? {
            return Err(SourceError::Nothing(path.to_owned()));
        }
        let manifest = read_manifest(&file)?;
        let holds = if path.join(PLAN).exists() {
            Holds::Sweep
        } else if manifest.scenario.get("compare").is_some() {
            Holds::Comparison
        } else if manifest.scenario.get("market").is_some() {
            Holds::Run
        } else {
            Holds::Other
        };
        let run = match holds {
            Holds::Run => Some(RunTables::beside(&manifest, path, currency)?),
            _ => None,
        };
        let comparison = match holds {
            Holds::Comparison => Some(read_comparison(path)?),
            _ => None,
        };
        let runs = match holds {
            Holds::Comparison => {
                Frame::read(path, "runs", compare::pictures::RUNS).map_err(PictureError::from)?
            }
            _ => Frame::default(),
        };
        let sweep = match holds {
            Holds::Sweep => Some(Store::open(path)?),
            _ => None,
        };
        Ok(Self {
            path: path.to_owned(),
            manifest,
            holds,
            run,
            comparison,
            runs,
            sweep,
            currency: currency.to_owned(),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every chart that can be drawn of it.
    ///
    /// # Errors
    ///
    /// What they are drawn from can't be read.
    pub fn exhibits(&self) -> Result<Vec<Exhibit<'_>>, SourceError> {
        let mut found = Vec::new();
        if let Some(run) = &self.run {
            found.extend(run.offers().into_iter().map(|(kind, market)| {
                let name = run.name_of(kind, market);
                Exhibit::new(name, kind.caption, move |options| {
                    Ok(run.draw(kind, market, options)?)
                })
            }));
        }
        if let Some(file) = &self.comparison {
            let told = compare::pictures::Told {
                file,
                runs: &self.runs,
                currency: &self.currency,
            };
            found.extend(compare::pictures::kinds(file).into_iter().map(|kind| {
                Exhibit::new(kind.name.clone(), kind.caption, move |options| {
                    Ok(kind.draw(&told, options)?)
                })
            }));
        }
        if let Some(store) = &self.sweep {
            let drawn: Vec<Shown> = self.drawn().filter_map(Shown::of_file).collect();
            let usual = pictures::usual();
            found.extend(of_sweep(
                store,
                if drawn.is_empty() { &usual } else { &drawn },
            )?);
        }
        Ok(found)
    }

    /// Charts that lie in the directory and can't be drawn anew, such as those of a backtest, whose histories are not kept: they
    /// are shown as they were drawn, in another size with all that is on them larger or smaller.
    ///
    /// # Errors
    ///
    /// The others can't be listed.
    pub fn kept(&self) -> Result<Vec<Exhibit<'_>>, SourceError> {
        let anew = self.exhibits()?;
        let others = self
            .drawn()
            .filter(|name| anew.iter().all(|exhibit| exhibit.name != *name));
        Ok(others
            .map(|name| {
                let path = self.path.join(format!("charts/{name}.svg"));
                Exhibit::new(name, "As it was drawn.", move |options| {
                    let svg = fs::read_to_string(&path).map_err(failed("read", &path))?;
                    Ok(Chart::scaled(svg, options)?)
                })
            })
            .collect())
    }

    /// The chart of a name; of a sweep also any metric, or condition on one, as `deleverage sweep --chart` takes it.
    ///
    /// # Errors
    ///
    /// [`SourceError::NoChart`], or what it is drawn from can't be read.
    pub fn exhibit(&self, name: &str) -> Result<Exhibit<'_>, SourceError> {
        let mut exhibits = self.exhibits()?;
        exhibits.extend(self.kept()?);
        if let Some(place) = exhibits.iter().position(|exhibit| exhibit.name == name) {
            return Ok(exhibits.swap_remove(place));
        }
        if let (Some(store), Ok(shown)) = (&self.sweep, name.parse::<Shown>())
            && let Some(exhibit) = of_sweep(store, &[shown])?.pop()
        {
            return Ok(exhibit);
        }
        let names: Vec<&str> = exhibits
            .iter()
            .map(|exhibit| exhibit.name.as_str())
            .collect();
        let has = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        Err(SourceError::NoChart {
            path: self.path.clone(),
            name: name.to_owned(),
            has,
        })
    }

    /// Names of the charts that lie in the directory.
    pub fn drawn(&self) -> impl Iterator<Item = &str> {
        self.manifest
            .files
            .iter()
            .filter_map(|file| file.name.strip_prefix("charts/")?.strip_suffix(".svg"))
    }
}

/// What a comparison or an ensemble says, from the file that holds all of it.
fn read_comparison(path: &Path) -> Result<ComparisonFile, SourceError> {
    let ensemble = path.join("ensemble.json");
    let path = if ensemble.exists() {
        ensemble
    } else {
        path.join("comparison.json")
    };
    let text = fs::read_to_string(&path).map_err(failed("read", &path))?;
    serde_json::from_str(&text).map_err(|source| SourceError::Comparison { path, source })
}

fn of_sweep<'a>(store: &'a Store, wanted: &[Shown]) -> Result<Vec<Exhibit<'a>>, SourceError> {
    let layout = store.plan().sweep.layout();
    let done = store.list()?.done;
    let fields = std::rc::Rc::new(pictures::Fields::read(store, &layout, &done, wanted)?);
    let shown: Vec<Shown> = fields.shown().collect();
    Ok(shown
        .into_iter()
        .enumerate()
        .map(|(place, shown)| {
            let fields = std::rc::Rc::clone(&fields);
            let caption = match shown.is_condition() {
                true => "Share of the runs at a point that meet the condition.".to_owned(),
                false => shown.definition().text.to_owned(),
            };
            Exhibit::new(shown.file(), caption, move |options| {
                Ok(fields.draw(place, options)?)
            })
        })
        .collect())
}
