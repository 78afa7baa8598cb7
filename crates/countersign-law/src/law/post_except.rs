//! Exceptions and waivers (5 CFR 2641.301), and which bars each lifts.

use super::Case;
use crate::scenario::{Act, Behalf, Form, PaperKind, Purpose};

/// Which bars an exception lifts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifts {
    /// All of them.
    All,
    /// Those on senior and very senior employees.
    High,
    /// All but 207(f).
    AllButForeign,
    /// All but 207(a)(1).
    AllButPermanent,
}

/// An exception that applies.
#[derive(Debug, Clone)]
pub(crate) struct Exception {
    pub(crate) lifts: Lifts,
    pub(crate) because: &'static str,
    /// It holds on a condition the facts do not state.
    pub(crate) if_only: Option<&'static str>,
}

fn yes(lifts: Lifts, because: &'static str) -> Option<Exception> {
    Some(Exception { lifts, because, if_only: None })
}

/// The first exception that applies, if any.
pub(crate) fn exception(case: &Case<'_>, act: &Act) -> Option<Exception> {
    papers(case)
        .or_else(|| by_capacity(act))
        .or_else(|| testimony(case, act))
        .or_else(|| science(case, act))
        .or_else(|| special_knowledge(act))
}

fn papers(case: &Case<'_>) -> Option<Exception> {
    let waived = case.s.papers.iter().any(|p| p.kind == Some(PaperKind::Waiver207) && p.written == Some(true));
    waived.then(|| yes(Lifts::All, "a waiver of 18 U.S.C. 207 covers it (301(h) to (j))")).flatten()
}

/// 301(a) to (c), (g), (k).
fn by_capacity(act: &Act) -> Option<Exception> {
    use Behalf::*;
    match act.on_behalf_of? {
        UnitedStatesEmployee => yes(Lifts::All, "official duties of a current employee of the United States are on its behalf (301(a))"),
        RepresentsUnitedStates | WitnessCalledByUnitedStates => {
            yes(Lifts::AllButForeign, "it is done on behalf of the United States, under its agreement or call (301(a))")
        }
        ElectedStateOrLocalOfficial => yes(Lifts::All, "official duties of an elected State or local official (301(b))"),
        StateOrLocalEmployee | HospitalOrMedicalResearchEmployee | UniversityEmployee => {
            yes(Lifts::High, "official duties of an employee of a specified entity (301(c))")
        }
        CandidateOrParty => match act.has_other_employer {
            Some(true) => None,
            Some(false) => yes(Lifts::High, "on behalf of a candidate as such, a party or its committee (301(g))"),
            None => Some(Exception {
                lifts: Lifts::High,
                because: "on behalf of a candidate as such, a party or its committee (301(g))",
                if_only: Some("nobody else employs the person"),
            }),
        },
        TribalOrganization => yes(Lifts::All, "official duties for a tribal organization, after notice (301(k)(4))"),
        _ => None,
    }
}

/// 301(f).
fn testimony(case: &Case<'_>, act: &Act) -> Option<Exception> {
    if act.form != Some(Form::TestifiesUnderOath) {
        return None;
    }
    let ordered = case.s.papers.iter().any(|p| p.kind == Some(PaperKind::CourtOrderExpert));
    match (act.purpose.contains(&Purpose::ExpertTestimony) || act.purpose.is_empty()) && !ordered {
        false => yes(Lifts::All, "testimony under oath (301(f))"),
        true if act.purpose.is_empty() => Some(Exception {
            lifts: Lifts::AllButPermanent,
            because: "sworn testimony (301(f))",
            if_only: Some("it is not given as an expert, or the permanent bar does not apply"),
        }),
        true => yes(Lifts::AllButPermanent, "sworn testimony as an expert, where the permanent bar does not apply (301(f)(2))"),
    }
}

/// 301(e).
fn science(case: &Case<'_>, act: &Act) -> Option<Exception> {
    use Purpose::*;
    let certified = case.s.papers.iter().any(|p| p.kind == Some(PaperKind::ScienceCertification));
    let technical = act.purpose.contains(&ScienceOrTechnology);
    let other = act.purpose.iter().any(|p| !matches!(p, ScienceOrTechnology | CostOrBusinessTerms));
    let terms = act.purpose.contains(&CostOrBusinessTerms);
    let permitted = certified || act.under_agency_science_procedures.unwrap_or(true);
    if !technical || other || !permitted || (terms && act.other_points_in_passing != Some(true)) {
        return None;
    }
    let stated = certified || act.under_agency_science_procedures == Some(true);
    Some(Exception {
        lifts: Lifts::AllButForeign,
        because: "the communication primarily conveys scientific or technological information (301(e))",
        if_only: (!stated).then_some("it is made under the agency's procedures, or a certification is published"),
    })
}

/// 301(d).
fn special_knowledge(act: &Act) -> Option<Exception> {
    let only_facts = !act.purpose.is_empty() && act.purpose.iter().all(|p| *p == Purpose::StatesFacts);
    (act.paid == Some(false) && act.facts_observed != Some(false) && only_facts)
        .then(|| yes(Lifts::High, "an uncompensated statement of facts the person knows from own experience (301(d))"))
        .flatten()
}
