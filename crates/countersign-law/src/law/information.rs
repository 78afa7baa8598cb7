//! Use of information (5 CFR 2635.703; 17 CFR 240.10b5-1 and -2; 7 U.S.C. 6c(a)).

use super::{Ask, Case, Sheet};
use crate::answer::{Flag, Kind, Outcome, Point};
use crate::rules::{COMMODITIES, INFORMATION, Rule, SECURITIES};
use crate::scenario::{Gained, InformationUse, InformationUseKind, Protection};
use crate::three::Three;

/// Whether the public did not have it when it was used (703(b)).
pub(crate) fn nonpublic(case: &Case<'_>, u: &InformationUse) -> Three {
    if let Some(public) = u.public {
        return Three::from(public).not();
    }
    if let (Some(until), Some(day)) = (u.public_on, u.on.or(case.s.as_of)) {
        return Three::from(day < until);
    }
    match u.protection {
        Some(Protection::GivenToAnybody) => Three::No,
        Some(_) => Three::Yes,
        None => Three::Unknown,
    }
}

/// A plan adopted before the person knew, and not changed after (10b5-1(c)).
fn planned_before(u: &InformationUse) -> bool {
    let before = u.plan_adopted_on.zip(u.known_on).is_some_and(|(adopted, known)| adopted < known);
    before && u.plan_modified_on.is_none_or(|changed| u.known_on.is_some_and(|known| changed < known))
}

pub(crate) fn information(case: &Case<'_>, sheet: &mut Sheet) {
    if case.s.information.is_empty() && case.asks(Point::UseOfInformation) {
        let ask = Ask::new("Which information, how was it come by, and what is done with it?", "`information`");
        sheet.refer(Kind::NonpublicInfo, Point::UseOfInformation, INFORMATION, &ask);
    }
    for (n, u) in case.s.information.iter().enumerate() {
        one(case, u, format!("information[{n}]"), sheet);
    }
}

fn one(case: &Case<'_>, u: &InformationUse, place: String, sheet: &mut Sheet) {
    use InformationUseKind::*;
    let Some(what) = u.what else {
        let ask = Ask::new("What is done with the information?", "`what`");
        sheet.refer(Kind::NonpublicInfo, Point::UseOfInformation, INFORMATION, &ask).fact(place);
        return;
    };
    let trade = matches!(what, TradesSecurity | TradesCommodityOrEventContract | TipsOthers);
    let allowed = match () {
        () if what == ReleasedByMistake || u.knowingly == Some(false) => {
            Some("it was no knowing unauthorized disclosure made to further a private interest")
        }
        () if what == OfficialUse => Some("it is used in official duties"),
        () if u.by_agency_procedure == Some(true) && !trade => Some("the agency's procedures permit it"),
        () if u.gained == Some(Gained::AsAnybodyCould) => Some("it was come by as anybody could"),
        () => None,
    };
    if let Some(because) = allowed {
        sheet.find(Kind::NonpublicInfo, Outcome::NoViolation, Point::UseOfInformation, INFORMATION, because).fact(place);
        return;
    }
    match (nonpublic(case, u), u.gained) {
        (Three::No, _) => {
            let because = "the public has it";
            sheet.find(Kind::NonpublicInfo, Outcome::NoViolation, Point::UseOfInformation, INFORMATION, because).fact(place);
        }
        (Three::Yes, Some(_)) => prohibited(u, what, place, sheet),
        _ => {
            let ask = Ask::new("How did the person come by it, and had the public got it by then?", "`gained`, `protection`, `public_on`");
            sheet.refer(Kind::NonpublicInfo, Point::UseOfInformation, INFORMATION, &ask).fact(place);
        }
    }
}

fn rule_for(u: &InformationUse, what: InformationUseKind) -> Rule {
    match (u.gained, what) {
        (Some(Gained::ThroughFederalEmployment), _) => INFORMATION,
        (_, InformationUseKind::TradesCommodityOrEventContract) => COMMODITIES,
        _ => SECURITIES,
    }
}

fn prohibited(u: &InformationUse, what: InformationUseKind, place: String, sheet: &mut Sheet) {
    use InformationUseKind::*;
    if what == TradesSecurity && planned_before(u) {
        let ask = Ask::new(
            "Was the plan binding, entered in good faith, followed without change, and the cooling-off period over?",
            "the plan's papers (17 CFR 240.10b5-1(c))",
        );
        sheet.refer(Kind::NonpublicInfo, Point::UseOfInformation, SECURITIES, &ask).fact(place);
        return;
    }
    let because = match what {
        TradesSecurity | TipsOthers => {
            "nonpublic information may not be used to trade, or to advise others to, until the public has it; that covers the issuer and those its suppliers and \
             other dealings tie to it"
        }
        TradesCommodityOrEventContract => {
            "nonpublic information may not be used to trade a commodity, swap or event contract until the public has it"
        }
        TellsBidder | HelpsCompetitor => "one company's protected information may not be given or used to help another",
        _ => "nonpublic information may not be given out to further a private interest, other than by the agency's procedures",
    };
    let also = matches!(what, TradesSecurity | TipsOthers | TradesCommodityOrEventContract);
    sheet
        .find(Kind::NonpublicInfo, Outcome::UseProhibited, Point::UseOfInformation, rule_for(u, what), because)
        .fact(place)
        .until(u.public_on)
        .flag_if(also, Flag::AlsoSecuritiesLaw);
    if also {
        sheet.oblige("the person", "neither trade nor advise others to until the public has it", u.public_on, "5 CFR 2635.703(a)");
    }
}
