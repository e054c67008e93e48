//! Tables as CSV, with every digit and an interval in three columns, and as Markdown, rounded as on the page.

use crate::document::{Table, Value};

/// RFC 4180, with a header.
pub(super) fn csv(table: &Table) -> String {
    let mut lines = Vec::with_capacity(table.rows.len() + 1);
    let mut header = Vec::new();
    for (i, column) in table.columns.iter().enumerate() {
        header.push(field(&column.key));
        if table.has_intervals(i) {
            header.push(field(&format!("{}_low", column.key)));
            header.push(field(&format!("{}_high", column.key)));
        }
    }
    lines.push(header.join(","));
    for row in &table.rows {
        let cells: Vec<String> = row.iter().enumerate().flat_map(|(i, v)| fields(v, table.has_intervals(i))).collect();
        lines.push(cells.join(","));
    }
    lines.join("\n") + "\n"
}

fn fields(value: &Value, interval: bool) -> Vec<String> {
    let mut cells = vec![match value {
        Value::Missing => String::new(),
        Value::Text(text) => field(text),
        Value::Number(v, _) | Value::Interval(v, ..) => v.to_string(),
    }];
    if interval {
        let ends = if let Value::Interval(_, ends, _) = value { *ends } else { None };
        cells.push(ends.map_or(String::new(), |e| e.0.to_string()));
        cells.push(ends.map_or(String::new(), |e| e.1.to_string()));
    }
    cells
}

fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// A GitHub table under its caption, columns padded so that the source reads well too.
pub(super) fn markdown(table: &Table) -> String {
    let clean = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let mut grid: Vec<Vec<String>> = vec![table.columns.iter().map(|c| clean(&c.title)).collect()];
    grid.extend(table.rows.iter().map(|r| r.iter().map(|v| clean(&v.show())).collect()));
    let numeric: Vec<bool> = (0..table.columns.len()).map(|i| is_numeric(table, i)).collect();
    let widths: Vec<usize> =
        (0..table.columns.len()).map(|i| grid.iter().map(|r| r[i].chars().count()).max().unwrap_or(0).max(3)).collect();
    let mut out = format!("{}\n\n", table.caption);
    for (n, row) in grid.iter().enumerate() {
        let cells = row
            .iter()
            .enumerate()
            .map(|(i, c)| if numeric[i] { format!("{c:>w$}", w = widths[i]) } else { format!("{c:<w$}", w = widths[i]) });
        out += "| ";
        out += &cells.collect::<Vec<_>>().join(" | ");
        out += " |\n";
        if n == 0 {
            let rule = |(i, w): (usize, &usize)| if numeric[i] { format!("{}:", "-".repeat(w + 1)) } else { "-".repeat(w + 2) };
            out += "|";
            out += &widths.iter().enumerate().map(rule).collect::<Vec<_>>().join("|");
            out += "|\n";
        }
    }
    out
}

/// Whether a column is set flush right: every cell after the first column's is a number, or most are.
pub(super) fn is_numeric(table: &Table, column: usize) -> bool {
    let numbers = table.rows.iter().filter(|r| r[column].is_numeric() && r[column] != Value::Missing).count();
    numbers > 0 && numbers * 2 >= table.rows.iter().filter(|r| r[column] != Value::Missing).count()
}
