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
pub(crate) fn run(args: &StrategiesArgs, printer: &Printer) -> anyhow::Result<Code> {
    let text = match &args.name {
        Some(name) => describe(catalog::find(name).map_err(|error| UsageError(error.to_string()))?),
        None => catalog::ENTRIES.iter().map(line).collect(),
    };
    printer.data(&text)?;
    Ok(Code::Ok)
}

/// One line: name, what it prefers, what it needs, its paper, its parameters.
fn line(entry: &Entry) -> String {
    let StrategyInfo { name, summary, paper, parameters, .. } = entry.info;
    let keys: Vec<&str> = parameters.iter().map(|parameter| parameter.key).collect();
    let keys = if keys.is_empty() { String::new() } else { format!("; parameters: {}", keys.join(", ")) };
    format!("{name:22} {summary} [{paper}; needs: {}{keys}]\n", needs(entry))
}

fn describe(entry: &Entry) -> String {
    let StrategyInfo { name, summary, paper, parameters, .. } = entry.info;
    let mut text = format!("{name}: {summary}\n\npaper  {paper}\nneeds  {}\n", needs(entry));
    if !parameters.is_empty() {
        text.push_str("\nparameters (--param KEY=VALUE, or keys of the strategy's table in a configuration):\n");
    }
    for parameter in parameters {
        text.push_str(&format!("  {} = {}\n      {}\n", parameter.key, parameter.default, parameter.doc));
    }
    text
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
