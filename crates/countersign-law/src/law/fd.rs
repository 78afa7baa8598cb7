//! Selective disclosure by issuers (Regulation FD, 17 CFR 243.100 to 243.103).

use super::{Ask, Case, Sheet};
use crate::answer::{Kind, Outcome, Point};
use crate::rules::SELECTIVE;
use crate::scenario::{SelectiveDisclosure, Speaker, Told};
use crate::three::Three;

const KIND: Kind = Kind::NonpublicInfo;

pub(crate) fn selective(case: &Case<'_>, sheet: &mut Sheet) {
    if case.asks(Point::SelectiveDisclosure) && case.s.selective_disclosures.is_empty() {
        let ask = Ask::new("Who told what to whom for which issuer, and when did the public get it?", "`selective_disclosures`");
        sheet.refer(KIND, Point::SelectiveDisclosure, SELECTIVE, &ask);
    }
    for (n, d) in case.s.selective_disclosures.iter().enumerate() {
        one(d, format!("selective_disclosures[{n}]"), sheet);
    }
}

/// Why the rule does not reach it.
fn outside(d: &SelectiveDisclosure) -> Option<&'static str> {
    match () {
        () if d.issuer_reports_to_sec == Some(false) => Some("the issuer has no registered securities and files no reports (243.101(b))"),
        () if d.speaker == Some(Speaker::Outsider) => Some("whoever spoke does not act for the issuer (243.101(c))"),
        () if d.speaker == Some(Speaker::OtherStaff) => {
            Some("whoever spoke is no senior official and does not regularly talk to the market (243.101(c))")
        }
        () if d.speaker == Some(Speaker::InBreachOfDuty) => {
            Some("whoever tells it in breach of a duty to the issuer does not act for it (243.101(c)); other law applies to that")
        }
        () if d.owes_duty_to_issuer == Some(true) => Some("the one told owes the issuer a duty of trust or confidence (243.100(b)(2)(i))"),
        () if d.agreed_to_confidence == Some(true) => Some("the one told agreed expressly to keep it in confidence (243.100(b)(2)(ii))"),
        () if matches!(d.told, Some(Told::Government | Told::Press | Told::BusinessPartner | Told::Other)) => {
            Some("the one told is none of those the rule names: market professionals and holders likely to trade (243.100(b)(1))")
        }
        () => None,
    }
}

fn one(d: &SelectiveDisclosure, place: String, sheet: &mut Sheet) {
    if let Some(because) = outside(d) {
        sheet.find(KIND, Outcome::NoViolation, Point::SelectiveDisclosure, SELECTIVE, because).fact(place);
        return;
    }
    let reached =
        Three::from(d.issuer_reports_to_sec).and(d.speaker.is_some().then_some(true).into()).and(d.told.is_some().then_some(true).into());
    let (Three::Yes, Some(knowing)) = (reached, d.knowing) else {
        let ask = Ask::new(
            "Does the issuer report to the SEC, who spoke and who was told, had the one told agreed to confidence, and did the speaker know that it was material and nonpublic?",
            "`issuer_reports_to_sec`, `speaker`, `told`, `agreed_to_confidence`, `knowing`",
        );
        sheet.refer(KIND, Point::SelectiveDisclosure, SELECTIVE, &ask).fact(place);
        return;
    };
    match knowing {
        true => at_once(d, place, sheet),
        false => promptly(d, place, sheet),
    }
}

/// 243.100(a)(1).
fn at_once(d: &SelectiveDisclosure, place: String, sheet: &mut Sheet) {
    if d.public_on.zip(d.on).is_some_and(|(public, on)| public <= on) {
        let because = "the public was told at the same time";
        sheet.find(KIND, Outcome::NoViolation, Point::SelectiveDisclosure, SELECTIVE, because).fact(place);
        return;
    }
    let because = "an intentional disclosure to those the rule names is made to the public at the same time, or not at all (243.100(a)(1))";
    sheet.find(KIND, Outcome::UseProhibited, Point::SelectiveDisclosure, SELECTIVE, because).fact(place);
    sheet.oblige("the issuer", "make it public (Form 8-K or another broad way)", d.on, "17 CFR 243.100(a)(1), 243.101(e)");
}

/// 243.100(a)(2), 243.101(d): no later than 24 hours or the next opening of the exchange, whichever is later.
fn promptly(d: &SelectiveDisclosure, place: String, sheet: &mut Sheet) {
    let by = d.learned_on.map(|day| day.plus_days(1).max(day.plus_business_days(1)));
    let late = by.zip(d.public_on).map(|(by, public)| public > by);
    let (outcome, because) = match late {
        Some(true) => (Outcome::UseProhibited, "a slip was not made public promptly after a senior official learned of it (243.101(d))"),
        Some(false) => (Outcome::NoViolation, "a slip was made public promptly after a senior official learned of it"),
        None => (
            Outcome::ReportBy,
            "a slip is made public promptly: within 24 hours, or by the next opening of the New York Stock Exchange if that is later, after a senior official learned of it",
        ),
    };
    let found = sheet.find(KIND, outcome, Point::SelectiveDisclosure, SELECTIVE, because).fact(place).until(by);
    if let (Some(learned), Some(by)) = (d.learned_on, by) {
        found.sum(format!("learned {learned}; the later of the day after and the next day of business: {by}"));
    }
    if late.is_none() {
        sheet.oblige("the issuer", "make it public (Form 8-K or another broad way)", by, "17 CFR 243.100(a)(2), 243.101(d)");
    }
}
