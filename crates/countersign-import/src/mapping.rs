//! Our field ← their column: how a file that no importer knows is read, and how the importers themselves are written down.

use std::collections::BTreeMap;

use countersign_entry::ids::Date;
use serde::Deserialize;

use crate::accounting::{Imported, account};
use crate::date::DateForm;
use crate::fields::{Fields, Kind, read_fields, rules};
use crate::table::{RawRow, Table};
use crate::trade::{Cells, Holding, Trade, read_holding, read_trade};

/// How a file's columns become a kind's fields.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What it is called; stands in the record of each import.
    pub name: String,
    /// What the rows tell of.
    pub kind: Kind,
    /// Rows change records that are there and make none: they need the id alone, and what they do not name stays as it is.
    #[serde(default)]
    pub update: bool,
    /// Order of day and month.
    #[serde(default)]
    pub date_form: DateForm,
    /// For each field its column, or several names of which the first that the file has is taken.
    #[serde(default)]
    pub columns: BTreeMap<String, ColumnNames>,
    /// Fields with one value for all rows.
    #[serde(default)]
    pub constants: BTreeMap<String, String>,
    /// For a field, their words and ours.
    #[serde(default)]
    pub words: BTreeMap<String, BTreeMap<String, String>>,
}

/// One name or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ColumnNames {
    /// The column.
    One(String),
    /// The first of these that the file has.
    First(Vec<String>),
}

/// Why a mapping cannot be used, or not on this file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// Not a mapping.
    #[error("not a mapping: {0}")]
    Syntax(String),
    /// The kind has no such field.
    #[error("a {kind:?} has no field {field:?}")]
    UnknownField {
        /// What the rows tell of.
        kind: Kind,
        /// The field.
        field: String,
    },
    /// A field has both a column and a constant.
    #[error("{0:?} has both a column and a constant")]
    Twice(String),
    /// A field every row must have has neither a column in the file nor a constant.
    #[error("the file has no column for {0:?}")]
    NoColumn(String),
    /// The mapping is of another kind than what is asked for.
    #[error("the mapping is of {0:?}")]
    OtherKind(Kind),
}

impl Mapping {
    /// The mapping of a file whose columns have our names for the fields.
    pub fn by_name(kind: Kind, name: &str) -> Self {
        let columns = rules(kind).iter().map(|rule| (rule.name.to_owned(), ColumnNames::One(rule.name.to_owned()))).collect();
        let (constants, words) = (BTreeMap::new(), BTreeMap::new());
        Self { name: name.to_owned(), kind, update: false, date_form: DateForm::Iso, columns, constants, words }
    }

    /// Reads a mapping written in TOML.
    ///
    /// # Errors
    /// Not a mapping, or one that names fields the kind does not have.
    pub fn from_toml(text: &str) -> Result<Self, MappingError> {
        toml::from_str::<Self>(text).map_err(|e| MappingError::Syntax(e.to_string()))?.checked()
    }

    /// Reads a mapping written in JSON.
    ///
    /// # Errors
    /// As [`Mapping::from_toml`].
    pub fn from_json(text: &str) -> Result<Self, MappingError> {
        serde_json::from_str::<Self>(text).map_err(|e| MappingError::Syntax(e.to_string()))?.checked()
    }

    fn checked(self) -> Result<Self, MappingError> {
        let known = |field: &String| rules(self.kind).iter().any(|r| r.name == field);
        let mut named = self.columns.keys().chain(self.constants.keys()).chain(self.words.keys());
        if let Some(field) = named.find(|f| !known(f)) {
            return Err(MappingError::UnknownField { kind: self.kind, field: field.clone() });
        }
        match self.columns.keys().find(|f| self.constants.contains_key(*f)) {
            Some(field) => Err(MappingError::Twice(field.clone())),
            None => Ok(self),
        }
    }
}

/// Imports trades. `received_on` is the day the file came in; no trade lies after it.
///
/// # Errors
/// The mapping is of another kind, or the file lacks a column every row must have.
pub fn trades(table: &Table, mapping: &Mapping, received_on: &Date) -> Result<Imported<Trade>, MappingError> {
    let bound = bind(table, mapping, Kind::Trade)?;
    let read = |row: &RawRow| read_trade(&RowCells { bound: &bound, row }, mapping.date_form, received_on);
    let imported = account(table, &mapping.name, read);
    Ok(bound.report(imported))
}

