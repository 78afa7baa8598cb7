//! The file of rows that could not be used: the source's own columns, then `row`, `reason` and `raw`. Somebody corrects the cells in a
//! spreadsheet program and loads the file through the same importer.
//!
//! A row that could not be read as cells has none here but its raw text: half-read cells, loaded again as they stand, would pass for a row.

use crate::accounting::{Imported, Reason};
use crate::defuse::{defuse, undefuse};
use crate::table::{Format, Table, TableError, read};

/// Bytes of raw text shown; the whole of it is kept with the import.
const RAW_SHOWN_MAX: usize = 4_096;

/// Columns added behind the source's own.
const ADDED: [&str; 3] = ["row", "reason", "raw"];

/// Writes the quarantined rows as CSV, defused.
///
/// # Errors
/// The writer's own; writing to memory does not fail.
pub fn write<T>(imported: &Imported<T>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let added = ADDED.map(|name| free_name(name, &imported.header));
    writer.write_record(imported.header.iter().chain(&added).map(|name| defuse(name).into_owned()))?;
    for row in &imported.quarantined {
        let cells = if matches!(row.reason, Reason::Unreadable(_)) { &[] } else { row.cells.as_slice() };
        let cell = |at: usize| cells.get(at).map(String::as_str).unwrap_or_default();
        let own = (0..imported.header.len()).map(|at| defuse(cell(at)).into_owned());
        let told = [row.number.to_string(), defuse(&row.reason.to_string()).into_owned(), defuse(shown(&row.raw)).into_owned()];
        writer.write_record(own.chain(told))?;
    }
    writer.into_inner().map_err(|e| csv::Error::from(e.into_error()))
}

/// Reads such a file back, without the columns [`write`] added, for the importer it came from.
///
/// # Errors
/// As [`read`], or the file is none that [`write`] made.
pub fn read_back(bytes: &[u8]) -> Result<Table, TableError> {
    let mut table = read(bytes, &Format::CSV)?;
    let own = table.header.len().checked_sub(ADDED.len()).filter(|own| {
        let behind = table.header.get(*own..).unwrap_or_default();
        behind.iter().zip(ADDED).all(|(found, name)| found.ends_with(name))
    });
    let own =
        own.ok_or_else(|| TableError::Syntax { format: "a quarantine file", detail: "its last columns are not row, reason, raw".into() })?;
    table.header.truncate(own);
    for name in &mut table.header {
        *name = undefuse(name).to_owned();
    }
    for row in &mut table.rows {
        row.cells.truncate(own);
        for cell in &mut row.cells {
            *cell = undefuse(cell).to_owned();
        }
    }
    Ok(table)
}

fn free_name(name: &str, taken: &[String]) -> String {
    let mut free = name.to_owned();
    while taken.contains(&free) {
        free = format!("quarantine_{free}");
    }
    free
}

fn shown(raw: &str) -> &str {
    let mut end = raw.len().min(RAW_SHOWN_MAX);
    while !raw.is_char_boundary(end) {
        end -= 1;
    }
    raw.get(..end).unwrap_or_default()
}
