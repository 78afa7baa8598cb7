//! What became of each row: loaded, quarantined or a repeat. Their sum is always the number of rows in the file.

use std::collections::BTreeMap;

use countersign_entry::ids::Hash32;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::amount::AmountFault;
use crate::date::DateFault;
use crate::table::{RowFault, Table};

/// A value with one way to be written down.
pub trait Canonical {
    /// Every normalized field. Two rows are the same row exactly when these bytes are equal.
    fn canonical(&self) -> Vec<u8>;

    /// The id that stays when a record changes; where a row has none, a digest of all of it.
    fn key(&self) -> String {
        digest(&self.canonical())
    }
}

/// An import, before anybody commits to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported<T> {
    /// Where the rows are from.
    pub source: Source,
    /// The file's columns.
    pub header: Vec<String>,
    /// Usable rows in the file's order.
    pub rows: Vec<Row<T>>,
    /// Rows to be corrected and loaded again.
    pub quarantined: Vec<Quarantined>,
    /// Repeats of earlier rows of the file. A form cannot tell a repeat from a second, equal trade, so these are kept for somebody to decide.
    pub duplicates: Vec<Duplicate>,
    /// The numbers.
    pub report: Accounting,
}

/// What the record keeps of an import's origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Name of the importer or mapping.
    pub importer: String,
    /// [`crate::IMPORTER_VERSION`].
    pub version: u32,
    /// SHA-256 of the file.
    pub file_sha256: Hash32,
}

/// A usable row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<T> {
    /// Where a person finds it; see [`crate::table::RawRow::number`].
    pub number: u64,
    /// Its text as it was.
    pub raw: String,
    /// What it says.
    pub value: T,
    /// What was odd about it, in order and each once.
    pub flags: Vec<Flag>,
}

/// A row that cannot be used as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Quarantined {
    /// Where a person finds it.
    pub number: u64,
    /// Its text as it was.
    pub raw: String,
    /// Its cells in the header's order, as far as they could be read.
    pub cells: Vec<String>,
    /// Why.
    pub reason: Reason,
}

/// A repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// Where a person finds it.
    pub number: u64,
    /// The row it repeats.
    pub of: u64,
    /// Its text as it was.
    pub raw: String,
}

/// The numbers of an import. `total == loaded + sum(quarantined) + duplicates + elsewhere`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Accounting {
    /// Rows of the file.
    pub total: u64,
    /// Usable rows.
    pub loaded: u64,
    /// Quarantined rows by [`Reason::code`].
    pub quarantined: BTreeMap<&'static str, u64>,
    /// Repeats.
    pub duplicates: u64,
    /// Rows that are no record of their own: joined to an earlier row's, or telling something else than the source reads.
    pub elsewhere: u64,
    /// Filings that hold no rows: "no rows (paper)". They are no rows, so they are outside the total.
    pub empty_filings: u64,
    /// Usable rows by what was odd about them; one row may stand under several.
    pub flagged: BTreeMap<Flag, u64>,
    /// Columns of the file that nothing reads.
    pub ignored_columns: Vec<String>,
    /// Optional columns the mapping names and the file lacks.
    pub absent_columns: Vec<String>,
}

