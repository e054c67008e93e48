//! The page and the files beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use autoal_report::{ReportOptions, render_json, write_report};
use tempfile::TempDir;

use crate::openal;
use crate::synthetic::{Size, write};

/// What the largest experiment of the field's papers may take.
const MOST_BYTES: usize = 5_000_000;

fn options(out: &Path, png: bool) -> ReportOptions {
    ReportOptions { out: Some(out.to_path_buf()), command: "autoal report".to_owned(), png, ..ReportOptions::default() }
}

#[test]
fn fifteen_strategies_ten_seeds_and_twenty_rounds_stay_below_five_megabytes() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    write(&folder.path().join("run"), "made-up", &Size { strategies: 15, seeds: 10, rounds: 20 });
    let written =
        write_report(&[folder.path().join("run")], &options(&folder.path().join("out"), false)).expect("the report is written");
    assert!(written.page_bytes < MOST_BYTES, "{} bytes", written.page_bytes);
}

#[test]
fn the_page_needs_nothing_from_elsewhere_and_every_link_leads_somewhere() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    write(&folder.path().join("run"), "made-up <&\"'>", &Size { strategies: 3, seeds: 5, rounds: 3 });
    let out = folder.path().join("out");
    let paths = [folder.path().join("run"), openal::path("mnist")];
    let written = write_report(&paths, &options(&out, true)).expect("the report is written");
    let page = fs::read_to_string(&written.page).expect("the page is there");
    assert!(!page.contains("<script") && !page.contains("<link") && !page.contains("@import"));
    assert!(!page.replace("http://www.w3.org/2000/svg", "").contains("http"), "nothing is loaded");
    assert!(page.contains("made-up &lt;&amp;&quot;&#39;&gt;") && !page.contains("made-up <&"), "names are escaped");
    let values =
        |key: &str| page.split(key).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect::<Vec<_>>();
    let ids: Vec<String> = values(" id=\"");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "ids are unique");
    for link in values("href=\"") {
        let is_there = link.strip_prefix('#').map_or_else(|| out.join(&link).is_file(), |id| ids.iter().any(|i| i == id));
        assert!(is_there, "{link}");
    }
}

#[test]
fn the_same_results_give_the_same_report() {
    let report = || render_json(&[openal::path("cifar10")], &ReportOptions::default()).expect("OpenAL's results can be reported");
    assert_eq!(report(), report());
}

#[test]
fn the_summary_of_openal_as_csv_and_markdown() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    write_report(&[openal::path("mnist")], &options(folder.path(), false)).expect("the report is written");
    let read = |name: &str| fs::read_to_string(folder.path().join("tables").join(name)).expect("the table is there");
    insta::assert_snapshot!(read("mnist-summary.md"));
    insta::assert_snapshot!(read("mnist-to-baseline-final.md"));
    let csv = read("mnist-summary.csv");
    assert!(
        csv.starts_with("strategy,seeds,aubc,aubc_low,aubc_high,aubc_rounded,final,final_low,final_high,aubc_difference,"),
        "{csv}"
    );
}

#[test]
fn figures_of_openal_as_svg() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let sets = ["cifar10", "cifar10_simclr", "mnist"].map(openal::path);
    write_report(&sets, &options(folder.path(), false)).expect("the report is written");
    let read = |name: &str| fs::read_to_string(folder.path().join("figures").join(name)).expect("the figure is there");
    insta::assert_snapshot!(read("across-ranks.svg"));
    insta::assert_snapshot!(read("mnist-aubc-difference.svg"));
}
