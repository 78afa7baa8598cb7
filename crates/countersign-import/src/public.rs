//! Public data files as they are, each made into rows under our own names: several rows of one issuer become one, ids are derived, relations get
//! their tier. The rows keep their numbers and their text; [`Mapping::by_name`] reads them.
//!
//! | source | file | records |
//! |---|---|---|
//! | [`sec_issuers`] | the SEC's list of registrants with tickers: cik, ticker, exchange, name | issuers, tickers of one CIK together |
//! | [`sp500`] | the S&P 500 with GICS: CIK, GICS Sub-Industry | issuers that are recorded, their sub-industry alone |
//! | [`models_dev`] | models.dev as a table: model_id, lab, name, family, release_date, open_weights | models |
//! | [`labs`] | labs and their issuers: provider_id, name, … | providers |
//! | [`exposure_providers`] | the same file: provider_id, status, cik, valid_from, valid_to, basis, evidence | exposures |
//! | [`exposure_edges`] | edges: from, relation, to, to_cik, valid_from, valid_to, basis, evidence | exposures |
//!
//! A file that has our own column `id` already, such as one of quarantined rows, is left as it is.

use std::collections::{BTreeMap, BTreeSet};

use countersign_entry::ids::Date;

use crate::fields::Kind;
use crate::mapping::{Mapping, MappingError};
use crate::table::{RawRow, Table};

/// A public file.
#[derive(Debug, Clone, Copy)]
pub struct Public {
    /// What its rows tell of.
    pub kind: Kind,
    /// Whether its rows only add to records that are there.
    pub update: bool,
    columns: &'static [&'static str],
    makes: &'static [&'static str],
    make: fn(&Cells<'_>, &Whole) -> Option<Vec<String>>,
}

/// A file's rows under our names.
#[derive(Debug)]
pub struct Renamed {
    /// The rows.
    pub table: Table,
    /// Rows that are no record of their own: joined to an earlier one, or telling something else than this source reads.
    pub elsewhere: u64,
}

/// The SEC's list of registrants.
pub const SEC_ISSUERS: Public = Public {
    kind: Kind::Issuer,
    update: false,
    columns: &["cik", "ticker", "name"],
    makes: &["id", "name", "cik", "tickers"],
    make: sec_issuers,
};
/// The S&P 500 with GICS.
pub const SP500: Public =
    Public { kind: Kind::Issuer, update: true, columns: &["CIK", "GICS Sub-Industry"], makes: &["id", "sub_industry"], make: sp500 };
/// models.dev's catalogue.
pub const MODELS_DEV: Public = Public {
    kind: Kind::Model,
    update: false,
    columns: &["model_id", "lab", "name", "family", "release_date", "open_weights"],
    makes: &["id", "provider", "name", "family", "released_on", "open_weights"],
    make: models_dev,
};
/// Labs.
pub const LABS: Public =
    Public { kind: Kind::Provider, update: false, columns: &["provider_id", "name"], makes: &["id", "name"], make: labs };
/// Labs and the issuers they are or belong to.
pub const EXPOSURE_PROVIDERS: Public = Public {
    kind: Kind::Exposure,
    update: false,
    columns: &["provider_id", "status", "cik", "valid_from", "valid_to", "basis", "evidence"],
    makes: EDGE,
    make: exposure_providers,
};
/// Edges between labs, models, hosts and issuers.
pub const EXPOSURE_EDGES: Public = Public {
    kind: Kind::Exposure,
    update: false,
    columns: &["from", "relation", "to", "to_cik", "valid_from", "valid_to", "basis", "evidence"],
    makes: EDGE,
    make: exposure_edges,
};

const EDGE: &[&str] = &["id", "from", "relation", "to", "tier", "valid_from", "valid_to", "basis", "confirmed", "evidence"];

impl Public {
    /// The mapping its rows are read by.
    pub fn mapping(&self, name: &str) -> Mapping {
        Mapping { update: self.update, ..Mapping::by_name(self.kind, name) }
    }

    /// Puts a file's rows under our names.
    ///
    /// # Errors
    /// The file lacks one of the columns.
    pub fn rename(&self, table: &Table) -> Result<Renamed, MappingError> {
        if table.column("id").is_some() {
            return Ok(Renamed { table: table.clone(), elsewhere: 0 });
        }
        let column = |name: &&'static str| table.column(name).ok_or_else(|| MappingError::NoColumn((*name).to_owned()));
        let columns = self.columns.iter().map(|name| Ok((*name, column(name)?))).collect::<Result<BTreeMap<_, _>, MappingError>>()?;
        let cells = |row| Cells { columns: &columns, row };
        let whole = Whole::of(self.columns.first().copied().unwrap_or_default(), table.rows.iter().map(cells));
        let header = self.makes.iter().map(|name| (*name).to_owned()).collect();
        let mut renamed = Table { sha256: table.sha256, header, rows: Vec::new(), empty: Vec::new() };
        for row in &table.rows {
            // A row that cannot be read is told as it is.
            let made = if row.fault.is_some() { Some(Vec::new()) } else { (self.make)(&cells(row), &whole) };
            renamed.rows.extend(made.map(|cells| RawRow { cells, ..row.clone() }));
        }
        Ok(Renamed { elsewhere: (table.rows.len() - renamed.rows.len()) as u64, table: renamed })
    }
}

