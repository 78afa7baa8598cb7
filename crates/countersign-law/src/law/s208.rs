//! May the person take part? 18 U.S.C. 208 with its exemptions and waivers (5 CFR 2635.402, part 2640).

use super::classify::{self, Class};
use super::exempt::{Shield, shield};
use super::stakes::{Stake, Touch, stakes};
use super::{Ask, Case, Sheet, s502};
use crate::answer::{Flag, Kind, Outcome, Point};
use crate::rules::{ADVISER_STOCK, CLASSIFY, FUND, INTEREST, PARTIES_ONLY, PARTY_SUM, STATUS, STEPS, WAIVER};
use crate::scenario::{Asset, Concentration, Interest, Paper, PaperKind, Status, Step, same_name};
use crate::three::Three;

/// Whether 18 U.S.C. 208 binds somebody of this status.
fn bound(status: Option<Status>) -> Three {
    use Status::*;
    match status {
        None => Three::Unknown,
        Some(Employee | Officer | Sge | PresidentialAppointee | IpaDetailee | Nominee) => Three::Yes,
        Some(Enlisted | Candidate | Contractor | Ffrdc | Partner | Former) => Three::No,
    }
}

pub(crate) fn participation(case: &Case<'_>, sheet: &mut Sheet) {
    let s = case.s;
    let asked = [Point::Participation, Point::FinancialInterest, Point::Exemption].iter().any(|p| case.asks(*p));
    let Some(matter) = &s.matter else {
        fund_class(case, sheet);
        if asked {
            whatever_the_matter(case, sheet);
            let ask = Ask::new("In which matter would the person act?", "`matter`");
            sheet.refer(Kind::Participation, Point::Participation, INTEREST, &ask);
        }
        return;
    };
    let stakes = stakes(case);
    if s.person.status == Some(Status::Former) || (stakes.is_empty() && !asked) {
        fund_class(case, sheet);
        return;
    }
    if bound(s.person.status) == Three::No {
        return super::contract::participation(case, &stakes, sheet);
    }
    if s.steps.iter().all(|step| !step.of_substance()) && !s.steps.is_empty() {
        let because = "the person's part is administrative or peripheral, so it is not substantial";
        sheet.find(Kind::Participation, Outcome::MayParticipate, Point::Participation, STEPS, because).fact("steps");
        return;
    }
    weigh(case, Class::of(matter), &stakes, sheet);
    fund_class(case, sheet);
}

/// Exemptions that hold, or fail, in any matter at all.
fn whatever_the_matter(case: &Case<'_>, sheet: &mut Sheet) {
    let stakes = stakes(case);
    for stake in &stakes {
        write_shield(stake, &shield(case, Class::Unknown, stake, &stakes), sheet);
    }
}

fn weigh(case: &Case<'_>, class: Class, stakes: &[Stake<'_>], sheet: &mut Sheet) {
    if class == Class::NotParticular {
        let because = "it is not a particular matter, so neither 18 U.S.C. 208 nor 5 CFR 2635.502 is engaged";
        sheet.find(Kind::Participation, Outcome::MayParticipate, Point::Participation, CLASSIFY, because).fact("matter");
        // An exemption that holds is told of also where it is not needed.
        for stake in stakes {
            if let exempt @ Shield::Exempt(..) = shield(case, Class::General, stake, stakes) {
                write_shield(stake, &exempt, sheet);
            }
        }
        return;
    }
    if stakes.is_empty() {
        let ask =
            Ask::new("What do the person, family and organizations served hold that the matter could affect?", "`interests` and `ties`");
        sheet.refer(Kind::Participation, Point::Participation, INTEREST, &ask);
        return;
    }
    let mut tally = Tally::default();
    for stake in stakes {
        one(case, class, stake, stakes, &mut tally, sheet);
    }
    if class == Class::Unknown && tally.worst() != Worst::Clear {
        sheet.refer(Kind::Participation, Point::Participation, CLASSIFY, &classify::ask());
        return;
    }
    conclude(case, class, stakes, &tally, sheet);
}

/// What the stakes come to.
#[derive(Default)]
struct Tally {
    barred: Vec<String>,
    cured_by_sale: bool,
    /// Affected for sure, and nothing stated that would show an exemption.
    unless_exempt: bool,
    /// Whether something is affected at all is open, and nothing would exempt it.
    unsettled: bool,
    open: bool,
    exempt: Vec<String>,
}

