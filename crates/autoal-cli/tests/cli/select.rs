//! `autoal select` on arrays in files, `autoal strategies`, `autoal data`.

use std::path::Path;

use crate::program::{Place, succeed};

/// Writes a row-major array of `f32` as NumPy would.
fn npy(path: &Path, shape: &[usize], values: &[f32]) {
    let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({},), }}", shape.join(", "));
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).expect("a short header").to_le_bytes());
    bytes.extend(header.bytes());
    for value in values {
        bytes.extend(value.to_le_bytes());
    }
    std::fs::write(path, bytes).expect("write an array");
}

/// Five samples on a line, two classes, two labeled samples at its ends.
fn arrays() -> Place {
    let place = Place::with("");
    let folder = place.path().join("arrays");
    std::fs::create_dir(&folder).expect("a folder");
    npy(&folder.join("embeddings.npy"), &[5, 2], &[1.0, 0.0, 2.0, 0.0, 5.0, 0.0, 8.0, 0.0, 9.0, 0.0]);
    npy(&folder.join("proba.npy"), &[5, 2], &[0.9, 0.1, 0.7, 0.3, 0.5, 0.5, 0.4, 0.6, 0.2, 0.8]);
    npy(&folder.join("labeled_embeddings.npy"), &[2, 2], &[0.0, 0.0, 10.0, 0.0]);
    place
}

fn answer(place: &Place, arguments: &[&str]) -> String {
    let mut all = vec!["select", "--outputs", "arrays"];
    all.extend(arguments);
    succeed(place.command(&all))
}

fn refused(place: &Place, arguments: &[&str]) -> String {
    let mut all = vec!["select", "--outputs", "arrays"];
    all.extend(arguments);
    let output = place.command(&all).output().expect("the program starts");
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn the_most_wanted_samples_come_first_with_their_scores() {
    let place = arrays();
    let csv = answer(&place, &["--strategy", "margin", "--query-size", "2"]);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines[0], lines.len()), ("id,rank,score", 3));
    assert!(lines[1].starts_with("2,0,") && lines[2].starts_with("3,1,"), "{csv}");
    let json = answer(&place, &["--strategy", "core-set", "--query-size", "1", "--format", "json-lines"]);
    assert_eq!(json, "{\"id\":2,\"rank\":0,\"score\":25.0}\n");
    let scores = answer(&place, &["--strategy", "margin", "--scores"]);
    assert_eq!(scores.lines().count(), 6);
}

#[test]
fn a_sample_is_explained_by_who_nominated_it_and_what_lies_near() {
    let csv = answer(&arrays(), &["--strategy", "tcm", "--query-size", "2", "--explain"]);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "id,rank,score,nominated_by,nearest_labeled,distance");
    // The labeled arrays have no ids, so the labeled sample is known by its row.
    assert!(lines[1..].iter().all(|line| line.contains(",row 0,") || line.contains(",row 1,")), "{csv}");
    let arguments = ["--strategy", "tailor", "--param", "candidates=[\"random\", \"margin\"]", "--query-size", "2", "--explain"];
    let place = arrays();
    npy(&place.path().join("arrays/labeled_labels.npy"), &[2], &[0.0, 1.0]);
    let csv = answer(&place, &arguments);
    assert!(csv.lines().skip(1).all(|line| line.contains("random") || line.contains("margin")), "{csv}");
}

#[test]
fn what_is_missing_or_misspelt_is_one_line_that_says_what_to_do() {
    let place = arrays();
    let error = refused(&place, &["--strategy", "bald", "--query-size", "2"]);
    assert!(error.lines().count() == 1 && error.contains("mc_proba") && error.contains("`bald` needs"), "{error}");
    let error = refused(&place, &["--strategy", "corset", "--query-size", "2"]);
    assert!(error.contains("core-set"), "{error}");
    let error = refused(&place, &["--strategy", "margin", "--query-size", "0"]);
    assert!(error.contains("query size"), "{error}");
    let error = refused(&place, &["--strategy", "k-means", "--query-size", "2", "--param", "tolerence=1"]);
    assert!(error.contains("tolerance"), "{error}");
}

#[test]
fn every_strategy_and_every_data_set_is_listed() {
    let place = arrays();
    let text = |arguments: &[&str]| succeed(place.command(arguments));
    let strategies = text(&["strategies"]);
    let missing = autoal_strategies::catalog::ENTRIES.iter().find(|entry| !strategies.contains(entry.info.name));
    assert!(missing.is_none(), "{missing:?} is not listed", missing = missing.map(|entry| entry.info.name));
    let sets = text(&["data", "list"]);
    assert!(["pathmnist", "cifar10", "svhn"].iter().all(|name| sets.contains(name)), "{sets}");
}
