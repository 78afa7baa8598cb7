//! Elements that lie in the matter and in what was done in it: specific parties, the same matter, participation, responsibility, the United
//! States' interest (5 CFR 2641.201(h) to (j), 2641.202(j)).

use super::post_contact::Element;
use super::{Ask, Case};
use crate::answer::Outcome;
use crate::rules::{PARTICIPATED, RESPONSIBILITY, SPECIFIC_PARTIES, US_INTEREST};
use crate::scenario::{Addressed, Authority, Change, Link, Matter, MatterKind, PastWork, Step, UnitedStatesPart, same_name};
use crate::three::Three;

/// Whether specific parties were, or are, identified (201(h)(1) to (4)).
pub(crate) fn specific(m: &Matter) -> Three {
    use MatterKind::*;
    match m.kind {
        Some(BilateralAgreement | PrivateReliefBill | ActionOnOneProperty) => Three::Yes,
        // General by nature, unless its text names those it is for.
        Some(
            Rulemaking
            | Legislation
            | Policy
            | ProgramDesign
            | StandardForm
            | MultilateralAgreement
            | ResourceAllocation
            | Rates
            | Census
            | Reorganization,
        ) => Three::from(m.addresses == Some(Addressed::NamedPersons)),
        Some(ConceptOrFeasibility | SocialOrCharity) => Three::from(m.names_a_party()),
        None if !m.names_a_party() => match m.addresses {
            Some(Addressed::NamedPersons) => Three::Yes,
            Some(_) => Three::No,
            None => Three::Unknown,
        },
        _ => match (m.names_a_party(), m.addresses) {
            (true, _) | (_, Some(Addressed::NamedPersons)) => Three::Yes,
            (false, Some(_)) => Three::No,
            (false, None) => Three::Unknown,
        },
    }
}

pub(crate) fn parties_then(work: &PastWork) -> Element {
    let met = specific(&work.matter);
    let because = match met {
        Three::Yes => "specific parties had been identified when the person worked on it",
        _ => "no specific party had been identified when the person worked on it, or it was of general applicability",
    };
    let ask = Ask::new("Had anybody outside been identified when the person worked on it?", "`past_work.matter.concerns` as it stood then");
    Element::new(SPECIFIC_PARTIES, met, because, ask)
}

/// Whether the matter of now involves specific parties, as far as the facts tell: itself, else the link.
pub(crate) fn parties_now(case: &Case<'_>, work: Option<&PastWork>) -> Element {
    let by_link = work.and_then(|w| w.now).map(|link| match link {
        Link::RuleThatCameOfIt => Three::No,
        Link::Unrelated => Three::Unknown,
        _ => Three::Yes,
    });
    let stated = case.s.matter.as_ref().map_or(Three::Unknown, specific);
    let met = if stated == Three::Unknown { by_link.unwrap_or(stated) } else { stated };
    let because = match met {
        Three::Yes => "specific parties are involved now",
        _ => "it does not involve specific parties now",
    };
    Element::new(SPECIFIC_PARTIES, met, because, Ask::new("Who are the parties to the matter now?", "`matter.kind` and `matter.concerns`"))
}

/// Whether it is the same matter (201(h)(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Same {
    Yes,
    No,
    /// The agency may find that it is a new one.
    MayBeNew,
    Unknown,
}

impl Same {
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::Yes => Outcome::SameMatterYes,
            Self::No => Outcome::SameMatterNo,
            Self::MayBeNew => Outcome::SameMatterMayBeNew,
            Self::Unknown => Outcome::Refer,
        }
    }

    pub(crate) fn three(self) -> Three {
        match self {
            Self::Yes => Three::Yes,
            Self::No => Three::No,
            Self::MayBeNew | Self::Unknown => Three::Unknown,
        }
    }
}

pub(crate) fn same(case: &Case<'_>, work: &PastWork) -> (Same, &'static str) {
    use Link::*;
    let Some(link) = work.now else {
        return match &case.s.matter {
            Some(now) if !now.name.is_empty() && same_name(&now.name, &work.matter.name) => (Same::Yes, "it is the same matter by name"),
            None => (Same::Yes, "no other matter is stated"),
            _ => (Same::Unknown, ""),
        };
    };
    match link {
        SameFile => (Same::Yes, "it is the same file at the same or a later stage"),
        DisputeUnderIt => (Same::Yes, "the contract or grant as a whole is the matter; its parts are not matters of their own"),
        ReviewOfItsDecision => (Same::Yes, "a review of the decision continues the matter"),
        CaseFromItsEvidence => (Same::Yes, "a case built on its evidence involves the same facts"),
        WhatItPrepared => (Same::Yes, "what the work prepared is the same matter"),
        PrivateSuitOnSameFacts => (Same::Yes, "the suit is on the same facts with the same party"),
        Modification => modification(work),
        OtherPartOfOneContract => other_part(work),
        NewContractAfterCompetition => (Same::No, "successive contracts, each competed for, are different matters"),
        FollowOnWithoutCompetition => match work.contemplated_by_the_first {
            Some(true) => (Same::Yes, "the first contract contemplated the other"),
            Some(false) => (Same::No, "neither contract contemplated the other, and they serve no one proceeding"),
            None => (Same::Unknown, ""),
        },
        RuleThatCameOfIt => (Same::No, "a rule is another matter than the case that prompted it"),
        CaseUnderTheRule => (Same::No, "a single case is another matter than the rule, programme or form it comes under"),
        SameQuestionOtherParties => (Same::No, "the same question with other parties is another matter"),
        Unrelated => (Same::No, "they have nothing in common"),
    }
}

