//! Trades and holdings out of cells, whatever form they stood on.

use countersign_entry::ids::Date;
use serde::{Deserialize, Serialize};

use crate::accounting::{Canonical, Flag, Reason};
use crate::amount::{AmountShape, Band, read_amount};
use crate::cell::{exchange_legs, has_entities, has_tags, one_line, read_ticker};
use crate::date::{DateForm, ReadDate, is_weekend, read_past_date};
use crate::owner::{HolderRelation, OwnerCell, read_owner};
use crate::trade_kind::{TradeKind, read_trade_kind};

/// A trade as a filer disclosed it. Texts are the filer's, with white space made single; the issuer is not known yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// Who filed.
    pub filer: String,
    /// The filing it stands in.
    pub filing_id: Option<String>,
    /// The filer's agency.
    pub agency: Option<String>,
    /// The row's number on the form.
    pub line_no: Option<String>,
    /// Whose trade it was.
    pub holder: HolderRelation,
    /// The day of the trade.
    pub traded_on: Date,
    /// The day it was disclosed.
    pub disclosed_on: Option<Date>,
    /// What was done.
    pub kind: TradeKind,
    /// The security; in an exchange the one that was given.
    pub asset: Leg,
    /// In an exchange, the security that was received.
    pub received: Option<Leg>,
    /// The form's type of asset.
    pub asset_type: Option<String>,
    /// What it was worth; none where the form does not say.
    pub amount: Option<Band>,
    /// How many units, where the source says so; part of a unit counts as a whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
    /// The filer's comment.
    pub comment: Option<String>,
}

/// A security as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// The ticker, without links; more than one where the cell had several and the row is no exchange.
    pub ticker: Option<String>,
    /// The text.
    pub text: String,
}

/// A holding as a filer disclosed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Who filed.
    pub filer: String,
    /// The filing it stands in.
    pub filing_id: Option<String>,
    /// The filer's agency.
    pub agency: Option<String>,
    /// The row's number on the form; `8.4.1` stands inside `8.4`.
    pub line_no: Option<String>,
    /// The form's part, as written.
    pub part: Option<String>,
    /// Whose it is.
    pub holder: HolderRelation,
    /// The day it was held.
    pub as_of: Option<Date>,
    /// The security.
    pub asset: Leg,
    /// The form's type of asset.
    pub asset_type: Option<String>,
    /// What a sector fund concentrates in, where the source says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector: Option<String>,
    /// What it is worth; none where the form does not say.
    pub amount: Option<Band>,
    /// What kind of income it brings.
    pub income_type: Option<String>,
}

