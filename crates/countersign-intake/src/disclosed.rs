//! From the rows of a disclosure file to trades and holdings: whose they are, what they mean, and whether the ledger has them already.

use std::collections::BTreeMap;

use countersign_conflict::Facts;
use countersign_entry::ids::{Date, LeafIndex, Line, PersonId, PrincipalId, RawText, RecordId};
use countersign_entry::record::{Band, HolderRelation, Holding, Instrument, Provenance, Record, Trade, TradeKind};
use countersign_import::accounting::{Canonical, Imported, Reason, Row, Source};
use countersign_import::amount::Band as Amount;
use countersign_import::cell::one_line;
use countersign_import::defuse::undefuse;
use countersign_import::owner::HolderRelation as Holder;
use countersign_import::table::Table;
use countersign_import::trade::{Holding as HeldRow, Leg, Trade as TradeRow};
use countersign_import::trade_kind::TradeKind as Told;

use crate::linking::Linker;
use crate::plan::{Aside, Plan, Planned, Standing, check, importer_line, provenance};
use crate::{IntakeError, Progress};

/// Who the filers are.
pub struct People<'a> {
    labels: BTreeMap<String, PersonId>,
    facts: &'a Facts,
}

impl<'a> People<'a> {
    /// Filers whose labels are known.
    pub fn new(labels: BTreeMap<String, PersonId>, facts: &'a Facts) -> Self {
        Self { labels, facts }
    }

    /// Reads a file of two columns, `filer` and `person`; no bytes are no lines.
    ///
    /// # Errors
    /// A line that names nobody, somebody who is not recorded, or two people by one label.
    pub fn read(bytes: &[u8], facts: &'a Facts) -> Result<Self, IntakeError> {
        let mut people = Self::new(BTreeMap::new(), facts);
        let bad = IntakeError::People;
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
        for row in reader.deserialize::<(String, String)>().zip(2_u64..) {
            let (row, line) = row;
            let (label, person) = row.map_err(|e| bad(e.to_string()))?;
            let person = PersonId::new(person).map_err(|e| bad(format!("line {line}: {e}")))?;
            if facts.person(&person).is_none() {
                return Err(IntakeError::NotFound(format!("line {line}: person {person} is not recorded")));
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
pub struct Common<'a> {
    /// Who the filers are.
    pub people: People<'a>,
    /// From texts to issuers.
    pub linker: Linker,
    /// What is recorded.
    pub facts: &'a Facts,
    /// The day the file came in.
    pub received_on: Date,
    /// Who imports.
    pub actor: PrincipalId,
}

impl Common<'_> {
    /// Whether the ledger would take what is not there yet.
    fn check(&self, records: &[(Record, Standing)]) -> Result<Result<(), Reason>, IntakeError> {
        for (record, _) in records.iter().filter(|(_, s)| *s != Standing::Unchanged) {
            if let Err(reason) = check(self.facts, &self.actor, record)? {
                return Ok(Err(reason));
            }
        }
        Ok(Ok(()))
    }
}

/// Makes the plan of an import.
pub fn plan<T: Disclosed>(
    mut imported: Imported<T>,
    table: &Table,
    mut common: Common<'_>,
    told: Progress<'_>,
) -> Result<Plan, IntakeError> {
    let importer = importer_line(&imported.source)?;
    let aside = Aside::new(table);
    let of = imported.rows.len() as u64;
    let mut rows = Vec::with_capacity(imported.rows.len());
    for (done, row) in (1..).zip(std::mem::take(&mut imported.rows)) {
        told("matching", done, of);
        let made = match records(&row, &importer, &imported.source, &mut common) {
            Ok(records) => common.check(&records)?.map(|()| records),
            Err(reason) => Err(reason),
        };
        match made {
            Ok(records) => rows.push(Planned { number: row.number, records }),
            Err(reason) => aside.put(&mut imported, row, reason),
        }
    }
    Plan::of(imported, rows, 0)
}

fn records<T: Disclosed>(
    row: &Row<T>,
    importer: &Line,
    source: &Source,
    common: &mut Common<'_>,
) -> Result<Vec<(Record, Standing)>, Reason> {
    let unknown = || Reason::Unknown { what: "person", id: row.value.filer().to_owned() };
    let person = common.people.find(row.value.filer()).ok_or_else(unknown)?;
    let provenance = provenance(row, importer, source)?;
    let key = row.value.key();
    let mut out = Vec::new();
    for (leg, suffix) in row.value.legs().into_iter().zip(["", "-r"]) {
        let id = RecordId::new(format!("imp-{key}{suffix}")).map_err(|e| bad_field("row")(e.to_string()))?;
        let instrument = instrument(leg, &row.value, common)?;
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

fn bad_field(field: &'static str) -> impl Fn(String) -> Reason {
    move |detail| Reason::Field { field, detail }
}

/// A form may name a security by its ticker alone; then that is its text too.
fn instrument<T: Disclosed>(leg: &Leg, row: &T, common: &mut Common<'_>) -> Result<Instrument, Reason> {
    let identifier = leg.ticker.as_deref().map(Line::new).transpose().map_err(|e| bad_field("ticker")(e.to_string()))?;
    let text = if leg.text.is_empty() { leg.ticker.as_deref().unwrap_or_default() } else { &leg.text };
    let text = RawText::new(text).map_err(|e| bad_field("asset")(e.to_string()))?;
    // A word for its kind that cannot stand in a line tells nothing.
    let asset_type = row.asset_type().and_then(|word| Line::new(word).ok());
    Ok(common.linker.instrument(text, identifier, asset_type, row.on(&common.received_on)))
}

/// What a record takes beside what its row says.
pub struct Made {
    id: RecordId,
    person: PersonId,
    instrument: Instrument,
    provenance: Provenance,
    supersedes: Option<LeafIndex>,
}

/// A row of a disclosure form.
pub trait Disclosed: Canonical {
    /// Who filed, in the file's words.
    fn filer(&self) -> &str;
    /// The form's type of asset.
    fn asset_type(&self) -> Option<&str>;
    /// The day its security is to be known by; `received_on` where the row has none.
    fn on<'a>(&'a self, received_on: &'a Date) -> &'a Date;
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

    fn on<'a>(&'a self, _: &'a Date) -> &'a Date {
        &self.traded_on
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
            // Disclosure forms ask for an amount alone; statements of brokers say how many units.
            quantity: self.quantity,
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

    fn on<'a>(&'a self, received_on: &'a Date) -> &'a Date {
        self.as_of.as_ref().unwrap_or(received_on)
    }

    fn legs(&self) -> Vec<&Leg> {
        vec![&self.asset]
    }

    fn record(&self, made: Made, received_on: &Date) -> Record {
        Record::Holding(Holding {
            id: made.id,
            person: made.person,
            relation: relation(self.holder),
            instrument: Instrument { sector: self.sector.as_deref().and_then(|s| Line::new(s).ok()), ..made.instrument },
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