/// 201(h)(5)(ii)(A).
fn modification(work: &PastWork) -> (Same, &'static str) {
    use Change::*;
    let fundamental = work.changes.iter().any(|c| matches!(c, Design | Delivery | Objective | KindOfWork));
    match fundamental {
        true => {
            (Same::MayBeNew, "the agency may find that the changes are fundamental ones in objectives or nature, which make a new matter")
        }
        false => (Same::Yes, "a modification or extension in price, quantity or dates makes no new matter"),
    }
}

/// 201(h)(5)(ii)(C).
fn other_part(work: &PastWork) -> (Same, &'static str) {
    use Change::*;
    if work.on_the_whole_contract == Some(true) {
        return (Same::Yes, "the person worked on the contract as a whole, and so on every part of it");
    }
    let apart = work.changes.iter().filter(|c| matches!(c, KindOfWork | Place | SeparatelyNegotiated | OtherOffice | Objective)).count();
    let distinct = work.changes.iter().any(|c| matches!(c, KindOfWork | SeparatelyNegotiated | Objective));
    match distinct && apart >= 2 {
        true => (Same::MayBeNew, "the agency may find that articulated lines divide this contract into separate matters"),
        false => {
            (Same::Yes, "a contract is almost always one matter; parts that are alike, or fixed in the main contract, are not divided")
        }
    }
}

/// 201(i)(2).
pub(crate) fn personal(work: &PastWork) -> Element {
    use Step::*;
    let direct = |s: &Step| !matches!(s, WroteToolUsedByOthers | KnowsOfItOnly | AssignedNotBegun | Recused);
    let met = if work.steps.is_empty() { Three::Unknown } else { work.steps.iter().any(direct).into() };
    let because = match met {
        Three::Yes => "the person acted directly, alone or with others, or directed a subordinate",
        _ => "the person did nothing in it; knowledge, a tool others used, or an assignment is not participation",
    };
    Element::new(PARTICIPATED, met, because, Ask::new("What did the person do in it?", "`past_work.steps`"))
}

/// 201(i)(3).
pub(crate) fn substantial(work: &PastWork) -> Element {
    let met = if work.steps.is_empty() { Three::Unknown } else { work.steps.iter().any(|s| s.of_substance()).into() };
    let because = match met {
        Three::Yes => "the person took part in the merits, be it once or in a minor aspect, or withheld action on purpose",
        _ => "the person's part was administrative, clerical or peripheral",
    };
    Element::new(PARTICIPATED, met, because, Ask::new("What did the person do in it?", "`past_work.steps`"))
}

/// 201(j).
pub(crate) fn united_states(case: &Case<'_>, work: Option<&PastWork>) -> Element {
    use UnitedStatesPart::*;
    let part = case.s.matter.as_ref().and_then(|m| m.united_states);
    let private = case.s.matter.as_ref().is_some_and(|m| m.kind == Some(MatterKind::PrivateLawsuit))
        || work.is_some_and(|w| w.now == Some(Link::PrivateSuitOnSameFacts));
    let met = match part {
        Some(PartyOrPending | OwnCaseOpen | ProgramsOrMoneyAffected) => Three::Yes,
        Some(OwnCaseClosed | StatuteOrForumOnly) => Three::No,
        None if private => Three::Unknown,
        None => Three::Yes,
    };
    let because = match met {
        Three::Yes => "the United States is a party, or has a direct and substantial interest",
        _ => "the United States is no party, and has no direct and substantial interest",
    };
    let ask = Ask::new("Is a Government case on the same facts open, or are its money or programmes affected?", "`matter.united_states`");
    Element::new(US_INTEREST, met, because, ask)
}

/// 202(j).
pub(crate) fn responsibility(case: &Case<'_>, work: &PastWork) -> Element {
    use Authority::*;
    let ask = Ask::new("What authority over it did the person's position carry?", "`past_work.authority`");
    let full = |a: &Authority| matches!(a, HeadOfAgency | ByPositionDescription | SupervisedSomebodyOnIt | ReferredToPersonForAssignment);
    let none = |a: &Authority| {
        matches!(a, SideAspectOnly | OwnAssignmentsOnly | SupervisedHelperOutsideDuties | NeverReferred | RemovedFromDescription)
    };
    let caretaker = work.acting_days.is_some_and(|n| n <= case.limits.caretaker_days) && work.incumbent_only_away == Some(true);
    if caretaker {
        let because = format!(
            "{} days as a caretaker, not more than {}, while the incumbent was only away; the ethics official may find that no responsibility was acquired",
            work.acting_days.unwrap_or(0),
            case.limits.caretaker_days
        );
        return Element::new(RESPONSIBILITY, Three::No, because, ask);
    }
    let removed = work.authority.contains(&RemovedFromDescription);
    let (met, because) = match () {
        () if work.authority.iter().any(full) && !removed => (
            Three::Yes,
            "the position carried authority to direct Government action in it; neither recusal, leave nor want of activity changes that",
        ),
        () if work.authority.iter().any(none) => {
            (Three::No, "the position carried no authority to direct Government action in the matter as a whole")
        }
        () => (Three::Unknown, ""),
    };
    Element::new(RESPONSIBILITY, met, because, ask)
}
