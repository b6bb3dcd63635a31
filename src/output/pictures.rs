//! The charts of a run: which columns of its tables go on which chart.
//!
//! A run draws them from its tables before they are written, `deleverage chart` and `report` from the tables as they were
//! read back: the same columns, the same drawing.
//!
//! # Invariants
//! - `a_chart_from_the_files_is_the_chart_of_the_run`: drawn from a directory's tables, a chart has the same bytes.

use super::directory::{Directory, MANIFEST, OutputError, read_manifest};
use super::frame::{Frame, FrameError, Wanted};
use super::ladder::MOMENTS;
use super::manifest::{Manifest, Provenance};
use super::why;
use crate::chart::{
    self, Chart, ChartError, GammaData, LadderData, LadderSide, LinesData, Liquidations, Move,
    NamedLine, Options, PriceData, ReproductionData, TwinData, WaterfallData,
};
use crate::experiment::{self, Finished};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A chart, and the name of its file without an ending.
pub struct Picture {
    /// Name of the file.
    pub name: String,
    /// The drawing.
    pub chart: Chart,
}

/// Why a chart of a directory can't be drawn.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// A table can't be read, or lacks a column.
    #[error(transparent)]
    Table(#[from] FrameError),
    /// The manifest can't be read.
    #[error(transparent)]
    Manifest(#[from] OutputError),
    /// What a genealogy says as a whole can't be read.
    #[error("{} is no genealogy of this version: {source}", path.display())]
    Genealogy {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// It can't be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
}

/// What the charts of a run are drawn from.
#[derive(Clone, Debug)]
pub struct RunTables {
    /// The scenario's title, or its name.
    pub title: String,
    /// The scenario's name.
    pub name: String,
    /// The seed.
    pub seed: u64,
    /// Name of the settlement currency.
    pub currency: String,
    /// When the run starts, in seconds since 1970 UTC, where the scenario says so.
    pub start: Option<i64>,
    /// The markets, in order.
    pub markets: Vec<String>,
    pub(super) steps: Frame,
    pub(super) twin: Option<Frame>,
    pub(super) ladder: Option<Frame>,
    options: Option<Frame>,
    /// What waited to be liquidated from time to time.
    pub(super) waiting: Option<Frame>,
    /// Liquidations, windows of them, and what they say together, where there is a genealogy.
    pub(super) why: Option<why::WhyTables>,
}

/// A kind of chart that a run may have.
pub struct Kind {
    /// What it is called on the command line, and as a file; with several markets followed by the market's name.
    pub name: &'static str,
    /// What it shows, in a sentence or two.
    pub caption: &'static str,
    /// Whether there is one of it for each market.
    pub by_market: bool,
    /// Whether the tables have what it needs.
    pub(super) there: fn(&RunTables) -> bool,
    pub(super) draw: fn(&RunTables, &str, &Options) -> Result<Chart, PictureError>,
}

/// Every kind of chart of a run, in the order in which they are shown.
pub static KINDS: &[Kind] = &[
    Kind {
        name: "price",
        caption: "Index, mark and last price, and below them what was liquidated: longs down, shorts up.",
        by_market: true,
        there: |_| true,
        draw: price,
    },
    Kind {
        name: "twin",
        caption: "The mid price beside that of the twin, in which forced orders move no price. The gap is the market's own doing.",
        by_market: true,
        there: |tables| tables.twin.is_some(),
        draw: twin,
    },
    Kind {
        name: "reproduction",
        caption: "The reproduction number: what a move would force, over the depth that must trade to make it. From 1 on, a move finances itself.",
        by_market: true,
        there: |_| true,
        draw: reproduction,
    },
    Kind {
        name: "ladder",
        caption: "Depth against forced orders by distance from the mid, when the reproduction number was at its highest.",
        by_market: true,
        there: |tables| tables.ladder.is_some(),
        draw: |tables, market, options| {
            ladder(
                tables,
                market,
                options,
                1,
                "at the highest reproduction number",
            )
        },
    },
    Kind {
        name: "ladder-start",
        caption: "The same at the start.",
        by_market: true,
        there: |tables| tables.ladder.is_some(),
        draw: |tables, market, options| ladder(tables, market, options, 0, "at the start"),
    },
    Kind {
        name: "phase",
        caption: "Price velocity against the rate of liquidations, both over a minute: where the two feed each other, the path leaves the middle and comes back late.",
        by_market: true,
        there: |_| true,
        draw: why::phase,
    },
    Kind {
        name: "waiting",
        caption: "Where positions waited to be liquidated, and the mark that came there.",
        by_market: true,
        there: |tables| tables.waiting.is_some(),
        draw: why::waiting,
    },
    Kind {
        name: "calibration",
        caption: "The reproduction number as it was foreseen against what liquidations then brought about, a dot for each minute with any.",
        by_market: true,
        there: |tables| tables.why.is_some(),
        draw: why::calibration,
    },
    Kind {
        name: "gamma",
        caption: "The price, and beside it what hedgers' options gain in delta for a rise of 1 % at each price: where it is negative they sell into falls and buy into rises.",
        by_market: true,
        there: |tables| tables.options.is_some(),
        draw: gamma,
    },
    Kind {
        name: "smile",
        caption: "Implied volatility by strike over the mark, of the expiries that come first, at the start and where the mark was lowest.",
        by_market: true,
        there: |tables| tables.options.is_some(),
        draw: smile,
    },
    Kind {
        name: "margin-by-move",
        caption: "Equity and maintenance margin of the account with options that was closest to its requirement after the first step, were all prices elsewhere at once.",
        by_market: true,
        there: |tables| tables.options.is_some(),
        draw: margin_by_move,
    },
    Kind {
        name: "waterfall",
        caption: "Who paid for losses, layer by layer: the fund, auto-deleveraged positions, winners, nobody.",
        by_market: false,
        there: |_| true,
        draw: waterfall,
    },
    Kind {
        name: "cascade",
        caption: "The largest cascade: which liquidation brought about which.",
        by_market: false,
        there: |tables| tables.why.is_some(),
        draw: why::cascade,
    },
    Kind {
        name: "tail",
        caption: "How large cascades are: the share of trees of at least so many liquidations, with laws that were fitted to them.",
        by_market: false,
        there: |tables| tables.why.is_some(),
        draw: why::tail,
    },
];

impl RunTables {
    /// From a run in memory.
    pub fn of(finished: &Finished, provenance: &Provenance, title: &str, currency: &str) -> Self {
        let steps = super::steps::table(&finished.run, provenance);
        let twin = finished.twin.as_ref();
        let twin = twin.map(|twin| super::steps::table(twin, provenance));
        let ladder = super::ladder::table(finished, provenance);
        let options = finished.options.iter().any(|shots| !shots.is_empty());
        let options = options.then(|| super::options::table(finished, provenance));
        let markets = finished.run.frame.markets.iter();
        Self {
            title: title.to_owned(),
            name: provenance.name.clone(),
            seed: provenance.seed,
            currency: currency.to_owned(),
            start: provenance.start.map(|start| start.as_second()),
            markets: markets.map(|market| market.name.clone()).collect(),
            steps: Frame::of("steps", &steps, STEPS),
            twin: twin.map(|table| Frame::of("twin", &table, TWIN)),
            ladder: Some(Frame::of("ladder", &ladder, LADDER)),
            waiting: super::waiting::table(finished)
                .map(|table| Frame::of("waiting", &table, why::WAITING)),
            why: why::WhyTables::of(finished),
            options: options.map(|table| Frame::of("options", &table, OPTIONS)),
        }
    }

    /// From a directory that a run was written to.
    ///
    /// # Errors
    ///
    /// The manifest or a table can't be read.
    pub fn read(path: &Path, currency: &str) -> Result<Self, PictureError> {
        let manifest = read_manifest(&path.join(MANIFEST))?;
        Self::beside(&manifest, path, currency)
    }

    /// The same, of a manifest that has been read.
    ///
    /// # Errors
    ///
    /// A table can't be read.
    pub fn beside(manifest: &Manifest, path: &Path, currency: &str) -> Result<Self, PictureError> {
        let steps = Frame::read(path, "steps", STEPS)?;
        // The first step's end tells the start, to the second.
        let start = match (steps.numbers("time"), steps.numbers("seconds")) {
            (Ok([time, ..]), Ok([seconds, ..])) => Some((time / 1e6 - seconds).floor() as i64),
            _ => None,
        };
        let title = manifest.scenario.get("title").and_then(|t| t.as_str());
        Ok(Self {
            title: title.unwrap_or(&manifest.name).to_owned(),
            name: manifest.name.clone(),
            seed: manifest.seed,
            currency: currency.to_owned(),
            start,
            markets: steps.words("market")?.names().to_vec(),
            twin: Frame::read_if_there(path, "twin", TWIN)?,
            ladder: Frame::read_if_there(path, "ladder", LADDER)?,
            waiting: Frame::read_if_there(path, "waiting", why::WAITING)?,
            why: why::WhyTables::read(path)?,
            options: Frame::read_if_there(path, "options", OPTIONS)?,
            steps,
        })
    }

    /// Every chart that there is: its kind, and its market where there is one for each.
    pub fn offers(&self) -> Vec<(&'static Kind, Option<&str>)> {
        let mut found = Vec::new();
        // A market's charts stand together.
        for market in &self.markets {
            for kind in KINDS
                .iter()
                .filter(|kind| kind.by_market && (kind.there)(self))
            {
                found.push((kind, Some(market.as_str())));
            }
        }
        for kind in KINDS
            .iter()
            .filter(|kind| !kind.by_market && (kind.there)(self))
        {
            found.push((kind, None));
        }
        found
    }

    /// A chart's name: the kind's, followed by the market's where there are several.
    pub fn name_of(&self, kind: &Kind, market: Option<&str>) -> String {
        match market {
            Some(market) if self.markets.len() > 1 => format!("{}-{market}", kind.name),
            _ => kind.name.to_owned(),
        }
    }

    /// Draws one; the subtitle is the run's.
    ///
    /// # Errors
    ///
    /// What keeps it from being drawn.
    pub fn draw(
        &self,
        kind: &Kind,
        market: Option<&str>,
        options: &Options,
    ) -> Result<Chart, PictureError> {
        (kind.draw)(self, market.unwrap_or_default(), options)
    }

    pub(super) fn options(&self, options: &Options, subtitle: &str) -> Options {
        Options {
            // On a narrow sheet the end is cut off: what tells charts apart comes first.
            subtitle: Some(if options.is_narrow() {
                format!("{subtitle} · {}", self.title)
            } else {
                format!("{} · {subtitle}", self.title)
            }),
            ..options.clone()
        }
    }
}

/// The columns of `steps` that charts need.
const STEPS: Wanted<'static> = Wanted {
    words: &["market"],
    numbers: &[
        "time",
        "seconds",
        "index_price",
        "mark_price",
        "last_price",
        "mid_price",
        "forced_sold_notional",
        "forced_bought_notional",
        "reproduction_down_1pct",
        "reproduction_down_2pct",
        "reproduction_down_5pct",
        "reproduction_up_1pct",
        "reproduction_up_2pct",
        "reproduction_up_5pct",
        "fund",
        "adl_notional",
        "socialised",
        "uncovered",
    ],
};

/// Those of `twin`.
const TWIN: Wanted<'static> = Wanted {
    words: &["market"],
    numbers: &["mid_price"],
};