/// Why a row is quarantined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The row itself cannot be read.
    #[error("{0}")]
    Unreadable(#[from] RowFault),
    /// A field that must be there is blank.
    #[error("{0} is blank")]
    Missing(&'static str),
    /// A date.
    #[error("{field}: {fault}")]
    Date {
        /// Which field.
        field: &'static str,
        /// What is wrong.
        #[source]
        fault: DateFault,
    },
    /// A value.
    #[error("amount: {0}")]
    Amount(#[from] AmountFault),
    /// A word for a kind of trade that nobody told us of.
    #[error("{0:?} is not a kind of trade")]
    TradeKind(String),
    /// Another field does not hold what its type asks for.
    #[error("{field}: {detail}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// It names something that is not recorded.
    #[error("{what} {id:?} is not recorded")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// What the row calls it.
        id: String,
    },
    /// Other rows of the file say something else under the same id; none of them is taken before somebody decides.
    #[error("rows {} say different things of {id:?}", listed(.rows))]
    Conflicting {
        /// The id.
        id: String,
        /// The rows, this one among them.
        rows: Vec<u64>,
    },
    /// The ledger would refuse its record.
    #[error("{0}")]
    Refused(String),
}

fn listed(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

impl Reason {
    /// A word for the kind of reason, for counting.
    pub fn code(&self) -> &'static str {
        match self {
            Reason::Unreadable(_) => "unreadable",
            Reason::Missing(_) => "missing",
            Reason::Date { .. } => "bad_date",
            Reason::Amount(_) => "bad_amount",
            Reason::TradeKind(_) => "unknown_kind",
            Reason::Field { .. } => "bad_field",
            Reason::Unknown { what: "person", .. } => "unknown_person",
            Reason::Unknown { .. } => "unknown_reference",
            Reason::Conflicting { .. } => "conflicting",
            Reason::Refused(_) => "refused",
        }
    }
}

/// What was odd about a usable row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// The range had a line break inside.
    AmountBroken,
    /// The range was cut off; the form's band that starts there was taken.
    AmountRepaired,
    /// The range is none of the forms'.
    AmountOffForm,
    /// Dollars where the form asks for a range.
    AmountExact,
    /// No value.
    AmountBlank,
    /// Disclosed before it was traded.
    DisclosedBeforeTraded,
    /// Traded on a Saturday or Sunday.
    Weekend,
    /// A year of two digits.
    ShortYear,
    /// No kind of trade.
    KindBlank,
    /// An exchange with what was given and what was received in one row.
    TwoLegs,
    /// Two tickers in one cell, a dash for one of them counted.
    TwoTickers,
    /// The ticker's cell is blank.
    TickerBlank,
    /// The ticker's cell has a dash.
    TickerDash,
    /// The ticker's cell has markup.
    TickerMarkup,
    /// The asset's text has markup.
    AssetMarkup,
    /// The asset's text has character references.
    AssetEntities,
    /// The asset's text has characters outside ASCII, mostly from a wrong encoding.
    AssetNotAscii,
    /// The asset's text goes over several lines: a stray quote in CSV may have swallowed rows.
    AssetLineBreak,
    /// No type of asset.
    AssetTypeBlank,
    /// No owner.
    OwnerBlank,
    /// A part of a form that covers the whole household.
    OwnerHousehold,
    /// A word for the owner that nobody told us of.
    OwnerNotUnderstood,
    /// A line number inside another: an asset inside an account or a trust.
    Nested,
}

/// Reads every row and accounts for each.
pub(crate) fn account<T: Canonical>(
    table: &Table,
    importer: &str,
    mut read: impl FnMut(&crate::table::RawRow) -> Result<(T, Vec<Flag>), Reason>,
) -> Imported<T> {
    let source = Source { importer: importer.to_owned(), version: crate::IMPORTER_VERSION, file_sha256: table.sha256 };
    let report = Accounting { total: table.rows.len() as u64, empty_filings: table.empty.len() as u64, ..Accounting::default() };
    let mut out =
        Imported { source, header: table.header.clone(), rows: Vec::new(), quarantined: Vec::new(), duplicates: Vec::new(), report };
    let mut seen: BTreeMap<[u8; 32], u64> = BTreeMap::new();
    for row in &table.rows {
        let (number, raw) = (row.number, row.raw.clone());
        let outcome = row.fault.clone().map_or_else(|| read(row), |fault| Err(fault.into()));
        match outcome {
            Err(reason) => {
                *out.report.quarantined.entry(reason.code()).or_default() += 1;
                out.quarantined.push(Quarantined { number, raw, cells: row.cells.clone(), reason });
            }
            Ok((value, flags)) => match seen.entry(Sha256::digest(value.canonical()).into()) {
                std::collections::btree_map::Entry::Occupied(first) => {
                    out.report.duplicates += 1;
                    out.duplicates.push(Duplicate { number, of: *first.get(), raw });
                }
                std::collections::btree_map::Entry::Vacant(slot) => {
                    slot.insert(number);
                    out.load(Row { number, raw, value, flags });
                }
            },
        }
    }
    out
}

impl<T> Imported<T> {
    /// The same with each row's value made into another.
    pub fn map<U>(self, f: impl Fn(T) -> U) -> Imported<U> {
        let Imported { source, header, rows, quarantined, duplicates, report } = self;
        let rows = rows.into_iter().map(|r| Row { number: r.number, raw: r.raw, value: f(r.value), flags: r.flags }).collect();
        Imported { source, header, rows, quarantined, duplicates, report }
    }

    fn load(&mut self, mut row: Row<T>) {
        row.flags.sort_unstable();
        row.flags.dedup();
        for flag in &row.flags {
            *self.report.flagged.entry(*flag).or_default() += 1;
        }
        self.report.loaded += 1;
        self.rows.push(row);
    }
}

/// The first 32 hex digits of a SHA-256: enough to name a row, short enough for a record id.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let hex = Hash32(Sha256::digest(bytes).into()).to_string();
    hex.chars().take(32).collect()
}
