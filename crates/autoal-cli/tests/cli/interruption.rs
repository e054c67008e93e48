//! A run that is killed or stopped goes on to the results of an undisturbed one.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::program::{Place, SMALL, complaint, succeed};
use crate::results::facts;

/// Starts the experiment and reads its events until `count` of a kind have come.
fn start_and_wait(place: &Place, event: &str, count: usize) -> Child {
    let mut command = place.experiment(&["--log", "json"]);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the program can be started");
    let events = BufReader::new(child.stderr.take().expect("stderr is piped"));
    let tag = format!("\"event\":\"{event}\"");
    let seen = events.lines().map_while(Result::ok).filter(|line| line.contains(&tag)).take(count).count();
    assert_eq!(seen, count, "the run ended before it could be disturbed");
    child
}

#[test]
fn killed_at_many_moments_and_resumed_a_run_has_the_results_of_an_undisturbed_one() {
    let undisturbed = Place::with(SMALL);
    succeed(undisturbed.experiment(&[]));
    let killed = Place::with(SMALL);
    // In training, in a query, right after commits, further on each time.
    for (event, count) in [("epoch", 2), ("round-committed", 1), ("phase-started", 5), ("round-committed", 3), ("epoch", 9)] {
        let mut child = start_and_wait(&killed, event, count);
        child.kill().expect("the process can be killed");
        child.wait().expect("the process ends");
    }
    succeed(killed.experiment(&[]));
    assert_eq!(facts(&undisturbed.path().join("runs/small")), facts(&killed.path().join("runs/small")));
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_cleanly_and_says_how_to_go_on() {
    let place = Place::with(SMALL);
    let mut command = place.experiment(&["--log", "plain"]);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the program can be started");
    let mut events = BufReader::new(child.stderr.take().expect("stderr is piped")).lines().map_while(Result::ok);
    assert!(events.any(|line| line.contains("round 0")), "a round is reported");
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
    let rest: Vec<String> = events.collect();
    assert_eq!(child.wait().expect("the process ends").code(), Some(130));
    assert!(rest.iter().any(|line| line.contains("To go on:") && line.contains("--config experiment.toml")), "{rest:?}");
    succeed(place.experiment(&[]));
}

#[test]
fn a_second_process_on_the_same_cell_is_refused_with_the_first_ones_id() {
    let place = Place::with(SMALL);
    let mut first = start_and_wait(&place, "cell-started", 1);
    let (code, text) = complaint(place.experiment(&["--strategies", "random", "--seeds", "1"]));
    // Stopped, so that it cannot have finished the cell before the second process looked.
    first.kill().expect("the process can be killed");
    first.wait().expect("the process ends");
    assert_eq!(code, 1, "{text}");
    assert!(text.contains(&format!("is in use by process {}", first.id())), "{text}");
}
