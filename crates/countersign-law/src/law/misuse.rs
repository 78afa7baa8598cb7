//! Use of office for private gain or endorsement (5 CFR 2635.702).

use super::{Ask, Case, Sheet};
use crate::answer::{Flag, Kind, Outcome, Point};
use crate::rules::OFFICE;
use crate::scenario::{Holder, OfficeUse, OfficeUseKind};
use crate::three::Three;

/// Whether a use is forbidden, and why.
fn forbidden(u: &OfficeUse, what: OfficeUseKind) -> (Three, &'static str) {
    use OfficeUseKind::*;
    match what {
        NamesPositionToGetSomething => (Three::Yes, "the position is named to move somebody to give a benefit (702(a))"),
        BringsPrivateRequestIntoOffice => (Three::Yes, "official authority is used to benefit somebody close to the person (702(a))"),
        AsksSubordinateForBenefit if u.freely_off_duty_for_fair_pay == Some(true) => {
            (Three::No, "a subordinate may serve the superior off duty, where it is entirely voluntary and duly paid (705(b))")
        }
        AsksSubordinateForBenefit => (Three::Yes, "a subordinate is asked for a private benefit (702(a), 705(b))"),
        RecommendsWithTitleOrStationery => (
            Three::from(u.knows_subject_from_federal_work).or(u.for_federal_employment.into()).not(),
            "title and stationery are for those whom the person knows from federal work, or recommends for it (702(b))",
        ),
        MentionsPositionInText => (Three::No, "a mention in the text of a private letter implies no sanction (702(b))"),
        ListsPositionInProfile => (Three::No, "listing an occupation implies no sanction by itself (702(b))"),
        UsesFormOfAddress => (Three::No, "a rank or general form of address may be used (702(e))"),
        ShowsSealOrClaimsBacking => (Three::Yes, "it implies that the Government sanctions or endorses private activities (702(b))"),
        EndorsesWithTitle => (
            Three::from(u.statute_says_promote.unwrap_or(false)).or(u.documents_compliance.unwrap_or(false).into()).not(),
            "title and position may endorse only under a statute that says so, or as documentation of compliance or achievement (702(c))",
        ),
        SupportsCompanyAsDuty => (
            Three::from(u.statute_says_promote).not(),
            "official support for a company rests on a statute that tells the agency to promote such products (702(c)(1))",
        ),
        OfficialLetterAboutCompany => (
            Three::from(u.documents_compliance).not(),
            "an official letter may say that a company complies with the agency's standards (702(c)(2))",
        ),
    }
}

pub(crate) fn misuse(case: &Case<'_>, sheet: &mut Sheet) {
    if case.s.office_uses.is_empty() && case.asks(Point::UseOfOffice) {
        sheet.refer(Kind::Misuse, Point::UseOfOffice, OFFICE, &Ask::new("What is done with the office, and for whom?", "`office_uses`"));
    }
    for (n, u) in case.s.office_uses.iter().enumerate() {
        let place = format!("office_uses[{n}]");
        let (is, because) = u.what.map_or((Three::Unknown, ""), |what| forbidden(u, what));
        match is {
            Three::Yes => {
                let outcome = if u.done == Some(true) { Outcome::Violation } else { Outcome::UseProhibited };
                let agent = u.what == Some(OfficeUseKind::BringsPrivateRequestIntoOffice) && u.benefits != Some(Holder::Own);
                sheet.find(Kind::Misuse, outcome, Point::UseOfOffice, OFFICE, because).fact(place).flag_if(agent, Flag::Also205);
            }
            Three::No => {
                sheet.find(Kind::Misuse, Outcome::NoViolation, Point::UseOfOffice, OFFICE, because).fact(place);
            }
            Three::Unknown => {
                let ask = Ask::new(
                    "Does the person know the subject from federal work, is it for federal employment, or does a statute or programme provide for it?",
                    "the fields of that use",
                );
                sheet.refer(Kind::Misuse, Point::UseOfOffice, OFFICE, &ask).fact(place);
            }
        }
    }
}