/// Those of `ladder`.
const LADDER: Wanted<'static> = Wanted {
    words: &["market", "moment"],
    numbers: &[
        "seconds",
        "mid_price",
        "distance",
        "bids",
        "asks",
        "forced_sells",
        "forced_buys",
    ],
};

/// Those of `options`.
const OPTIONS: Wanted<'static> = Wanted {
    words: &["market", "moment", "curve"],
    numbers: &["days", "mark_price", "at", "value"],
};

/// Rows of a market's curve at a moment.
fn curve(table: &Frame, market: &str, moment: &str, name: &str) -> Result<Vec<usize>, FrameError> {
    let (moments, curves) = (table.words("moment")?, table.words("curve")?);
    let mut rows = table.rows_of("market", market)?;
    rows.retain(|row| moments.get(*row) == Some(moment) && curves.get(*row) == Some(name));
    Ok(rows)
}

fn gamma(run: &RunTables, market: &str, options: &Options) -> Result<Chart, PictureError> {
    let steps = run.steps.rows_of("market", market)?;
    let empty = Frame::default();
    let table = run.options.as_ref().unwrap_or(&empty);
    let rows = curve(
        table,
        market,
        super::options::MOMENTS[0],
        super::options::CURVES[0],
    )?;
    let path = run.steps.picked("mark_price", &steps)?;
    let marks = table.picked("mark_price", &rows)?.into_iter();
    let price: Vec<f64> = marks
        .zip(table.picked("at", &rows)?)
        .map(|(mark, at)| mark * (1.0 + at))
        .collect();
    // As far as the price went, and as far again.
    let [low, high] = path
        .iter()
        .fold([f64::INFINITY, 0.0], |[low, high], price| {
            [price.min(low), price.max(high)]
        });
    let room = 0.5 * (high - low);
    let seen = price
        .iter()
        .zip(table.picked("value", &rows)?)
        .filter(|(price, _)| (low - room..=high + room).contains(*price));
    let (price, gamma) = seen.unzip();
    let data = GammaData {
        market: market.to_owned(),
        unit: format!("{market} per 1 %"),
        price,
        gamma,
        time: run.steps.picked("seconds", &steps)?,
        path,
        start: run.start,
    };
    let options = run.options(options, "hedgers' options at the start");
    Ok(chart::gamma(&data, &options)?)
}

