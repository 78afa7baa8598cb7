//! A file's bytes → a header and rows of cells, each row with the place a person finds it at and its text as it was.

mod csv_file;
mod json;
#[cfg(feature = "xlsx")]
mod xlsx;

use countersign_entry::ids::Hash32;
use sha2::{Digest, Sha256};

use crate::limits::{CELL_BYTES_MAX, COLUMNS_MAX, FILE_BYTES_MAX, ROWS_MAX};

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180 with this delimiter; a byte order mark, either line ending and quoted newlines are taken.
    Csv {
        /// Mostly `,`.
        delimiter: u8,
    },
    /// One JSON array of objects.
    Json,
    /// One JSON array of objects, each with an array of objects under this key: one row for each inner object, the outer one's cells before
    /// its own.
    JsonNested {
        /// The key of the inner array.
        under: String,
    },
    /// One JSON object on each line.
    Ndjson,
    /// An Office Open XML workbook; none takes the first sheet.
    Xlsx {
        /// The sheet's name.
        sheet: Option<String>,
    },
}

impl Format {
    /// Comma-separated values.
    pub const CSV: Format = Format::Csv { delimiter: b',' };

    /// What the first bytes look like. Nested JSON cannot be told apart from flat and has to be declared.
    pub fn recognise(bytes: &[u8]) -> Format {
        let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
        match bytes.trim_ascii_start().first() {
            _ if bytes.starts_with(b"PK\x03\x04") => Format::Xlsx { sheet: None },
            Some(b'[') => Format::Json,
            Some(b'{') => Format::Ndjson,
            _ => Format::CSV,
        }
    }
}

/// A file as rows of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// SHA-256 of the file.
    pub sha256: Hash32,
    /// Names of the columns, in the file's order; for JSON in the order they first appear.
    pub header: Vec<String>,
    /// The rows in the file's order, the unreadable ones among them.
    pub rows: Vec<RawRow>,
    /// Outer objects of nested JSON that hold no rows, such as filings made on paper.
    pub empty: Vec<EmptyParent>,
}

impl Table {
    /// Where a column stands.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|h| h == name)
    }
}

/// One row as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRow {
    /// Where a person finds it, from 1: the line it starts on (CSV, NDJSON), the sheet's row (XLSX), the position among all rows (JSON).
    pub number: u64,
    /// Its text as it was; for a spreadsheet its cells as a JSON array.
    pub raw: String,
    /// Its cells in the header's order, at most as many; an absent cell and an empty one are the same.
    pub cells: Vec<String>,
    /// Why the row cannot be read.
    pub fault: Option<RowFault>,
}

impl RawRow {
    /// A cell without the white space around it; none where it is blank.
    pub fn cell(&self, column: Option<usize>) -> Option<&str> {
        let text = self.cells.get(column?)?.trim();
        (!text.is_empty()).then_some(text)
    }
}

/// An outer object without rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmptyParent {
    /// Its position among the outer objects, from 1.
    pub number: u64,
    /// Its text as it was.
    pub raw: String,
}

/// Why one row cannot be read; the file's other rows can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// The text is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// More or fewer cells than the header.
    #[error("{found} cells where the header has {header}")]
    CellCount {
        /// Cells of the row.
        found: usize,
        /// Cells of the header.
        header: usize,
    },
    /// The file ends inside a quoted cell, so this row may have swallowed those after it.
    #[error("a quoted cell is never closed")]
    UnclosedQuote,
    /// A cell longer than [`CELL_BYTES_MAX`].
    #[error("cell {0:?} is longer than {CELL_BYTES_MAX} bytes")]
    CellTooLong(String),
    /// Not JSON.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// JSON, but not an object.
    #[error("not a JSON object")]
    NotAnObject,
    /// One key twice in an object.
    #[error("key {0:?} appears twice")]
    DuplicateKey(String),
    /// What should hold the rows is not an array.
    #[error("{0:?} is not an array")]
    NotAnArray(String),
    /// A spreadsheet cell that holds an error such as `#REF!`.
    #[error("cell {0:?} holds a spreadsheet error")]
    SpreadsheetError(String),
}

