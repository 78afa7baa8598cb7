//! What each submission touches, remembered from one assessment to the next: walking every edge again costs more than all the rules together.
//!
//! Nothing here is a fact. It is forgotten whenever a record comes that it was made from, and made again when it is asked for.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_entry::ids::{Date, IssuerId, LeafIndex, SubmissionId};
use countersign_entry::record::{ListSubject, Submission, Tier};
use countersign_entry::time::{DAY, Micros};

use crate::facts::Facts;

/// Submissions remembered at most; beyond them all are forgotten.
const SUBMISSIONS_MAX: usize = 8_192;

/// An issuer a submission touches over recorded edges, by its surest way, and of those the closest.
#[derive(Debug)]
pub struct Touch {
    /// The issuer.
    pub issuer: IssuerId,
    /// How close.
    pub tier: Tier,
    /// Whether somebody checked every edge on the way.
    pub confirmed: bool,
    /// Whether it is the developer itself, and so a party to the review (5 CFR 2640.102(l)); an owner of the developer is none (5 CFR 2635.402(b)(1)).
    pub party: bool,
    /// The entries of the edges.
    pub via: Vec<LeafIndex>,
}

/// What one submission touches on one day.
#[derive(Debug, Default)]
pub struct Touches {
    /// In the order of the edges.
    pub all: Vec<Touch>,
    /// The submission itself, its provider and what it touches, as far as a list has ever named them; what is touched, by its place in `all`.
    pub(crate) named: Vec<(ListSubject, Option<usize>)>,
}

impl Touches {
    /// How it touches an issuer, if it does.
    pub(crate) fn of(&self, issuer: &IssuerId) -> Option<&Touch> {
        self.all.iter().find(|touch| touch.issuer == *issuer)
    }
}

/// Held by the facts; a copy of them starts with nothing remembered.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<HashMap<SubmissionId, (u64, Arc<Touches>)>>);

impl Clone for Remembered {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Nothing here is a fact, so two of them never differ.
impl PartialEq for Remembered {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Remembered {
    pub(crate) fn forget(&mut self) {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SubmissionId, (u64, Arc<Touches>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Facts {
    /// What a recorded submission touches on the day of `at`.
    pub(crate) fn touches(&self, submission: &Submission, at: Micros) -> Arc<Touches> {
        let day = at.value() / DAY;
        if let Some((_, known)) = self.touched.lock().get(&submission.id).filter(|(known, _)| *known == day) {
            return known.clone();
        }
        let made = Arc::new(self.find_touches(submission, &Date::of(at)));
        let mut remembered = self.touched.lock();
        if remembered.len() >= SUBMISSIONS_MAX {
            remembered.clear();
        }
        remembered.insert(submission.id.clone(), (day, made.clone()));
        made
    }

    fn find_touches(&self, submission: &Submission, day: &Date) -> Touches {
        let mut all: Vec<Touch> = Vec::new();
        let mut places: HashMap<&IssuerId, usize> = HashMap::new();
        for way in self.exposures_of(submission, day) {
            let place = *places.entry(way.issuer).or_insert(all.len());
            let touch = Touch { issuer: way.issuer.clone(), tier: way.tier, confirmed: way.confirmed, party: way.party, via: way.via };
            let surer = |a: &Touch, b: &Touch| (a.confirmed, a.party, Reverse(a.tier)) > (b.confirmed, b.party, Reverse(b.tier));
            match all.get_mut(place) {
                Some(known) if surer(&touch, known) => *known = touch,
                Some(_) => {}
                None => all.push(touch),
            }
        }
        let own = [ListSubject::Submission(submission.id.clone()), ListSubject::Provider(submission.provider.clone())];
        let touched = all.iter().enumerate().map(|(place, touch)| (ListSubject::Issuer(touch.issuer.clone()), Some(place)));
        let subjects = own.into_iter().map(|subject| (subject, None)).chain(touched);
        let named = subjects.filter(|(subject, _)| self.items_on.contains_key(subject)).collect();
        Touches { all, named }
    }
}
