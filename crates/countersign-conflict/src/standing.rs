//! What must not be forgotten: holds, and records that something still rests on. A data key is destroyed only where neither stands against it.

use countersign_entry::ids::{Date, LeafIndex};
use countersign_entry::record::{GrantState, LegalHold, Submission};
use countersign_entry::time::Micros;

use crate::cases::CaseState;
use crate::facts::{Facts, Known, in_force};

impl Facts {
    /// A legal hold in force, if there is one. While it is, nothing at all is erased: a data key seals the records of many people, and which of
    /// them a hold reaches shows only when they are read.
    pub fn hold_in_force(&self, at: Micros) -> Option<&Known<LegalHold>> {
        self.legal_holds.values().find(|h| in_force(h.record.from, h.record.until, at))
    }

    /// Entries that say something which is still so at a time, with a word for what: forgetting one of them would change decisions from now on,
    /// and could clear somebody.
    pub fn standing(&self, at: Micros) -> impl Iterator<Item = (&'static str, LeafIndex)> {
        use GrantState::{Closed, Denied, Departed, Expired, Revoked};
        let recusals = self.recusals.values().filter(move |r| r.record.until.is_none_or(|until| at < until));
        let items = self.items.values().filter(move |i| i.record.until.is_none_or(|until| at < until));
        let lists = self.lists.values();
        let ties = self.relationships.values().filter(move |r| r.record.until.as_ref().is_none_or(|until| Date::of(at) <= *until));
        let inside = move |s: &&Known<Submission>| {
            s.record.public_release_at.zip(s.record.cleansed_at).is_none_or(|(public, cleansed)| at < public.max(cleansed))
        };
        let submissions = self.submissions.values().filter(inside);
        let grants = self.grants.iter().filter(|(_, g)| !matches!(g.state, Denied | Expired | Revoked | Departed | Closed));
        let cases = self.case_files.iter().filter(|(_, file)| file.state != CaseState::Closed);
        let recusals = recusals.map(|r| ("a recusal", r.index));
        recusals
            .chain(items.map(|i| ("an item on a list", i.index)))
            .chain(lists.map(|l| ("a list", l.index)))
            .chain(self.holdings.values().map(|h| ("a holding", h.index)))
            .chain(ties.map(|r| ("a relationship", r.index)))
            .chain(submissions.map(|s| ("a submission that is not public and cleansed", s.index)))
            .chain(grants.map(|(index, _)| ("a grant that is open, or whose clocks run", *index)))
            .chain(cases.map(|(index, _)| ("a case that is open", *index)))
    }
}
