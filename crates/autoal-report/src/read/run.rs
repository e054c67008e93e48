//! A run's folder: `experiment.json`, and `STRATEGY/seed-N/` with the files of each cell.

use std::path::{Path, PathBuf};

use super::lines::{json_file, json_lines};
use super::queries;
use crate::error::ReportError;
use crate::experiment::{Cell, Experiment, Note, Severity, StrategyRuns};
use crate::schema::{ExperimentFile, Manifest, Round, SearchLine, Strategy};

/// Reads the run in `path`.
pub(crate) fn run(path: &Path) -> Result<Experiment, ReportError> {
    let file: ExperimentFile = json_file(&path.join("experiment.json"))?.unwrap_or_default();
    let mut experiment = Experiment {
        name: if file.name.is_empty() { folder_name(path) } else { file.name.clone() },
        source: path.to_path_buf(),
        data: file.data.clone(),
        command: file.command.clone(),
        config: file.config.clone(),
        autoal_version: file.autoal_version.clone(),
        device: file.device.clone(),
        counts_labels: true,
        ..Experiment::default()
    };
    for folder in folders(path)? {
        if let Some(runs) = strategy(&folder, &file, &mut experiment.notes)? {
            if runs.is_full_data() {
                experiment.full_data = Some(runs);
            } else {
                experiment.strategies.push(runs);
            }
        }
    }
    if experiment.strategies.is_empty() && experiment.full_data.is_none() {
        return Err(ReportError::empty(path, "no results here; expected `STRATEGY/seed-N/rounds.jsonl` in it"));
    }
    let order = |s: &StrategyRuns| file.strategies.iter().position(|f| f.label == s.strategy.label).unwrap_or(usize::MAX);
    experiment.strategies.sort_by_key(order);
    fill_from_manifests(&mut experiment);
    note_cells_not_started(&mut experiment, &file);
    Ok(experiment)
}

/// Whether `path` has a cell in it.
pub(super) fn holds_cells(path: &Path) -> Result<bool, ReportError> {
    for strategy in folders(path)? {
        if folders(&strategy)?.iter().any(|f| seed_of(f).is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The folders in `path` by name, hidden ones left out.
pub(super) fn folders(path: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let entries = std::fs::read_dir(path).map_err(|e| ReportError::io(path, e))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| ReportError::io(path, e))?.path();
        if entry.is_dir() && !folder_name(&entry).starts_with('.') {
            found.push(entry);
        }
    }
    found.sort();
    Ok(found)
}

fn folder_name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

fn seed_of(folder: &Path) -> Option<u64> {
    folder_name(folder).strip_prefix("seed-")?.parse().ok()
}

fn strategy(folder: &Path, file: &ExperimentFile, notes: &mut Vec<Note>) -> Result<Option<StrategyRuns>, ReportError> {
    let mut cells = Vec::new();
    for cell_folder in folders(folder)? {
        if let Some(seed) = seed_of(&cell_folder) {
            cells.push(cell(&cell_folder, seed, notes)?);
        }
    }
    if cells.is_empty() {
        return Ok(None);
    }
    cells.sort_by_key(|c| c.seed);
    let label = folder_name(folder);
    let known = file.strategies.iter().find(|s| s.label == label).cloned();
    let stated = || cells.iter().find_map(|c| c.manifest.as_ref()).map(|m| m.strategy.clone());
    let mut strategy = known.or_else(stated).unwrap_or_else(|| Strategy { name: label.clone(), ..Strategy::default() });
    strategy.label = label;
    Ok(Some(StrategyRuns { strategy, cells }))
}

fn cell(folder: &Path, seed: u64, notes: &mut Vec<Note>) -> Result<Cell, ReportError> {
    let manifest: Option<Manifest> = json_file(&folder.join("manifest.json"))?;
    let rounds_path = folder.join("rounds.jsonl");
    let rounds = json_lines::<Round>(&rounds_path)?;
    note_truncated(notes, &rounds_path, rounds.truncated);
    let rounds = in_order(&rounds_path, rounds.records)?;

    let queries_path = folder.join("queries.csv");
    let (mut queries, truncated) = queries::read(&queries_path)?;
    note_truncated(notes, &queries_path, truncated);
    // Round 0 is the seed set, which no strategy selected. A round's line is written last, so selections that the model of a round without
    // one made belong to a round that is not finished.
    queries.retain(|q| rounds.iter().any(|r| r.round + 1 == q.round));

    let search_path = folder.join("search.jsonl");
    let search = json_lines::<SearchLine>(&search_path)?;
    note_truncated(notes, &search_path, search.truncated);
    let mut cell = Cell { seed, path: folder.to_path_buf(), manifest, rounds, queries, ..Cell::default() };
    for (_, line) in search.records {
        match line {
            SearchLine::Step(step) => cell.search_steps.push(step),
            SearchLine::Round(round) => cell.search_rounds.push(round),
            SearchLine::Other => {}
        }
    }
    Ok(cell)
}

fn in_order(path: &Path, records: Vec<(usize, Round)>) -> Result<Vec<Round>, ReportError> {
    let mut rounds: Vec<Round> = Vec::with_capacity(records.len());
    for (line, round) in records {
        if let Some(before) = rounds.last()
            && (round.round <= before.round || round.labels <= before.labels)
        {
            let detail = format!(
                "round {} with {} labels follows round {} with {}; rounds and labels must grow",
                round.round, round.labels, before.round, before.labels
            );
            return Err(ReportError::line(path, line, detail));
        }
        rounds.push(round);
    }
    Ok(rounds)
}

fn note_truncated(notes: &mut Vec<Note>, path: &Path, line: Option<usize>) {
    if let Some(line) = line {
        let text =
            format!("`{}` ends inside line {line}, which is left out: the run was still writing or was cut off.", path.display());
        notes.push(Note::new(Severity::Warning, text));
    }
}

/// Runs of other tools may lack `experiment.json`; their manifests say the same.
fn fill_from_manifests(experiment: &mut Experiment) {
    let full = experiment.full_data.iter().flat_map(|s| &s.cells);
    let Some(manifest) = experiment.cells().chain(full).find_map(|c| c.manifest.clone()) else { return };
    let fill = |to: &mut String, from: String| {
        if to.is_empty() {
            *to = from;
        }
    };
    fill(&mut experiment.data.name, manifest.data.name);
    fill(&mut experiment.data.digest, manifest.data.digest);
    fill(&mut experiment.device, manifest.device);
    fill(&mut experiment.autoal_version, manifest.autoal_version);
    if experiment.config.is_null() {
        experiment.config = manifest.config;
    }
}

fn note_cells_not_started(experiment: &mut Experiment, file: &ExperimentFile) {
    let mut missing = Vec::new();
    for strategy in &file.strategies {
        let full = experiment.full_data.iter();
        let runs = experiment.strategies.iter().chain(full).find(|s| s.label() == strategy.label);
        let started = |seed: u64| runs.and_then(|r| r.cell(seed)).is_some_and(|c| !c.rounds.is_empty());
        let seeds: Vec<String> = file.seeds.iter().filter(|&&s| !started(s)).map(u64::to_string).collect();
        if seeds.len() == file.seeds.len() {
            missing.push(format!("{} (all seeds)", strategy.label));
        } else if !seeds.is_empty() {
            missing.push(format!("{} (seed {})", strategy.label, seeds.join(", ")));
        }
    }
    if !missing.is_empty() {
        let text = format!("Not a round yet from {}.", missing.join("; "));
        experiment.notes.push(Note::new(Severity::Warning, text));
    }
}
