//! Trading plans adopted before somebody knew (17 CFR 240.10b5-1(c)), and duties of trust or confidence (240.10b5-2).

use super::Case;
use crate::day::Day;
use crate::scenario::{Gained, Holder, InformationUse};
use crate::three::Three;

/// What a plan comes to as a defence.
pub(crate) enum Defence {
    /// No plan before the person knew.
    None,
    /// One that fails, and on what.
    Fails(String, Option<Day>),
    /// All that papers can show is there; good faith is for a human.
    Stands(Vec<String>),
    /// Something is not stated.
    Open,
}

/// A plan that was changed in amount, price or dates is a new one, adopted on that day (10b5-1(c)(1)(iv)).
fn adopted(u: &InformationUse) -> Option<Day> {
    u.plan_adopted_on.map(|day| u.plan_modified_on.map_or(day, |changed| changed.max(day)))
}

/// The end of the cooling-off period (10b5-1(c)(1)(ii)(B)).
fn cooled(case: &Case<'_>, u: &InformationUse, adopted: Day) -> Option<(Day, String)> {
    let plan = u.plan.clone().unwrap_or_default();
    let l = case.limits;
    if !plan.director_or_officer? {
        let end = adopted.plus_days(l.cooling_off_days);
        return Some((end, format!("adopted {adopted}, plus {} days: {end}", l.cooling_off_days)));
    }
    let ninety = adopted.plus_days(l.cooling_off_insider_days);
    let most = adopted.plus_days(l.cooling_off_insider_most_days);
    let end = match plan.results_reported_on {
        Some(reported) => ninety.max(reported.plus_business_days(l.cooling_off_business_days)).min(most),
        None => most,
    };
    Some((end, format!("adopted {adopted}; 90 days: {ninety}; two business days after the results, at most 120 days: {end}")))
}

/// Holds a trade against the plan it was made under.
pub(crate) fn defence(case: &Case<'_>, u: &InformationUse) -> Defence {
    let (Some(adopted), Some(known)) = (adopted(u), u.known_on) else { return Defence::None };
    if adopted >= known {
        return match u.plan_modified_on {
            Some(day) if u.plan_adopted_on.is_some_and(|first| first < known) => {
                Defence::Fails(format!("the plan was changed on {day}, after the person knew, which makes it a new plan"), None)
            }
            _ => Defence::None,
        };
    }
    let plan = u.plan.clone().unwrap_or_default();
    let must = [
        (plan.binding, "it does not bind"),
        (plan.fixes_terms, "it does not fix amount, price and date, or leave them to somebody else"),
        (plan.person_keeps_influence.map(|x| !x), "the person can still bear on how, when or whether it trades"),
        (plan.followed, "the trade did not follow it, or was hedged"),
        (plan.other_plan_open.map(|x| !x), "another plan for the same issuer was open"),
        (plan.second_single_trade_within_year.map(|x| !x), "it is the second single-trade plan within twelve months"),
        (
            if plan.director_or_officer == Some(true) { plan.states_no_knowledge } else { Some(true) },
            "a director or officer did not state in it that nothing material is known",
        ),
    ];
    if let Some((_, why)) = must.iter().find(|(met, _)| *met == Some(false)) {
        return Defence::Fails(format!("the plan is no defence: {why}"), None);
    }
    let cooled = cooled(case, u, adopted);
    if let Some((end, line)) = cooled.as_ref().filter(|(end, _)| u.on.is_some_and(|on| on <= *end)) {
        return Defence::Fails(format!("the trade came within the cooling-off period ({line})"), Some(*end));
    }
    match (must.iter().all(|(met, _)| *met == Some(true)), cooled, u.on) {
        (true, Some((_, line)), Some(_)) => Defence::Stands(vec![line]),
        _ => Defence::Open,
    }
}

/// Whether what was told binds whoever heard it (10b5-2(b)). The list there is not the only source of a duty, so nothing here says no.
pub(crate) fn duty(u: &InformationUse) -> Three {
    if u.gained != Some(Gained::InConfidence) || u.told_by.is_none() {
        return Three::Yes;
    }
    let close = matches!(
        u.told_by,
        Some(Holder::Spouse | Holder::Parent | Holder::Child | Holder::AdultChild | Holder::MinorChild | Holder::Sibling)
    );
    let told = Three::from(u.agreed_to_confidence).or(u.shares_confidences.into());
    match (close, told) {
        (_, Three::Yes) => Three::Yes,
        // Rebutted only where neither a history of confidences nor an agreement is there.
        (true, Three::Unknown) => Three::Yes,
        _ => Three::Unknown,
    }
}
