//! Whom a record is about.

use countersign_entry::ids::PersonId;
use countersign_entry::record::{Bound, HoldScope, LegalHold, List, Record};

use crate::facts::Facts;

/// The one person a record names. A read names whom somebody asked about; it is about the reader, so it is not part of anybody's history.
pub fn owner(record: &Record) -> Option<&PersonId> {
    Some(match record {
        Record::Person(r) => &r.id,
        Record::Principal(r) => return r.person.as_ref(),
        Record::Credential(r) => &r.person,
        Record::Agreement(r) => &r.person,
        Record::Recusal(r) => &r.person,
        Record::GrantRequest(r) => &r.person,
        Record::AccessEvent(r) => &r.person,
        Record::CaseOpened(r) => &r.person,
        Record::Holding(r) => &r.person,
        Record::PreclearanceRequest(r) => &r.person,
        Record::Filer(r) => &r.person,
        Record::DutyEvent(r) => &r.person,
        Record::Trade(r) => &r.person,
        Record::Relationship(r) => &r.person,
        Record::RosterEntry(r) => &r.person,
        Record::LegalHold(r) => match &r.scope {
            HoldScope::Person(id) => id,
            _ => return None,
        },
        Record::List(r) => return bound(r),
        _ => return None,
    })
}

/// The one person a list binds.
pub fn bound(list: &List) -> Option<&PersonId> {
    if let Some(Bound::Person(id)) = &list.binds { Some(id) } else { None }
}

impl Facts {
    /// The one person a record is about: whom it names, or whoever the grant, case, request or voucher it moves on is about.
    pub fn about<'a>(&'a self, record: &'a Record) -> Option<&'a PersonId> {
        let of_grant = |grant| self.grant(grant).map(|grant| &grant.request.person);
        let of_case = |case| self.case_at(case).map(|case| &case.person);
        owner(record).or_else(|| match record {
            Record::GrantTransition(r) => of_grant(r.grant),
            Record::EmergencyVoucher(r) => of_grant(r.grant),
            Record::EmergencyUse(r) => of_grant(self.voucher(r.voucher)?.known.record.grant),
            Record::CaseEvent(r) => of_case(r.case),
            Record::Referral(r) => of_case(r.case),
            Record::LegalHold(LegalHold { scope: HoldScope::Case(case), .. }) => of_case(*case),
            Record::PreclearanceDecision(r) => self.preclearance(r.preclearance).map(|asked| &asked.request.person),
            _ => None,
        })
    }

    /// Whose the record was that this one takes the place of, for types that are kept here.
    pub fn holder(&self, record: &Record) -> Option<&PersonId> {
        match record {
            Record::Principal(r) => self.principal(&r.id)?.record.person.as_ref(),
            Record::Credential(r) => Some(&self.credential(&r.id)?.record.person),
            Record::Agreement(r) => Some(&self.agreement(&r.id)?.record.person),
            Record::Recusal(r) => Some(&self.recusal(&r.id)?.record.person),
            Record::Holding(r) => Some(&self.holding(&r.id)?.record.person),
            Record::Relationship(r) => Some(&self.relationship(&r.id)?.record.person),
            Record::Trade(r) => Some(&self.trade(&r.id)?.record.person),
            Record::Filer(r) => Some(&self.filer(&r.id)?.record.person),
            Record::List(r) => bound(&self.list(&r.id)?.record),
            _ => None,
        }
    }
}
