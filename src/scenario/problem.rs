//! What is wrong with a scenario: every problem at once, each with its place, what was found, what was expected, and the fix.

use super::tree::Place;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::fmt;
use std::path::PathBuf;

/// A text that a scenario was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file, the preset, or the option of the command line.
    pub name: String,
    /// The text; empty where it has no lines to point at.
    pub text: String,
    /// The folder that file names in this text are relative to.
    pub folder: Option<PathBuf>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting, as a dotted path; empty for the text as a whole.
    pub key: String,
    /// What was found and what was expected.
    pub message: String,
    /// What to do, where there is more to say.
    pub help: Option<String>,
    /// Where it was written.
    pub place: Option<Place>,
}

impl Problem {
    /// A problem of one setting.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            message: message.into(),
            help: None,
            place: None,
        }
    }
    pub(super) fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
    pub(super) fn help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
    fn title(&self) -> String {
        if self.key.is_empty() {
            self.message.clone()
        } else {
            format!("{}: {}", self.key, self.message)
        }
    }
}

/// Everything that is wrong with a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
    sources: Vec<Source>,
}

impl Problems {
    /// Problems in texts, in the order in which they stand there.
    pub(super) fn new(mut list: Vec<Problem>, sources: Vec<Source>) -> Self {
        list.sort_by_key(|problem| problem.place.unwrap_or_default());
        list.dedup();
        Self { list, sources }
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }
    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
    /// File, line and column (from 1) of a problem, where it has a line.
    pub fn location(&self, problem: &Problem) -> Option<(&str, usize, usize)> {
        let place = problem.place?;
        let source = self.sources.get(place.source)?;
        let before = source.text.get(..place.start)?;
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .map_or(0, |line| line.chars().count())
            + 1;
        (!source.text.is_empty()).then_some((source.name.as_str(), line, column))
    }

    /// All of them as a compiler would show them, with colours or without.
    pub fn render(&self, colours: bool) -> String {
        let renderer = if colours {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut text = String::new();
        for problem in &self.list {
            let title = problem.title();
            let mut group: Group<'_> = Level::ERROR
                .primary_title(title.as_str())
                .elements(Vec::<Snippet<'_, annotate_snippets::Annotation<'_>>>::new());
            if let Some(place) = problem.place
                && let Some(source) = self.sources.get(place.source)
                && !source.text.is_empty()
            {
                // The end of a text has no character to underline.
                let end = place.end.min(source.text.len());
                let start = place.start.min(end);
                group = group.element(
                    Snippet::source(source.text.as_str())
                        .path(source.name.as_str())
                        .annotation(AnnotationKind::Primary.span(start..end)),
                );
            } else if let Some(source) = problem
                .place
                .and_then(|place| self.sources.get(place.source))
            {
                group = group.element(annotate_snippets::Origin::path(source.name.as_str()));
            }
            if let Some(help) = &problem.help {
                group = group.element(Level::HELP.message(help.as_str()));
            }
            text.push_str(&renderer.render(&[group]));
            text.push_str("\n\n");
        }
        let count = self.list.len();
        let plural = if count == 1 { "" } else { "s" };
        text.push_str(&format!("{count} problem{plural}"));
        text
    }
}

/// Problems of a scenario whose text is no longer at hand.
impl From<Vec<Problem>> for Problems {
    fn from(list: Vec<Problem>) -> Self {
        Self::new(list, Vec::new())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}

/// "did you mean …?" for the valid name that looks most like one that isn't.
pub(super) fn nearest<'a>(found: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<String> {
    valid
        .into_iter()
        .map(|name| {
            let alike = strsim::jaro_winkler(&found.to_lowercase(), &name.to_lowercase());
            (alike, name)
        })
        .filter(|(alike, _)| *alike > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| format!("did you mean `{name}`?"))
}

/// `a, b or c`, each in backquotes.
pub(super) fn listed(names: &[impl AsRef<str>]) -> String {
    let quoted: Vec<String> = names
        .iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, first)) => format!("{} or {last}", first.join(", ")),
    }
}