fn smile(run: &RunTables, market: &str, options: &Options) -> Result<Chart, PictureError> {
    const MOST: usize = 3;
    let empty = Frame::default();
    let table = run.options.as_ref().unwrap_or(&empty);
    let mut data = LinesData {
        name: "implied volatility".to_owned(),
        share: true,
        x_name: "strike over the mark, less one".to_owned(),
        x_share: true,
        marks: vec![(0.0, "at the mark".to_owned())],
        ..LinesData::default()
    };
    for (moment, word) in super::options::MOMENTS.into_iter().zip(["start", "lowest"]) {
        let rows = curve(table, market, moment, super::options::CURVES[1])?;
        let days = table.picked("days", &rows)?;
        let mut first = 0;
        let mut drawn = 0;
        while first < rows.len() && drawn < MOST {
            let same = days[first..].iter().take_while(|day| **day == days[first]);
            let end = first + same.count();
            data.x = table.picked("at", &rows[first..end])?;
            data.lines.push(NamedLine {
                name: format!("{:.1} d, {word}", days[first]),
                values: table.picked("value", &rows[first..end])?,
            });
            (first, drawn) = (end, drawn + 1);
        }
    }
    let options = run.options(options, market);
    let options = titled(&options, format!("{market}: implied volatility by strike"));
    Ok(chart::lines(&data, &options)?)
}

