//! What binds people whom 18 U.S.C. 208 does not reach: the clause in their employer's contract, and what they signed (48 CFR 52.203-16;
//! 17 CFR 240.10b5-2(b)(1)). Nothing else is made up for them.

use super::stakes::{Stake, Touch};
use super::{Ask, Case, Sheet};
use crate::answer::{Flag, Kind, Outcome, Point};
use crate::rules::{AGREED, FAR_CLAUSE, STATUS};
use crate::scenario::{Asset, Concentration, PaperKind, Promise};
use crate::three::Three;

/// Whether somebody signed an agreement with a promise.
pub(crate) fn promised(case: &Case<'_>, promise: Promise) -> bool {
    case.s.papers.iter().any(|p| p.kind == Some(PaperKind::AccessAgreement) && p.promises.contains(&promise))
}

/// Whether the clause binds: it stands in the contract, and the work is an acquisition function.
fn clause(case: &Case<'_>) -> Three {
    let work = case.s.person.contract.clone().unwrap_or_default();
    Three::from(work.performs_acquisition_functions).and(work.has_far_52_203_16.into())
}

/// Taking part, for somebody whom 18 U.S.C. 208 does not bind.
pub(crate) fn participation(case: &Case<'_>, stakes: &[Stake<'_>], sheet: &mut Sheet) {
    disclosure(case, sheet);
    let by_agreement = promised(case, Promise::NoParticipationWithInterest);
    let (binds, rule) = if by_agreement { (Three::Yes, AGREED) } else { (clause(case), FAR_CLAUSE) };
    if binds != Three::Yes {
        let because = match case.s.person.contract.as_ref().and_then(|c| c.performs_acquisition_functions) {
            Some(false) => {
                "18 U.S.C. 208 does not bind this person, and the work is no acquisition function, so FAR 52.203-16 does not reach it. Which agreement does, and what does it say?"
            }
            _ => {
                "18 U.S.C. 208 does not bind this person. Which agreement, contract clause or service regulation does, and what does it say?"
            }
        };
        let ask = Ask::new(because, "`papers` with an `access_agreement` and its `promises`, or `person.contract`");
        sheet.refer(Kind::Participation, Point::Participation, STATUS, &ask).fact("person.status");
        return;
    }
    weigh(case, stakes, rule, sheet);
}

fn weigh(case: &Case<'_>, stakes: &[Stake<'_>], rule: crate::rules::Rule, sheet: &mut Sheet) {
    let kind = Kind::Participation;
    let counted: Vec<&Stake<'_>> = stakes.iter().filter(|s| !diversified(s)).collect();
    let touched: Vec<&&Stake<'_>> = counted.iter().filter(|s| matches!(s.touch, Touch::Yes(..))).collect();
    let mitigated = case.s.person.contract.as_ref().is_some_and(|c| c.mitigated_with_agency == Some(true));
    if let Some(first) = touched.first() {
        let (outcome, because) = match mitigated {
            true => (Outcome::MayParticipate, "the conflict was prevented or mitigated in consultation with the agency"),
            false => (
                Outcome::Disqualified,
                "the work affects an interest of the person or household, and the clause or agreement bars the task until that is prevented or mitigated",
            ),
        };
        sheet.find(kind, outcome, Point::Participation, rule, because).fact(&first.place).flag_if(mitigated, Flag::Conditional);
        return;
    }
    if let Some(Touch::Unknown(_, ask)) = counted.iter().map(|s| &s.touch).find(|t| matches!(t, Touch::Unknown(..))) {
        sheet.refer(kind, Point::Participation, rule, ask);
    } else if stakes.is_empty() {
        let ask = Ask::new("What do the person, close family and household hold that the task could affect?", "`interests` and `ties`");
        sheet.refer(kind, Point::Participation, rule, &ask);
    } else {
        let because = "no interest stated is affected by the task; diversified funds do not count";
        sheet.find(kind, Outcome::MayParticipate, Point::Participation, rule, because).facts(stakes.iter().map(|s| &s.place));
    }
}

/// The clause leaves out diversified mutual funds.
fn diversified(stake: &Stake<'_>) -> bool {
    let fund = stake.interest().and_then(|i| i.fund.as_ref());
    stake.asset == Asset::MutualFund && fund.is_some_and(|f| f.prospectus_concentrates_in == Some(Concentration::Nothing))
}

/// Who must disclose, and who must report that somebody did not.
fn disclosure(case: &Case<'_>, sheet: &mut Sheet) {
    let disclosed = case.s.person.contract.as_ref().and_then(|c| c.interests_disclosed);
    let by_clause = clause(case) == Three::Yes;
    let by_agreement = promised(case, Promise::DiscloseInterests);
    if !by_clause && !by_agreement {
        return;
    }
    let rule = if by_clause { FAR_CLAUSE } else { AGREED };
    if disclosed != Some(true) {
        sheet.oblige("the person", "disclose to the employer the interests that the task might affect, and keep that up", None, rule.cite);
    }
    if disclosed == Some(false) && by_clause {
        sheet.oblige(
            "the employer",
            "report the failure to disclose to the contracting officer as soon as it is known",
            None,
            "48 CFR 52.203-16(b)(6)",
        );
    }
}
