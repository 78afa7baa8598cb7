//! May it be held? (5 CFR 2635.403; ethics agreements, 2634.802)
//!
//! No prohibition is made up: where none is on paper, the finding says what the agency may do, and the verdict stays open.

use super::classify::Class;
use super::stakes::{Touch, stakes};
use super::{Ask, Case, Sheet, named};
use crate::answer::{Flag, Kind, Outcome, Point};
use crate::rules::{AGREEMENT, HOLD, HOLD_SERVICE, RESTRICTED};
use crate::scenario::{AgencyTowardsIssuer, HeldAgainst, Holder, Interest, Paper, PaperKind, ShareOfDuties, TieRole, same_name};

pub(crate) fn holding(case: &Case<'_>, sheet: &mut Sheet) {
    let s = case.s;
    for (n, i) in s.interests.iter().enumerate() {
        if matches!(i.holder, Some(Holder::Own | Holder::Spouse | Holder::MinorChild)) && i.divested_on.is_none() {
            owned(case, n, i, sheet);
        }
    }
    for (n, t) in s.ties.iter().enumerate() {
        let office = matches!(t.role, Some(TieRole::Officer | TieRole::DirectorOrTrustee | TieRole::GeneralPartner | TieRole::Employee));
        if t.who == Some(Holder::Own) && office && t.ended_on.is_none() && in_duties(case) {
            let because = format!(
                "service with {} is a financial interest, and the duties of the position would bear on it; the agency may ask for resignation instead of \
                 relying on recusals",
                named(&t.with)
            );
            sheet.find(Kind::Holding, Outcome::ResignMayBeRequired, Point::Holding, HOLD_SERVICE, because).fact(format!("ties[{n}]"));
        }
    }
    papers(case, sheet);
    if case.asks(Point::Holding) && !sheet.engages(Kind::Holding) {
        let ask = Ask::new(
            "Does a statute, a supplemental regulation, an individual determination or an agreement forbid holding it?",
            "`held_against` or a paper that forbids it",
        );
        sheet.refer(Kind::Holding, Point::Holding, HOLD, &ask);
    }
}

fn in_duties(case: &Case<'_>) -> bool {
    let p = &case.s.person;
    p.considered_for_position_with_these_duties == Some(true) || p.share_of_duties == Some(ShareOfDuties::Main)
}

fn owned(case: &Case<'_>, n: usize, i: &Interest, sheet: &mut Sheet) {
    let place = format!("interests[{n}]");
    let forbidden = matches!(i.held_against, Some(h) if h != HeldAgainst::Nothing);
    if forbidden {
        let because = format!("what is held in {} is forbidden by the paper named, and must be given up", named(&i.issuer));
        sheet.find(Kind::Holding, Outcome::DivestMayBeRequired, Point::Holding, HOLD, because).fact(place);
        return;
    }
    if i.agency_towards_issuer == Some(AgencyTowardsIssuer::RegulatesOrExamines) {
        let all = stakes(case);
        let untouched = all.get(n).is_some_and(|s| matches!(s.touch, Touch::No(..)));
        let because = format!(
            "the agency regulates or examines {}; it may forbid its employees, by supplemental regulation, to hold such an interest, even one that no \
             matter affects",
            named(&i.issuer)
        );
        let found = sheet.find(Kind::Holding, Outcome::HoldingMayBeProhibited, Point::Holding, HOLD, because).fact(&place);
        found.flag_if(untouched, Flag::S208NotTriggered);
    }
    let particular = case.s.matter.as_ref().is_some_and(|m| Class::of(m).is_particular());
    let touched = stakes(case).get(n).is_some_and(|s| !matches!(s.touch, Touch::No(..)));
    if in_duties(case) && particular && touched {
        let because = "the person could not do the main duties without taking part in matters that affect it; the agency may require its sale instead of relying \
                       on recusals";
        sheet.find(Kind::Holding, Outcome::DivestMayBeRequired, Point::Holding, HOLD, because).fact(place);
    }
}

fn papers(case: &Case<'_>, sheet: &mut Sheet) {
    use PaperKind::*;
    for (n, p) in case.s.papers.iter().enumerate() {
        let place = format!("papers[{n}]");
        let held = |p: &Paper| case.s.interests.iter().any(|i| p.covers.is_empty() || p.covers.iter().any(|c| same_name(c, &i.issuer)));
        match p.kind {
            Some(DirectionToDivest) => {
                let by = p.on.filter(|_| p.hardship_extension != Some(true)).map(|on| on.plus_days(case.limits.divest_days));
                sheet.oblige("the person", "divest as directed; every restriction goes on while it is held", by, "5 CFR 2635.403(d)");
                let because = "the agency has directed it to be divested";
                sheet.find(Kind::Holding, Outcome::DivestMayBeRequired, Point::Holding, HOLD, because).fact(place).until(by);
            }
            Some(EthicsAgreement) => {
                let by = p.on.filter(|_| p.hardship_extension != Some(true)).map(|on| on.plus_months(case.limits.agreement_months));
                sheet.oblige(
                    "the person",
                    "do what the ethics agreement promises, and send evidence to the ethics official",
                    by,
                    AGREEMENT.cite,
                );
            }
            Some(HoldingForbiddenByStatute | HoldingForbiddenByRegulation | HoldingForbiddenByDetermination) if held(p) => {
                let because = "a paper forbids holding it";
                sheet.find(Kind::Holding, Outcome::DivestMayBeRequired, Point::Holding, HOLD, because).fact(place);
            }
            Some(RestrictedList) => {
                let because = "a restricted list with an authority names it";
                sheet.find(Kind::Holding, Outcome::HoldingMayBeProhibited, Point::Holding, RESTRICTED, because).fact(place);
            }
            _ => {}
        }
    }
}
