//! Writes a made-up experiment with the files of a real one, to look at a report of its size.
//!
//! ```sh
//! cargo run -p autoal-report --example synthetic -- runs/made-up 15 10 20
//! ```

#[path = "../tests/report/synthetic.rs"]
mod synthetic;

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, strategies, seeds, rounds] = arguments.as_slice() else {
        return Err("usage: synthetic FOLDER STRATEGIES SEEDS ROUNDS".into());
    };
    let size = synthetic::Size { strategies: strategies.parse()?, seeds: seeds.parse()?, rounds: rounds.parse()? };
    let folder = PathBuf::from(folder);
    let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    synthetic::write(&folder, &name, &size);
    Ok(())
}
