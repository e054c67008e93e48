//! What a careful reader would check before comparing numbers: seeds, rounds, seed sets, data, configurations, devices.

use std::collections::BTreeMap;

use crate::curves::{Curves, missing_rounds};
use crate::experiment::{Cell, Experiment, Note, Severity};
use crate::metric::Metric;

/// Everything that the audit finds, most serious first within each check.
pub(crate) fn notes(experiment: &Experiment) -> Vec<Note> {
    let mut notes = Vec::new();
    seed_sets(experiment, &mut notes);
    data(experiment, &mut notes);
    rounds(experiment, &mut notes);
    unequal_seeds(experiment, &mut notes);
    configurations(experiment, &mut notes);
    devices(experiment, &mut notes);
    nan_scores(experiment, &mut notes);
    notes
}

/// Cells as (strategy label, cell).
fn labelled(experiment: &Experiment) -> impl Iterator<Item = (&str, &Cell)> {
    experiment.strategies.iter().flat_map(|s| s.cells.iter().map(move |c| (s.label(), c)))
}

fn seed_sets(experiment: &Experiment, notes: &mut Vec<Note>) {
    let mut by_seed: BTreeMap<u64, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for (label, cell) in labelled(experiment) {
        if let Some(digest) = cell.seed_set_digest() {
            by_seed.entry(cell.seed).or_default().entry(digest).or_default().push(label);
        }
    }
    for (seed, groups) in by_seed.iter().filter(|(_, g)| g.len() > 1) {
        let groups: Vec<String> = groups.values().map(|g| g.join(", ")).collect();
        let text = format!(
            "Seed {seed} started from different seed sets: {}. Strategies of different groups are not compared on this seed.",
            groups.join(" | ")
        );
        notes.push(Note::new(Severity::Refused, text));
    }
}

fn data(experiment: &Experiment, notes: &mut Vec<Note>) {
    let mut digests: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (label, cell) in labelled(experiment) {
        if let Some(manifest) = cell.manifest.as_ref().filter(|m| !m.data.digest.is_empty()) {
            digests.entry(&manifest.data.digest).or_default().push(format!("{label} seed {}", cell.seed));
        }
    }
    if digests.len() > 1 {
        let groups: Vec<String> = digests.iter().map(|(d, cells)| format!("{} ({})", short(d), few(cells))).collect();
        let text = format!(
            "The cells ran on {} different versions of the data: {}. They are not compared.",
            digests.len(),
            groups.join("; ")
        );
        notes.push(Note::new(Severity::Refused, text));
    }
}

fn rounds(experiment: &Experiment, notes: &mut Vec<Note>) {
    let curves = Curves::of(experiment, Metric::Accuracy);
    let Some((_, end)) = curves.span else { return };
    let unit = if experiment.counts_labels { "labels" } else { "rounds" };
    for (label, cell) in labelled(experiment) {
        let gaps = missing_rounds(cell);
        if !gaps.is_empty() {
            let gaps: Vec<String> = gaps.iter().map(ToString::to_string).collect();
            let text =
                format!("{label}, seed {}: round {} is missing. The seed is left out of means and tests.", cell.seed, few(&gaps));
            notes.push(Note::new(Severity::Warning, text));
        }
    }
    for strategy in &experiment.strategies {
        let behind = |c: &Cell| c.rounds.last().filter(|r| r.labels < end).map(|r| format!("seed {} at {}", c.seed, r.labels));
        let short: Vec<String> = strategy.cells.iter().filter_map(behind).collect();
        if !short.is_empty() {
            let text = format!(
                "{} has not reached {end} {unit}: {}. These seeds are left out of means and tests, and drawn only while no seed is complete.",
                strategy.label(),
                few(&short)
            );
            notes.push(Note::new(Severity::Warning, text));
        }
    }
}

fn unequal_seeds(experiment: &Experiment, notes: &mut Vec<Note>) {
    let mut groups: BTreeMap<Vec<u64>, Vec<&str>> = BTreeMap::new();
    for strategy in experiment.strategies.iter().filter(|s| !s.cells.is_empty()) {
        let seeds = strategy.cells.iter().filter(|c| !c.rounds.is_empty()).map(|c| c.seed).collect();
        groups.entry(seeds).or_default().push(strategy.label());
    }
    if groups.len() > 1 {
        let show = |(seeds, labels): (&Vec<u64>, &Vec<&str>)| {
            let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
            format!("{} with {} ({})", labels.join(", "), count(seeds.len(), "seed"), few(&seeds))
        };
        let groups: Vec<String> = groups.iter().map(show).collect();
        let text = format!("The strategies have different seeds: {}. Pairs use the seeds that both have.", groups.join("; "));
        notes.push(Note::new(Severity::Warning, text));
    }
}

fn configurations(experiment: &Experiment, notes: &mut Vec<Note>) {
    for strategy in &experiment.strategies {
        let mut digests: Vec<&str> =
            strategy.cells.iter().filter_map(|c| c.manifest.as_ref()).map(|m| m.config_digest.as_str()).collect();
        digests.retain(|d| !d.is_empty());
        digests.sort_unstable();
        digests.dedup();
        if digests.len() > 1 {
            let text = format!("The seeds of {} ran with {} different configurations.", strategy.label(), digests.len());
            notes.push(Note::new(Severity::Warning, text));
        }
    }
}

fn devices(experiment: &Experiment, notes: &mut Vec<Note>) {
    let mut devices: Vec<&str> = experiment.cells().filter_map(|c| c.manifest.as_ref()).map(|m| m.device.as_str()).collect();
    devices.retain(|d| !d.is_empty());
    devices.sort_unstable();
    devices.dedup();
    if devices.len() > 1 {
        let text = format!("The cells ran on different devices ({}): their seconds do not compare.", devices.join("; "));
        notes.push(Note::new(Severity::Warning, text));
    }
}

fn nan_scores(experiment: &Experiment, notes: &mut Vec<Note>) {
    for strategy in &experiment.strategies {
        let total: u64 = strategy.cells.iter().flat_map(|c| &c.rounds).filter_map(|r| r.nan_scores).sum();
        if total > 0 {
            let text =
                format!("{} gave {} that were not a number; they ranked last.", strategy.label(), count(total as usize, "score"));
            notes.push(Note::new(Severity::Warning, text));
        }
    }
}

pub(crate) fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// A list that stays readable when it is long.
pub(crate) fn few<T: AsRef<str>>(items: &[T]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<&str> = items.iter().take(SHOWN).map(AsRef::as_ref).collect();
    let rest = items.len().saturating_sub(SHOWN);
    if rest == 0 { shown.join(", ") } else { format!("{} and {rest} more", shown.join(", ")) }
}
