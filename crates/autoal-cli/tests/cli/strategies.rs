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
    for (label, mixes) in [("autoal", true), ("albl", true), ("tailor", true), ("deal", true), ("margin", false)] {
        let cell = place.path().join("runs/all").join(label).join("seed-1");
        let queries = std::fs::read_to_string(cell.join("queries.csv")).expect("queries");
        let rows: Vec<Vec<&str>> = queries.lines().skip(1).map(|line| line.split(',').collect()).collect();
        // Round 0 is the seed set, which nobody selected; the pictures of a round have the number of its rows.
        for row in &rows {
            let (is_seed_set, predicted, confidence, names) = (row[0] == "0", row[6], row[7], row[8]);
            assert_eq!(is_seed_set, predicted.is_empty(), "{label}: {row:?}");
            assert!(
                is_seed_set || (0.125..=1.0).contains(&confidence.parse::<f64>().expect("a probability")),
                "{label}: {row:?}"
            );
            assert!(mixes || names.is_empty(), "{label}: {row:?}");
        }
        let nominated = rows.iter().filter(|row| !row[8].is_empty()).count();
        assert!(!mixes || nominated > 0, "{label}: nobody put a sample forward");
        let pictures = std::fs::read_dir(cell.join("thumbnails")).expect("thumbnails");
        let mut pictures: Vec<_> = pictures.map(|entry| entry.expect("an entry").file_name()).collect();
        pictures.sort();
        assert_eq!(pictures, ["round-1.png", "round-2.png"], "{label}");
    }
}
