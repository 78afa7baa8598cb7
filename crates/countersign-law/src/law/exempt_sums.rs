//! Exemptions that are limits in dollars: sector funds and securities (5 CFR 2640.201(b), 2640.202(a)-(c)). Bounds in, bounds out.

use super::Case;
use super::classify::Class;
use super::exempt::Shield;
use super::stakes::{Stake, Touch};
use crate::amount::{Amount, grouped};
use crate::rules::{CLASSIFY, FUND, GENERAL_SUM, NONPARTY_SUM, NOT_A_SECURITY, PARTY_SUM, Rule, SECTOR_OUT, SECTOR_SUM};
use crate::scenario::{Asset, Concentration, Holder, Interest, same_name};
use crate::three::Three;

/// What counts towards a sum: the value; where it is not sure that it is affected, from nothing to the value.
fn counted(stake: &Stake<'_>) -> Option<Amount> {
    let i = stake.interest()?;
    let value = i.value.unwrap_or(Amount::UNKNOWN);
    let value = i.sold_above.map_or(value, |ceiling| value.capped(ceiling));
    match stake.touch {
        Touch::Yes(..) if stake.standing.is_some() || is_fund(stake) || stake.asset == Asset::TreasuryBond => Some(value),
        Touch::Yes(..) | Touch::Unknown(..) => Amount::between(0, value.high()),
        Touch::No(..) => None,
    }
}

struct Sum {
    total: Amount,
    lines: Vec<String>,
}

fn sum<'s>(of: impl Iterator<Item = &'s Stake<'s>>) -> Sum {
    let (mut total, mut lines) = (Amount::ZERO, Vec::new());
    for stake in of {
        let Some(value) = counted(stake) else { continue };
        total = total.plus(value);
        lines.push(format!("{}: {value}", stake.place));
    }
    Sum { total, lines }
}

impl Sum {
    fn against(mut self, limit: u64, rule: Rule, what: &str) -> Shield {
        let held = self.total.within(limit);
        let verb = match held {
            Three::Yes => "does not exceed",
            Three::No => "exceeds",
            Three::Unknown => "may exceed",
        };
        self.lines.push(format!("together {}, which {verb} ${}", self.total, grouped(limit)));
        match held {
            Three::Yes => Shield::Exempt(rule, format!("{what} come to no more than ${}", grouped(limit)), self.lines),
            Three::No => Shield::Lost(rule, format!("{what} come to more than ${}", grouped(limit)), self.lines),
            Three::Unknown => {
                let settled = format!("the exact values, or a sum of at most ${}", grouped(limit));
                let known = if self.total == Amount::UNKNOWN { "no value".to_owned() } else { self.total.to_string() };
                let question = format!("How much are the {what} worth in all? The papers give {known}.");
                Shield::Open(rule, super::Ask::new(question, settled), self.lines)
            }
        }
    }
}

fn is_fund(stake: &Stake<'_>) -> bool {
    matches!(stake.asset, Asset::MutualFund | Asset::UnitTrust) || stake.interest().is_some_and(|i| i.asset.is_none() && i.fund.is_some())
}

/// 2640.201(b).
pub(super) fn sector(case: &Case<'_>, stake: &Stake<'_>, i: &Interest, kind: Option<Concentration>, all: &[Stake<'_>]) -> Shield {
    let facts = i.fund.clone().unwrap_or_default();
    if kind.is_some() && facts.holding_is_in_that_sector == Some(false) {
        return Shield::exempt(SECTOR_OUT, "the affected holding lies outside the sector the fund concentrates in");
    }
    let limit = case.limits.sector_funds;
    let counts = |other: &&Stake<'_>| {
        let f = other.interest().and_then(|i| i.fund.as_ref());
        is_fund(other)
            && f.is_none_or(|f| f.prospectus_concentrates_in != Some(Concentration::Nothing) && f.holding_is_in_that_sector != Some(false))
    };
    // Two prospectuses rarely use the same word for a sector; funds of other names count as well unless that alone breaks the limit.
    let every = sum(all.iter().filter(counts)).against(limit, SECTOR_SUM, "sector funds with an affected holding");
    if matches!(every, Shield::Exempt(..)) {
        return every;
    }
    if kind.is_none() {
        return Shield::open(FUND, "What does the prospectus say the fund concentrates in?", "`fund.prospectus_concentrates_in`");
    }
    let same = |other: &&Stake<'_>| {
        other.interest().and_then(|i| i.fund.as_ref()).is_some_and(|f| same_name(&f.sector, &facts.sector)) || other.place == stake.place
    };
    let alone = sum(all.iter().filter(counts).filter(same)).against(limit, SECTOR_SUM, "funds of this sector with an affected holding");
    match (alone, every) {
        (lost @ Shield::Lost(..), _) => lost,
        (open @ Shield::Open(..), _) => open,
        (_, Shield::Lost(_, _, lines) | Shield::Open(_, _, lines)) => Shield::Open(
            SECTOR_SUM,
            super::Ask::new(
                "Do the funds concentrate in the same sector, though their prospectuses name it differently?",
                "`fund.sector` of each fund",
            ),
            lines,
        ),
        (exempt, _) => exempt,
    }
}

