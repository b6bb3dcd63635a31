//! `comparison.json` and `ensemble.json`: everything that a comparison says, in one file.
//!
//! Tables hold the same numbers for analysis; this file is what pages and charts are made from, and can be read back.

use crate::experiment::Compared;
use crate::experiment::compare::judge::{CONFIDENCE, QUANTILES, RESAMPLES};
use crate::experiment::compare::{self as found, Estimate, Judged};
use crate::measure::Definition;
use crate::output::ModelSettings;
use crate::output::manifest::sha256;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is said of mean differences that are adjusted for severity.
pub const ADJUSTED: &str = "Mean differences are adjusted for severity where that narrows them: those drawn are by chance milder or harsher than their distribution, and what of the differences comes of that is taken out (control variates).";

/// Version of the file's layout.
pub const LAYOUT: u32 = 1;

/// What was compared, and everything that came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparisonFile {
    /// Version of the layout.
    pub layout: u32,
    /// Version of the simulator.
    pub version: String,
    /// `comparison`, or `ensemble` of one variant alone.
    pub kind: String,
    /// The scenario's name.
    pub name: String,
    /// What the scenario shows.
    pub title: String,
    /// Seed of every run.
    pub seed: u64,
    /// The command that makes the same files.
    pub command: String,
    /// The replicates.
    pub replicates: ReplicatesFile,
    /// Whether every run had a twin beside it.
    pub twin: bool,
    /// Confidence of every interval.
    pub confidence: f64,
    /// Resamples of every bootstrapped interval.
    pub resamples: u32,
    /// What results hinge on.
    pub model: ModelSettings,
    /// The variants; the first is the baseline.
    pub variants: Vec<VariantFile>,
    /// What the baseline's first replicate starts from, by market.
    pub inputs: Vec<InputFile>,
    /// Every metric, for each market where it is measured for each.
    pub metrics: Vec<MetricFile>,
    /// The numbers of risk reports, by variant.
    pub risks: Vec<RiskFile>,
    /// What each variant costs and what it buys, by variant.
    pub frontier: Vec<FrontierFile>,
    /// What is recommended.
    pub recommendation: Option<RecommendationFile>,
    /// The worst runs, worst first within each variant.
    pub worst: Vec<WorstFile>,
    /// Runs that failed.
    pub failures: Vec<FailedFile>,
}

/// Which replicates, and what varies from one to the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplicatesFile {
    /// The first.
    pub first: u64,
    /// How many there are.
    pub count: usize,
    /// What is drawn anew in each.
    pub vary: Vec<String>,
    /// The distribution of severities in words, where each replicate draws its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// What was to be narrow enough, where that was asked for.
    pub until: Option<String>,
    /// Whether it was.
    pub until_met: Option<bool>,
    /// Whether it was stopped from outside.
    pub stopped: bool,
}

/// One variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantFile {
    /// Its name.
    pub name: String,
    /// What it is to the baseline: `current`, `conservative`, `moderate`, `aggressive`, `proposed`.
    pub role: String,
    /// Hash of its scenario.
    pub scenario_sha256: String,
    /// File of its scenario, within the directory.
    pub scenario: String,
    /// In which settings it differs from the baseline.
    pub changes: Vec<SettingFile>,
    /// How many verdicts of each kind its means got.
    pub verdicts: Option<VerdictsFile>,
}

/// A setting that is another than the baseline's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingFile {
    /// Its path.
    pub path: String,
    /// The baseline's; nothing where it has none.
    pub from: Option<Value>,
    /// The variant's.
    pub to: Option<Value>,
}

/// How many verdicts of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictsFile {
    /// Better than the baseline.
    pub better: usize,
    /// Worse.
    pub worse: usize,
    /// More, of what is neither.
    pub higher: usize,
    /// Less, of what is neither.
    pub lower: usize,
    /// The same in every replicate.
    pub same: usize,
    /// So few replicates can't tell.
    pub unclear: usize,
}

/// What a market starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
    /// The market.
    pub market: String,
    /// Price at the start.
    pub price: f64,
    /// Median over the replicates of the realised volatility of the mid, over a year.
    pub volatility: Option<f64>,
    /// Median over the replicates of the fall of the outside price.
    pub outside_fall: Option<f64>,
    /// Value of what is held long at the start.
    pub open_interest: f64,
    /// Value of the bids within 1 % of the mid.
    pub bid_depth: f64,
    /// Value of the asks within 1 % of the mid.
    pub ask_depth: f64,
    /// How trades move the price, in a word.
    pub impact_law: String,
    /// The permanent share of impact.
    pub permanent_share: f64,
}

