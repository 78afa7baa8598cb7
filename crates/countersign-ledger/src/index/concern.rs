//! Whom an entry is about: whom it names, and whoever the entry it refers to is about.

use std::collections::BTreeSet;

use countersign_conflict::{Facts, owner};
use countersign_entry::ids::{LeafIndex, PersonId, SubmissionId};
use countersign_entry::record::{HoldScope, Node, Record, RecusalScope};

/// Whom an entry is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Concern {
    pub(crate) persons: BTreeSet<PersonId>,
    pub(crate) submissions: BTreeSet<SubmissionId>,
    /// An entry that has to be looked at to say who else: whoever that one is about.
    pub(crate) pointer: Option<LeafIndex>,
}

/// What was known before an entry, as far as it says whom the entry is about.
pub(crate) trait Before {
    /// Who asked for a grant, to what.
    fn grant(&self, entry: LeafIndex) -> Option<(&PersonId, &SubmissionId)>;
    /// Whom a case is about, and what.
    fn case(&self, entry: LeafIndex) -> Option<(&PersonId, Option<&SubmissionId>)>;
    /// Who is to trade, by the request.
    fn preclearance(&self, entry: LeafIndex) -> Option<&PersonId>;
    /// Whose the record was that this one takes the place of, for types that facts keep.
    fn holder(&self, record: &Record) -> Option<PersonId>;
}

impl Before for Facts {
    fn grant(&self, entry: LeafIndex) -> Option<(&PersonId, &SubmissionId)> {
        Facts::grant(self, entry).map(|g| (&g.request.person, &g.request.submission))
    }

    fn case(&self, entry: LeafIndex) -> Option<(&PersonId, Option<&SubmissionId>)> {
        self.case_at(entry).map(|c| (&c.person, c.submission.as_ref()))
    }

    fn preclearance(&self, entry: LeafIndex) -> Option<&PersonId> {
        Facts::preclearance(self, entry).map(|p| &p.request.person)
    }

    fn holder(&self, record: &Record) -> Option<PersonId> {
        Facts::holder(self, record).cloned()
    }
}

/// [`Before`] for a reader that has facts of a later time, and can read single entries.
pub(crate) struct Rereading<'a> {
    pub(crate) later: &'a Facts,
    pub(crate) entry: &'a dyn Fn(LeafIndex) -> Option<Record>,
}

impl Before for Rereading<'_> {
    // A grant, a case and a request never change hands, so what is known later was so then.
    fn grant(&self, entry: LeafIndex) -> Option<(&PersonId, &SubmissionId)> {
        Before::grant(self.later, entry)
    }

    fn case(&self, entry: LeafIndex) -> Option<(&PersonId, Option<&SubmissionId>)> {
        Before::case(self.later, entry)
    }

    fn preclearance(&self, entry: LeafIndex) -> Option<&PersonId> {
        Before::preclearance(self.later, entry)
    }

    fn holder(&self, record: &Record) -> Option<PersonId> {
        let earlier = record.supersedes().filter(|_| kept_by_facts(record))?;
        owner(&(self.entry)(earlier)?).cloned()
    }
}

/// Whom an entry is about.
pub(crate) fn concern(record: &Record, before: &impl Before) -> Concern {
    let mut concern = named(record);
    let both = |(person, submission)| (person, Some(submission));
    let (through, other) = match record {
        Record::GrantTransition(r) => (before.grant(r.grant).map(both), None),
        Record::AccessEvent(r) => (r.grant.and_then(|grant| before.grant(grant)).map(both), r.supersedes),
        Record::EmergencyVoucher(r) => (before.grant(r.grant).map(both), None),
        Record::EmergencyUse(r) => (None, Some(r.voucher)),
        Record::CaseEvent(r) => (before.case(r.case), None),
        Record::PreclearanceDecision(r) => (before.preclearance(r.preclearance).map(|person| (person, None)), None),
        Record::Referral(r) => (before.case(r.case), r.supersedes),
        Record::LegalHold(r) => (if let HoldScope::Case(entry) = r.scope { before.case(entry) } else { None }, r.supersedes),
        Record::Correction(r) => (None, Some(r.target)),
        Record::Redaction(r) => (None, Some(r.target)),
        Record::RosterEntry(_) | Record::Designation(_) | Record::Selection(_) => (None, record.supersedes()),
        _ => (None, None),
    };
    if let Some((person, submission)) = through {
        concern.persons.insert(person.clone());
        concern.submissions.extend(submission.cloned());
    }
    if record.supersedes().is_some() {
        concern.persons.extend(before.holder(record));
    }
    concern.pointer = other;
    concern
}

/// Whom an entry is posted under: of an access only those beside its own person and submission, under which the access itself is found.
pub(crate) fn posted(record: &Record, before: &impl Before) -> Concern {
    match record {
        Record::AccessEvent(r) => beside_access(&r.person, &r.submission, r.grant.and_then(|grant| before.grant(grant)), r.supersedes),
        _ => concern(record, before),
    }
}

/// As [`posted`], of an access. `through` is whose its grant is, and to what.
pub(crate) fn beside_access(
    person: &PersonId,
    submission: &SubmissionId,
    through: Option<(&PersonId, &SubmissionId)>,
    pointer: Option<LeafIndex>,
) -> Concern {
    let others = through.into_iter();
    let persons = others.clone().map(|(person, _)| person).filter(|other| *other != person).cloned().collect();
    let submissions = others.map(|(_, submission)| submission).filter(|other| *other != submission).cloned().collect();
    Concern { persons, submissions, pointer }
}

/// Whom a record names. A read names whom somebody asked about; it is about the reader, so it is not part of anybody's history.
pub(crate) fn named(record: &Record) -> Concern {
    let submission = match record {
        Record::Submission(r) => Some(&r.id),
        Record::Exposure(r) => [&r.from, &r.to].into_iter().find_map(|node| if let Node::Submission(id) = node { Some(id) } else { None }),
        Record::Agreement(r) => r.submission.as_ref(),
        Record::Recusal(r) => in_scope(&r.scope),
        Record::ListItem(r) => in_scope(&r.subject),
        Record::GrantRequest(r) => Some(&r.submission),
        Record::AccessEvent(r) => Some(&r.submission),
        Record::CaseOpened(r) => r.submission.as_ref(),
        Record::Designation(r) => Some(&r.submission),
        Record::Selection(r) => Some(&r.submission),
        Record::LegalHold(r) => {
            if let HoldScope::Submission(id) = &r.scope {
                Some(id)
            } else {
                None
            }
        }
        _ => None,
    };
    let persons = owner(record).cloned().into_iter().collect();
    Concern { persons, submissions: submission.cloned().into_iter().collect(), pointer: None }
}

fn kept_by_facts(record: &Record) -> bool {
    matches!(
        record,
        Record::Principal(_)
            | Record::Credential(_)
            | Record::Agreement(_)
            | Record::Recusal(_)
            | Record::Holding(_)
            | Record::Relationship(_)
            | Record::Trade(_)
            | Record::Filer(_)
            | Record::List(_)
    )
}

fn in_scope(scope: &RecusalScope) -> Option<&SubmissionId> {
    if let RecusalScope::Submission(id) = scope { Some(id) } else { None }
}
