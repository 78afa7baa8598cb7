//! Personal trades under a published trading rule (5 CFR 4401.102, the SEC's for its own staff, which agencies take as a model).

use super::{Ask, Case, Sheet};
use crate::answer::{Kind, Outcome, Point};
use crate::rules::STAFF_TRADES;
use crate::scenario::{Asset, Holder, PersonalTrade, Side, TradingRule};
use crate::three::Three;

const KIND: Kind = Kind::Trading;

pub(crate) fn trades(case: &Case<'_>, sheet: &mut Sheet) {
    if case.asks(Point::PersonalTrade) && case.s.trades.is_empty() {
        let ask = Ask::new("What was traded, when, and when was it cleared and reported?", "`trades`");
        sheet.refer(KIND, Point::PersonalTrade, STAFF_TRADES, &ask);
    }
    for (n, t) in case.s.trades.iter().enumerate() {
        one(case, t, format!("trades[{n}]"), sheet);
    }
}

fn one(case: &Case<'_>, t: &PersonalTrade, place: String, sheet: &mut Sheet) {
    if t.rule == Some(TradingRule::AdviserCode) {
        return super::adviser::trade(case, t, place, sheet);
    }
    if t.rule != Some(TradingRule::SecStaff) {
        let ask = Ask::new("Which rule or policy binds the person, and what does it say of this trade?", "`trades[].rule`");
        sheet.refer(KIND, Point::PersonalTrade, STAFF_TRADES, &ask).fact(place);
        return;
    }
    if !matches!(t.holder, None | Some(Holder::Own | Holder::Spouse | Holder::MinorChild)) || exempt(t) {
        let because = "neither an account nor a thing that the rule covers (4401.102(a), (g))";
        sheet.find(KIND, Outcome::NoViolation, Point::PersonalTrade, STAFF_TRADES, because).fact(place);
        return;
    }
    let broken = broken(case, t);
    for (because, line) in &broken {
        sheet.find(KIND, Outcome::Violation, Point::PersonalTrade, STAFF_TRADES, because.clone()).fact(&place).sums(line.iter());
    }
    if !broken.is_empty() {
        return;
    }
    match complete(t) {
        true => {
            let because = "cleared and made in time, held long enough, and of no kind that is forbidden; a clearance is prima facie evidence only (4401.102(d)(2))";
            sheet.find(KIND, Outcome::NoViolation, Point::PersonalTrade, STAFF_TRADES, because).fact(place);
        }
        false => {
            let ask = Ask::new(
                "When was it cleared and made, when was what is sold bought, and is the issuer regulated by the agency or in a proceeding with it?",
                "`cleared_on`, `on`, `bought_on`, `agency_regulates_issuer`, `issuer_in_agency_proceeding`",
            );
            sheet.refer(KIND, Point::PersonalTrade, STAFF_TRADES, &ask).fact(place);
        }
    }
}

/// 4401.102(g)(1).
fn exempt(t: &PersonalTrade) -> bool {
    use Asset::*;
    matches!(t.asset, Some(TreasuryBond | TreasuryBillOrSavingsBond | ThriftSavingsPlan))
        || (matches!(t.asset, Some(MutualFund | UnitTrust)) && t.sector_fund == Some(false))
}

fn complete(t: &PersonalTrade) -> bool {
    let sale = t.side == Some(Side::Sale);
    let known = t.asset.is_some() && t.side.is_some() && t.cleared_on.is_some() && t.on.is_some();
    known && (!sale || t.bought_on.is_some()) && t.agency_regulates_issuer.is_some() && t.issuer_in_agency_proceeding.is_some()
}

/// Everything the rule forbids that the trade did.
fn broken(case: &Case<'_>, t: &PersonalTrade) -> Vec<(String, Option<String>)> {
    let l = case.limits;
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    let forbidden = [
        (t.side == Some(Side::ShortSale), "selling short is forbidden (4401.102(c)(4))"),
        (t.on_margin == Some(true), "buying or carrying on margin is forbidden (4401.102(c)(3))"),
        (matches!(t.asset, Some(Asset::Option | Asset::Derivative)), "derivatives of securities are forbidden (4401.102(c)(6))"),
        (
            t.side == Some(Side::Purchase) && t.within_7_days_of_ipo == Some(true),
            "buying within seven days of an initial offering is forbidden (4401.102(c)(2))",
        ),
        (
            t.side == Some(Side::Purchase) && t.agency_regulates_issuer == Some(true),
            "buying into what the agency directly regulates is forbidden (4401.102(c)(1))",
        ),
        (t.made_without_clearance == Some(true), "it was made without clearance (4401.102(d)(1))"),
        (
            t.issuer_in_agency_proceeding == Some(true),
            "the issuer is under investigation or in a proceeding with the agency (4401.102(c)(7))",
        ),
    ];
    found.extend(forbidden.iter().filter(|(is, _)| *is).map(|(_, why)| ((*why).to_owned(), None)));
    if let (Some(cleared), Some(on)) = (t.cleared_on, t.on) {
        let last = cleared.plus_business_days(l.execute_business_days);
        if on < cleared || on > last {
            found.push((
                "made outside the five business days after clearance (4401.102(d)(1))".into(),
                Some(format!("cleared {cleared}, until {last}; made {on}")),
            ));
        }
    }
    if let (Some(Side::Sale), Some(bought), Some(on)) = (t.side, t.bought_on, t.on) {
        let fund = t.sector_fund == Some(true) || matches!(t.asset, Some(Asset::MutualFund | Asset::UnitTrust));
        let end = if fund { bought.plus_days(l.hold_sector_fund_days) } else { bought.plus_months(l.hold_months) };
        if on < end && Three::from(t.at_most_90_percent_of_cost) != Three::Yes {
            let why = if fund {
                "sold within 30 days of buying shares of a sector fund (4401.102(e)(3))"
            } else {
                "sold within six months of buying (4401.102(e)(1))"
            };
            found.push((why.into(), Some(format!("bought {bought}, to be held until {end}; sold {on}"))));
        }
    }
    if let (Some(confirmed), Some(reported)) = (t.confirmed_on, t.reported_on) {
        let by = confirmed.plus_business_days(l.execute_business_days);
        if reported > by {
            found.push((
                "reported later than five business days after confirmation (4401.102(f)(2))".into(),
                Some(format!("confirmed {confirmed}, due {by}; reported {reported}")),
            ));
        }
    }
    found
}
