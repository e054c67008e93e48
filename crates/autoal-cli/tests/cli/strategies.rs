//! Every strategy in an experiment on the bundled images.

use autoal_strategies::catalog::ENTRIES;

use crate::program::{Place, repository, succeed};

#[test]
fn every_strategy_runs_in_an_experiment_on_the_bundled_images() {
    let names: Vec<String> = ENTRIES.iter().map(|entry| format!("\"{}\"", entry.info.name)).collect();
    let config = format!(
        r#"
name = "all"
seeds = [1]
strategies = [{}, "full-data", "autoal", {{ name = "autoal", label = "paper", mode = "paper", first-cycles = 1, warm-up-epochs = 2, search-steps = 6 }}]
[data]
kind = "npz"
path = "{}/data/bloodmnist-mini.npz"
pool-limit = 100
test-limit = 30
[budget]
seed-set-size = 24
query-size = 6
rounds = 2
[model]
width = 2
[train]
epochs = 2
batch-size = 16
optimizer = {{ kind = "adamw", lr = 1e-2 }}
"#,
        names.join(", "),
        repository().display()
    );
    let place = Place::with(&config);
    succeed(place.experiment(&["--jobs", "2"]));
    for entry in ENTRIES {
        let cell = place.path().join("runs/all").join(entry.info.name).join("seed-1");
        let queries = std::fs::read_to_string(cell.join("queries.csv")).expect("queries");
        assert_eq!(queries.lines().count(), 1 + 24 + 2 * 6, "{}", entry.info.name);
    }
}
