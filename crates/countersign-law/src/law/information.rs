//! Use of information (5 CFR 2635.703; 17 CFR 240.10b5-1 and -2; 17 CFR 180.1; 7 U.S.C. 6c(a); 41 U.S.C. 2102).

use super::contract::promised;
use super::plan::{self, Defence};
use super::{Ask, Case, Sheet};
use crate::answer::{Flag, Kind, Outcome, Point};
use crate::rules::{AGREED, COMMODITIES, DECEPTION, INFORMATION, PLAN_DEFENCE, PROCUREMENT_INFO, Rule, SECURITIES, TRUST};
use crate::scenario::{Gained, InformationUse, InformationUseKind, Promise, Protection};
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
        (Three::Yes, Some(_)) => prohibited(case, u, what, place, sheet),
        _ => {
            let ask = Ask::new("How did the person come by it, and had the public got it by then?", "`gained`, `protection`, `public_on`");
            sheet.refer(Kind::NonpublicInfo, Point::UseOfInformation, INFORMATION, &ask).fact(place);
        }
    }
}

/// The rules that forbid a use: none where nothing names an authority.
fn rules_for(case: &Case<'_>, u: &InformationUse, what: InformationUseKind) -> Vec<Rule> {
    use InformationUseKind::*;
    let federal = u.gained == Some(Gained::ThroughFederalEmployment);
    let from_federal = federal || matches!(u.gained, Some(Gained::ToldByFederalEmployee | Gained::Stolen));
    let broken = match what {
        TradesSecurity | TipsOthers => promised(case, Promise::NoTrading),
        TradesCommodityOrEventContract => promised(case, Promise::NoEventContracts) || promised(case, Promise::NoTrading),
        _ => promised(case, Promise::KeepConfidence) || promised(case, Promise::NoPersonalGain) || u.gained == Some(Gained::UnderAgreement),
    };
    let of_market = match what {
        TradesSecurity | TipsOthers if !federal => Some(SECURITIES),
        TradesCommodityOrEventContract if from_federal => Some(COMMODITIES),
        TradesCommodityOrEventContract => Some(DECEPTION),
        _ => None,
    };
    let of_procurement = what == ObtainsBeforeAward || (u.protection == Some(Protection::SourceSelection) && of_market.is_none());
    let found = [federal.then_some(INFORMATION), of_market, of_procurement.then_some(PROCUREMENT_INFO), broken.then_some(AGREED)];
    found.into_iter().flatten().collect()
}

/// What a plan from before the person knew does to a trade. True where that settles the finding.
fn by_plan(case: &Case<'_>, u: &InformationUse, place: &str, sheet: &mut Sheet) -> bool {
    match plan::defence(case, u) {
        Defence::None => false,
        Defence::Fails(why, until) => {
            let found = sheet.find(Kind::NonpublicInfo, Outcome::UseProhibited, Point::UseOfInformation, PLAN_DEFENCE, why).fact(place);
            found.until(until).flag(Flag::AlsoSecuritiesLaw);
            true
        }
        Defence::Stands(lines) => {
            let ask = Ask::new(
                "On its papers the plan meets every condition. Was it entered, and acted on, in good faith, and not to evade the rule?",
                "the circumstances in which the plan was made (17 CFR 240.10b5-1(c)(1)(ii)(A))",
            );
            sheet.refer(Kind::NonpublicInfo, Point::UseOfInformation, PLAN_DEFENCE, &ask).fact(place).sums(&lines);
            true
        }
        Defence::Open => {
            let ask = Ask::new(
                "Was the plan binding, entered in good faith, followed without change, and the cooling-off period over?",
                "the plan's papers: `plan` (17 CFR 240.10b5-1(c))",
            );
            sheet.refer(Kind::NonpublicInfo, Point::UseOfInformation, PLAN_DEFENCE, &ask).fact(place);
            true
        }
    }
}

fn prohibited(case: &Case<'_>, u: &InformationUse, what: InformationUseKind, place: String, sheet: &mut Sheet) {
    use InformationUseKind::*;
    if what == TradesSecurity && by_plan(case, u, &place, sheet) {
        return;
    }
    if plan::duty(u) != Three::Yes {
        let ask = Ask::new(
            "Was there an agreement, or a history of sharing confidences, so that whoever was told knew that it was to be kept confidential?",
            "`agreed_to_confidence`, `shares_confidences`",
        );
        sheet.refer(Kind::NonpublicInfo, Point::UseOfInformation, TRUST, &ask).fact(place);
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
        ObtainsBeforeAward => "bid, proposal and source selection information may not be obtained before the award it relates to",
        TellsBidder | HelpsCompetitor => "one company's protected information may not be given or used to help another",
        _ => "nonpublic information may not be given out to further a private interest, other than by the agency's procedures",
    };
    let also = matches!(what, TradesSecurity | TipsOthers | TradesCommodityOrEventContract);
    let rules = rules_for(case, u, what);
    if rules.is_empty() {
        let ask = Ask::new(
            "Which agreement, statute or regulation binds the person to keep this, and what does it say?",
            "`papers` with an `access_agreement` and its `promises`, or `gained`",
        );
        sheet.refer(Kind::NonpublicInfo, Point::UseOfInformation, AGREED, &ask).fact(place);
        return;
    }
    for rule in rules {
        sheet
            .find(Kind::NonpublicInfo, Outcome::UseProhibited, Point::UseOfInformation, rule, because)
            .fact(&place)
            .until(u.public_on)
            .flag_if(also, Flag::AlsoSecuritiesLaw);
    }
    if also {
        let cite = if u.gained == Some(Gained::ThroughFederalEmployment) { INFORMATION.cite } else { "17 CFR 240.10b5-1, 180.1" };
        sheet.oblige("the person", "neither trade nor advise others to until the public has it", u.public_on, cite);
    }
}