/// One metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricFile {
    /// Its name.
    pub metric: String,
    /// Its market, where it is measured for each.
    pub market: Option<String>,
    /// Two or three words to print.
    pub label: String,
    /// Its heading.
    pub group: String,
    /// What it is in.
    pub unit: String,
    /// Which way is better.
    pub direction: String,
    /// Its formula in a sentence.
    pub text: String,
    /// By variant.
    pub cells: Vec<CellFile>,
}

/// One metric of one variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellFile {
    /// Replicates in which it has a finite value.
    pub count: usize,
    /// Mean.
    pub mean: Option<EstimateFile>,
    /// Standard deviation.
    pub deviation: Option<f64>,
    /// The 1 % quantile.
    pub p01: Option<EstimateFile>,
    /// The 5 % quantile.
    pub p05: Option<EstimateFile>,
    /// Median.
    pub p50: Option<EstimateFile>,
    /// The 95 % quantile.
    pub p95: Option<EstimateFile>,
    /// The 99 % quantile.
    pub p99: Option<EstimateFile>,
    /// Difference to the baseline.
    pub change: Option<ChangeFile>,
}

/// A number, and where it may lie: an end that the sample is too small to give is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstimateFile {
    /// The number.
    pub value: f64,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

impl From<Estimate> for EstimateFile {
    fn from(estimate: Estimate) -> Self {
        Self {
            value: estimate.value,
            low: estimate.interval.low,
            high: estimate.interval.high,
        }
    }
}

/// A variant less the baseline, replicate by replicate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeFile {
    /// Replicates in which both have a finite value.
    pub count: usize,
    /// Mean of the differences, adjusted for severity where severities are drawn and that narrows it.
    pub mean: EstimateFile,
    /// The mean of the differences as they are, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain: Option<EstimateFile>,
    /// The differences as they are with the interval that different draws under each variant would give.
    pub unpaired: EstimateFile,
    /// How many times wider that interval is than that of the differences as they are.
    pub pairing: Option<f64>,
    /// How many times wider it is than that of the mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrowing: Option<f64>,
    /// Standard deviation of the differences.
    pub deviation: Option<f64>,
    /// Median of the differences.
    pub median: EstimateFile,
    /// 95 % quantile less that of the baseline.
    pub p95: EstimateFile,
    /// 99 % quantile less that of the baseline.
    pub p99: EstimateFile,
    /// Replicates in which the variant has less.
    pub lower: usize,
    /// Replicates in which it has more.
    pub higher: usize,
    /// What the mean says: `better`, `worse`, `higher`, `lower`, `same`, `unclear`.
    pub verdict: String,
    /// What the median says.
    pub typical: String,
    /// About how many replicates would tell a mean difference of this size from none.
    pub needed: Option<u64>,
}

/// What risk firms report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskFile {
    /// VaR: 95 % quantile of bad debt.
    pub value_at_risk: Option<EstimateFile>,
    /// 99 % quantile of bad debt.
    pub value_at_risk_99: Option<EstimateFile>,
    /// Mean of bad debt.
    pub expected_loss: Option<EstimateFile>,
    /// LaR: 95 % quantile of what is liquidated.
    pub liquidations_at_risk: Option<EstimateFile>,
    /// 99 % quantile of what is liquidated.
    pub liquidations_at_risk_99: Option<EstimateFile>,
    /// The insurance fund at the start.
    pub fund: f64,
    /// Share of the runs whose bad debt is larger.
    pub beyond_fund: Option<EstimateFile>,
}

/// What a variant costs and what it buys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontierFile {
    /// Premature liquidations, mean.
    pub premature: Option<EstimateFile>,
    /// Bad debt, mean.
    pub bad_debt: Option<EstimateFile>,
    /// Initial margin over notional, mean.
    pub capital: Option<EstimateFile>,
    /// Names of variants with no more of any of the three, and less of one.
    pub dominated_by: Vec<String>,
}

