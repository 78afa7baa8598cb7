//! Insider lists in the form a regulation asks for: which columns, in whose words, and where each comes from, as data with days of validity.

use std::path::Path;

use countersign_entry::ids::Date;
use countersign_entry::time::Micros;
use rust_xlsxwriter::{Format, Workbook, XlsxError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::query::Told;
use super::write_new;
use crate::failure::Failure;
use crate::output::{Out, csv_of, say, table};

/// The templates this program comes with.
pub(super) const TEMPLATES: &[(&str, &str)] = &[
    ("us", include_str!("../../data/insiders/us.toml")),
    ("uk-2016-347", include_str!("../../data/insiders/uk-2016-347.toml")),
    ("eu-2022-1210", include_str!("../../data/insiders/eu-2022-1210.toml")),
    ("eu-2026", include_str!("../../data/insiders/eu-2026.toml")),
];

/// A list's form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    id: String,
    title: String,
    cite: String,
    /// How its fields are known.
    known_from: String,
    valid_from: Option<Date>,
    valid_to: Option<Date>,
    /// How long a list of this form is kept, and what then.
    kept: Option<String>,
    header: Vec<Head>,
    column: Vec<Column>,
}

/// A line above the rows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    title: String,
    /// A field of the list; empty where the ledger holds nothing for it.
    source: String,
}

/// A column.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    title: String,
    /// Fields of a row; the first that has a value stands. None where the ledger holds nothing for it.
    source: Vec<String>,
    note: Option<String>,
}

