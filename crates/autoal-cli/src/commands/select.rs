//! `autoal select`: a query strategy over arrays that another program exported.

use std::path::PathBuf;

use anyhow::Context;
use autoal_data::Seed;
use autoal_strategies::catalog::{self, Entry};
use autoal_strategies::explain::{self, Explanation};
use autoal_strategies::exported::{Exported, LabeledIds};
use autoal_strategies::{Need, OutputsError, QueryContext, QueryError, QueryStrategy, Selected, StrategySpec};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::strategies::needs;
use crate::exit::{Code, UsageError};
use crate::printer::Printer;

/// What to select, from which arrays.
#[derive(Debug, Args)]
pub(crate) struct SelectArgs {
    /// The query strategy; `autoal strategies` lists all
    #[arg(long, value_name = "NAME")]
    strategy: String,
    /// How many samples to select; all of them when the pool is smaller
    #[arg(long, value_name = "N", required_unless_present = "scores")]
    query_size: Option<usize>,
    /// A parameter of the strategy; the value is TOML, or plain text
    #[arg(long = "param", value_name = "KEY=VALUE")]
    parameters: Vec<String>,
    /// A .npz file or a folder of .npy files
    #[arg(long, value_name = "PATH")]
    outputs: PathBuf,
    /// Samples of the arrays that have labels: ids separated by commas, or a file with `id` or `id,label` lines
    #[arg(long, value_name = "IDS")]
    labeled: Option<String>,
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of the query; another round makes other random choices
    #[arg(long, default_value_t = 0)]
    round: u32,
    /// How to write the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Add which candidates of the strategy nominated a sample, and its nearest labeled sample
    #[arg(long, conflicts_with = "scores")]
    explain: bool,
    /// Write the scores of all samples instead of selecting
    #[arg(long)]
    scores: bool,
}

/// How to write the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A header line and comma-separated values
    #[default]
    Csv,
    /// One JSON object a line
    JsonLines,
}

/// Selects or scores.
pub(crate) fn run(args: &SelectArgs, printer: Printer) -> anyhow::Result<Code> {
    let entry = catalog::find(&args.strategy).map_err(|error| UsageError(error.to_string()))?;
    let spec = spec(args, entry)?;
    let mut strategy = catalog::build(&spec).map_err(|error| UsageError(error.to_string()))?;
    let labeled = args.labeled.as_deref().map(LabeledIds::read).transpose()?;
    let exported = Exported::load(&args.outputs, labeled.as_ref())?;
    let needs_labels = entry.info.needs.contains(&Need::LabeledLabels) && !exported.has_labels();
    if needs_labels {
        return Err(missing(entry, args, "labeled_labels"));
    }
    let text = exported.query(Seed(args.seed), args.round, |context| {
        let answer = if args.scores {
            scores(args, context, strategy.as_mut())
        } else {
            select(args, &spec, context, strategy.as_mut(), exported.has_labeled_ids(), printer)
        };
        answer.map_err(|error| match error.downcast_ref() {
            Some(QueryError::Outputs { source: OutputsError::Missing { name }, .. }) => missing(entry, args, name),
            _ => error,
        })
    })?;
    printer.data(&text)?;
    Ok(Code::Ok)
}

/// One line that says which array is missing and what the strategy needs.
fn missing(entry: &Entry, args: &SelectArgs, array: &str) -> anyhow::Error {
    let (path, name) = (args.outputs.display(), entry.info.name);
    UsageError(format!("`{path}` has no array `{array}`; strategy `{name}` needs: {}", needs(entry))).into()
}

fn spec(args: &SelectArgs, entry: &Entry) -> anyhow::Result<StrategySpec> {
    let mut table = toml::Table::new();
    table.insert("name".to_owned(), entry.info.name.into());
    for parameter in &args.parameters {
        let (key, value) = parameter.split_once('=').ok_or_else(|| {
            UsageError(format!("`--param {parameter}` has no `=`, expected KEY=VALUE as in `--param beta=2.0`"))
        })?;
        let parsed = toml::from_str::<toml::Table>(&format!("value = {value}")).ok().and_then(|mut table| table.remove("value"));
        table.insert(key.trim().to_owned(), parsed.unwrap_or_else(|| value.trim().into()));
    }
    Ok(StrategySpec::Table(table))
}

