//! `autoal strategies [NAME]`.

use autoal_strategies::catalog::{self, Entry};
use autoal_strategies::{Need, StrategyInfo};
use clap::Args;

use crate::exit::{Code, UsageError};
use crate::printer::Printer;

/// Which strategies to show.
#[derive(Debug, Args)]
pub(crate) struct StrategiesArgs {
    /// One strategy in detail
    name: Option<String>,
}

/// Lists all strategies, or describes one.
pub(crate) fn run(args: &StrategiesArgs, printer: Printer) -> anyhow::Result<Code> {
    let text = match &args.name {
        Some(name) => describe(catalog::find(name).map_err(|error| UsageError(error.to_string()))?),
        None => catalog::ENTRIES.iter().map(entry).chain([autoal()]).collect(),
    };
    printer.data(&text)?;
    Ok(Code::Ok)
}

/// Name and summary, and under them paper, needs and parameters.
fn entry(entry: &Entry) -> String {
    let StrategyInfo { name, summary, paper, parameters, .. } = entry.info;
    let keys: Vec<&str> = parameters.iter().map(|parameter| parameter.key).collect();
    let keys = if keys.is_empty() { String::new() } else { format!("; parameters: {}", keys.join(", ")) };
    listed(name, &[summary.to_owned(), format!("{paper}; needs: {}{keys}", needs(entry))])
}

/// AutoAL is built from networks, so it runs in experiments only and does not stand in the catalog.
fn autoal() -> String {
    let summary = "a mixture of strategies whose weights a network learns for each sample";
    let rest = "Wang, Zhan & Huang, ICML 2025; in experiments only; parameters: see configs/example.toml and docs/autoal.md";
    listed("autoal", &[summary.to_owned(), rest.to_owned()])
}

/// A name, and paragraphs beside it that fit a terminal of 80 columns.
fn listed(name: &str, paragraphs: &[String]) -> String {
    const COLUMN: usize = 21;
    const WIDTH: usize = 80 - COLUMN;
    let mut text = String::new();
    let mut left = name;
    for paragraph in paragraphs {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
                text.push_str(&format_line(left, &line));
                left = "";
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        text.push_str(&format_line(left, &line));
        left = "";
    }
    text
}

fn format_line(left: &str, line: &str) -> String {
    format!("{left:20} {line}\n")
}

fn describe(entry: &Entry) -> String {
    let StrategyInfo { name, summary, paper, parameters, .. } = entry.info;
    let mut lines = vec![format!("{name}: {summary}\n\npaper  {paper}\nneeds  {}\n", needs(entry))];
    if !parameters.is_empty() {
        lines.push("\nparameters (--param KEY=VALUE, or keys of the strategy's table in a configuration):\n".to_owned());
    }
    lines.extend(parameters.iter().map(|p| format!("  {} = {}\n      {}\n", p.key, p.default, p.doc)));
    lines.concat()
}

/// The arrays that a strategy needs, in words.
pub(crate) fn needs(entry: &Entry) -> String {
    if entry.info.needs.is_empty() {
        return "nothing but ids".to_owned();
    }
    entry.info.needs.iter().map(|need| array(*need)).collect::<Vec<_>>().join(", ")
}

fn array(need: Need) -> &'static str {
    match need {
        Need::LogProba => "log_proba (or proba or logits)",
        Need::Embeddings => "embeddings",
        Need::LabeledEmbeddings => "labeled_embeddings",
        Need::LabeledLabels => "labeled_labels",
        Need::LabeledLogProba => "labeled_log_proba",
        Need::McDropout => "mc_proba",
        Need::PredictedLoss => "predicted_loss",
        Need::Head => "head_weight and head_bias",
        Need::Ensemble => "ensemble_proba",
        Need::Discriminator => "labeled_probability",
        Need::Retraining => "training on part of the labels (in experiments only)",
    }
}
