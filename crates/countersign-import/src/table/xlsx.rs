//! Spreadsheets. A workbook is a zip archive of XML, and both can grow: every part is decompressed once against a limit before the workbook
//! reader sees it, cells are streamed, and a sheet that claims far corners costs only the cells it has.

use std::io::{Cursor, Read};

use calamine::{DataRef, ExcelDateTime, Reader, Xlsx};

use super::{Parts, RawRow, RowFault, TableError, limit, names};
use crate::limits::{COLUMNS_MAX, ROWS_MAX, SHEET_TEXT_BYTES_MAX, UNZIPPED_BYTES_MAX, ZIP_PARTS_MAX};

pub(super) fn read(bytes: &[u8], sheet: Option<&str>) -> Result<Parts, TableError> {
    hold_unzipped_size(bytes)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(syntax)?;
    let known = book.sheet_names();
    let name = match sheet {
        Some(wanted) => known.iter().find(|n| *n == wanted).ok_or_else(|| TableError::NoSheet(wanted.to_owned()))?,
        None => known.first().ok_or(TableError::Empty)?,
    };
    let name = name.clone();
    let mut rows: Vec<Sparse> = Vec::new();
    let mut text = 0;
    let mut cells = book.worksheet_cells_reader(&name).map_err(syntax)?;
    while let Some(cell) = cells.next_cell().map_err(syntax)? {
        let (row, column) = cell.get_position();
        let (value, broken) = written(cell.get_value());
        if value.is_empty() && !broken {
            continue;
        }
        text += value.len();
        limit("bytes of text in the sheet", text, SHEET_TEXT_BYTES_MAX)?;
        limit("columns", column as usize + 1, COLUMNS_MAX)?;
        put(&mut rows, row, column as usize, value, broken)?;
    }
    Ok(assemble(rows))
}

struct Sparse {
    number: u32,
    cells: Vec<String>,
    broken: Option<usize>,
}

fn syntax(e: calamine::XlsxError) -> TableError {
    TableError::Syntax { format: "XLSX", detail: e.to_string() }
}

/// Decompresses every part and keeps nothing. The sizes an archive declares are not believed.
fn hold_unzipped_size(bytes: &[u8]) -> Result<(), TableError> {
    let bad = |detail: String| TableError::Syntax { format: "XLSX", detail };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| bad(e.to_string()))?;
    limit("parts in the workbook", archive.len(), ZIP_PARTS_MAX)?;
    let mut left = UNZIPPED_BYTES_MAX;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|e| bad(e.to_string()))?;
        let taken = std::io::copy(&mut part.take(left + 1), &mut std::io::sink()).map_err(|e| bad(e.to_string()))?;
        left = left.checked_sub(taken).ok_or(TableError::TooMuch { what: "bytes once decompressed", max: UNZIPPED_BYTES_MAX })?;
    }
    Ok(())
}

/// A cell as text, and whether it holds a spreadsheet error.
fn written(value: &DataRef<'_>) -> (String, bool) {
    let text = match value {
        DataRef::Empty => String::new(),
        DataRef::Int(n) => n.to_string(),
        DataRef::Float(n) => n.to_string(),
        DataRef::String(s) | DataRef::DateTimeIso(s) | DataRef::DurationIso(s) => s.clone(),
        DataRef::SharedString(s) => (*s).to_owned(),
        DataRef::Bool(b) => b.to_string(),
        DataRef::DateTime(at) => moment(at),
        DataRef::Error(e) => return (e.to_string(), true),
    };
    (text, false)
}

/// A spreadsheet's date has no zone: a whole day is a date, anything finer is written as it stands and has to be read by somebody who knows.
fn moment(at: &ExcelDateTime) -> String {
    if !at.is_datetime() {
        return at.as_f64().to_string();
    }
    let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) == (0, 0, 0) { date } else { format!("{date}T{hour:02}:{minute:02}:{second:02}") }
}

fn put(rows: &mut Vec<Sparse>, row: u32, column: usize, value: String, broken: bool) -> Result<(), TableError> {
    if rows.last().is_none_or(|last| last.number != row) {
        // The header is not a data row.
        limit("rows", rows.len(), ROWS_MAX)?;
        rows.push(Sparse { number: row, cells: Vec::new(), broken: None });
    }
    if let Some(last) = rows.last_mut() {
        if last.cells.len() <= column {
            last.cells.resize(column + 1, String::new());
        }
        if let Some(slot) = last.cells.get_mut(column) {
            *slot = value;
        }
        if broken {
            last.broken.get_or_insert(column);
        }
    }
    Ok(())
}

fn assemble(rows: Vec<Sparse>) -> Parts {
    let mut rows = rows.into_iter();
    let header = names(rows.next().map(|r| r.cells).unwrap_or_default().iter().map(String::as_str));
    let rows = rows.map(|sparse| {
        let raw = serde_json::to_string(&sparse.cells).unwrap_or_default();
        let fault = match sparse.broken {
            Some(at) => Some(RowFault::SpreadsheetError(header.get(at).cloned().unwrap_or_default())),
            None if sparse.cells.len() > header.len() => Some(RowFault::CellCount { found: sparse.cells.len(), header: header.len() }),
            None => None,
        };
        let mut cells = sparse.cells;
        cells.truncate(header.len());
        RawRow { number: u64::from(sparse.number) + 1, raw, cells, fault }
    });
    Parts { rows: rows.collect(), header, empty: Vec::new() }
}
