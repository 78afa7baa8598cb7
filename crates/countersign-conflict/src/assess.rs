//! `assess`: three verdicts with their reasons, then the decision policy makes of them.

use std::sync::Arc;

use countersign_entry::ids::{IssuerId, LeafIndex, PersonId, PrincipalId, SubmissionId};
use countersign_entry::record::{
    Agreement, AgreementKind, Assessment, Decision, Effect, List, ListItem, ListKind, Obligation, ObligationKind, ObligedParty, Outcome,
    Person, Policy, Recusal, Submission, Verdict,
};
use countersign_entry::time::Micros;

use crate::facts::{Facts, Grant, Known, in_force};
use crate::rules::{RULES, Sheet, rule_set};
use crate::touched::{Touch, Touches};

/// What is asked about a person and a submission.
#[derive(Debug, Clone)]
pub enum Ask<'a> {
    /// A grant is requested.
    Request {
        /// Who asks.
        requester: &'a PrincipalId,
        /// Whether the duty needs participation.
        needs_participation: bool,
        /// When the grant would end.
        expires_at: Micros,
    },
    /// A grant is approved.
    Approve {
        /// The grant.
        grant: &'a Grant,
        /// Who approves.
        approver: &'a PrincipalId,
    },
    /// A grant is activated.
    Activate {
        /// The grant.
        grant: &'a Grant,
        /// Who activates it.
        officer: &'a PrincipalId,
    },
    /// An active grant is looked at again because something it rests on changed.
    Recheck {
        /// The grant.
        grant: &'a Grant,
    },
    /// An access is recorded.
    Access {
        /// The grant it names.
        grant: Option<LeafIndex>,
        /// When it happened, as the source tells.
        occurred_at: Micros,
    },
}

impl Ask<'_> {
    /// The time whose access is in question: the source's time of an access, else the time of recording.
    fn time_of_access(&self, at: Micros) -> Micros {
        match self {
            Ask::Access { occurred_at, .. } => *occurred_at,
            _ => at,
        }
    }
}

impl Facts {
    fn agreements_in_force<'a>(
        &'a self,
        person: &PersonId,
        submission: &'a SubmissionId,
        at: Micros,
    ) -> impl Iterator<Item = &'a Known<Agreement>> {
        let ids = self.agreements_of.get(person).into_iter().flatten();
        ids.filter_map(|id| self.agreements.get(id)).filter(move |a| {
            a.record.submission.as_ref().is_none_or(|s| s == submission) && in_force(a.record.signed_at, a.record.expires_at, at)
        })
    }
}

/// Everything a rule may look at.
pub struct Question<'a> {
    /// What is known.
    pub facts: &'a Facts,
    /// The time of recording.
    pub at: Micros,
    /// Who it is about.
    pub person_id: &'a PersonId,
    /// What it is about.
    pub submission_id: &'a SubmissionId,
    /// The person, where known.
    pub person: Option<&'a Known<Person>>,
    /// The submission, where known.
    pub submission: Option<&'a Known<Submission>>,
    /// The policy in force.
    pub policy: Option<&'a Known<Policy>>,
    /// Issuers the submission touches over recorded edges on the day asked about, each by its surest way.
    pub touches: Arc<Touches>,
    /// The person's agreements that cover the submission and are in force at the time of access.
    pub agreements: Vec<&'a Known<Agreement>>,
    /// What is asked.
    pub ask: Ask<'a>,
}

/// An assessment that [`assess`] or [`crate::assess_trade`] made. There is no other way to get one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessed(Assessment);

impl Assessed {
    /// For `assess` and `assess_trade`.
    pub(crate) fn new(assessment: Assessment) -> Self {
        Self(assessment)
    }

    /// What was found.
    pub fn get(&self) -> &Assessment {
        &self.0
    }

    /// The record of it.
    pub fn into_record(self) -> Assessment {
        self.0
    }
}

/// Runs every rule and lets policy decide. Total: it answers for any facts, and what it cannot compute it refers.
pub fn assess(facts: &Facts, at: Micros, person_id: &PersonId, submission_id: &SubmissionId, ask: Ask<'_>) -> Assessed {
    let submission = facts.submission(submission_id);
    let time = ask.time_of_access(at);
    let question = Question {
        facts,
        at,
        person_id,
        submission_id,
        person: facts.person(person_id),
        submission,
        policy: facts.policy(at),
        touches: submission.map(|s| facts.touches(&s.record, at)).unwrap_or_default(),
        // Once: half a dozen rules ask for one of a kind.
        agreements: facts.agreements_in_force(person_id, submission_id, time).collect(),
        ask,
    };
    let mut sheet = Sheet::default();
    for rule in RULES {
        (rule.eval)(&question, rule, &mut sheet);
    }
    let decision = decision(&question, &sheet);
    if decision == Decision::Cleared && question.submission.is_some_and(|s| s.record.cleansed_at.is_none_or(|c| at < c)) {
        // From first access until public release and cleansing, whatever the window (5 CFR 2635.703, 17 CFR 240.10b5-1(b)).
        sheet.obligations.push(Obligation { who: ObligedParty::Subject, what: ObligationKind::NoTrading, due: None });
    }
    if decision == Decision::Referred {
        sheet.obligations.push(Obligation { who: ObligedParty::EthicsOffice, what: ObligationKind::DecideReferral, due: None });
    }
    Assessed(Assessment {
        rule_set: rule_set_digest(),
        policy: question.policy.map(|p| p.index),
        participate: sheet.worst(Verdict::Participate),
        hold: sheet.worst(Verdict::Hold),
        trade: sheet.worst(Verdict::Trade),
        decision,
        reasons: sheet.reasons,
        watch: sheet.watch,
        obligations: sheet.obligations,
    })
}