/// What is recommended, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecommendationFile {
    /// The variant.
    pub variant: String,
    /// The loss that value at risk must keep to.
    pub tolerance: f64,
    /// Whether it does.
    pub within: bool,
    /// Whether there are replicates enough to give that quantile an upper end.
    pub bounded: bool,
    /// The same in a sentence.
    pub text: String,
}

/// One of the worst runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorstFile {
    /// The variant.
    pub variant: String,
    /// The replicate.
    pub replicate: u64,
    /// By which metric.
    pub metric: String,
    /// Its market, where it is measured for each.
    pub market: Option<String>,
    /// What it was.
    pub value: f64,
    /// Folder within the directory in which the run is kept whole, where it is.
    pub kept: Option<String>,
    /// The command that makes the run again, in the directory.
    pub replay: String,
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedFile {
    /// The variant.
    pub variant: String,
    /// The replicate.
    pub replicate: u64,
    /// Why.
    pub message: String,
    /// The command that shows it again, in the directory.
    pub replay: String,
}

/// What the file holds beside what follows from the runs.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The scenario's name.
    pub name: String,
    /// What the scenario shows.
    pub title: String,
    /// The command that makes the same files.
    pub command: String,
    /// What results hinge on.
    pub model: ModelSettings,
    /// What varies from one replicate to the next.
    pub vary: Vec<String>,
    /// The distribution of severities in words, where each replicate draws its own.
    pub severity: Option<String>,
    /// What the baseline starts from.
    pub inputs: Vec<InputFile>,
    /// The worst runs.
    pub worst: Vec<WorstFile>,
    /// Name of the settlement currency.
    pub currency: String,
}

