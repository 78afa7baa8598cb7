//! What an import would do: every row with the records it becomes and how they stand to the ledger, or with why it cannot be used.

use std::collections::BTreeMap;

use countersign_conflict::{Facts, Refusal};
use countersign_entry::ids::{LeafIndex, Line, PrincipalId, RawText};
use countersign_entry::limits::RAW_TEXT_BYTES_MAX;
use countersign_entry::record::{Provenance, Record};
use countersign_import::accounting::{Accounting, Duplicate, Imported, Quarantined, Reason, Row, Source};
use countersign_import::quarantine;
use countersign_import::table::Table;
use countersign_ledger::AppendError;
use countersign_ledger::limits::REQUEST_BYTES_MAX;

use crate::IntakeError;

/// What an import would do, every row accounted for.
pub struct Plan {
    /// Importer and file.
    pub source: Source,
    /// The numbers.
    pub report: Accounting,
    /// Usable rows, in the order they are to be recorded in.
    pub rows: Vec<Planned>,
    /// Rows to be corrected.
    pub quarantined: Vec<Quarantined>,
    /// Repeats of earlier rows of the file.
    pub duplicates: Vec<Duplicate>,
    /// Records of the same kinds that the file does not name. Nothing becomes of them.
    pub absent: usize,
    /// The file of quarantined rows.
    pub quarantine: Vec<u8>,
}

/// A usable row.
pub struct Planned {
    /// Where a person finds it.
    pub number: u64,
    /// What it becomes: two records where the row is an exchange that names both securities.
    pub records: Vec<(Record, Standing)>,
}

/// How a record stands to the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// There already.
    Unchanged,
    /// There already, saying something else; it would take that entry's place.
    Changed(LeafIndex),
    /// Not there.
    New,
}

impl Planned {
    /// How the row stands: new where a record of it is.
    pub fn standing(&self) -> Standing {
        self.records.iter().map(|(_, s)| *s).max().unwrap_or(Standing::Unchanged)
    }
}

impl Plan {
    /// Records that are to be written, each with its row, in order.
    pub fn to_record(&self) -> impl Iterator<Item = (u64, &Record, Standing)> {
        let of = |row: &'_ Planned| row.number;
        self.rows
            .iter()
            .flat_map(move |row| row.records.iter().map(move |(r, s)| (of(row), r, *s)))
            .filter(|(_, _, s)| *s != Standing::Unchanged)
    }

    /// The plan of an import whose usable rows have been planned and whose others are among its quarantined ones.
    pub fn of<T>(mut imported: Imported<T>, rows: Vec<Planned>, absent: usize) -> Result<Self, IntakeError> {
        imported.quarantined.sort_by_key(|q| q.number);
        let quarantine = quarantine::write(&imported).map_err(|e| IntakeError::Bug(format!("quarantined rows have no CSV form ({e})")))?;
        let Imported { source, report, quarantined, duplicates, .. } = imported;
        Ok(Self { source, report, rows, quarantined, duplicates, absent, quarantine })
    }
}

/// Rows that can be read and yet not used go aside through here; the sum stays.
pub struct Aside<'t> {
    cells: BTreeMap<u64, &'t [String]>,
}

impl<'t> Aside<'t> {
    /// Of a file's rows.
    pub fn new(table: &'t Table) -> Self {
        Self { cells: table.rows.iter().map(|r| (r.number, r.cells.as_slice())).collect() }
    }

    /// Moves a row to the quarantined ones.
    pub fn put<T, U>(&self, imported: &mut Imported<T>, row: Row<U>, reason: Reason) {
        let cells = self.cells.get(&row.number).map(|c| c.to_vec()).unwrap_or_default();
        *imported.report.quarantined.entry(reason.code()).or_default() += 1;
        unload(&mut imported.report, &row);
        imported.quarantined.push(Quarantined { number: row.number, raw: row.raw, cells, reason });
    }
}

/// Moves a row to the repeats of an earlier one.
pub fn repeat<T, U>(imported: &mut Imported<T>, row: Row<U>, of: u64) {
    imported.report.duplicates += 1;
    unload(&mut imported.report, &row);
    imported.duplicates.push(Duplicate { number: row.number, of, raw: row.raw });
}

fn unload<U>(report: &mut Accounting, row: &Row<U>) {
    report.loaded = report.loaded.saturating_sub(1);
    for flag in &row.flags {
        report.flagged.entry(*flag).and_modify(|n| *n = n.saturating_sub(1));
    }
    report.flagged.retain(|_, n| *n > 0);
}

/// What the ledger would say to a record. The outer error ends the import: the actor may record nothing of it. The inner one is about the row.
pub fn check(facts: &Facts, actor: &PrincipalId, record: &Record) -> Result<Result<(), Reason>, IntakeError> {
    match facts.check(actor, record) {
        Err(denied @ (Refusal::UnknownPrincipal(_) | Refusal::Role { .. })) => return Err(AppendError::from(denied).into()),
        Err(Refusal::Unknown { what, id }) => return Ok(Err(Reason::Unknown { what, id })),
        Err(other) => return Ok(Err(Reason::Refused(other.to_string()))),
        Ok(()) => {}
    }
    let length = match record.request_bytes() {
        Ok(bytes) => bytes.len(),
        Err(e) => return Ok(Err(Reason::Refused(e.to_string()))),
    };
    let too_long = || Reason::Refused(format!("{length} bytes; at most {REQUEST_BYTES_MAX} are taken"));
    Ok(if length > REQUEST_BYTES_MAX { Err(too_long()) } else { Ok(()) })
}

/// Importer and version as records name them.
pub fn importer_line(source: &Source) -> Result<Line, IntakeError> {
    Line::new(format!("{}/{}", source.importer, source.version)).map_err(|e| IntakeError::Invalid(format!("the mapping's name: {e}")))
}

/// Where a record of a row comes from.
pub fn provenance<U>(row: &Row<U>, importer: &Line, source: &Source) -> Result<Provenance, Reason> {
    let raw = raw(&row.raw).map_err(|detail| Reason::Field { field: "row", detail })?;
    Ok(Provenance { importer: importer.clone(), file_hash: source.file_sha256, row: row.number, raw })
}

/// A row's text as a record holds it: cut where it is too long; the file's hash stands beside it.
fn raw(text: &str) -> Result<RawText, String> {
    let mut end = text.len().min(RAW_TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // As long in bytes, so what was cut stays cut.
    let text = text.get(..end).unwrap_or_default().replace('\0', " ");
    RawText::new(if text.is_empty() { " ".to_owned() } else { text }).map_err(|e| e.to_string())
}
