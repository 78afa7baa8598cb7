//! Break-glass. A voucher that was recorded while the ledger was there lets one access of a grant go ahead while it is not; what is done with it is told
//! afterwards and always becomes a case. It lifts nothing that stands against anybody: only that nothing can be recorded.

use countersign_entry::ids::{LeafIndex, PersonId, PrincipalId};
use countersign_entry::record::{EmergencyUse, EmergencyVoucher, GrantState, Record};
use countersign_entry::time::{DAY, Micros};
use serde::{Deserialize, Serialize};

use crate::cases::CaseState;
use crate::check::Refusal;
use crate::facts::{Facts, Known};
use crate::rules;

/// How long a voucher is good for at most, in microseconds.
pub const GOOD_FOR_MAX: u64 = 30 * DAY;
/// Vouchers that are good at once.
pub const GOOD_AT_ONCE_MAX: usize = 16;
/// A use has to be told within this time, in microseconds; one told later ends every voucher there is.
pub const TOLD_WITHIN: u64 = 3 * DAY;

/// A voucher and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Voucher {
    /// The voucher.
    pub known: Known<EmergencyVoucher>,
    /// Its uses, in order; it was good for the first.
    pub uses: Vec<LeafIndex>,
    /// Whether a use that was told too late ended it.
    pub ended: bool,
}

impl Facts {
    /// The voucher with this entry.
    pub fn voucher(&self, entry: LeafIndex) -> Option<&Voucher> {
        self.vouchers.get(&entry)
    }

    /// Every voucher, by its entry.
    pub fn vouchers(&self) -> impl Iterator<Item = (LeafIndex, &Voucher)> {
        self.vouchers.iter().map(|(entry, voucher)| (*entry, voucher))
    }

    /// Whether a voucher is good for an access at a time, as far as is recorded now.
    pub fn voucher_is_good(&self, voucher: &Voucher, at: Micros) -> bool {
        let active = self.grant(voucher.known.record.grant).is_some_and(|g| g.state == GrantState::Active);
        active && voucher.uses.is_empty() && !voucher.ended && at < voucher.known.record.expires_at
    }

    /// Whether an emergency is left that nobody reviewed: its case is still to be opened, or not closed.
    pub fn emergency_unreviewed(&self) -> bool {
        let waits = self.pending.keys().any(|(rule, ..)| *rule == rules::EMERGENCY);
        let open = |case: LeafIndex| self.case_file(case).is_none_or(|file| file.state != CaseState::Closed);
        waits || self.cases().any(|(entry, case)| case.rule.as_str() == rules::EMERGENCY && open(entry))
    }

    /// Approvers and count are [`Facts::check`]'s.
    pub(crate) fn check_emergency(&self, actor: &PrincipalId, at: Micros, record: &Record) -> Result<(), Refusal> {
        match record {
            Record::EmergencyVoucher(r) => self.check_voucher(actor, at, r),
            Record::EmergencyUse(r) => {
                let voucher = self.voucher(r.voucher).ok_or_else(|| Refusal::Unknown { what: "voucher", id: r.voucher.to_string() })?;
                self.check_others(actor, &r.approvers, voucher.known.record.grant)?;
                if at < r.used_at { Err(Refusal::Invalid("a use is told after it happened")) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    fn check_voucher(&self, actor: &PrincipalId, at: Micros, r: &EmergencyVoucher) -> Result<(), Refusal> {
        let grant = self.grant(r.grant).ok_or_else(|| Refusal::Unknown { what: "grant", id: r.grant.to_string() })?;
        self.check_others(actor, &r.approvers, r.grant)?;
        let why = if grant.state != GrantState::Active {
            "a voucher is for a grant that is active"
        } else if r.expires_at <= at || r.expires_at > grant.request.expires_at || r.expires_at > at.plus(GOOD_FOR_MAX) {
            "a voucher is good for thirty days at most, and no longer than its grant"
        } else if self.emergency_unreviewed() {
            "there is no new voucher until the case of the last use is closed"
        } else if self.vouchers.values().filter(|v| self.voucher_is_good(v, at)).count() >= GOOD_AT_ONCE_MAX {
            "there are as many vouchers as may be good at once"
        } else {
            return Ok(());
        };
        Err(Refusal::Invalid(why))
    }

    /// Nobody has a hand in a voucher for themselves.
    fn check_others(&self, actor: &PrincipalId, approvers: &[PrincipalId], grant: LeafIndex) -> Result<(), Refusal> {
        let subject: Option<&PersonId> = self.grant(grant).map(|g| &g.request.person);
        let person = |who| self.principal(who).and_then(|p| p.record.person.as_ref());
        if approvers.iter().chain([actor]).any(|who| person(who).is_none() || person(who) == subject) {
            return Err(Refusal::Invalid("whoever has a hand in a voucher is a known person, and not the one it is for"));
        }
        Ok(())
    }

    pub(crate) fn apply_voucher(&mut self, known: Known<EmergencyVoucher>) {
        self.vouchers.insert(known.index, Voucher { known, uses: Vec::new(), ended: false });
    }

    pub(crate) fn apply_use(&mut self, index: LeafIndex, at: Micros, r: &EmergencyUse) {
        let Some(voucher) = self.vouchers.get_mut(&r.voucher) else { return };
        voucher.uses.push(index);
        let grant = voucher.known.record.grant;
        if at > r.used_at.plus(TOLD_WITHIN) {
            self.vouchers.values_mut().for_each(|v| v.ended = true);
        }
        let Some(of) = self.grant(grant).map(|g| (g.request.person.clone(), g.request.submission.clone())) else { return };
        self.find(rules::EMERGENCY, &of.0, Some(&of.1), index, &[r.voucher, grant], at);
    }
}