#[derive(PartialEq, Eq)]
enum Worst {
    Barred,
    Open,
    Clear,
}

impl Tally {
    fn worst(&self) -> Worst {
        match (self.barred.is_empty(), self.open) {
            (false, _) => Worst::Barred,
            (true, true) => Worst::Open,
            (true, false) => Worst::Clear,
        }
    }
}

fn one(case: &Case<'_>, class: Class, stake: &Stake<'_>, all: &[Stake<'_>], tally: &mut Tally, sheet: &mut Sheet) {
    let shield = shield(case, class, stake, all);
    if let Touch::No(..) = stake.touch {
        // An exemption that holds is told of also where the effect would be too indirect to need it.
        if let Shield::Exempt(..) = shield {
            write_shield(stake, &shield, sheet);
        }
        return;
    }
    if !matches!(shield, Shield::Exempt(..)) {
        adviser_stock(case, stake, sheet);
    }
    write_shield(stake, &shield, sheet);
    if let (Touch::Yes(rule, why), Shield::Open(..) | Shield::ExemptIf(..)) = (&stake.touch, &shield) {
        sheet.find(Kind::Participation, Outcome::DisqualifyingInterest, Point::FinancialInterest, *rule, why.clone()).fact(&stake.place);
        tally.unless_exempt |= matches!(shield, Shield::Open(..)) && !value_stated(stake);
    }
    match (&stake.touch, &shield) {
        (_, Shield::Exempt(..)) => tally.exempt.push(stake.place.clone()),
        (Touch::Yes(rule, why), Shield::Lost(..) | Shield::None) => {
            sheet
                .find(Kind::Participation, Outcome::DisqualifyingInterest, Point::FinancialInterest, *rule, why.clone())
                .fact(&stake.place);
            tally.cured_by_sale |= matches!(&shield, Shield::Lost(rule, _, lines) if *rule != INTEREST && !lines.is_empty());
            tally.barred.push(stake.place.clone());
        }
        (Touch::Unknown(rule, ask), Shield::Lost(..) | Shield::None) => {
            sheet.refer(Kind::Participation, Point::FinancialInterest, *rule, ask).fact(&stake.place);
            (tally.open, tally.unsettled) = (true, true);
        }
        (_, Shield::Open(rule, ask, lines)) => {
            sheet.refer(Kind::Participation, Point::Exemption, *rule, ask).fact(&stake.place).sums(lines);
            tally.open = true;
        }
        (_, Shield::ExemptIf(rule, _, ask)) => {
            sheet.refer(Kind::Participation, Point::Exemption, *rule, ask).fact(&stake.place);
            tally.open = true;
        }
        (Touch::No(..), _) => {}
    }
}

fn write_shield(stake: &Stake<'_>, shield: &Shield, sheet: &mut Sheet) {
    let kind = Kind::Exemption;
    match shield {
        Shield::Exempt(rule, why, lines) => {
            sheet.find(kind, Outcome::Exempt, Point::Exemption, *rule, why.clone()).fact(&stake.place).sums(lines);
        }
        Shield::ExemptIf(rule, why, ask) => {
            let because = format!("{why}. To be settled: {}", ask.question);
            sheet.find(kind, Outcome::Exempt, Point::Exemption, *rule, because).fact(&stake.place).flag(Flag::Conditional);
        }
        Shield::Lost(rule, why, lines) => {
            let written = sheet.find(kind, Outcome::ExemptionUnavailable, Point::Exemption, *rule, why.clone()).fact(&stake.place);
            written.sums(lines).flag(Flag::WaiverPossible).flag_if(!lines.is_empty(), Flag::PartialDivestitureCures);
        }
        Shield::Open(rule, ask, lines) => {
            sheet.refer(kind, Point::Exemption, *rule, ask).fact(&stake.place).sums(lines);
        }
        Shield::None => {}
    }
}

/// Whether the papers give a value, be it only a band: then the exact one is asked for, and nothing is said before.
fn value_stated(stake: &Stake<'_>) -> bool {
    stake.interest().is_some_and(|i| i.value.is_some_and(|v| v.high().is_some()) && i.publicly_traded.is_some())
}

/// The exemption for advisers' jobs does not reach stock of the employer (2640.203(g)).
fn adviser_stock(case: &Case<'_>, stake: &Stake<'_>, sheet: &mut Sheet) {
    let employer = case.s.ties.iter().any(|t| t.who == Some(crate::scenario::Holder::Own) && same_name(&t.with, stake.name));
    if stake.asset == Asset::Stock && employer && case.s.person.status == Some(Status::Sge) && case.s.person.committee.is_some() {
        let because = "the exemption for the employment of advisers does not extend to stock of the employer";
        sheet.find(Kind::Exemption, Outcome::ExemptionUnavailable, Point::Exemption, ADVISER_STOCK, because).fact(&stake.place);
    }
}

fn conclude(case: &Case<'_>, class: Class, stakes: &[Stake<'_>], tally: &Tally, sheet: &mut Sheet) {
    match tally.worst() {
        Worst::Barred => match waiver(case) {
            Three::Yes => {
                let because = "a waiver in writing, by the right official, after full disclosure and before acting, covers it";
                let found = sheet.find(Kind::Participation, Outcome::MayParticipate, Point::Participation, WAIVER, because);
                found.fact("papers").facts(&tally.barred).flag(Flag::Waived);
            }
            _ => barred(case, tally, sheet),
        },
        Worst::Open if tally.unless_exempt => unless_exempt(sheet),
        Worst::Open if tally.unsettled && sheet.has(Kind::Exemption, Outcome::Exempt) && !sheet.has(Kind::Exemption, Outcome::Refer) => {
            let ask = Ask::new("Are the other interests stated affected, and exempt?", "the questions on participation");
            sheet.refer(Kind::Exemption, Point::Exemption, INTEREST, &ask);
        }
        Worst::Open => {}
        Worst::Clear if bound(case.s.person.status) == Three::Unknown => {
            let ask =
                Ask::new("What is the person's status: employee, officer, special Government employee, contractor?", "`person.status`");
            sheet.refer(Kind::Participation, Point::Participation, STATUS, &ask);
        }
        Worst::Clear if s502::to_be_followed(case, class, stakes, &tally.exempt) => {
            let because = "no disqualifying financial interest; whether impartiality would be questioned must be considered before acting";
            let found = sheet.find(Kind::Participation, Outcome::Follow502, Point::Participation, PARTIES_ONLY, because);
            found.facts(stakes.iter().map(|s| &s.place)).flag(Flag::S208NotTriggered);
        }
        Worst::Clear => {
            let touches: Vec<String> = stakes.iter().filter_map(|s| why_not(s, tally)).collect();
            let because = format!("no interest stands against it: {}", touches.join("; "));
            sheet
                .find(Kind::Participation, Outcome::MayParticipate, Point::Participation, INTEREST, because)
                .facts(stakes.iter().map(|s| &s.place))
                .flag_if(tally.exempt.is_empty(), Flag::S208NotTriggered);
        }
    }
}

