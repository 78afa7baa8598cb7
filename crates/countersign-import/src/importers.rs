//! The known sources, each a mapping and a format. All are public disclosure forms as volunteers' data sets write them.
//!
//! | importer | rows | form |
//! |---|---|---|
//! | [`house_ptr`] | trades | House periodic transaction report, JSON array |
//! | [`senate_ptr`] | trades | Senate periodic transaction report, JSON filings with their transactions inside |
//! | [`oge278t`] | trades | OGE Form 278-T, CSV |
//! | [`oge278e`] | holdings | OGE Form 278e parts 2, 5 and 6, CSV |
//!
//! Each reads any [`Table`] with its columns, so the file of quarantined rows, which is CSV, goes through the same importer.

use std::collections::BTreeMap;

use countersign_entry::ids::Date;

use crate::accounting::Imported;
use crate::date::DateForm;
use crate::fields::Kind;
use crate::mapping::{ColumnNames, Mapping, MappingError, holdings, trades};
use crate::table::{Format, Table};
use crate::trade::{Holding, Trade};

/// How the Senate's file is written: filings, each with its transactions.
pub fn senate_format() -> Format {
    Format::JsonNested { under: "transactions".to_owned() }
}

/// Imports trades from the House's reports.
///
/// # Errors
/// The file lacks a column every row must have.
pub fn house_ptr(table: &Table, received_on: &Date) -> Result<Imported<Trade>, MappingError> {
    let columns = [
        ("filer", &["filer"] as &[&str]),
        ("filing_id", &["filing_id"]),
        ("holder", &["owner"]),
        ("traded_on", &["transaction_date"]),
        ("disclosed_on", &["disclosure_date"]),
        ("kind", &["type"]),
        ("ticker", &["ticker"]),
        ("asset", &["asset_description"]),
        ("asset_type", &["asset_type"]),
        ("amount", &["amount"]),
    ];
    trades(table, &mapping("house_ptr", Kind::Trade, &columns), received_on)
}

/// Imports trades from the Senate's reports. The source misspells `date_received`; both spellings are read.
///
/// # Errors
/// As [`house_ptr`].
pub fn senate_ptr(table: &Table, received_on: &Date) -> Result<Imported<Trade>, MappingError> {
    let columns = [
        ("filer", &["filer"] as &[&str]),
        ("filing_id", &["filing_id"]),
        ("holder", &["owner"]),
        ("traded_on", &["transaction_date"]),
        ("disclosed_on", &["date_received", "date_recieved"]),
        ("kind", &["type"]),
        ("ticker", &["ticker"]),
        ("asset", &["asset_description"]),
        ("asset_type", &["asset_type"]),
        ("amount", &["amount"]),
        ("comment", &["comment"]),
    ];
    trades(table, &mapping("senate_ptr", Kind::Trade, &columns), received_on)
}

/// Imports trades from OGE Form 278-T. Kind and date stand in one cell; the form tells neither owner nor day of disclosure.
///
/// # Errors
/// As [`house_ptr`].
pub fn oge278t(table: &Table, received_on: &Date) -> Result<Imported<Trade>, MappingError> {
    let columns = [
        ("filer", &["filer"] as &[&str]),
        ("agency", &["agency"]),
        ("line_no", &["line_no"]),
        ("asset", &["description"]),
        ("transaction", &["transaction"]),
        ("amount", &["value"]),
    ];
    trades(table, &mapping("oge278t", Kind::Trade, &columns), received_on)
}

/// Imports holdings from OGE Form 278e. Part 2 is the filer's, part 5 the spouse's, part 6 anybody's in the household.
///
/// # Errors
/// As [`house_ptr`].
pub fn oge278e(table: &Table, received_on: &Date) -> Result<Imported<Holding>, MappingError> {
    let columns = [
        ("filer", &["filer"] as &[&str]),
        ("agency", &["agency"]),
        ("line_no", &["line_no"]),
        ("part", &["part"]),
        ("asset", &["description"]),
        ("amount", &["value"]),
        ("income_type", &["income_type"]),
    ];
    holdings(table, &mapping("oge278e", Kind::Holding, &columns), received_on)
}

fn mapping(name: &str, kind: Kind, columns: &[(&str, &[&str])]) -> Mapping {
    let names = |list: &[&str]| ColumnNames::First(list.iter().map(|n| (*n).to_owned()).collect());
    Mapping {
        name: name.to_owned(),
        kind,
        update: false,
        date_form: DateForm::MonthFirst,
        columns: columns.iter().map(|(field, list)| ((*field).to_owned(), names(list))).collect(),
        constants: BTreeMap::new(),
        words: BTreeMap::new(),
    }
}
