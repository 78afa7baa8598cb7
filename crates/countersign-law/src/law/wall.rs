//! Inside information told across a wall: consent first, then the warning, then the information, and word when it is over.

use super::{Ask, Case, Sheet, named};
use crate::answer::{Kind, Outcome, Point};
use crate::rules::WALL;
use crate::scenario::{SoundingRule, WallCrossing};
use crate::three::Three;

const KIND: Kind = Kind::NonpublicInfo;

pub(crate) fn crossings(case: &Case<'_>, sheet: &mut Sheet) {
    for (n, w) in case.s.wall_crossings.iter().enumerate() {
        one(w, format!("wall_crossings[{n}]"), sheet);
        cleanse(w, sheet);
    }
}

/// Whether the person was told, and not yet that it is over.
pub(crate) fn inside(case: &Case<'_>) -> bool {
    let over = |w: &WallCrossing| w.told_ceased_on.is_some_and(|told| case.s.as_of.is_none_or(|day| told <= day));
    case.s.wall_crossings.iter().any(|w| w.told_to_person == Some(true) && w.given_on.is_some() && !over(w))
}

/// Every step that was left out, or came too late.
fn missing(w: &WallCrossing) -> Vec<&'static str> {
    let early = w.consented_on.zip(w.given_on).is_some_and(|(consent, given)| consent > given);
    let steps = [
        (w.declined == Some(true), "the other did not want to be told"),
        (early || w.named_before_consent == Some(true), "the issuer was named, or the information given, before there was consent"),
        (w.told_not_to_trade == Some(false), "the other was not told not to trade and not to change orders"),
        (w.told_to_keep_confidence == Some(false), "the other was not told to keep it in confidence"),
        (w.considered_in_writing == Some(false), "nobody considered first, and wrote down, whether it is inside information"),
        (w.recorded == Some(false), "there is no record of it"),
    ];
    steps.iter().filter(|(is, _)| *is).map(|(_, why)| *why).collect()
}

/// Whether every step is stated to have been made.
fn complete(w: &WallCrossing) -> Three {
    let stated = [w.told_not_to_trade, w.told_to_keep_confidence, w.considered_in_writing, w.recorded];
    let consented = if w.consented_on.is_some() { Three::Yes } else { Three::Unknown };
    stated.iter().fold(consented.and(Three::from(w.named_before_consent).not()), |all, step| all.and((*step).into()))
}

fn one(w: &WallCrossing, place: String, sheet: &mut Sheet) {
    let Some(rule) = w.rule else {
        let ask = Ask::new(
            "What requires the steps: article 11 of the Market Abuse Regulation, an agreement or a policy?",
            "`wall_crossings[].rule`",
        );
        sheet.refer(KIND, Point::WallCrossing, WALL, &ask).fact(place);
        return;
    };
    if w.given_on.is_none() && (w.declined == Some(true) || w.consented_on.is_none()) && w.named_before_consent != Some(true) {
        let because = "nothing has been told; without consent nothing may be";
        sheet.find(KIND, Outcome::NoViolation, Point::WallCrossing, WALL, because).fact(place);
        return;
    }
    let missing = missing(w);
    match (missing.is_empty(), rule, complete(w)) {
        (true, _, Three::Yes) => {
            let because = "consent first, then the warning, then the information; considered and recorded";
            sheet.find(KIND, Outcome::NoViolation, Point::WallCrossing, WALL, because).fact(place);
        }
        (true, ..) => {
            let ask = Ask::new(
                "Was there consent before, was the other told not to trade and to keep it in confidence, and is it on record?",
                "`consented_on`, `named_before_consent`, `told_not_to_trade`, `told_to_keep_confidence`, `considered_in_writing`, `recorded`",
            );
            sheet.refer(KIND, Point::WallCrossing, WALL, &ask).fact(place);
        }
        // Whoever leaves a step out of article 11 loses what it presumes; whether the disclosure was unlawful is then for article 10.
        (false, SoundingRule::MarketAbuseRegulation, _) => {
            let ask = Ask::new(
                format!(
                    "{}: was {} told of in the normal exercise of an employment, a profession or duties (article 10(1))?",
                    missing.join("; "),
                    named(&w.issuer)
                ),
                "what the disclosure was needed for",
            );
            sheet.refer(KIND, Point::WallCrossing, WALL, &ask).fact(place);
        }
        (false, SoundingRule::AgreementOrPolicy, _) => {
            let because = format!("against the steps that were agreed to: {}", missing.join("; "));
            sheet.find(KIND, Outcome::UseProhibited, Point::WallCrossing, WALL, because).fact(place);
        }
    }
}

/// What each side owes until the other is told that it is over.
fn cleanse(w: &WallCrossing, sheet: &mut Sheet) {
    let cite = "Regulation (EU) No 596/2014, article 11(6), (7); or the agreement or policy";
    if w.given_on.is_none() || w.told_ceased_on.is_some() {
        return;
    }
    match (w.told_to_person, w.ceased_on) {
        (Some(true), _) => {
            sheet.oblige(
                "the person",
                format!("trade nothing in {}, and keep it in confidence, until told that it is over", named(&w.issuer)),
                None,
                cite,
            );
        }
        (_, Some(on)) => sheet.oblige("whoever told", "tell the other at once that it is no longer inside information", Some(on), cite),
        _ => sheet.oblige("whoever told", "tell the other as soon as it is no longer inside information", None, cite),
    }
}
