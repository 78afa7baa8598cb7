//! From a file's rows to the records they become: whose they are, what they mean, and whether the ledger has them already.

use std::collections::BTreeMap;
use std::path::Path;

use countersign_conflict::Facts;
use countersign_entry::ids::{Date, LeafIndex, Line, PersonId, RawText, RecordId};
use countersign_entry::limits::RAW_TEXT_BYTES_MAX;
use countersign_entry::record::{Band, HolderRelation, Holding, Instrument, Provenance, Record, Trade, TradeKind};
use countersign_import::accounting::{Accounting, Canonical, Duplicate, Imported, Quarantined, Reason, Row, Source};
use countersign_import::amount::Band as Amount;
use countersign_import::cell::one_line;
use countersign_import::defuse::undefuse;
use countersign_import::owner::HolderRelation as Holder;
use countersign_import::quarantine;
use countersign_import::table::Table;
use countersign_import::trade::{Holding as HeldRow, Leg, Trade as TradeRow};
use countersign_import::trade_kind::TradeKind as Told;

use super::linking::Linker;
use super::read_small;
use crate::failure::Failure;

/// What an import would do, every row accounted for.
pub(super) struct Plan {
    /// Importer and file.
    pub(super) source: Source,
    /// The numbers.
    pub(super) report: Accounting,
    /// Usable rows.
    pub(super) rows: Vec<Planned>,
    /// Rows to be corrected.
    pub(super) quarantined: Vec<Quarantined>,
    /// Repeats of earlier rows of the file.
    pub(super) duplicates: Vec<Duplicate>,
    /// The file of quarantined rows.
    pub(super) quarantine: Vec<u8>,
}

/// A usable row.
pub(super) struct Planned {
    /// Where a person finds it.
    pub(super) number: u64,
    /// What it becomes: two records where the row is an exchange that names both securities.
    pub(super) records: Vec<(Record, Standing)>,
}

/// How a record stands to the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// There already.
    Unchanged,
    /// There already, under another person.
    Changed(LeafIndex),
    /// Not there.
    New,
}

impl Planned {
    /// How the row stands: new where a record of it is.
    pub(super) fn standing(&self) -> Standing {
        self.records.iter().map(|(_, s)| *s).max().unwrap_or(Standing::Unchanged)
    }
}

/// Who the filers are.
pub(super) struct People<'a> {
    labels: BTreeMap<String, PersonId>,
    facts: &'a Facts,
}

impl<'a> People<'a> {
    /// Reads a file of two columns, `filer` and `person`, where there is one.
    pub(super) fn read(path: Option<&Path>, facts: &'a Facts) -> Result<Self, Failure> {
        let mut people = Self { labels: BTreeMap::new(), facts };
        let Some(path) = path else { return Ok(people) };
        let bytes = read_small(path)?;
        let bad = |what: String| Failure::Invalid(format!("{}: {what}", path.display()));
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes));
        for row in reader.deserialize::<(String, String)>().zip(2_u64..) {
            let (row, line) = row;
            let (label, person) = row.map_err(|e| bad(e.to_string()))?;
            let person = PersonId::new(person).map_err(|e| bad(format!("line {line}: {e}")))?;
            if facts.person(&person).is_none() {
                return Err(Failure::NotFound(format!("{} line {line}: person {person} is not recorded", path.display())));
            }
            let label = one_line(undefuse(&label));
            if people.labels.insert(label.clone(), person.clone()).is_some_and(|other| other != person) {
                return Err(bad(format!("line {line}: filer {label:?} is two people")));
            }
        }
        Ok(people)
    }

    /// The person behind a label. A recorded person's own id is one too: nobody else is called so.
    fn find(&self, label: &str) -> Option<PersonId> {
        let own = || PersonId::new(label).ok().filter(|id| self.facts.person(id).is_some());
        self.labels.get(label).cloned().or_else(own)
    }
}

/// What every row of an import has in common.
pub(super) struct Common<'a> {
    pub(super) people: People<'a>,
    pub(super) linker: Linker,
    pub(super) facts: &'a Facts,
    pub(super) received_on: Date,
}