fn margin_by_move(run: &RunTables, market: &str, options: &Options) -> Result<Chart, PictureError> {
    let empty = Frame::default();
    let table = run.options.as_ref().unwrap_or(&empty);
    let mut data = LinesData {
        name: format!("equity and margin ({})", run.currency),
        x_name: "move of all prices".to_owned(),
        x_share: true,
        marks: vec![(0.0, "as it was".to_owned())],
        ..LinesData::default()
    };
    for name in &super::options::CURVES[2..] {
        let rows = curve(table, market, super::options::MOMENTS[0], name)?;
        data.x = table.picked("at", &rows)?;
        data.lines.push(NamedLine {
            name: (*name).to_owned(),
            values: table.picked("value", &rows)?,
        });
    }
    let options = run.options(
        options,
        "the account with options that is closest to its requirement",
    );
    let options = titled(
        &options,
        format!("{market}: an account's margin as prices move"),
    );
    Ok(chart::lines(&data, &options)?)
}

fn titled(options: &Options, title: String) -> Options {
    Options {
        title: options.title.clone().or(Some(title)),
        ..options.clone()
    }
}

fn price(run: &RunTables, market: &str, options: &Options) -> Result<Chart, PictureError> {
    let rows = run.steps.rows_of("market", market)?;
    let column = |name| run.steps.picked(name, &rows);
    let time = column("seconds")?;
    let data = PriceData {
        market: market.to_owned(),
        currency: run.currency.clone(),
        start: run.start,
        index: column("index_price")?,
        mark: column("mark_price")?,
        last: column("last_price")?,
        liquidations: Liquidations {
            time: time.clone(),
            long: column("forced_sold_notional")?,
            short: column("forced_bought_notional")?,
        },
        time,
    };
    let options = run.options(options, &format!("{market}, seed {}", run.seed));
    Ok(chart::price(&data, &options)?)
}

fn reproduction(run: &RunTables, market: &str, options: &Options) -> Result<Chart, PictureError> {
    let rows = run.steps.rows_of("market", market)?;
    let column = |name: &str| run.steps.picked(name, &rows);
    let moves = [1, 2, 5].map(|percent| {
        Ok(Move {
            size: f64::from(percent) / 100.0,
            down: column(&format!("reproduction_down_{percent}pct"))?,
            up: column(&format!("reproduction_up_{percent}pct"))?,
        })
    });
    let data = ReproductionData {
        market: market.to_owned(),
        start: run.start,
        time: column("seconds")?,
        moves: moves.into_iter().collect::<Result<_, FrameError>>()?,
    };
    let options = run.options(options, &format!("{market}, seed {}", run.seed));
    Ok(chart::reproduction(&data, &options)?)
}