/// Imports holdings.
///
/// # Errors
/// As [`trades`].
pub fn holdings(table: &Table, mapping: &Mapping, received_on: &Date) -> Result<Imported<Holding>, MappingError> {
    let bound = bind(table, mapping, Kind::Holding)?;
    let read = |row: &RawRow| read_holding(&RowCells { bound: &bound, row }, mapping.date_form, received_on);
    let imported = account(table, &mapping.name, read);
    Ok(bound.report(imported))
}

/// Imports records of any other kind.
///
/// # Errors
/// As [`trades`].
pub fn records(table: &Table, mapping: &Mapping, received_on: &Date) -> Result<Imported<Fields>, MappingError> {
    if matches!(mapping.kind, Kind::Trade | Kind::Holding) {
        return Err(MappingError::OtherKind(mapping.kind));
    }
    let bound = bind(table, mapping, mapping.kind)?;
    let read = |row: &RawRow| {
        read_fields(mapping.kind, &RowCells { bound: &bound, row }, mapping.date_form, received_on).map(|fields| (fields, Vec::new()))
    };
    let imported = account(table, &mapping.name, read);
    Ok(bound.report(imported))
}

/// A mapping's names put against one file's columns.
struct Bound<'m> {
    columns: BTreeMap<&'m str, usize>,
    mapping: &'m Mapping,
    absent: Vec<String>,
    ignored: Vec<String>,
}

fn bind<'m>(table: &Table, mapping: &'m Mapping, kind: Kind) -> Result<Bound<'m>, MappingError> {
    if mapping.kind != kind {
        return Err(MappingError::OtherKind(mapping.kind));
    }
    let mut columns = BTreeMap::new();
    let mut absent = Vec::new();
    for (field, names) in &mapping.columns {
        let names = match names {
            ColumnNames::One(name) => core::slice::from_ref(name),
            ColumnNames::First(names) => names.as_slice(),
        };
        match names.iter().find_map(|name| table.column(name)) {
            Some(at) => drop(columns.insert(field.as_str(), at)),
            None => absent.extend(names.first().cloned()),
        }
    }
    let used: Vec<usize> = columns.values().copied().collect();
    let ignored = table.header.iter().enumerate().filter(|(at, _)| !used.contains(at)).map(|(_, name)| name.clone()).collect();
    let bound = Bound { columns, mapping, absent, ignored };
    match bound.lacking(kind) {
        Some(field) => Err(MappingError::NoColumn(field.to_owned())),
        None => Ok(bound),
    }
}

/// One row under a mapping.
struct RowCells<'a> {
    bound: &'a Bound<'a>,
    row: &'a RawRow,
}

impl Cells for RowCells<'_> {
    fn cell(&self, field: &str) -> Option<&str> {
        let mapping = self.bound.mapping;
        let text = match self.bound.columns.get(field) {
            Some(at) => self.row.cell(Some(*at))?,
            None => mapping.constants.get(field)?.as_str(),
        };
        Some(mapping.words.get(field).and_then(|words| words.get(text)).map_or(text, String::as_str))
    }

    fn asks_for(&self, field: &str) -> bool {
        self.bound.has(field)
    }
}

impl Bound<'_> {
    fn has(&self, field: &str) -> bool {
        self.columns.contains_key(field) || self.mapping.constants.contains_key(field)
    }

    /// A field every row must have and none can.
    fn lacking(&self, kind: Kind) -> Option<&'static str> {
        let required = rules(kind)
            .iter()
            .find(|rule| rule.required && !self.has(rule.name) && !(self.mapping.update && rule.name != "id"))
            .map(|rule| rule.name);
        // Kind and date stand in two columns or in one, and a security has to be named somehow.
        let undated = kind == Kind::Trade && !(self.has("transaction") || (self.has("traded_on") && self.has("kind")));
        let unnamed = matches!(kind, Kind::Trade | Kind::Holding) && !(self.has("asset") || self.has("ticker"));
        required.or(undated.then_some("traded_on")).or(unnamed.then_some("asset"))
    }

    fn report<T>(self, mut imported: Imported<T>) -> Imported<T> {
        imported.report.absent_columns = self.absent;
        imported.report.ignored_columns = self.ignored;
        imported
    }
}
