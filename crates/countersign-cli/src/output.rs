//! Where answers go: primary output to standard output, as lines and tables or as one JSON object; messages to standard error.

use std::io::Write;

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde_json::{Map, Value};

use crate::failure::{Exit, Failure};

/// Standard output, and whether it takes JSON.
pub(crate) struct Out<'a> {
    to: &'a mut dyn Write,
    json: bool,
}

impl<'a> Out<'a> {
    /// Answers to `to`.
    pub(crate) fn new(to: &'a mut dyn Write, json: bool) -> Self {
        Self { to, json }
    }

    /// Standard output itself, for what tells a story.
    pub(crate) fn writer(&mut self) -> &mut dyn Write {
        self.to
    }

    /// Whether the answer is one JSON object.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Text as it stands.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.to.write_all(text.as_bytes()).and_then(|()| self.to.flush()).map_err(Failure::Output)
    }

    /// One line.
    pub(crate) fn line(&mut self, line: impl std::fmt::Display) -> Result<(), Failure> {
        self.text(&format!("{line}\n"))
    }

    /// Bytes as they stand.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.to.write_all(bytes).and_then(|()| self.to.flush()).map_err(Failure::Output)
    }

    /// The one JSON object of an answer, its schema first in name, `countersign/<command>/1`.
    pub(crate) fn object(&mut self, command: &str, fields: Value) -> Result<(), Failure> {
        let mut object = Map::new();
        object.insert("schema".into(), format!("countersign/{command}/1").into());
        if let Value::Object(fields) = fields {
            object.extend(fields);
        }
        self.line(Value::Object(object))
    }

    /// A table, or the word for an empty one.
    pub(crate) fn table(&mut self, heads: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
        self.text(&table(heads, rows))
    }
}

/// A table as text, each line with its line feed. Plain characters and no colours, so that it reads the same in a file.
pub(crate) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return "none\n".into();
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(heads.iter().map(|h| h.to_uppercase()).collect::<Vec<_>>());
    for row in rows {
        table.add_row(row);
    }
    // The style has a blank before each cell; the first one says nothing.
    let lines: Vec<String> =
        table.lines().map(|line| line.trim_end().strip_prefix(' ').map_or_else(|| line.trim_end().to_owned(), str::to_owned)).collect();
    format!("{}\n", lines.join("\n"))
}

/// Rows of JSON objects as cells, in the order of `columns`.
pub(crate) fn cells(rows: &[Value], columns: &[&str]) -> Vec<Vec<String>> {
    rows.iter().map(|row| columns.iter().map(|c| cell(row.pointer(&format!("/{c}")))).collect()).collect()
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".into(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(yes)) => if *yes { "yes" } else { "no" }.into(),
        Some(Value::Array(items)) if items.is_empty() => "-".into(),
        Some(Value::Array(items)) => items.iter().map(|i| cell(Some(i))).collect::<Vec<_>>().join(" "),
        Some(other) => other.to_string(),
    }
}

/// Rows as CSV (RFC 4180), no cell of which a spreadsheet takes for a formula: one that begins with `=`, `+`, `-`, `@`, tab or carriage return
/// gets an apostrophe in front (CWE-1236).
pub(crate) fn csv(rows: &[Value], columns: &[&str]) -> Result<String, Failure> {
    let text = |v: Option<&Value>| if matches!(v, None | Some(Value::Null)) { String::new() } else { cell(v) };
    let cells = |row: &Value| columns.iter().map(|c| text(row.pointer(&format!("/{c}")))).collect();
    csv_of(columns, &rows.iter().map(cells).collect::<Vec<_>>())
}

/// The same of cells as they stand.
pub(crate) fn csv_of(heads: &[&str], rows: &[Vec<String>]) -> Result<String, Failure> {
    countersign_import::defuse::table(heads, rows).map_err(|e| Failure::Bug(format!("rows have no CSV form ({e})")))
}

/// A source's text for a terminal: one line, at most 60 characters, no control or bidirectional characters, which could make it read as
/// something else.
pub(crate) fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let mut line: String = text.chars().take(CHARS_MAX).map(harmless).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        line.push('…');
    }
    line
}

/// The same, whole: what somebody signs is never cut.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(harmless).collect()
}

fn harmless(c: char) -> char {
    let hides = c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    if hides { '\u{fffd}' } else { c }
}

/// A message to standard error. If it cannot be written there is nobody left to tell.
pub(crate) fn say(text: impl std::fmt::Display) {
    let mut stderr = std::io::stderr().lock();
    writeln!(stderr, "{text}").and_then(|()| stderr.flush()).unwrap_or(());
}

/// Tells of a failure, on standard error and, where JSON was asked for, as the one object on standard output.
pub(crate) fn report(sentence: &str, exit: Exit, json: bool, stdout: &mut dyn Write) {
    say(format_args!("countersign: {sentence}"));
    if json {
        let object = serde_json::json!({ "schema": "countersign/error/1", "error": sentence, "exit_code": exit as u8 });
        writeln!(stdout, "{object}").and_then(|()| stdout.flush()).unwrap_or(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_cell_is_a_formula() {
        let rows = [json!({ "a": "=1+2", "b": "plain, with comma" }), json!({ "a": "-x", "b": null }), json!({ "a": "\tt", "b": 7 })];
        assert_eq!(csv(&rows, &["a", "b"]).unwrap(), "a,b\n'=1+2,\"plain, with comma\"\n'-x,\n'\tt,7\n");
    }

    #[test]
    fn a_sources_text_cannot_steer_the_terminal() {
        assert_eq!(shown("a\u{1b}[31mb\u{202e}c\n"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}");
        assert_eq!(shown(&"é".repeat(61)), format!("{}…", "é".repeat(60)));
    }

    #[test]
    fn a_table_is_plain_text() {
        let text = table(&["id", "name"], &[vec!["P-1".into(), "Ada".into()], vec!["P-22".into(), "-".into()]]);
        assert!(text.starts_with("ID"), "{text:?}");
        assert_eq!(text.lines().count(), 3);
        assert!(!text.contains('\u{1b}') && text.lines().all(|l| l == l.trim_end()));
        assert_eq!(table(&["id"], &[]), "none\n");
    }
}
