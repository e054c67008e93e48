//! Answers every case of a conformance fixture folder.
//!
//! `cargo run --release --example conformance -- DIR OUT` writes `OUT/CASE.csv` (several, numbered, where a case wants several runs) and
//! `OUT/values.json`, which the folder's `check.py` reads. `-- DIR --page FILE` writes the page that says what was compared instead.

mod runner;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use runner::Outcome;
use runner::answers::Answer;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [root, "--page", page] => write_page(Path::new(root), Path::new(page)),
        [root, out] => write_answers(Path::new(root), Path::new(out)),
        _ => Err("usage: conformance DIR OUT, or conformance DIR --page FILE".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            tell(&message);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "an example talks to its user")]
fn tell(message: &str) {
    eprintln!("conformance: {message}");
}

fn write_page(root: &Path, page: &Path) -> Result<(), String> {
    write(page, &Outcome::of(root)?.page())
}

fn write_answers(root: &Path, out: &Path) -> Result<(), String> {
    let outcome = Outcome::of(root)?;
    fs::create_dir_all(out).map_err(|error| format!("cannot make `{}`: {error}", out.display()))?;
    outcome.answers.iter().try_for_each(|(name, answer)| write_answer(out, name, answer))?;
    let values = serde_json::to_string_pretty(&outcome.values).map_err(|error| error.to_string())?;
    write(&out.join("values.json"), &values)?;
    let problems = outcome.problems();
    for problem in &problems {
        tell(problem);
    }
    if problems.is_empty() { Ok(()) } else { Err(format!("{} cases do not conform", problems.len())) }
}

fn write_answer(out: &Path, name: &str, answer: &Answer) -> Result<(), String> {
    for (run, rows) in answer.runs.iter().enumerate() {
        let mut text = String::from("id,rank,score\n");
        for (rank, (id, score)) in rows.iter().enumerate() {
            writeln!(text, "{id},{rank},{score}").map_err(|error| error.to_string())?;
        }
        let file = if answer.runs.len() == 1 { format!("{name}.csv") } else { format!("{name}.{run}.csv") };
        write(&out.join(file), &text)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("cannot write `{}`: {error}", path.display()))
}