/// A list in its form.
struct Filled {
    template: Template,
    head: Vec<(String, String)>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

fn read(name: &str) -> Result<Template, Failure> {
    let file = TEMPLATES.iter().find(|t| t.0 == name).map(|t| t.1).unwrap_or_default();
    toml::from_str(file).map_err(|e| Failure::Bug(format!("the template {name} does not read: {e}")))
}

/// Prints a list in a template's form: as a table, CSV or JSON, or as a workbook to a new file.
pub(super) fn tell(
    name: &str,
    told: &Told,
    read_entry: Option<u64>,
    csv: bool,
    xlsx: Option<&Path>,
    out: &mut Out<'_>,
) -> Result<(), Failure> {
    let filled = fill(read(name)?, told);
    let titles: Vec<&str> = filled.template.column.iter().map(|c| c.title.as_str()).collect();
    if let Some(path) = xlsx {
        let bytes = workbook(&filled).map_err(|e| Failure::Bug(format!("the workbook could not be made: {e}")))?;
        write_new(path, &bytes, 0o600)?;
    }
    if out.is_json() {
        let t = &filled.template;
        let fields = json!({
            "template": t.id, "title": t.title, "cite": t.cite, "known_from": t.known_from, "valid_from": t.valid_from, "valid_to": t.valid_to,
            "header": filled.head.iter().map(|(k, v)| json!({ "title": k, "value": v })).collect::<Vec<_>>(),
            "columns": titles, "rows": filled.rows, "notes": filled.notes, "as_of": told.as_of, "as_of_at": told.at.to_string(),
            "root": told.root, "complete": told.incomplete.is_none(), "incomplete_because": told.incomplete, "read_entry": read_entry,
            "written": xlsx.map(|p| p.display().to_string()),
        });
        return out.object("insider-list", fields);
    }
    let complete = told.incomplete.as_ref().map_or_else(|| "complete".to_owned(), |why| format!("INCOMPLETE ({why})"));
    let ending = format!("{} rows, {complete} as of size {} ({})\nroot {}", filled.rows.len(), told.as_of, told.at, told.root);
    let above = above(&filled);
    if csv {
        above.iter().chain(&filled.notes).chain([&ending]).for_each(say);
        return out.text(&csv_of(&titles, &filled.rows)?);
    }
    above.iter().try_for_each(|line| out.line(line))?;
    match xlsx {
        Some(path) => out.line(format_args!("written to {}", path.display()))?,
        None => out.text(&table(&titles, &filled.rows))?,
    }
    filled.notes.iter().chain([&ending]).try_for_each(|line| out.line(line))
}

fn above(filled: &Filled) -> Vec<String> {
    let t = &filled.template;
    let mut lines = vec![t.title.clone(), t.cite.clone()];
    lines.extend(filled.head.iter().map(|(title, value)| format!("{title}: {value}")));
    lines
}

fn fill(template: Template, told: &Told) -> Filled {
    let field = |name: &str| told.header.iter().find(|(n, _)| *n == name).map(|(_, v)| cell(v)).unwrap_or_default();
    let head = template.header.iter().map(|h| (h.title.clone(), field(&h.source))).collect();
    let first = |row: &Value, column: &Column| {
        let mut values = column.source.iter().filter_map(|s| row.get(s)).map(cell);
        values.find(|text| !text.is_empty()).unwrap_or_default()
    };
    let mut rows = told.rows.clone();
    rows.iter_mut().for_each(told.flat);
    let rows = rows.iter().map(|row| template.column.iter().map(|c| first(row, c)).collect()).collect();
    let notes = notes(&template, told.at);
    Filled { template, head, rows, notes }
}

/// What somebody has to know before they hand the list on.
fn notes(t: &Template, at: Micros) -> Vec<String> {
    let mut notes = vec![format!("fields known from: {}", t.known_from)];
    let heads = t.header.iter().filter(|h| h.source.is_empty()).map(|h| &h.title);
    let empty: Vec<&str> = heads.chain(t.column.iter().filter(|c| c.source.is_empty()).map(|c| &c.title)).map(String::as_str).collect();
    if !empty.is_empty() {
        notes.push(format!("left empty, since this ledger holds nothing for them: {}", empty.join("; ")));
    }
    notes.extend(t.column.iter().filter_map(|c| Some(format!("{}: {}", c.title, c.note.as_ref()?))));
    notes.extend(t.kept.clone());
    let day = Date::of(at);
    if t.valid_from.as_ref().is_some_and(|from| day < *from) || t.valid_to.as_ref().is_some_and(|to| *to < day) {
        notes.push(format!("{} was not in force on {day}", t.cite));
    }
    notes
}

/// A value as a regulation writes it: times as `yyyy-mm-dd, hh:mm UTC`, lists with semicolons.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => time(text).unwrap_or_else(|| text.clone()),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

fn time(text: &str) -> Option<String> {
    let (day, rest) = text.split_once('T')?;
    text.parse::<Micros>().ok()?;
    Some(format!("{day}, {} UTC", rest.get(..5)?))
}

/// The list as a workbook. Every cell is text, so that no spreadsheet takes one for a formula.
fn workbook(filled: &Filled) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let bold = Format::new().set_bold();
    let sheet = book.add_worksheet();
    sheet.set_name("Insider list")?;
    let mut row = 0;
    for line in [&filled.template.title, &filled.template.cite] {
        sheet.write_string_with_format(row, 0, line, &bold)?;
        row += 1;
    }
    for (title, value) in &filled.head {
        sheet.write_string(row, 0, title)?;
        sheet.write_string(row, 1, value)?;
        row += 1;
    }
    row += 1;
    for (column, place) in filled.template.column.iter().zip(0..) {
        sheet.write_string_with_format(row, place, &column.title, &bold)?;
    }
    for cells in &filled.rows {
        row += 1;
        for (text, place) in cells.iter().zip(0..) {
            sheet.write_string(row, place, text)?;
        }
    }
    row += 2;
    for note in &filled.notes {
        sheet.write_string(row, 0, note)?;
        row += 1;
    }
    book.save_to_buffer()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_reads_and_names_itself() {
        for (name, _) in TEMPLATES {
            let t = read(name).unwrap();
            assert_eq!(t.id, *name);
            assert!(!t.column.is_empty() && !t.cite.is_empty());
        }
    }

    #[test]
    fn times_as_the_regulations_write_them() {
        assert_eq!(cell(&json!("2026-06-01T09:05:59.000001Z")), "2026-06-01, 09:05 UTC");
        assert_eq!(cell(&json!(["a", "b"])), "a; b");
        assert_eq!(cell(&json!("Test T")), "Test T");
    }
}