fn scores(args: &SelectArgs, context: &QueryContext<'_>, strategy: &mut dyn QueryStrategy) -> anyhow::Result<String> {
    let scores = strategy.scores(context)?.ok_or_else(|| {
        UsageError(format!("strategy `{}` chooses sets and has no scores; leave out `--scores`", strategy.name()))
    })?;
    let rows = context.candidates.iter().zip(scores).map(|(id, score)| match args.format {
        Format::Csv => format!("{id},{score}\n"),
        Format::JsonLines => format!("{}\n", json!({ "id": id, "score": finite(score) })),
    });
    let header = if args.format == Format::Csv { "id,score\n" } else { "" };
    Ok(std::iter::once(header.to_owned()).chain(rows).collect())
}

fn select(
    args: &SelectArgs,
    spec: &StrategySpec,
    context: &QueryContext<'_>,
    strategy: &mut dyn QueryStrategy,
    labeled_have_ids: bool,
    printer: Printer,
) -> anyhow::Result<String> {
    let query_size = args.query_size.context("clap asks for a query size")?;
    if query_size > context.candidates.len() && !context.candidates.is_empty() {
        printer.say(&format!("note: the pool has {} samples, all of them are selected", context.candidates.len()));
    }
    let selection = strategy.select(context, query_size)?;
    if selection.nan_scores > 0 {
        printer.say(&format!("warning: {} samples have a score that is not a number; they rank last", selection.nan_scores));
    }
    let explanations = if args.explain { Some(explain::explain(spec, context, query_size, &selection)?) } else { None };
    let named = |row: usize| if labeled_have_ids { context.labeled[row].to_string() } else { format!("row {row}") };
    let explanation = |rank: usize| explanations.as_ref().map(|all| Explained::new(&all[rank], named));
    let rows = selection.samples.iter().enumerate().map(|(rank, sample)| match args.format {
        Format::Csv => csv_line(rank, sample, explanation(rank)),
        Format::JsonLines => json_line(rank, sample, explanation(rank)),
    });
    let header = match (args.format, args.explain) {
        (Format::Csv, false) => "id,rank,score\n",
        (Format::Csv, true) => "id,rank,score,nominated_by,nearest_labeled,distance\n",
        (Format::JsonLines, _) => "",
    };
    Ok(std::iter::once(header.to_owned()).chain(rows).collect())
}

/// Why a sample was selected, with the name of its nearest labeled sample: its id, or its row where ids are unknown.
struct Explained {
    nominated_by: Vec<String>,
    nearest: Option<(String, f64)>,
}

impl Explained {
    fn new(explanation: &Explanation, named: impl Fn(usize) -> String) -> Self {
        let nearest = explanation.nearest.map(|(row, distance)| (named(row), distance));
        Self { nominated_by: explanation.nominated_by.clone(), nearest }
    }
}

fn csv_line(rank: usize, sample: &Selected, explanation: Option<Explained>) -> String {
    let score = sample.score.map(|score| score.to_string()).unwrap_or_default();
    let explained = explanation.map_or(String::new(), |explanation| {
        let (id, distance) =
            explanation.nearest.map_or((String::new(), String::new()), |(name, distance)| (name, distance.to_string()));
        format!(",{},{id},{distance}", explanation.nominated_by.join(" "))
    });
    format!("{},{rank},{score}{explained}\n", sample.id)
}

fn json_line(rank: usize, sample: &Selected, explanation: Option<Explained>) -> String {
    let mut line = Map::new();
    line.insert("id".into(), json!(sample.id));
    line.insert("rank".into(), json!(rank));
    line.insert("score".into(), sample.score.map_or(Value::Null, finite));
    if let Some(explanation) = explanation {
        line.insert("nominated_by".into(), json!(explanation.nominated_by));
        line.insert("nearest_labeled".into(), json!(explanation.nearest.as_ref().map(|(name, _)| name)));
        line.insert("distance".into(), json!(explanation.nearest.as_ref().map(|(_, distance)| distance)));
    }
    format!("{}\n", Value::Object(line))
}

/// A number, or a text where JSON has no number.
fn finite(score: f64) -> Value {
    if score.is_finite() { json!(score) } else { json!(score.to_string()) }
}
