//! Insider lists in the form a regulation asks for, on a terminal or as a workbook; what the forms are is the service's to say.

use std::path::Path;

use countersign_server::report::{Filled, Template};
use rust_xlsxwriter::{Format, Workbook, XlsxError};
use serde_json::{Value, json};

use super::query::Told;
use super::write_new;
use crate::failure::Failure;
use crate::output::{Out, csv_of, say, table};

/// Prints a list in a template's form: as a table, CSV or JSON, or as a workbook to a new file.
pub(super) fn tell(
    name: &str,
    told: &Told,
    read_entry: Option<u64>,
    csv: bool,
    xlsx: Option<&Path>,
    out: &mut Out<'_>,
) -> Result<(), Failure> {
    let mut rows = told.rows.clone();
    rows.iter_mut().for_each(told.flat);
    let filled = Filled::of(Template::find(name).map_err(Failure::Bug)?, &told.header, &rows, told.at);
    let titles = filled.titles();
    if let Some(path) = xlsx {
        let bytes = workbook(&filled).map_err(|e| Failure::Bug(format!("the workbook could not be made: {e}")))?;
        write_new(path, &bytes, 0o600)?;
    }
    if out.is_json() {
        let mut fields = filled.told();
        let more = json!({
            "as_of": told.as_of, "as_of_at": told.at.to_string(), "root": told.root, "complete": told.incomplete.is_none(),
            "incomplete_because": told.incomplete, "read_entry": read_entry, "written": xlsx.map(|p| p.display().to_string()),
        });
        if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
            fields.extend(more);
        }
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
