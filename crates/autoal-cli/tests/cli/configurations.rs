//! The configurations of the repository.

use autoal_bilevel::AutoAlConfig;
use autoal_bilevel::config::{Mode, RawConfig};
use autoal_experiment::ExperimentConfig;

use crate::program::{Place, repository, succeed};

#[test]
fn every_configuration_of_the_repository_is_right() {
    let place = Place::with("");
    let mut files = Vec::new();
    let mut folders = vec![repository().join("configs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of configurations") {
            let path = entry.expect("readable").path();
            if path.is_dir() { folders.push(path) } else { files.push(path.display().to_string()) }
        }
    }
    assert!(files.len() > 15, "{files:?}");
    let mut arguments = vec!["config", "check"];
    arguments.extend(files.iter().map(String::as_str));
    succeed(place.command(&arguments));
}

#[test]
fn what_config_show_prints_means_the_same() {
    let place = Place::with("");
    let demo = repository().join("configs/demo.toml").display().to_string();
    let shown = succeed(place.command(&["config", "show", &demo]));
    let path = place.path().join("shown.toml");
    std::fs::write(&path, &shown).expect("write");
    assert_eq!(succeed(place.command(&["config", "show", "shown.toml"])), shown);
}

#[test]
fn the_example_holds_every_key_with_its_default() {
    let path = repository().join("configs/example.toml");
    let text = std::fs::read_to_string(&path).expect("the example");
    let example = ExperimentConfig::parse(&text, &path).expect("the example is right");
    let minimal = "name = \"example\"\nstrategies = [\"random\", \"margin\", { name = \"autoal\" }]\n[data]\nkind = \"npz\"\npath = \"../data/bloodmnist-mini.npz\"\n";
    let default = ExperimentConfig::parse(minimal, &path).expect("the least that an experiment needs");
    let mut shown = example.resolved();
    let mut wanted = default.resolved();
    for table in [&mut shown, &mut wanted] {
        table.remove("strategies");
    }
    assert_eq!(shown, wanted);
    for key in keys(&wanted) {
        let written = text
            .lines()
            .any(|line| line.trim_start_matches('#').trim_start().starts_with(&key) || line.contains(&format!(" {key} =")));
        assert!(written, "`{key}` is not in the example");
    }
}

#[test]
fn the_examples_autoal_has_every_key_of_the_improved_mode_with_its_default() {
    let path = repository().join("configs/example.toml");
    let text = std::fs::read_to_string(&path).expect("the example");
    let example = ExperimentConfig::parse(&text, &path).expect("the example is right");
    let autoal = example.strategies.iter().find(|entry| entry.name == "autoal").expect("the example has AutoAL");
    let preset = AutoAlConfig::preset(Mode::Improved);
    assert_eq!(AutoAlConfig::from_table(&autoal.parameters).expect("checked"), preset);
    let all = toml::Table::try_from(RawConfig::from(preset)).expect("a table");
    let missing: Vec<_> = all.keys().filter(|key| !autoal.parameters.contains_key(*key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The keys of values; those of tables are headers or braces.
fn keys(table: &toml::Table) -> Vec<String> {
    let below = |(key, value): (&String, &toml::Value)| match value {
        toml::Value::Table(table) => keys(table),
        _ => vec![key.clone()],
    };
    table.iter().flat_map(below).collect()
}