impl Canonical for Trade {
    fn canonical(&self) -> Vec<u8> {
        // Fields are written in the order they are declared in, so equal values have equal bytes. Neither type can fail to serialize.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Canonical for Holding {
    fn canonical(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// A row's cells by our names for them.
pub(crate) trait Cells {
    /// The cell; none where it is blank.
    fn cell(&self, field: &str) -> Option<&str>;
    /// Whether the form asks for the field at all.
    fn asks_for(&self, field: &str) -> bool;
}

pub(crate) fn read_trade(cells: &dyn Cells, form: DateForm, received_on: &Date) -> Result<(Trade, Vec<Flag>), Reason> {
    let mut flags = Vec::new();
    let (kind_text, date_text) = match cells.cell("transaction") {
        Some(both) => both.rsplit_once(',').map_or((Some(both), None), |(kind, date)| (Some(kind), Some(date))),
        None => (cells.cell("kind"), cells.cell("traded_on")),
    };
    let date = |field, text: &str| read_past_date(text, form, received_on).map_err(|fault| Reason::Date { field, fault });
    let traded = date("traded_on", date_text.unwrap_or_default())?;
    let disclosed = cells.cell("disclosed_on").map(|text| date("disclosed_on", text)).transpose()?;
    flag_dates(&mut flags, &traded, disclosed.as_ref());
    let kind = read_trade_kind(kind_text.unwrap_or_default()).ok_or_else(|| Reason::TradeKind(kind_text.unwrap_or_default().to_owned()))?;
    raise(&mut flags, kind == TradeKind::Unknown, Flag::KindBlank);
    let (asset, received) = legs(cells, kind, &mut flags)?;
    raise(&mut flags, cells.asks_for("asset_type") && cells.cell("asset_type").is_none(), Flag::AssetTypeBlank);
    let trade = Trade {
        filer: text(cells, "filer").ok_or(Reason::Missing("filer"))?,
        filing_id: text(cells, "filing_id"),
        agency: text(cells, "agency"),
        line_no: text(cells, "line_no"),
        holder: holder(cells, &mut flags),
        traded_on: traded.date,
        disclosed_on: disclosed.map(|d| d.date),
        kind,
        asset,
        received,
        asset_type: text(cells, "asset_type"),
        amount: amount(cells, &mut flags)?,
        quantity: quantity(cells)?,
        comment: text(cells, "comment").filter(|c| c != "--"),
    };
    Ok((trade, flags))
}

pub(crate) fn read_holding(cells: &dyn Cells, form: DateForm, received_on: &Date) -> Result<(Holding, Vec<Flag>), Reason> {
    let mut flags = Vec::new();
    let as_of = cells.cell("as_of").map(|text| read_past_date(text, form, received_on)).transpose();
    let as_of = as_of.map_err(|fault| Reason::Date { field: "as_of", fault })?;
    raise(&mut flags, as_of.as_ref().is_some_and(|d| d.short_year), Flag::ShortYear);
    let line_no = text(cells, "line_no");
    raise(&mut flags, line_no.as_ref().is_some_and(|n| n.contains('.')), Flag::Nested);
    let asset = leg(cells, &mut flags)?;
    let holding = Holding {
        filer: text(cells, "filer").ok_or(Reason::Missing("filer"))?,
        filing_id: text(cells, "filing_id"),
        agency: text(cells, "agency"),
        line_no,
        part: text(cells, "part"),
        holder: holder(cells, &mut flags),
        as_of: as_of.map(|d| d.date),
        asset,
        asset_type: text(cells, "asset_type"),
        sector: text(cells, "sector"),
        amount: amount(cells, &mut flags)?,
        income_type: text(cells, "income_type"),
    };
    Ok((holding, flags))
}

fn raise(flags: &mut Vec<Flag>, when: bool, flag: Flag) {
    if when {
        flags.push(flag);
    }
}

fn text(cells: &dyn Cells, field: &str) -> Option<String> {
    cells.cell(field).map(one_line)
}

fn flag_dates(flags: &mut Vec<Flag>, traded: &ReadDate, disclosed: Option<&ReadDate>) {
    raise(flags, disclosed.is_some_and(|d| d.date < traded.date), Flag::DisclosedBeforeTraded);
    raise(flags, is_weekend(&traded.date) == Some(true), Flag::Weekend);
    raise(flags, traded.short_year || disclosed.is_some_and(|d| d.short_year), Flag::ShortYear);
}

fn holder(cells: &dyn Cells, flags: &mut Vec<Flag>) -> HolderRelation {
    let owner = read_owner(cells.cell("holder").or_else(|| cells.cell("part")).unwrap_or_default());
    let asked = cells.asks_for("holder") || cells.asks_for("part");
    raise(flags, asked && owner == OwnerCell::Blank, Flag::OwnerBlank);
    raise(flags, owner == OwnerCell::AnyOfThem, Flag::OwnerHousehold);
    raise(flags, owner == OwnerCell::NotUnderstood, Flag::OwnerNotUnderstood);
    owner.relation()
}

fn amount(cells: &dyn Cells, flags: &mut Vec<Flag>) -> Result<Option<Band>, Reason> {
    let amount = read_amount(cells.cell("amount").unwrap_or_default())?;
    let flag = match amount.shape {
        AmountShape::Range | AmountShape::Over | AmountShape::NoneOrLess => None,
        AmountShape::BrokenRange => Some(Flag::AmountBroken),
        AmountShape::OffForm => Some(Flag::AmountOffForm),
        AmountShape::CutOff => Some(Flag::AmountRepaired),
        AmountShape::Exact => Some(Flag::AmountExact),
        AmountShape::Blank => Some(Flag::AmountBlank),
    };
    flags.extend(flag);
    Ok(amount.band)
}

/// Units as statements write them: `1,500`, `12.75`. A sign tells of the side, which stands elsewhere.
fn quantity(cells: &dyn Cells) -> Result<Option<u64>, Reason> {
    let Some(text) = cells.cell("quantity").map(str::trim).filter(|t| !t.is_empty() && *t != "--") else { return Ok(None) };
    let bad = || Reason::Field { field: "quantity", detail: format!("{text:?} is not a number of units") };
    let digits = text.trim_start_matches(['-', '+']).replace(',', "");
    let (whole, part) = digits.split_once('.').unwrap_or((&digits, ""));
    if whole.is_empty() && part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    let units: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| bad())? };
    let more = u64::from(part.bytes().any(|b| b != b'0'));
    units.checked_add(more).map(Some).ok_or_else(bad)
}

/// The row's one security, tickers of a cell with several left side by side for somebody to tell apart.
fn leg(cells: &dyn Cells, flags: &mut Vec<Flag>) -> Result<Leg, Reason> {
    let ticker = read_ticker(cells.cell("ticker").unwrap_or_default());
    raise(flags, cells.asks_for("ticker") && ticker.legs.is_empty(), Flag::TickerBlank);
    raise(flags, ticker.dash, Flag::TickerDash);
    raise(flags, ticker.markup, Flag::TickerMarkup);
    raise(flags, ticker.legs.len() > 1, Flag::TwoTickers);
    let asset = cells.cell("asset").unwrap_or_default();
    raise(flags, has_tags(asset), Flag::AssetMarkup);
    raise(flags, has_entities(asset), Flag::AssetEntities);
    raise(flags, !asset.is_ascii(), Flag::AssetNotAscii);
    raise(flags, asset.contains(['\n', '\r']), Flag::AssetLineBreak);
    let symbols: Vec<String> = ticker.legs.into_iter().flatten().collect();
    let ticker = (!symbols.is_empty()).then(|| symbols.join(" "));
    if ticker.is_none() && asset.is_empty() {
        return Err(Reason::Missing("asset"));
    }
    Ok(Leg { ticker, text: one_line(asset) })
}

/// The row's security, and in an exchange that says so the other one.
fn legs(cells: &dyn Cells, kind: TradeKind, flags: &mut Vec<Flag>) -> Result<(Leg, Option<Leg>), Reason> {
    let whole = leg(cells, flags)?;
    let texts = (kind == TradeKind::Exchange).then(|| exchange_legs(cells.cell("asset").unwrap_or_default())).flatten();
    let Some((given, got)) = texts else { return Ok((whole, None)) };
    flags.push(Flag::TwoLegs);
    let mut tickers = read_ticker(cells.cell("ticker").unwrap_or_default()).legs;
    // One ticker for two securities belongs to either: it stays with neither, and the texts decide.
    let [first, second] = if tickers.len() == 2 { [tickers.remove(0), tickers.remove(0)] } else { [None, None] };
    Ok((Leg { ticker: first, text: given }, Some(Leg { ticker: second, text: got })))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    struct Row(BTreeMap<&'static str, &'static str>);

    impl Cells for Row {
        fn cell(&self, field: &str) -> Option<&str> {
            self.0.get(field).copied()
        }
        fn asks_for(&self, field: &str) -> bool {
            self.0.contains_key(field)
        }
    }

    #[test]
    fn units_are_read_as_statements_write_them() {
        let read = |text| quantity(&Row(BTreeMap::from([("quantity", text)])));
        for (text, units) in [("1,500", 1_500), ("12.75", 13), ("-40", 40), ("7.000", 7), (".5", 1), ("0", 0)] {
            assert_eq!(read(text), Ok(Some(units)), "{text}");
        }
        assert_eq!((quantity(&Row(BTreeMap::new())), read(" "), read("--")), (Ok(None), Ok(None), Ok(None)));
        for text in ["many", "1e3", "1.2.3", "99999999999999999999999", "."] {
            assert!(matches!(read(text), Err(Reason::Field { field: "quantity", .. })), "{text}");
        }
    }
}