/// Makes the plan of an import.
pub(super) fn plan<T: Disclosed>(mut imported: Imported<T>, table: &Table, mut common: Common<'_>) -> Result<Plan, Failure> {
    let importer = format!("{}/{}", imported.source.importer, imported.source.version);
    let importer = Line::new(importer).map_err(|e| Failure::Invalid(format!("the mapping's name: {e}")))?;
    let cells: BTreeMap<u64, &[String]> = table.rows.iter().map(|r| (r.number, r.cells.as_slice())).collect();
    let mut rows = Vec::with_capacity(imported.rows.len());
    let mut kept = Vec::with_capacity(imported.rows.len());
    for row in std::mem::take(&mut imported.rows) {
        match records(&row, &importer, &imported.source, &mut common) {
            Ok(records) => {
                rows.push(Planned { number: row.number, records });
                kept.push(row);
            }
            Err((code, reason)) => put_aside(&mut imported, &cells, row, code, reason),
        }
    }
    imported.rows = kept;
    imported.quarantined.sort_by_key(|q| q.number);
    let quarantine = quarantine::write(&imported).map_err(|e| Failure::Bug(format!("quarantined rows have no CSV form ({e})")))?;
    let Imported { source, report, quarantined, duplicates, .. } = imported;
    Ok(Plan { source, report, rows, quarantined, duplicates, quarantine })
}

/// Word for counting rows whose filer nobody knows.
const UNKNOWN_PERSON: &str = "unknown_person";

/// Moves a row that the importer could read to the quarantined ones; the sum stays.
fn put_aside<T>(imported: &mut Imported<T>, cells: &BTreeMap<u64, &[String]>, row: Row<T>, code: &'static str, reason: Reason) {
    let cells = cells.get(&row.number).map(|c| c.to_vec()).unwrap_or_default();
    let report = &mut imported.report;
    report.loaded = report.loaded.saturating_sub(1);
    *report.quarantined.entry(code).or_default() += 1;
    for flag in &row.flags {
        report.flagged.entry(*flag).and_modify(|n| *n = n.saturating_sub(1));
    }
    report.flagged.retain(|_, n| *n > 0);
    imported.quarantined.push(Quarantined { number: row.number, raw: row.raw, cells, reason });
}