/// The limits of 2640.202(a) to (c) are on what the employee, spouse and minor children own.
fn is_sum_security(stake: &Stake<'_>) -> bool {
    let unsure = stake.interest().is_some_and(|i| i.asset.is_none() || i.holder.is_none());
    let counted_holder = matches!(stake.holder, Holder::Own | Holder::Spouse | Holder::MinorChild);
    (stake.asset.is_security() && counted_holder) || unsure
}

/// 2640.202(a) to (c).
pub(super) fn securities(case: &Case<'_>, class: Class, stake: &Stake<'_>, all: &[Stake<'_>]) -> Shield {
    if !matches!(stake.holder, Holder::Own | Holder::Spouse | Holder::MinorChild) {
        return Shield::lost(PARTY_SUM, "the limits in dollars are on securities of the person, the spouse and minor children");
    }
    let traded = match stake.asset {
        Asset::MunicipalBond | Asset::TreasuryBond => Three::Yes,
        _ => Three::from(stake.interest().and_then(|i| i.publicly_traded)),
    };
    if traded == Three::No {
        return Shield::lost(NOT_A_SECURITY, "it is not publicly traded, so no limit in dollars makes it exempt");
    }
    let shield = match class {
        Class::Parties => with_parties(case, stake, all),
        Class::General => general(case, stake, all),
        _ => return Shield::open(CLASSIFY, super::classify::ask().question, super::classify::ask().settled_by),
    };
    match (traded, shield) {
        // Stock of a stated worth is within the limit if it is a publicly traded security; of anything else nothing is said before that is known.
        (Three::Unknown, Shield::Exempt(rule, why, lines)) => {
            let ask = super::Ask::new(format!("Is what is held in {} publicly traded?", super::named(stake.name)), "`publicly_traded`");
            let stated = matches!(stake.asset, Asset::Stock | Asset::CorporateBond);
            match stated {
                true => Shield::ExemptIf(rule, format!("{why} ({}), provided that it is publicly traded", lines.join("; ")), ask),
                false => Shield::Open(rule, ask, lines),
            }
        }
        (_, shield) => shield,
    }
}

fn with_parties(case: &Case<'_>, stake: &Stake<'_>, all: &[Stake<'_>]) -> Shield {
    let party = |s: &&Stake<'_>| is_sum_security(s) && s.standing.is_none_or(|x| x.is_party());
    let parties = sum(all.iter().filter(party)).against(case.limits.party_securities, PARTY_SUM, "securities of parties");
    let everything = || sum(all.iter().filter(|s| is_sum_security(s)));
    if stake.standing.is_none_or(|s| s.is_party()) {
        return parties;
    }
    // Nonparties count only beside party securities that are themselves exempt (2640.202(b)(2)).
    match parties {
        Shield::Exempt(..) => everything().against(
            case.limits.all_securities_with_parties,
            NONPARTY_SUM,
            "securities of parties and of other affected issuers",
        ),
        _ => match everything().against(case.limits.all_securities_with_parties, NONPARTY_SUM, "all affected securities") {
            Shield::Exempt(rule, why, lines) => Shield::Exempt(rule, why, lines),
            other => other,
        },
    }
}

fn general(case: &Case<'_>, stake: &Stake<'_>, all: &[Stake<'_>]) -> Shield {
    let limits = case.limits;
    if stake.asset == Asset::TreasuryBond {
        let bonds = all.iter().filter(|s| s.asset == Asset::TreasuryBond && is_sum_security(s));
        return sum(bonds).against(limits.federal_securities_general, GENERAL_SUM, "long-term federal securities");
    }
    let counts = |s: &&Stake<'_>| is_sum_security(s) && s.asset != Asset::TreasuryBond;
    let one = sum(all.iter().filter(counts).filter(|s| same_name(s.name, stake.name) || s.name.trim().is_empty()));
    let one = one.against(limits.one_issuer_general, GENERAL_SUM, "securities of this issuer");
    let total = sum(all.iter().filter(counts)).against(limits.all_issuers_general, GENERAL_SUM, "securities of all affected issuers");
    match (one, total) {
        (lost @ Shield::Lost(..), _) | (_, lost @ Shield::Lost(..)) => lost,
        (open @ Shield::Open(..), _) | (_, open @ Shield::Open(..)) => open,
        (Shield::Exempt(rule, why, mut lines), Shield::Exempt(_, and, more)) => {
            lines.extend(more);
            Shield::Exempt(rule, format!("{why}, and {and}"), lines)
        }
        (_, other) => other,
    }
}