fn why_not(stake: &Stake<'_>, tally: &Tally) -> Option<String> {
    match &stake.touch {
        Touch::No(_, why) => Some(why.clone()),
        _ => tally.exempt.contains(&stake.place).then(|| format!("{} is exempt", stake.place)),
    }
}

fn barred(case: &Case<'_>, tally: &Tally, sheet: &mut Sheet) {
    let s = case.s;
    let high = s.person.assigns_own_work == Some(true);
    let because = "the matter affects an interest that counts as the person's, and no exemption or waiver applies";
    for kind in [Kind::Participation, Kind::Exemption] {
        if kind == Kind::Exemption && !sheet.engages(kind) {
            continue;
        }
        sheet
            .find(kind, Outcome::Disqualified, Point::Participation, INTEREST, because)
            .facts(&tally.barred)
            .flag(Flag::WaiverPossible)
            .flag_if(high, Flag::WrittenRecusalPrudent)
            .flag_if(!high, Flag::WrittenRecusalOptional)
            .flag_if(s.learned_midway == Some(true), Flag::MidMatterDiscovery)
            .flag_if(tally.cured_by_sale, Flag::PartialDivestitureCures);
    }
    sheet.oblige("the person", "take no part in the matter", s.as_of, "5 CFR 2635.402(c)");
    let tell = match high {
        true => "keep the matter away from yourself; a written recusal to a superior and notice to subordinates is prudent, not required",
        false => "tell whoever assigned the matter, by word of mouth or in writing",
    };
    sheet.oblige("the person", tell, None, "5 CFR 2635.402(c)(1), (2)");
}

