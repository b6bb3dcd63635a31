//! What a page is made of, before it becomes HTML.

use super::figures::Figure;
use crate::chart::font_face;
use crate::chart::theme::DARK;
use minijinja::{Environment, Error, value::Serde};
use serde::Serialize;
use std::fmt::Write as _;

/// A page.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Page {
    /// What it is of: `Run`, `Comparison`, `Sweep`.
    pub of: String,
    /// What was run.
    pub title: String,
    /// The line below it.
    pub lead: String,
    /// What the reader must know before anything else, such as that the run was interrupted.
    pub warning: Option<String>,
    /// Its parts.
    pub sections: Vec<Section>,
    /// Version of the simulator that made the results.
    pub version: String,
}

/// A part of a page, with a heading.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Section {
    /// Where links lead.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What stands in it.
    pub blocks: Vec<Block>,
}

/// One thing in a section.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// Large numbers.
    Cards(Vec<Card>),
    /// A table.
    Table(Table),
    /// A chart.
    Figure(Figure),
    /// Points, as HTML: made of text that was escaped.
    List(Vec<String>),
    /// A command.
    Code(String),
    /// A long text, folded away.
    Fold {
        /// What it is.
        title: String,
        /// The text.
        text: String,
    },
}

/// A large number.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Card {
    /// What it is.
    pub label: String,
    /// The number as it reads.
    pub cell: Cell,
    /// Its interval, or what to compare it with.
    pub beside: Option<String>,
}

/// A table. The first column names the row.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Its columns.
    pub head: Vec<Head>,
    /// Its rows.
    pub rows: Vec<Vec<Cell>>,
    /// Rows that stay below when the others are sorted: totals.
    pub foot: Vec<Vec<Cell>>,
    /// Whether rows can be sorted: those of a list of settings have an order of their own.
    pub sortable: bool,
}

/// The head of a column.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Head {
    /// Its name.
    pub text: String,
    /// Whether it holds numbers.
    pub number: bool,
}

/// A cell.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// Whether that is a number.
    pub number: bool,
    /// The number to the last digit; empty where there is none.
    pub value: Option<String>,
    /// Which metric it is.
    pub metric: Option<String>,
    /// Of which market.
    pub market: Option<String>,
    /// Of which variant or point.
    pub of: Option<String>,
    /// What is told of it on asking.
    pub hint: Option<String>,
    /// Good, bad, or neither.
    pub tone: Option<&'static str>,
}

impl Head {
    /// Of words.
    pub fn words(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            number: false,
        }
    }
    /// Of numbers.
    pub fn numbers(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            number: true,
        }
    }
}

impl Cell {
    /// Words.
    pub fn words(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }
    /// What stands in one line, such as an interval or a hash.
    pub fn line(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            number: true,
            ..Self::default()
        }
    }
    /// A number as it reads, and to the last digit.
    pub fn number(text: impl Into<String>, value: Option<f64>) -> Self {
        Self {
            text: text.into(),
            number: true,
            value: Some(value.map_or_else(String::new, told)),
            ..Self::default()
        }
    }
    /// With a metric's name, so that it can be found.
    #[must_use]
    pub fn of_metric(mut self, metric: &str, market: Option<&str>) -> Self {
        self.metric = Some(metric.to_owned());
        self.market = market.map(str::to_owned);
        self
    }
    /// Of one of several variants or points.
    #[must_use]
    pub fn of(mut self, name: impl Into<String>) -> Self {
        self.of = Some(name.into());
        self
    }
    /// With words that are told on asking.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    /// Good, bad, or neither.
    #[must_use]
    pub const fn tone(mut self, tone: Option<&'static str>) -> Self {
        self.tone = tone;
        self
    }
}

/// A number with the fewest digits that read back to the same bits, as scripts read it.
fn told(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    value.to_string()
}

impl Section {
    /// A section without anything in it yet.
    pub fn new(id: &str, title: &str) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            blocks: Vec::new(),
        }
    }
    /// With one thing more.
    #[must_use]
    pub fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }
    /// With some things more.
    #[must_use]
    pub fn with_all(mut self, blocks: impl IntoIterator<Item = Block>) -> Self {
        self.blocks.extend(blocks);
        self
    }
}

impl Page {
    /// The page as HTML. Sections without anything in them are left out.
    pub(super) fn render(mut self) -> Result<String, Error> {
        self.sections.retain(|section| !section.blocks.is_empty());
        let mut environment = Environment::new();
        environment.add_template("page.html", include_str!("page.html"))?;
        #[derive(Serialize)]
        struct Sheet<'a> {
            page: &'a Page,
            style: &'a str,
            script: &'a str,
        }
        let style = format!("{}{}{}", font_face(), include_str!("page.css"), dark());
        environment.get_template("page.html")?.render(Serde(Sheet {
            page: &self,
            style: &style,
            script: include_str!("page.js"),
        }))
    }
}

/// The rules that give charts their dark colours, on dark screens only: paper stays paper.
fn dark() -> String {
    let mut rules = String::from("@media screen and (prefers-color-scheme: dark) {\n");
    for (light, dark) in DARK {
        let hex = |color: &(u8, u8, u8)| format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2);
        let (light, dark) = (hex(light), hex(dark));
        for property in ["fill", "stroke"] {
            let _ = writeln!(
                rules,
                "figure svg g:not(.cells, .scale) > [{property}=\"{light}\"], figure svg g[{property}=\"{light}\"] {{ {property}: {dark} }}"
            );
        }
    }
    // Lines over coloured cells keep the ink that those were chosen for.
    rules += "figure svg .cells ~ .level > [stroke] { stroke: #1F2328 }\n}\n";
    rules
}
