//! A report before it has a form: sections of text, figures and tables. The page, the CSV and Markdown tables and the JSON are four ways
//! to write the same document, so they cannot disagree.

use crate::chart::Draw;
use crate::experiment::Note;
use crate::format::{bytes, duration, fixed, grouped, p_value, percent, signed, significant};

/// The whole report.
pub(crate) struct Document {
    pub(crate) title: String,
    pub(crate) sections: Vec<Section>,
}

/// A part of the report with a heading.
pub(crate) struct Section {
    pub(crate) id: String,
    pub(crate) title: String,
    /// A chapter (an experiment) rather than a part of one.
    pub(crate) chapter: bool,
    pub(crate) blocks: Vec<Block>,
}

/// What a section holds.
pub(crate) enum Block {
    Text(String),
    Notes(Vec<Note>),
    Figure(Figure),
    Table(Table),
    /// Alternatives, of which the page shows one at a time.
    Tabs(Vec<(String, Vec<Block>)>),
    /// Something long, folded.
    Code {
        title: String,
        text: String,
    },
    Sheet(Sheet),
}

/// A figure with the numbers that it draws.
pub(crate) struct Figure {
    /// Name of its files.
    pub(crate) name: String,
    pub(crate) caption: String,
    pub(crate) drawing: Box<dyn Draw>,
    pub(crate) data: Table,
}

/// Thumbnails of selected images.
pub(crate) struct Sheet {
    pub(crate) title: String,
    pub(crate) png: Vec<u8>,
    /// What stands under each image.
    pub(crate) captions: Vec<Caption>,
    /// Images side by side in the picture.
    pub(crate) images: usize,
}

/// What is said of a selected image: its label, and why it was selected.
pub(crate) struct Caption {
    pub(crate) label: String,
    pub(crate) score: Option<f64>,
    /// The class that the model took it for, and the probability that it gave to it.
    pub(crate) predicted: Option<(String, Option<f64>)>,
    pub(crate) nominated_by: Vec<String>,
}

/// Typed cells under named columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    /// Name of its files.
    pub(crate) name: String,
    pub(crate) caption: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Value>>,
}

/// A column: its name in files, and its heading.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) key: String,
    pub(crate) title: String,
}

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Missing,
    Text(String),
    Number(f64, Form),
    /// An estimate with the ends of its interval.
    Interval(f64, Option<(f64, f64)>, Form),
}

/// How a number is written for people; files hold it unrounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A share, in percent.
    Percent(usize),
    /// A difference of shares, in points.
    Points(usize),
    Fixed(usize),
    /// So many digits from the first that is not 0.
    Significant(usize),
    Signed(usize),
    Count,
    Duration,
    Bytes,
    P,
}

impl Form {
    pub(crate) fn write(self, value: f64) -> String {
        match self {
            Self::Percent(d) => percent(value, d),
            Self::Points(d) => signed(value * 100.0, d),
            Self::Fixed(d) => fixed(value, d),
            Self::Significant(d) => significant(value, d),
            Self::Signed(d) => signed(value, d),
            Self::Count if value >= 0.0 => grouped(value.round() as u64),
            Self::Count => fixed(value, 0),
            Self::Duration => duration(value),
            Self::Bytes => bytes(value),
            Self::P => p_value(value),
        }
    }
}

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn number(value: Option<f64>, form: Form) -> Self {
        value.map_or(Self::Missing, |v| Self::Number(v, form))
    }

    pub(crate) fn count(value: usize) -> Self {
        Self::Number(value as f64, Form::Count)
    }

    /// For people: `72.31 ± 0.53` where the interval is symmetric, `+1.2 [+0.8, +1.6]` where it is not or has a sign.
    pub(crate) fn show(&self) -> String {
        match self {
            Self::Missing => "–".to_owned(),
            Self::Text(text) => text.clone(),
            Self::Number(v, form) | Self::Interval(v, None, form) => form.write(*v),
            Self::Interval(v, Some((low, high)), form) => {
                let is_symmetric = ((high - v) - (v - low)).abs() < 1e-9 * (high - low).abs().max(1e-12);
                match form {
                    Form::Percent(_) | Form::Fixed(_) if is_symmetric => format!("{} ± {}", form.write(*v), form.write(high - v)),
                    _ => format!("{} [{}, {}]", form.write(*v), form.write(*low), form.write(*high)),
                }
            }
        }
    }

    pub(crate) fn is_numeric(&self) -> bool {
        !matches!(self, Self::Text(_))
    }
}

impl Table {
    /// A table with columns of (key, heading).
    pub(crate) fn new(name: impl Into<String>, caption: impl Into<String>, columns: &[(&str, &str)]) -> Self {
        let columns = columns.iter().map(|(key, title)| Column { key: (*key).to_owned(), title: (*title).to_owned() }).collect();
        Self { name: name.into(), caption: caption.into(), columns, rows: Vec::new() }
    }

    pub(crate) fn column(&mut self, key: impl Into<String>, title: impl Into<String>) {
        self.columns.push(Column { key: key.into(), title: title.into() });
    }

    pub(crate) fn push(&mut self, row: Vec<Value>) {
        debug_assert_eq!(row.len(), self.columns.len(), "a row of `{}` has a cell a column", self.name);
        self.rows.push(row);
    }

    /// Whether a column holds intervals, which take three columns in a file.
    pub(crate) fn has_intervals(&self, column: usize) -> bool {
        self.rows.iter().any(|r| matches!(r.get(column), Some(Value::Interval(..))))
    }
}

impl Document {
    /// Every figure, in order.
    pub(crate) fn figures(&self) -> Vec<&Figure> {
        let mut found = Vec::new();
        self.walk(&mut |block| {
            if let Block::Figure(figure) = block {
                found.push(figure);
            }
        });
        found
    }

    /// Every table, those behind figures included, in order.
    pub(crate) fn tables(&self) -> Vec<&Table> {
        let mut found = Vec::new();
        self.walk(&mut |block| match block {
            Block::Figure(figure) => found.push(&figure.data),
            Block::Table(table) => found.push(table),
            _ => {}
        });
        found
    }

    fn walk<'a>(&'a self, each: &mut dyn FnMut(&'a Block)) {
        fn visit<'a>(blocks: &'a [Block], each: &mut dyn FnMut(&'a Block)) {
            for block in blocks {
                each(block);
                if let Block::Tabs(tabs) = block {
                    for (_, blocks) in tabs {
                        visit(blocks, each);
                    }
                }
            }
        }
        self.sections.iter().for_each(|s| visit(&s.blocks, each));
    }
}

/// Lower-case letters, digits and single dashes: fit for a file name and an HTML id.
pub(crate) fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    let trimmed = out.trim_end_matches('-');
    if trimmed.is_empty() { "x".to_owned() } else { trimmed.to_owned() }
}