fn twin(run: &RunTables, market: &str, options: &Options) -> Result<Chart, PictureError> {
    let rows = run.steps.rows_of("market", market)?;
    let time = run.steps.picked("seconds", &rows)?;
    let empty = Frame::default();
    let table = run.twin.as_ref().unwrap_or(&empty);
    let mut twin = table.picked("mid_price", &table.rows_of("market", market)?)?;
    // A twin that was interrupted a step earlier has no value there.
    twin.resize(time.len(), f64::NAN);
    let data = TwinData {
        market: market.to_owned(),
        currency: run.currency.clone(),
        start: run.start,
        last: run.steps.picked("mid_price", &rows)?,
        time,
        twin,
    };
    let options = run.options(options, &format!("seed {}", run.seed));
    Ok(chart::twin(&data, &options)?)
}

fn ladder(
    run: &RunTables,
    market: &str,
    options: &Options,
    moment: usize,
    when: &str,
) -> Result<Chart, PictureError> {
    let empty = Frame::default();
    let table = run.ladder.as_ref().unwrap_or(&empty);
    let moments = table.words("moment")?;
    let mut rows = table.rows_of("market", market)?;
    rows.retain(|row| moments.get(*row) == Some(MOMENTS[moment]));
    let column = |name| table.picked(name, &rows);
    let prices = column("mid_price")?;
    let worth = |name| -> Result<Vec<f64>, FrameError> {
        let quantities = column(name)?.into_iter().zip(&prices);
        Ok(quantities
            .map(|(quantity, price)| quantity * price)
            .collect())
    };
    let distance = column("distance")?;
    let data = LadderData {
        market: market.to_owned(),
        currency: run.currency.clone(),
        reach: distance.last().copied().unwrap_or_default(),
        down: LadderSide {
            distance: distance.clone(),
            depth: worth("bids")?,
            forced: worth("forced_sells")?,
        },
        up: LadderSide {
            distance,
            depth: worth("asks")?,
            forced: worth("forced_buys")?,
        },
    };
    let at = clock(
        run.start,
        column("seconds")?.first().copied().unwrap_or(0.0),
    );
    let options = run.options(options, &format!("{market}, {when} ({at})"));
    Ok(chart::ladder(&data, &options)?)
}

fn waterfall(run: &RunTables, _: &str, options: &Options) -> Result<Chart, PictureError> {
    // Columns of the whole world are the same in each market's rows.
    let first = run.markets.first().map_or("", String::as_str);
    let rows = run.steps.rows_of("market", first)?;
    let column = |name| run.steps.picked(name, &rows);
    let data = WaterfallData {
        name: run.name.clone(),
        currency: run.currency.clone(),
        start: run.start,
        time: column("seconds")?,
        fund: column("fund")?,
        deleveraged: column("adl_notional")?,
        socialised: column("socialised")?,
        uncovered: column("uncovered")?,
    };
    let options = run.options(options, "who paid");
    Ok(chart::waterfall(&data, &options)?)
}

/// Draws every chart of a run.
///
/// # Errors
///
/// What keeps a chart from being drawn.
pub fn draw(
    finished: &Finished,
    provenance: &Provenance,
    title: &str,
    currency: &str,
) -> Result<Vec<Picture>, PictureError> {
    let tables = RunTables::of(finished, provenance, title, currency);
    let drawn = experiment::each(&tables.offers(), |(kind, market)| {
        Ok(Picture {
            name: tables.name_of(kind, *market),
            chart: tables.draw(kind, *market, &Options::default())?,
        })
    });
    drawn.into_iter().collect()
}

/// Writes pictures as SVG, and as PNG where the program can.
///
/// # Errors
///
/// The file and the operation that failed.
pub fn save(pictures: &[Picture], directory: &mut Directory) -> Result<(), OutputError> {
    let painted = experiment::each(pictures, |picture| picture.chart.png());
    for (picture, png) in pictures.iter().zip(painted) {
        let name = format!("charts/{}.svg", picture.name);
        directory.write(&name, |out| out.write_all(picture.chart.svg.as_bytes()))?;
        let name = format!("charts/{}.png", picture.name);
        match png {
            Ok(png) => directory.write(&name, |out| out.write_all(&png))?,
            Err(ChartError::NoRaster) => {}
            Err(error) => directory.write(&name, |_| Err(std::io::Error::other(error)))?,
        }
    }
    Ok(())
}

/// A moment of the run as a person reads it.
fn clock(start: Option<i64>, seconds: f64) -> String {
    let whole = seconds.round() as i64;
    let (label, of_day) = match start {
        Some(start) => (" UTC", (start + whole).rem_euclid(86_400)),
        None => (" after the start", whole),
    };
    format!(
        "{:02}:{:02}:{:02}{label}",
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60
    )
}