impl ReplicatesFile {
    /// What differs from one replicate to the next, in words.
    pub fn varied(&self) -> String {
        let words = self.vary.iter().map(|part| match &self.severity {
            Some(severity) if part == "severity" => format!("severity ({severity})"),
            _ => part.clone(),
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

impl ComparisonFile {
    /// Whether any mean difference is adjusted for severity.
    pub fn is_adjusted(&self) -> bool {
        let cells = self.metrics.iter().flat_map(|metric| &metric.cells);
        cells
            .filter_map(|cell| cell.change.as_ref())
            .any(|change| change.plain.is_some())
    }

    /// Everything that a comparison says.
    pub fn new(compared: &Compared, judged: &Judged, frame: Frame) -> Self {
        let variants = &compared.variants;
        let name = |variant: usize| variants[variant].name.clone();
        let alone = variants.len() == 1;
        Self {
            layout: LAYOUT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kind: kind(compared).to_owned(),
            name: frame.name,
            title: frame.title,
            seed: variants.first().map_or(0, |v| v.scenario.seed),
            command: frame.command,
            replicates: ReplicatesFile {
                first: compared.first,
                count: compared.replicates(),
                vary: frame.vary,
                severity: frame.severity,
                until: compared.until.as_ref().map(|(until, _)| until.to_string()),
                until_met: compared.until.as_ref().map(|(_, met)| *met),
                stopped: compared.stopped,
            },
            twin: compared.twin,
            confidence: CONFIDENCE,
            resamples: RESAMPLES,
            model: frame.model,
            variants: (0..variants.len())
                .map(|variant| VariantFile {
                    name: name(variant),
                    role: judged.roles[variant].name().to_owned(),
                    scenario_sha256: sha256(
                        variants[variant].scenario.to_json().to_string().as_bytes(),
                    ),
                    scenario: scenario_file(&variants[variant].name),
                    changes: variants[0]
                        .scenario
                        .differences(&variants[variant].scenario)
                        .into_iter()
                        .map(|change| SettingFile {
                            path: change.path,
                            from: change.from,
                            to: change.to,
                        })
                        .collect(),
                    verdicts: (variant > 0).then(|| {
                        let [better, worse, higher, lower, same, unclear] =
                            judged.verdicts(variant);
                        VerdictsFile {
                            better,
                            worse,
                            higher,
                            lower,
                            same,
                            unclear,
                        }
                    }),
                })
                .collect(),
            inputs: frame.inputs,
            metrics: judged.rows.iter().map(metric).collect(),
            risks: judged.risks.iter().map(risk).collect(),
            frontier: judged
                .frontier
                .iter()
                .map(|point| FrontierFile {
                    premature: point.premature.map(Into::into),
                    bad_debt: point.bad_debt.map(Into::into),
                    capital: point.capital.map(Into::into),
                    dominated_by: point.dominated_by.iter().map(|v| name(*v)).collect(),
                })
                .collect(),
            recommendation: judged.recommendation.filter(|_| !alone).map(|found| {
                RecommendationFile {
                    variant: name(found.variant),
                    tolerance: found.tolerance,
                    within: found.within,
                    bounded: found.bounded,
                    text: super::markdown::recommended(compared, judged, &found, &frame.currency),
                }
            }),
            worst: frame.worst,
            failures: compared
                .failures
                .iter()
                .map(|failed| FailedFile {
                    variant: name(failed.variant),
                    replicate: failed.replicate,
                    message: failed.message.clone(),
                    replay: replay(compared, failed.variant, failed.replicate) + " --audit",
                })
                .collect(),
        }
    }

    /// A metric, of a market where it is measured for each.
    pub fn metric(&self, definition: &Definition, market: Option<&str>) -> Option<&MetricFile> {
        self.metrics
            .iter()
            .find(|metric| metric.metric == definition.name && metric.market.as_deref() == market)
    }
}

/// `comparison`, or `ensemble` of one variant alone.
pub fn kind(compared: &Compared) -> &'static str {
    if compared.variants.len() == 1 {
        "ensemble"
    } else {
        "comparison"
    }
}

/// The file of a variant's scenario within the directory: what a replay starts from.
pub fn scenario_file(variant: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name: String = variant
        .chars()
        .map(|c| if plain(c) { c } else { '-' })
        .collect();
    format!("variants/{}.json", name.trim_start_matches('.'))
}

/// The command that makes one run again, in the directory.
pub fn replay(compared: &Compared, variant: usize, replicate: u64) -> String {
    format!(
        "deleverage run {} --set replicate={replicate}{}",
        scenario_file(&compared.variants[variant].name),
        if compared.twin { " --twin" } else { "" }
    )
}

fn metric(row: &found::Row) -> MetricFile {
    let definition = row.definition;
    MetricFile {
        metric: definition.name.to_owned(),
        market: row.market.clone(),
        label: definition.label.to_owned(),
        group: definition.group.title().to_owned(),
        unit: definition.unit.name().to_owned(),
        direction: definition.direction.name().to_owned(),
        text: definition.text.to_owned(),
        cells: row.cells.iter().map(cell).collect(),
    }
}

fn cell(cell: &found::Cell) -> CellFile {
    const _: () = assert!(QUANTILES.len() == 5);
    let [p01, p05, p50, p95, p99] = cell.quantiles.map(|found| found.map(Into::into));
    CellFile {
        count: cell.count,
        mean: cell.mean.map(Into::into),
        deviation: cell.deviation,
        p01,
        p05,
        p50,
        p95,
        p99,
        change: cell.change.as_ref().map(change),
    }
}

fn change(change: &found::Change) -> ChangeFile {
    let mean = Estimate {
        value: change.mean,
        interval: change.interval,
    };
    let unpaired = Estimate {
        value: change.plain.unwrap_or(mean).value,
        interval: change.unpaired,
    };
    ChangeFile {
        count: change.count,
        mean: mean.into(),
        plain: change.plain.map(Into::into),
        unpaired: unpaired.into(),
        pairing: change.pairing(),
        narrowing: change.narrowing(),
        deviation: change.deviation,
        median: change.median.into(),
        p95: change.quantiles[0].into(),
        p99: change.quantiles[1].into(),
        lower: change.lower,
        higher: change.higher,
        verdict: change.verdict.name().to_owned(),
        typical: change.typical.name().to_owned(),
        needed: change.needed,
    }
}

fn risk(risk: &found::Risk) -> RiskFile {
    RiskFile {
        value_at_risk: risk.value_at_risk.map(Into::into),
        value_at_risk_99: risk.value_at_risk_99.map(Into::into),
        expected_loss: risk.expected_loss.map(Into::into),
        liquidations_at_risk: risk.liquidations_at_risk.map(Into::into),
        liquidations_at_risk_99: risk.liquidations_at_risk_99.map(Into::into),
        fund: risk.fund,
        beyond_fund: risk.beyond_fund.map(Into::into),
    }
}
