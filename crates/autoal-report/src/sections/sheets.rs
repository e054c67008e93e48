//! Contact sheets: the first images of a query, from the strips that the experiment wrote beside its records.

use super::Context;
use super::selection::class_name;
use crate::document::{Block, Caption, Sheet};
use crate::experiment::{Cell, Note, Severity, StrategyRuns};
use crate::schema::Query;

/// Rounds shown a strategy: the first, the last, and between.
const ROUNDS: usize = 4;
/// Bytes of all sheets of an experiment: a page stays under 5 MB.
const BYTES: usize = 2_000_000;

pub(super) fn blocks(context: &Context<'_>) -> Vec<Block> {
    let mut tabs = Vec::new();
    let (mut bytes, mut left_out, mut missing) = (0, 0_usize, Vec::new());
    for runs in &context.experiment.strategies {
        let Some(cell) = runs.cells.iter().find(|c| !c.queries.is_empty()) else { continue };
        let mut sheets = Vec::new();
        for round in chosen_rounds(cell) {
            match sheet(context, runs, cell, round) {
                Some(sheet) if bytes + sheet.png.len() <= BYTES => {
                    bytes += sheet.png.len();
                    sheets.push(Block::Sheet(sheet));
                }
                Some(_) => left_out += 1,
                None => {}
            }
        }
        if sheets.is_empty() {
            missing.push(runs.label());
        } else {
            tabs.push((runs.label().to_owned(), sheets));
        }
    }
    let mut blocks = Vec::new();
    let mut note = |text| blocks.push(Block::Notes(vec![Note::new(Severity::Info, text)]));
    if !missing.is_empty() {
        note(format!("No contact sheet of {}: there are no images in `thumbnails/`.", missing.join(", ")));
    }
    if left_out > 0 {
        note(format!("{left_out} contact sheets are left out to keep the page small."));
    }
    if !tabs.is_empty() {
        let text = "The first images of a query in the order of their rank, from one seed. Under each its true label, and why it was selected: \
                    what the model took it for and how sure it was (in italics where it was wrong), the strategy's score, and the candidates \
                    that put it forward, where the strategy mixes others.";
        blocks.push(Block::Text(text.to_owned()));
        blocks.push(Block::Tabs(tabs));
    }
    blocks
}

fn chosen_rounds(cell: &Cell) -> Vec<usize> {
    let mut rounds: Vec<usize> = cell.queries.iter().map(|q| q.round).collect();
    rounds.sort_unstable();
    rounds.dedup();
    let last = rounds.len().saturating_sub(1);
    let mut chosen: Vec<usize> = (0..ROUNDS).map(|i| i * last / (ROUNDS - 1)).filter_map(|i| rounds.get(i).copied()).collect();
    chosen.dedup();
    chosen
}

fn sheet(context: &Context<'_>, runs: &StrategyRuns, cell: &Cell, round: usize) -> Option<Sheet> {
    let png = std::fs::read(cell.path.join("thumbnails").join(format!("round-{round}.png"))).ok()?;
    let size = image::ImageReader::with_format(std::io::Cursor::new(&png), image::ImageFormat::Png).into_dimensions().ok()?;
    let mut queries: Vec<_> = cell.queries.iter().filter(|q| q.round == round).collect();
    queries.sort_by_key(|q| q.rank);
    // The images of a strip are square.
    let images = (size.0 / size.1.max(1)).max(1) as usize;
    let captions = queries.iter().take(images).map(|q| caption(context, q)).collect();
    let title = format!("{}, seed {}, selected for round {round}", runs.label(), cell.seed);
    Some(Sheet { title, png, captions, images })
}

fn caption(context: &Context<'_>, query: &Query) -> Caption {
    let predicted = Some(&query.predicted).filter(|class| !class.is_empty());
    Caption {
        label: class_name(context, &query.label),
        score: query.score,
        predicted: predicted.map(|class| (class_name(context, class), query.confidence)),
        nominated_by: query.nominated_by.split_whitespace().map(str::to_owned).collect(),
    }
}
