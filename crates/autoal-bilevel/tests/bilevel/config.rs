//! Presets, overrides, and what is refused.

use autoal_bilevel::AutoAlConfig;
use autoal_bilevel::config::Mode;

fn parse(text: &str) -> Result<AutoAlConfig, String> {
    let table: toml::Table = text.parse().expect("the test's TOML is valid");
    AutoAlConfig::from_table(&table).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(text: &str, words: &[&str]) {
    let error = parse(text).expect_err("this configuration is out of range");
    for word in words {
        assert!(error.contains(word), "`{error}` does not say `{word}`");
    }
}

#[test]
fn nothing_set_is_the_improved_preset() {
    assert_eq!(parse("name = \"autoal\""), Ok(AutoAlConfig::preset(Mode::Improved)));
    assert_eq!(parse("").expect("empty").candidates().len(), 7);
}

#[test]
fn every_preset_survives_writing_and_reading() {
    for mode in [Mode::Paper, Mode::Improved] {
        let config = AutoAlConfig::preset(mode);
        let written = toml::to_string(&config).expect("a configuration is a table");
        assert_eq!(parse(&written), Ok(config), "{written}");
    }
}

#[test]
fn a_key_overrides_its_preset_value_only() {
    let config = parse("mode = \"paper\"\nsearch-steps = 30").expect("in range");
    let written = toml::to_string(&config).expect("a configuration is a table");
    let preset = toml::to_string(&AutoAlConfig::preset(Mode::Paper)).expect("a configuration is a table");
    assert_eq!(written, preset.replace("search-steps = 400", "search-steps = 30"));
}

#[test]
fn wrong_keys_and_values_are_refused_by_name() {
    refused("gama = 3", &["gama", "gamma"]);
    refused("mode = \"papr\"", &["papr"]);
    refused("gamma = -1.0", &["gamma", "-1", "at least 0"]);
    refused("sigma = 0.0", &["sigma", "above 0"]);
    refused("temperature = inf", &["temperature"]);
    refused("search-steps = 0", &["search-steps", "at least 1"]);
    refused("batch-size = 1", &["batch-size", "at least 2"]);
    refused("folds = 1", &["folds", "at least 2"]);
    refused("candidates = []", &["candidates", "empty"]);
    refused("candidates = [\"entropy\", \"margin\", \"entropy\"]", &["candidates", "number 3"]);
    refused("simulated-share = 1.0", &["simulated-share", "below 1"]);
}

#[test]
fn keys_of_the_other_mode_are_refused() {
    refused("mode = \"paper\"\nfolds = 4", &["folds", "improved"]);
    refused("reading = \"equation\"", &["reading", "paper"]);
    refused("mode = \"paper\"\nnominations = \"soft\"", &["nominations", "hard"]);
    refused("mode = \"paper\"\nweights = \"searched-global\"", &["weights"]);
    refused("mode = \"paper\"\nbackbone = false\nloss-module = false", &["backbone", "loss-module"]);
    refused("weights = \"searched-global\"\nloss-module = true", &["loss-module"]);
}