/// A row by the file's own names.
struct Cells<'a> {
    columns: &'a BTreeMap<&'static str, usize>,
    row: &'a RawRow,
}

impl<'a> Cells<'a> {
    fn get(&self, name: &str) -> &'a str {
        self.row.cell(self.columns.get(name).copied()).unwrap_or_default()
    }
}

/// What only all rows together tell.
struct Whole {
    /// Numbers of the rows whose first column says something new.
    firsts: BTreeSet<u64>,
    /// Tickers by CIK, in the file's order.
    tickers: BTreeMap<String, Vec<String>>,
}

impl Whole {
    fn of<'a>(key: &str, rows: impl Iterator<Item = Cells<'a>>) -> Self {
        let (mut seen, mut whole) = (BTreeSet::new(), Self { firsts: BTreeSet::new(), tickers: BTreeMap::new() });
        for cells in rows {
            let key = cells.get(key).to_owned();
            if !cells.get("ticker").is_empty() {
                whole.tickers.entry(key.clone()).or_default().push(cells.get("ticker").to_owned());
            }
            // What is blank is no other row's repeat: it is told as missing.
            if key.is_empty() || seen.insert(key) {
                whole.firsts.insert(cells.row.number);
            }
        }
        whole
    }

    fn is_first(&self, cells: &Cells<'_>) -> bool {
        self.firsts.contains(&cells.row.number)
    }
}

fn sec_issuers(cells: &Cells<'_>, whole: &Whole) -> Option<Vec<String>> {
    let cik = cells.get("cik");
    let tickers = whole.tickers.get(cik).map(|t| t.join("; ")).unwrap_or_default();
    whole.is_first(cells).then(|| vec![issuer(cik), cells.get("name").to_owned(), ten_digits(cik), tickers])
}

fn sp500(cells: &Cells<'_>, whole: &Whole) -> Option<Vec<String>> {
    whole.is_first(cells).then(|| vec![issuer(cells.get("CIK")), cells.get("GICS Sub-Industry").to_owned()])
}

/// Of some models the month of the release alone is known; those have no day.
fn models_dev(cells: &Cells<'_>, _: &Whole) -> Option<Vec<String>> {
    let released_on = Date::new(cells.get("release_date")).map(String::from).unwrap_or_default();
    let [id, lab, name, family, weights] = ["model_id", "lab", "name", "family", "open_weights"].map(|c| cells.get(c).to_owned());
    Some(vec![id, lab, name, family, released_on, weights])
}

fn labs(cells: &Cells<'_>, whole: &Whole) -> Option<Vec<String>> {
    whole.is_first(cells).then(|| vec![cells.get("provider_id").to_owned(), cells.get("name").to_owned()])
}

/// A lab without a CIK touches nobody by itself. The file names the day after the last; a record names the last.
fn exposure_providers(cells: &Cells<'_>, _: &Whole) -> Option<Vec<String>> {
    let cik = cells.get("cik");
    let relation = if cells.get("status") == "listed_parent" { "owned_by" } else { "is" };
    let from = format!("provider:{}", cells.get("provider_id"));
    let valid_to = cells.get("valid_to");
    // A date that is none is told as it is written.
    let valid_to = Date::new(valid_to).ok().and_then(|d| d.day_before()).map_or_else(|| valid_to.to_owned(), String::from);
    (!cik.is_empty()).then(|| edge(cells, &from, relation, &format!("issuer:{}", issuer(cik)), "1", valid_to))
}

/// Sectors and makers stand in the records of issuers and models; a relation nobody told us of is told as it is.
fn exposure_edges(cells: &Cells<'_>, _: &Whole) -> Option<Vec<String>> {
    let (relation, tier) = match cells.get("relation") {
        "in_sector" | "made_by" => return None,
        "equity_held_by" => ("equity_held_by", "1"),
        "buys_from" => ("supplier", "2"),
        known @ ("served_by" | "operated_by") => (known, "2"),
        other => (other, ""),
    };
    let to = match cells.get("to_cik") {
        "" => cells.get("to").to_owned(),
        cik => format!("issuer:{}", issuer(cik)),
    };
    Some(edge(cells, cells.get("from"), relation, &to, tier, cells.get("valid_to").to_owned()))
}

fn edge(cells: &Cells<'_>, from: &str, relation: &str, to: &str, tier: &str, valid_to: String) -> Vec<String> {
    // An id of what the edge joins: the same edge with other dates takes the place of the one before.
    let id = format!("{from}.{relation}.{to}").replace([':', '/'], ".");
    let (basis, evidence) = (cells.get("basis"), cells.get("evidence"));
    let basis = match basis {
        b if b.starts_with("public filing") || b.contains("SEC") => "public_filing",
        "press" => "press",
        "name match" => "name_match",
        _ => "computed",
    };
    // An edge whose own evidence calls itself unconfirmed may refer, never block.
    let confirmed = if evidence.contains("unconfirmed") { "no" } else { "yes" };
    let texts = [&id, from, relation, to, tier, cells.get("valid_from"), &valid_to, basis, confirmed, evidence];
    texts.map(str::to_owned).to_vec()
}

fn issuer(cik: &str) -> String {
    if cik.is_empty() { String::new() } else { format!("cik-{cik:0>10}") }
}

fn ten_digits(cik: &str) -> String {
    if cik.is_empty() { String::new() } else { format!("{cik:0>10}") }
}
