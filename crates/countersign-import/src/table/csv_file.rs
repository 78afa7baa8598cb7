//! Delimited text.

use csv::ByteRecord;

use super::{Parts, RawRow, RowFault, TableError, names};

pub(super) fn read(body: &[u8], delimiter: u8) -> Result<Parts, TableError> {
    let syntax = |e: csv::Error| TableError::Syntax { format: "CSV", detail: e.to_string() };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(body);
    let mut record = ByteRecord::new();
    if !reader.read_byte_record(&mut record).map_err(syntax)? {
        return Err(TableError::Empty);
    }
    let cells: Vec<&str> = record.iter().map(core::str::from_utf8).collect::<Result<_, _>>().map_err(|_| TableError::NotUtf8)?;
    let mut parts = Parts { header: names(cells.into_iter()), ..Parts::default() };
    loop {
        if !reader.read_byte_record(&mut record).map_err(syntax)? {
            break;
        }
        let Some(start) = record.position().map(|p| p.byte()) else { break };
        // The record's own position is where the one before it ended, which may be in front of blank lines and the end of a line.
        let raw = slice(body, start, reader.position().byte());
        let skipped = raw.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let blank_lines = raw.get(..skipped).unwrap_or_default().iter().filter(|b| **b == b'\n').count() as u64;
        let number = record.position().map_or(0, csv::Position::line) + blank_lines;
        let last = reader.is_done() || reader.position().byte() >= body.len() as u64;
        parts.push(row(&record, raw.trim_ascii(), number, parts.header.len(), last))?;
    }
    Ok(parts)
}

fn slice(body: &[u8], start: u64, end: u64) -> &[u8] {
    let at = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    body.get(at(start)..at(end)).unwrap_or_default()
}

fn row(record: &ByteRecord, raw: &[u8], number: u64, header: usize, last: bool) -> RawRow {
    let text: Option<Vec<String>> = record.iter().map(|c| core::str::from_utf8(c).ok().map(str::to_owned)).collect();
    let open = last && raw.iter().filter(|b| **b == b'"').count() % 2 == 1;
    let fault = match &text {
        None => Some(RowFault::NotUtf8),
        Some(_) if open => Some(RowFault::UnclosedQuote),
        Some(cells) if cells.len() != header => Some(RowFault::CellCount { found: cells.len(), header }),
        Some(_) => None,
    };
    let mut cells = text.unwrap_or_else(|| record.iter().map(|c| String::from_utf8_lossy(c).into_owned()).collect());
    cells.truncate(header);
    RawRow { number, raw: String::from_utf8_lossy(raw).into_owned(), cells, fault }
}