/// [`rule_set`], computed once.
pub(crate) fn rule_set_digest() -> countersign_entry::ids::Hash32 {
    static DIGEST: std::sync::OnceLock<countersign_entry::ids::Hash32> = std::sync::OnceLock::new();
    *DIGEST.get_or_init(rule_set)
}

/// What policy makes of each reason, the worst of them. Reason by reason, so that one more reason never makes a decision milder: under a policy
/// that does less on a block than on a referral, a block would else hide the referral beside it. No policy: nothing is cleared.
fn decision(q: &Question<'_>, sheet: &Sheet) -> Decision {
    let Some(policy) = q.policy.map(|p| &p.record) else { return Decision::Referred };
    // Where the duty needs no participation, a bar on it keeps nobody from seeing; nor then does a doubt about it (access is not participation).
    let [participation_referred, participation_blocked] = if q.needs_participation() {
        [policy.on_refer.participate, policy.on_block.participate]
    } else {
        [policy.on_refer.participate.min(policy.on_block_without_participation), policy.on_block_without_participation]
    };
    let effect = |bears_on: Verdict, on_refer: Effect, on_block: Effect| {
        let outcomes = sheet.reasons.iter().filter(move |r| r.bears_on == bears_on).map(|r| r.outcome);
        outcomes
            .map(|outcome| match outcome {
                Outcome::Clear => Effect::Allow,
                Outcome::Refer => on_refer,
                Outcome::Block => on_block,
            })
            .max()
            .unwrap_or(Effect::Allow)
    };
    let worst = [
        effect(Verdict::Access, Effect::Refer, Effect::Deny),
        effect(Verdict::Participate, participation_referred, participation_blocked),
        effect(Verdict::Hold, policy.on_refer.hold, policy.on_block.hold),
        effect(Verdict::Trade, policy.on_refer.trade, policy.on_block.trade),
    ]
    .into_iter()
    .max();
    match worst {
        Some(Effect::Allow) => Decision::Cleared,
        Some(Effect::Deny) => Decision::Denied,
        Some(Effect::Refer) | None => Decision::Referred,
    }
}

impl<'a> Question<'a> {
    /// Entries of the person and the submission, where known.
    pub(crate) fn evidence(&self) -> Vec<LeafIndex> {
        self.person.map(|p| p.index).into_iter().chain(self.submission.map(|s| s.index)).collect()
    }

    /// How the submission touches an issuer, if it does.
    pub(crate) fn touch(&self, issuer: &IssuerId) -> Option<&Touch> {
        self.touches.of(issuer)
    }

    /// The time whose access is in question: the source's time of an access, else the time of recording.
    pub(crate) fn time_of_access(&self) -> Micros {
        self.ask.time_of_access(self.at)
    }

    /// When the grant in question ends.
    pub(crate) fn expires_at(&self) -> Option<Micros> {
        match &self.ask {
            Ask::Request { expires_at, .. } => Some(*expires_at),
            Ask::Approve { grant, .. } | Ask::Activate { grant, .. } | Ask::Recheck { grant } => Some(grant.request.expires_at),
            Ask::Access { .. } => None,
        }
    }

    fn needs_participation(&self) -> bool {
        match &self.ask {
            Ask::Request { needs_participation, .. } => *needs_participation,
            Ask::Approve { grant, .. } | Ask::Activate { grant, .. } | Ask::Recheck { grant } => grant.request.needs_participation,
            Ask::Access { grant, .. } => grant.and_then(|g| self.facts.grant(g)).is_none_or(|g| g.request.needs_participation),
        }
    }

    /// The person's recusals in force.
    pub(crate) fn recusals(&self) -> impl Iterator<Item = &'a Known<Recusal>> {
        self.facts.recusals_in_force(self.person_id, self.time_of_access())
    }

    /// The person's agreement of a kind that covers the submission and is in force.
    pub(crate) fn signed(&self, kind: AgreementKind) -> Option<&'a Known<Agreement>> {
        self.agreements.iter().copied().find(|a| a.record.kind == kind)
    }

    /// Calls `each` for every item in force on a list of a kind that names the submission, its provider, or an issuer it touches.
    pub(crate) fn listed(&self, kind: ListKind, mut each: impl FnMut(&Known<ListItem>, &Known<List>, Option<&Touch>)) {
        for (subject, touched) in &self.touches.named {
            let touch = touched.and_then(|place| self.touches.all.get(place));
            for (item, list) in self.facts.items_naming(subject, self.at) {
                if list.record.kind == kind {
                    each(item, list, touch);
                }
            }
        }
    }
}