/// Who claims an exemption shows that it applies; until then the statute bars (2640.103(a), (d)).
fn unless_exempt(sheet: &mut Sheet) {
    let because = "the matter affects an interest that counts as the person's; it bars participation unless an exemption, which the facts do not show, \
                   or a waiver applies";
    for kind in [Kind::Participation, Kind::Exemption] {
        let found = sheet.find(kind, Outcome::Disqualified, Point::Participation, INTEREST, because);
        found.flag(Flag::Conditional).flag(Flag::WaiverPossible);
    }
}

/// Whether a waiver holds (2640.301, 2640.302).
fn waiver(case: &Case<'_>) -> Three {
    let sge = case.s.person.status == Some(Status::Sge);
    let ok = |p: &Paper| {
        let kind: Three = match p.kind {
            Some(PaperKind::Waiver208b1) => Three::Yes,
            Some(PaperKind::Waiver208b3) => sge.into(),
            _ => Three::No,
        };
        let name = case.s.matter.as_ref().map_or("", |m| m.name.as_str());
        let covers =
            p.covers.is_empty() || p.covers.iter().any(|c| same_name(c, name) || case.s.interests.iter().any(|i| same_name(c, &i.issuer)));
        [p.written, p.by_the_right_official, p.after_full_disclosure, p.before_acting]
            .iter()
            .fold(kind.and(covers.into()), |all, x| all.and((*x).into()))
    };
    case.s.papers.iter().map(ok).fold(Three::No, Three::or)
}

/// Of which kind a fund is (2640.102(a), (q)).
fn fund_class(case: &Case<'_>, sheet: &mut Sheet) {
    let fund = |i: &Interest| matches!(i.asset, Some(Asset::MutualFund | Asset::UnitTrust));
    if case.asks(Point::FundClass) && !case.s.interests.iter().any(fund) {
        let ask = Ask::new("Which fund is held, and what does its prospectus say it concentrates in?", "`interests[].fund`");
        sheet.refer(Kind::Exemption, Point::FundClass, FUND, &ask);
    }
    for (n, i) in case.s.interests.iter().enumerate() {
        if !fund(i) {
            continue;
        }
        match i.fund.as_ref().and_then(|f| f.prospectus_concentrates_in) {
            Some(Concentration::Nothing) => {}
            Some(_) => {
                let because = "the prospectus states a policy of concentrating, so it is a sector fund";
                sheet
                    .find(Kind::Exemption, Outcome::ClassifyAsSectorFund, Point::FundClass, FUND, because)
                    .fact(format!("interests[{n}].fund"));
            }
            None if case.asks(Point::FundClass) => {
                let ask = Ask::new("What does the prospectus say the fund concentrates in?", "`fund.prospectus_concentrates_in`");
                sheet.refer(Kind::Exemption, Point::FundClass, FUND, &ask);
            }
            None => {}
        }
    }
}

/// A recorded recusal stands against taking part, whatever else is found.
pub(crate) fn recused(case: &Case<'_>, sheet: &mut Sheet) {
    let recusal = case.s.papers.iter().any(|p| p.kind == Some(PaperKind::Recusal));
    if recusal || case.s.steps.contains(&Step::Recused) && case.s.person.status != Some(Status::Former) {
        sheet.find(Kind::Participation, Outcome::Disqualified, Point::Participation, INTEREST, "a recusal is on record").fact("papers");
    }
}

/// The value the person did not know yet: the duty begins when it is known (2640.202(a) example 3).
pub(crate) fn drift(case: &Case<'_>, sheet: &mut Sheet) {
    for (n, i) in case.s.interests.iter().enumerate() {
        let over = i.value.is_some_and(|v| v.low() > case.limits.party_securities);
        if over && i.value_known_to_person == Some(false) && i.asset.is_some_and(Asset::is_security) {
            let ask = Ask::new("When did the person learn that the value passed the limit?", "`value_known_to_person`");
            sheet.refer(Kind::Exemption, Point::Exemption, PARTY_SUM, &ask).fact(format!("interests[{n}].value"));
        }
    }
}