/// Why a file cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// No header.
    #[error("the file is empty")]
    Empty,
    /// A limit of [`crate::limits`] is passed.
    #[error("more than {max} {what}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        max: u64,
    },
    /// Two columns of one name.
    #[error("two columns are called {0:?}")]
    DuplicateColumn(String),
    /// Not text, or in another encoding.
    #[error("the file is not UTF-8")]
    NotUtf8,
    /// Not what the format asks for.
    #[error("not readable as {format}: {detail}")]
    Syntax {
        /// The format.
        format: &'static str,
        /// In the parser's words.
        detail: String,
    },
    /// The workbook has no such sheet.
    #[error("the workbook has no sheet {0:?}")]
    NoSheet(String),
    /// Built without the `xlsx` feature.
    #[error("this build reads no spreadsheets")]
    NoSpreadsheets,
}

/// Reads a file.
///
/// # Errors
/// The file as a whole is unreadable or too large. Bad rows are no error; they come back with their fault.
pub fn read(bytes: &[u8], format: &Format) -> Result<Table, TableError> {
    limit("bytes", bytes.len(), FILE_BYTES_MAX)?;
    let sha256 = Hash32(Sha256::digest(bytes).into());
    let body = bytes.strip_prefix(BOM).unwrap_or(bytes);
    let parts = match format {
        Format::Csv { delimiter } => csv_file::read(body, *delimiter)?,
        Format::Json => json::array(body)?,
        Format::JsonNested { under } => json::nested(body, under)?,
        Format::Ndjson => json::lines(body)?,
        #[cfg(feature = "xlsx")]
        Format::Xlsx { sheet } => xlsx::read(bytes, sheet.as_deref())?,
        #[cfg(not(feature = "xlsx"))]
        Format::Xlsx { .. } => return Err(TableError::NoSpreadsheets),
    };
    let mut table = Table { sha256, header: parts.header, rows: parts.rows, empty: parts.empty };
    check_header(&table)?;
    for row in &mut table.rows {
        hold_cell_lengths(&table.header, row);
    }
    Ok(table)
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// What each format's reader finds.
#[derive(Debug, Default)]
struct Parts {
    header: Vec<String>,
    rows: Vec<RawRow>,
    empty: Vec<EmptyParent>,
}

impl Parts {
    fn push(&mut self, row: RawRow) -> Result<(), TableError> {
        limit("rows", self.rows.len() + 1, ROWS_MAX)?;
        self.rows.push(row);
        Ok(())
    }
}

fn limit(what: &'static str, found: usize, max: usize) -> Result<(), TableError> {
    if found > max { Err(TableError::TooMuch { what, max: max as u64 }) } else { Ok(()) }
}

fn check_header(table: &Table) -> Result<(), TableError> {
    if table.header.is_empty() && table.rows.is_empty() && table.empty.is_empty() {
        return Err(TableError::Empty);
    }
    limit("columns", table.header.len(), COLUMNS_MAX)?;
    let mut seen = std::collections::BTreeSet::new();
    match table.header.iter().find(|name| !seen.insert(name.as_str())) {
        Some(twice) => Err(TableError::DuplicateColumn(twice.clone())),
        None => Ok(()),
    }
}

/// Header cells as names: trimmed, and a blank one called by its position, since spreadsheets trail them.
fn names<'a>(cells: impl Iterator<Item = &'a str>) -> Vec<String> {
    cells.enumerate().map(|(i, c)| if c.trim().is_empty() { format!("column {}", i + 1) } else { c.trim().to_owned() }).collect()
}

fn hold_cell_lengths(header: &[String], row: &mut RawRow) {
    let long = row.cells.iter().position(|c| c.len() > CELL_BYTES_MAX);
    if let (Some(at), None) = (long, &row.fault) {
        row.fault = Some(RowFault::CellTooLong(header.get(at).cloned().unwrap_or_default()));
    }
}
