//! The files of a report.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayon::prelude::*;

use super::{html, json, tables};
use crate::chart::{Theme, png};
use crate::document::{Document, Figure};
use crate::error::ReportError;
use crate::options::ReportOptions;
use crate::read::read_all;
use crate::sections;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The page.
    pub page: PathBuf,
    /// The page's size.
    pub page_bytes: usize,
    /// Number of figures, each as SVG and, unless switched off, as PNG.
    pub figures: usize,
    /// Number of tables, each as CSV and Markdown.
    pub tables: usize,
}

/// Reads the results in `paths` and writes the report: `index.html`, `report.json`, `figures/` and `tables/` in the output folder.
///
/// # Errors
/// When results cannot be read (see [`read_all`]), when an option does not fit them, or when a file cannot be written.
pub fn write_report(paths: &[PathBuf], options: &ReportOptions) -> Result<Written, ReportError> {
    let document = document(paths, options)?;
    let out = options.out.clone().unwrap_or_else(|| default_folder(paths));
    let page = html::page(&document, options);
    let (figures, tables) = (document.figures(), document.tables());
    for folder in ["figures", "tables"] {
        let folder = out.join(folder);
        std::fs::create_dir_all(&folder).map_err(|e| ReportError::io(&folder, e))?;
    }
    figures.par_iter().try_for_each(|f| write_figure(&out.join("figures"), f, options.png))?;
    for table in &tables {
        write(&out.join("tables").join(format!("{}.csv", table.name)), tables::csv(table).as_bytes())?;
        write(&out.join("tables").join(format!("{}.md", table.name)), tables::markdown(table).as_bytes())?;
    }
    let text = serde_json::to_string_pretty(&json::document(&document)).unwrap_or_default();
    write(&out.join("report.json"), text.as_bytes())?;
    // The page comes last: who sees it finds the rest in place.
    let path = out.join("index.html");
    write(&path, page.as_bytes())?;
    Ok(Written { page: path, page_bytes: page.len(), figures: figures.len(), tables: tables.len() })
}

/// Every number of the report as JSON, without writing a file.
///
/// # Errors
/// As [`write_report`].
pub fn render_json(paths: &[PathBuf], options: &ReportOptions) -> Result<String, ReportError> {
    let document = document(paths, options)?;
    Ok(serde_json::to_string_pretty(&json::document(&document)).unwrap_or_default())
}

fn document(paths: &[PathBuf], options: &ReportOptions) -> Result<Document, ReportError> {
    if !(options.alpha > 0.0 && options.alpha < 1.0) {
        return Err(ReportError::Option(format!("significance level {} is not between 0 and 1", options.alpha)));
    }
    let experiments = read_all(paths)?;
    for experiment in &experiments {
        let known = experiment.metrics();
        if !known.contains(&options.metric) && !known.is_empty() {
            let names: Vec<&str> = known.iter().map(|m| m.name()).collect();
            let text =
                format!("`{}` has no metric `{}`; it has {}", experiment.source.display(), options.metric, names.join(", "));
            return Err(ReportError::Option(text));
        }
    }
    Ok(sections::document(&experiments, options))
}

fn default_folder(paths: &[PathBuf]) -> PathBuf {
    match paths {
        [one] if one.is_dir() => one.join("report"),
        _ => PathBuf::from("report"),
    }
}

fn write_figure(folder: &Path, figure: &Figure, with_png: bool) -> Result<(), ReportError> {
    let svg = figure.drawing.draw(Theme::Paper);
    write(&folder.join(format!("{}.svg", figure.name)), svg.as_bytes())?;
    if with_png {
        write(&folder.join(format!("{}.png", figure.name)), &png(&figure.name, &svg)?)?;
    }
    Ok(())
}

/// Through a temporary file, so that a page that is open never loads half of one.
fn write(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|e| ReportError::io(path, e))?;
    std::io::Write::write_all(&mut file, bytes).map_err(|e| ReportError::io(path, e))?;
    make_readable(file.as_file()).map_err(|e| ReportError::io(path, e))?;
    file.persist(path).map_err(|e| ReportError::io(path, e.error))?;
    Ok(())
}

/// Temporary files are private; a report is to be shared.
#[cfg(unix)]
fn make_readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

/// Sizes and times of all result files in `paths`: it changes when a run goes on.
///
/// # Errors
/// When a folder cannot be listed.
pub fn fingerprint(paths: &[PathBuf]) -> Result<Vec<(PathBuf, u64, Option<SystemTime>)>, ReportError> {
    const RESULTS: [&str; 5] = ["rounds.jsonl", "queries.csv", "search.jsonl", "manifest.json", "experiment.json"];
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = paths.to_vec();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).map_err(|e| ReportError::io(&path, e))?;
            let inside = entries.filter_map(Result::ok).map(|e| e.path());
            open.extend(inside.filter(|p| p.is_dir() || p.file_name().is_some_and(|n| RESULTS.iter().any(|r| n == *r))));
        } else if let Ok(about) = path.metadata() {
            // A file may be replaced between the listing and this line; the next look sees it.
            found.push((path, about.len(), about.modified().ok()));
        }
    }
    found.sort();
    Ok(found)
}