type Aside = (&'static str, Reason);

fn records<T: Disclosed>(
    row: &Row<T>,
    importer: &Line,
    source: &Source,
    common: &mut Common<'_>,
) -> Result<Vec<(Record, Standing)>, Aside> {
    let unknown = || {
        let detail = format!("{:?} is not a known person", row.value.filer());
        (UNKNOWN_PERSON, Reason::Field { field: "filer", detail })
    };
    let person = common.people.find(row.value.filer()).ok_or_else(unknown)?;
    let provenance = Provenance {
        importer: importer.clone(),
        file_hash: source.file_sha256,
        row: row.number,
        raw: raw(&row.raw).map_err(bad_field("row"))?,
    };
    let key = row.value.key();
    let mut out = Vec::new();
    for (leg, suffix) in row.value.legs().into_iter().zip(["", "-r"]) {
        let id = RecordId::new(format!("imp-{key}{suffix}")).map_err(|e| bad_field("row")(e.to_string()))?;
        let instrument = instrument(leg, row.value.asset_type(), &mut common.linker)?;
        let current = T::current(common.facts, &id);
        let standing = match current {
            None => Standing::New,
            Some((_, owner)) if *owner == person => Standing::Unchanged,
            Some((index, _)) => Standing::Changed(index),
        };
        let supersedes = if let Standing::Changed(index) = standing { Some(index) } else { None };
        let made = Made { id, person: person.clone(), instrument, provenance: provenance.clone(), supersedes };
        out.push((row.value.record(made, &common.received_on), standing));
    }
    Ok(out)
}

fn bad_field(field: &'static str) -> impl Fn(String) -> Aside {
    move |detail| {
        let reason = Reason::Field { field, detail };
        (reason.code(), reason)
    }
}

/// A form may name a security by its ticker alone; then that is its text too.
fn instrument(leg: &Leg, asset_type: Option<&str>, linker: &mut Linker) -> Result<Instrument, Aside> {
    let identifier = leg.ticker.as_deref().map(Line::new).transpose().map_err(|e| bad_field("ticker")(e.to_string()))?;
    let text = if leg.text.is_empty() { leg.ticker.as_deref().unwrap_or_default() } else { &leg.text };
    let text = RawText::new(text).map_err(|e| bad_field("asset")(e.to_string()))?;
    Ok(linker.instrument(text, identifier, asset_type))
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

/// What a record takes beside what its row says.
pub(super) struct Made {
    id: RecordId,
    person: PersonId,
    instrument: Instrument,
    provenance: Provenance,
    supersedes: Option<LeafIndex>,
}

/// A row of a disclosure form.
pub(super) trait Disclosed: Canonical {
    /// Who filed, in the file's words.
    fn filer(&self) -> &str;
    /// The form's type of asset.
    fn asset_type(&self) -> Option<&str>;
    /// The securities it names.
    fn legs(&self) -> Vec<&Leg>;
    /// The record for one of them.
    fn record(&self, made: Made, received_on: &Date) -> Record;
    /// Where the ledger has a record of this id, and whose it is.
    fn current<'f>(facts: &'f Facts, id: &RecordId) -> Option<(LeafIndex, &'f PersonId)>;
}

impl Disclosed for TradeRow {
    fn filer(&self) -> &str {
        &self.filer
    }

    fn asset_type(&self) -> Option<&str> {
        self.asset_type.as_deref()
    }

    fn legs(&self) -> Vec<&Leg> {
        [&self.asset].into_iter().chain(&self.received).collect()
    }

    fn record(&self, made: Made, _: &Date) -> Record {
        Record::Trade(Trade {
            id: made.id,
            person: made.person,
            relation: relation(self.holder),
            instrument: made.instrument,
            kind: match self.kind {
                Told::Purchase => TradeKind::Purchase,
                Told::Sale | Told::SaleFull => TradeKind::Sale,
                Told::SalePartial => TradeKind::PartialSale,
                Told::Exchange => TradeKind::Exchange,
                Told::Unknown => TradeKind::Unknown,
            },
            traded_on: self.traded_on.clone(),
            notified_on: None,
            filed_on: self.disclosed_on.clone(),
            value: band(self.amount),
            provenance: Some(made.provenance),
            supersedes: made.supersedes,
        })
    }

    fn current<'f>(facts: &'f Facts, id: &RecordId) -> Option<(LeafIndex, &'f PersonId)> {
        facts.trade(id).map(|k| (k.index, &k.record.person))
    }
}

impl Disclosed for HeldRow {
    fn filer(&self) -> &str {
        &self.filer
    }

    fn asset_type(&self) -> Option<&str> {
        self.asset_type.as_deref()
    }

    fn legs(&self) -> Vec<&Leg> {
        vec![&self.asset]
    }

    fn record(&self, made: Made, received_on: &Date) -> Record {
        Record::Holding(Holding {
            id: made.id,
            person: made.person,
            relation: relation(self.holder),
            instrument: made.instrument,
            value: band(self.amount),
            as_of: self.as_of.clone().unwrap_or_else(|| received_on.clone()),
            provenance: Some(made.provenance),
            supersedes: made.supersedes,
        })
    }

    fn current<'f>(facts: &'f Facts, id: &RecordId) -> Option<(LeafIndex, &'f PersonId)> {
        facts.holding(id).map(|k| (k.index, &k.record.person))
    }
}

fn relation(holder: Holder) -> HolderRelation {
    match holder {
        Holder::Filer => HolderRelation::Own,
        Holder::Spouse => HolderRelation::Spouse,
        Holder::Joint => HolderRelation::Joint,
        Holder::DependentChild => HolderRelation::DependentChild,
        Holder::Unknown => HolderRelation::Unknown,
    }
}

fn band(amount: Option<Amount>) -> Band {
    amount.and_then(|a| Band::new(Some(a.lo), a.hi).ok()).unwrap_or(Band::UNKNOWN)
}
