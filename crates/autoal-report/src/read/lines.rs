//! Lines of JSON and whole JSON files, with their versions checked before their contents.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::ReportError;
use crate::schema::VERSION;

#[derive(Deserialize)]
struct Versioned {
    #[serde(default)]
    version: u32,
}

/// The records of a JSON-lines file.
pub(super) struct Lines<T> {
    /// Each record with its line, counted from 1.
    pub(super) records: Vec<(usize, T)>,
    /// The line that was cut off, if the last one was.
    pub(super) truncated: Option<usize>,
}

/// Reads a JSON-lines file; empty if it does not exist.
pub(super) fn json_lines<T: DeserializeOwned>(path: &Path) -> Result<Lines<T>, ReportError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(ReportError::io(path, e)),
    };
    let mut lines = Lines { records: Vec::new(), truncated: None };
    let last = bytes.split(|&b| b == b'\n').count();
    for (i, line) in bytes.split(|&b| b == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match parse(path, i + 1, line) {
            Ok(record) => lines.records.push((i + 1, record)),
            // Only what follows the last line break can be half a write.
            Err(ReportError::Line { .. }) if i + 1 == last => lines.truncated = Some(last),
            Err(e) => return Err(e),
        }
    }
    Ok(lines)
}

/// Reads one JSON file, if it exists.
pub(super) fn json_file<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ReportError> {
    match std::fs::read(path) {
        Ok(bytes) => parse(path, 1, &bytes).map(Some),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(ReportError::io(path, e)),
    }
}

fn parse<T: DeserializeOwned>(path: &Path, line: usize, bytes: &[u8]) -> Result<T, ReportError> {
    // A later version may change any field, so its number is read first and alone.
    if let Ok(Versioned { version }) = serde_json::from_slice(bytes)
        && version > VERSION
    {
        return Err(ReportError::Version { path: path.to_path_buf(), line, found: version, supported: VERSION });
    }
    serde_json::from_slice(bytes).map_err(|e| ReportError::line(path, line + e.line().saturating_sub(1), describe(&e)))
}

fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let cause = text.split(" at line ").next().unwrap_or(&text);
    format!("{cause} at column {}", error.column())
}
