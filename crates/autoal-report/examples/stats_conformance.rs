//! Answers the cases of `DIR/stats.json` and writes them to `OUT/stats.json`, for `check.py` of the conformance fixtures.
//!
//! ```sh
//! cargo run -p autoal-report --example stats_conformance -- crates/autoal-report/tests/conformance/stats out
//! ```

#[path = "../tests/report/conformance.rs"]
mod conformance;

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(input), Some(output)) = (arguments.next(), arguments.next()) else {
        return Err("usage: stats_conformance DIR OUT".into());
    };
    let fixtures: serde_json::Value = serde_json::from_slice(&std::fs::read(input.join("stats.json"))?)?;
    let mut answers = serde_json::Map::new();
    for case in fixtures["cases"].as_array().into_iter().flatten() {
        let name = case["name"].as_str().unwrap_or_default();
        if let Some(answer) = conformance::answer(name, &case["input"]) {
            answers.insert(name.to_owned(), answer);
        }
    }
    std::fs::create_dir_all(&output)?;
    std::fs::write(output.join("stats.json"), serde_json::to_vec(&answers)?)?;
    Ok(())
}
