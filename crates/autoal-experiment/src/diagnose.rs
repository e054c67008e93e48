//! Errors in a configuration, with the line and the nearest right key.

use std::path::{Path, PathBuf};

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}`{}: {message}{}", path.display(), place(*line), hint.as_ref().map(|h| format!("\nhint: {h}")).unwrap_or_default())]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong, and what was expected.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

fn place(line: Option<usize>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

impl ConfigError {
    /// An error at the line of `key` inside `table` (a header such as `budget`, or `""` for the top level).
    pub(crate) fn at_key(path: &Path, text: &str, table: &str, key: &str, message: String) -> Self {
        Self { path: path.to_owned(), line: line_of(text, table, key), message, hint: None }
    }

    /// What the TOML reader says, with the line of an unknown key and the nearest known one.
    pub(crate) fn from_toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().trim().to_owned();
        let mut line = error.span().map(|span| line_at(text, span.start));
        let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let unknown = message.starts_with("unknown field") || message.starts_with("unknown variant");
        let mut hint = None;
        if let (true, Some((wrong, known))) = (unknown, quoted.split_first()) {
            // Inside a table that is read by its `kind`, the reader reports the table; the key is further down.
            let from = line.unwrap_or(1);
            line = word_line(text, from, wrong).or(line);
            hint = nearest(wrong, known).map(|name| format!("did you mean `{name}`?"));
        }
        Self { path: path.to_owned(), line, message, hint }
    }
}

/// The known word that is nearest to `wrong`, if one is near.
pub(crate) fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let scored = known.iter().map(|name| (strsim::jaro_winkler(wrong, name), *name));
    scored.filter(|(score, _)| *score > 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

fn line_at(text: &str, offset: usize) -> usize {
    text[..offset.min(text.len())].matches('\n').count() + 1
}

/// First line from `from` on that uses `word` as a key or as a quoted value.
fn word_line(text: &str, from: usize, word: &str) -> Option<usize> {
    let is_use = |line: &str| {
        let code = line.split('#').next().unwrap_or_default();
        code.match_indices(word).any(|(at, _)| {
            let before = code[..at].chars().next_back();
            let after = code[at + word.len()..].chars().next();
            let inside = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
            !before.is_some_and(inside) && !after.is_some_and(inside)
        })
    };
    text.lines().enumerate().skip(from - 1).find(|(_, line)| is_use(line)).map(|(index, _)| index + 1)
}

fn line_of(text: &str, table: &str, key: &str) -> Option<usize> {
    let header = format!("[{table}]");
    let start = if table.is_empty() {
        1
    } else {
        text.lines().position(|line| line.trim() == header || line.trim_start().starts_with(&format!("{table} =")))? + 1
    };
    word_line(text, start, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_as_whole_words_outside_comments() {
        let text = "# rounds\n[budget]\nquery-size-x = 1\nquery-size = 2\n";
        assert_eq!(line_of(text, "budget", "query-size"), Some(4));
        assert_eq!(line_of(text, "budget", "rounds"), None);
    }

    #[test]
    fn the_nearest_key_is_offered_only_when_one_is_near() {
        assert_eq!(nearest("qeury-size", &["query-size", "rounds"]), Some("query-size"));
        assert_eq!(nearest("zebra", &["query-size", "rounds"]), None);
    }
}
