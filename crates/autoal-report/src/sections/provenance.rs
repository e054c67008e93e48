//! What were these numbers made from, and how can they be made again?

use super::Context;
use crate::document::{Block, Section, Table, Value};

pub(super) fn section(context: &Context<'_>) -> Option<Section> {
    let e = context.experiment;
    let mut table =
        Table::new(context.name("provenance"), "What the numbers were made from.", &[("what", "What"), ("value", "Value")]);
    let mut line = |what: &str, value: &str| {
        if !value.is_empty() {
            table.push(vec![Value::text(what), Value::text(value)]);
        }
    };
    line("results", &e.source.display().to_string());
    line("experiment", &e.name);
    line("command", &e.command);
    line("autoal", &e.autoal_version);
    line("device", &e.device);
    line("data", &e.data.name);
    line("data digest", &e.data.digest);
    let mut seeds: Vec<u64> = e.cells().map(|c| c.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    line("seeds", &seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", "));
    line("report made by", &context.options.command);
    line("report version", concat!("autoal-report ", env!("CARGO_PKG_VERSION")));
    let mut blocks = vec![Block::Table(table)];
    if e.cells().any(|c| c.manifest.is_some()) {
        blocks.push(Block::Code { title: "Digests of seed sets and configurations".to_owned(), text: digests(context) });
    }
    if !e.config.is_null() {
        let text = serde_json::to_string_pretty(&e.config).unwrap_or_default();
        blocks.push(Block::Code { title: "Resolved configuration".to_owned(), text });
    }
    context.section("provenance", "Provenance", blocks)
}

fn digests(context: &Context<'_>) -> String {
    let mut lines = Vec::new();
    for runs in &context.experiment.strategies {
        for cell in &runs.cells {
            if let Some(m) = &cell.manifest {
                let short = |d: &str| d.get(..16).unwrap_or(d).to_owned();
                lines.push(format!(
                    "{:<28} seed {:<4} seed set {}  config {}",
                    runs.label(),
                    cell.seed,
                    short(&m.seed_set_digest),
                    short(&m.config_digest)
                ));
            }
        }
    }
    lines.join("\n")
}
