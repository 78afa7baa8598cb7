//! Conditions of access itself: agreements, offer, window, separation of duties, a standing grant.

use countersign_entry::record::{
    AgreementKind, Obligation, ObligationKind, ObligedParty, Outcome, PersonStatus, SubmissionStatus, Verdict,
};

use super::{Rule, Sheet};
use crate::assess::{Ask, Question};

pub(super) fn agreements_signed(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    let Some(policy) = q.policy else { return };
    for kind in &policy.record.agreements_required {
        if q.signed(*kind).is_none() {
            sheet.add(rule, Verdict::Access, Outcome::Block, vec![policy.index]);
            sheet.oblige(Obligation { who: ObligedParty::Subject, what: ObligationKind::SignAgreement, due: None });
        }
    }
}

/// 5 CFR 2635 does not bind contractors and partners; without a signed duty nothing bars them from trading, so nobody can call it clear.
pub(super) fn duty_of_trust(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    let Some(person) = q.person else { return };
    if person.record.status.bound_by_agreement_only() && q.signed(AgreementKind::AccessTerms).is_none() {
        sheet.add(rule, Verdict::Trade, Outcome::Refer, vec![person.index]);
    }
}

pub(super) fn offer_stands(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    let Some(submission) = q.submission else { return };
    let at = q.time_of_access();
    let stands = submission.record.offer.as_ref().is_some_and(|o| o.offered_at <= at && o.revoked_at.is_none_or(|r| at < r));
    if !stands {
        sheet.add(rule, Verdict::Access, Outcome::Block, vec![submission.index]);
    }
}

/// A request and its approvals may come ahead of the window; access may not.
pub(super) fn window_open(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    let Some(submission) = q.submission else { return };
    let (window, at) = (submission.record.window, q.time_of_access());
    let ahead = matches!(q.ask, Ask::Request { .. } | Ask::Approve { .. }) && at < window.opens_at();
    // A grant that outlasts the window is not one the offer covers; one whose own end has come opens nothing.
    let bad_end = q.expires_at().is_some_and(|end| end > window.closes_at() || end <= at);
    if submission.record.status != SubmissionStatus::Open || !(window.contains(at) || ahead) || bad_end {
        sheet.add(rule, Verdict::Access, Outcome::Block, vec![submission.index]);
    }
}

/// Work on a model may be stopped as a whole, under every submission of it.
pub(super) fn model_goes_on(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    if let Some(stopped) = q.facts.model_stopped(q.submission_id) {
        sheet.add(rule, Verdict::Access, Outcome::Block, vec![stopped]);
    }
}

/// Nobody is let in on what nobody looked at: a feed that is missing or too old leaves it to the ethics office. An access that happened is held
/// against its grant, which the age of the feed suspended.
pub(super) fn feeds_fresh(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    let (Some(policy), false) = (q.policy, matches!(q.ask, Ask::Access { .. })) else { return };
    for feed in &policy.record.feeds {
        let read = q.facts.feeds.get(feed.importer.as_str());
        let fresh = read.is_some_and(|(at, _)| q.at < at.plus(feed.max_age_seconds.saturating_mul(1_000_000)));
        if !fresh {
            sheet.add(rule, Verdict::Access, Outcome::Refer, [policy.index].into_iter().chain(read.map(|(_, entry)| *entry)).collect());
        }
    }
}

pub(super) fn still_serves(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    let Some(person) = q.person else { return };
    if person.record.status == PersonStatus::Former {
        sheet.add(rule, Verdict::Access, Outcome::Block, vec![person.index]);
    }
}

/// People, not accounts, must differ: two accounts of one person are one person. An account with no person behind it cannot be told apart from
/// the subject, so it refers as a requester and is refused as an approver.
pub(super) fn separate_people(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    let person_of = |id| q.facts.principal(id).and_then(|p| p.record.person.as_ref());
    let (requester, others, officer) = match &q.ask {
        Ask::Request { requester, .. } => (Some(*requester), &[][..], None),
        Ask::Approve { grant, approver } => (Some(&grant.requester), grant.approvers.as_slice(), Some(*approver)),
        Ask::Activate { grant, officer } => (Some(&grant.requester), grant.approvers.as_slice(), Some(*officer)),
        Ask::Recheck { grant } => (Some(&grant.requester), grant.approvers.as_slice(), None),
        Ask::Access { .. } => return,
    };
    let mut outcome = Outcome::Clear;
    if let Some(requester) = requester {
        outcome = outcome.max(match person_of(requester) {
            None => Outcome::Refer,
            Some(p) if p == q.person_id => Outcome::Block,
            Some(_) => Outcome::Clear,
        });
    }
    if let Some(officer) = officer {
        let who = person_of(officer);
        let same_as = |other| other == officer || (who.is_some() && who == person_of(other));
        let approving = matches!(q.ask, Ask::Approve { .. });
        let clash =
            who == Some(q.person_id) || (approving && (who.is_none() || requester.is_some_and(same_as) || others.iter().any(same_as)));
        if clash {
            outcome = Outcome::Block;
        }
    }
    if outcome != Outcome::Clear {
        sheet.add(rule, Verdict::Access, outcome, q.evidence());
    }
}

pub(super) fn under_a_grant(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    let Ask::Access { grant, occurred_at, .. } = &q.ask else { return };
    let named = grant.and_then(|index| q.facts.grant(index));
    let good =
        named.is_some_and(|g| g.request.person == *q.person_id && g.request.submission == *q.submission_id && g.open_at(*occurred_at));
    if !good {
        // Naming a grant that does not exist is no evidence of one; only entries that do exist are cited.
        let evidence = grant.filter(|_| named.is_some()).into_iter().collect();
        sheet.add(rule, Verdict::Access, Outcome::Block, evidence);
    }
}

pub(super) fn clock_plausible(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    let Ask::Access { occurred_at, .. } = &q.ask else { return };
    let skew = q.policy.map_or(0, |p| p.record.clock_skew_seconds).saturating_mul(1_000_000);
    if *occurred_at > q.at.plus(skew) {
        sheet.add(rule, Verdict::Access, Outcome::Refer, vec![]);
    }
}
