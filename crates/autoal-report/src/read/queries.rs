//! `queries.csv`: which samples were selected.

use std::path::Path;

use crate::error::ReportError;
use crate::schema::Query;

/// Reads the selections, with the line that was cut off, if the last one was.
pub(super) fn read(path: &Path) -> Result<(Vec<Query>, Option<usize>), ReportError> {
    let text = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), None)),
        Err(e) => return Err(ReportError::io(path, e)),
    };
    let ends_in_line_break = text.last() == Some(&b'\n');
    let mut queries = Vec::new();
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_slice());
    let mut records = reader.deserialize::<Query>().peekable();
    while let Some(record) = records.next() {
        match record {
            Ok(query) => queries.push(query),
            Err(e) => {
                let line = e.position().map_or(queries.len() + 2, |p| p.line() as usize);
                if records.peek().is_none() && !ends_in_line_break {
                    return Ok((queries, Some(line)));
                }
                let detail = format!(
                    "{e}; expected `round,rank,sample,source,label,score` and perhaps `predicted,confidence,nominated_by`"
                );
                return Err(ReportError::line(path, line, detail));
            }
        }
    }
    Ok((queries, None))
}
