//! What goes on after access: clocks that begin when a grant ends or its person leaves, and feeds that grow old. All of it becomes an entry by a timer.

use countersign_entry::ids::{Date, LeafIndex, Line, PersonId, SubmissionId};
use countersign_entry::record::{DutyKind, DutyStep, GrantState, Import, Person, PersonStatus, Policy};
use countersign_entry::time::{DAY, Micros};

use countersign_law::limits::Limits;

use crate::facts::{Facts, Grant, Timer};
use crate::follow::Reach;
use crate::rules::limits;

/// Clocks that run after access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clocks {
    /// When what was seen is both public and cleansed: until then nobody trades on it. None while that is not known.
    pub information_over: Option<Micros>,
    /// Two years from leaving by the law of that day, where 18 U.S.C. 207 binds the person (5 CFR 2641.202(c)). The bar of 207(a)(1) never ends.
    pub responsibility_until: Option<Date>,
    /// One year from leaving without pay from a contractor, where a post or decision of 41 U.S.C. 2104 was the person's.
    pub contractor_pay_until: Option<Date>,
}

impl Clocks {
    /// When all of them are over; none while that is not known.
    pub fn over(&self) -> Option<Micros> {
        let two_years = self.responsibility_until.as_ref().and_then(Date::start).unwrap_or(Micros::EPOCH);
        self.information_over.map(|over| over.max(two_years))
    }

    /// In words, for the entry that starts them.
    fn told(&self) -> String {
        let mut told = "no trading until public release and cleansing (5 CFR 2635.703, 17 CFR 240.10b5-1)".to_owned();
        if let Some(until) = &self.responsibility_until {
            told.push_str(&format!("; 18 U.S.C. 207(a)(2) until {until}, 207(a)(1) for the life of each matter"));
        }
        if let Some(until) = &self.contractor_pay_until {
            told.push_str(&format!("; 41 U.S.C. 2104 until {until}, where a listed procurement post was held"));
        }
        told
    }
}

/// Whether 18 U.S.C. 207 follows somebody of this status (5 CFR 2641.104; enlisted members and those bound by agreement alone are outside).
fn bound_by_207(status: PersonStatus) -> bool {
    use PersonStatus::{Civilian, IpaDetailee, Officer, PresidentialAppointee, Sge};
    matches!(status, Officer | Civilian | Sge | PresidentialAppointee | IpaDetailee)
}

impl Facts {
    /// The clocks that run, or will, after a grant.
    pub fn clocks(&self, grant: &Grant) -> Clocks {
        let ends = self.submission(&grant.request.submission).and_then(|s| s.record.public_release_at.zip(s.record.cleansed_at));
        let left = self.left.get(&grant.request.person).filter(|(_, status)| bound_by_207(*status)).map(|(at, _)| Date::of(*at));
        // A clock without a number, which a test of the law's crate rules out, runs to the end of the calendar.
        let after = |months: fn(&Limits) -> i32| left.as_ref().map(|day| day.plus_months(limits(day).map_or(i32::MAX, months)));
        Clocks {
            information_over: ends.map(|(released, cleansed)| released.max(cleansed)),
            responsibility_until: after(|l| l.official_responsibility_months),
            contractor_pay_until: after(|l| l.contractor_pay_months),
        }
    }

    /// What the entry that starts the clocks says of them.
    pub(crate) fn clocks_told(&self, grant: LeafIndex) -> Option<Line> {
        self.grant(grant).and_then(|g| Line::new(self.clocks(g).told()).ok())
    }

    /// Whoever becomes former has left; whoever serves again has not.
    pub(crate) fn note_departure(&mut self, person: &Person, before: Option<PersonStatus>, at: Micros) {
        match (person.status, before) {
            (PersonStatus::Former, Some(before)) if before != PersonStatus::Former => {
                self.left.insert(person.id.clone(), (at, before));
            }
            (PersonStatus::Former, _) => return,
            _ => drop(self.left.remove(&person.id)),
        }
        self.await_closing(at, |grant| grant.request.person == person.id);
    }

    /// Sets the timers of a state: after access, and of what is to be given up.
    pub(crate) fn after_access(&mut self, index: LeafIndex, state: GrantState, at: Micros) {
        use GrantState::{Closed, CoolingOff, Departed, Divesting, Expired, Revoked};
        let opened = self.grant(index).is_some_and(|g| !g.open.is_empty());
        match state {
            Expired | Revoked | Departed if opened => drop(self.timers.insert((at, Timer::Cool(index)))),
            CoolingOff => {
                self.cooling.insert(index);
                if let Some(over) = self.grant(index).and_then(|g| self.clocks(g).over()) {
                    self.timers.insert((over.max(at), Timer::Close(index)));
                }
            }
            Closed => drop(self.cooling.remove(&index)),
            Divesting => drop(self.timers.insert((self.divest_by(index).unwrap_or(at).max(at), Timer::Divest(index)))),
            _ => {}
        }
    }

    /// Sets the timers that close cooling grants anew: release, cleansing or departure became known, or changed.
    pub(crate) fn await_closing(&mut self, at: Micros, of: impl Fn(&Grant) -> bool) {
        let cooling = self.cooling.iter().filter_map(|i| Some((*i, self.grant(*i)?)));
        let ends: Vec<_> =
            cooling.filter(|(_, g)| of(g)).filter_map(|(i, g)| Some((self.clocks(g).over()?.max(at), Timer::Close(i)))).collect();
        self.timers.extend(ends);
    }

    /// Whether access that was open has ended, and its clocks have not begun.
    pub(crate) fn cools(&self, index: LeafIndex) -> bool {
        use GrantState::{Departed, Expired, Revoked};
        self.grant(index).is_some_and(|g| matches!(g.state, Expired | Revoked | Departed) && !g.open.is_empty())
    }

    /// Whether a cooling grant's clocks are over by a time.
    pub(crate) fn closes(&self, index: LeafIndex, by: Micros) -> bool {
        self.grant(index).is_some_and(|g| g.state == GrantState::CoolingOff && self.clocks(g).over().is_some_and(|over| over <= by))
    }

    /// The last day to divest under the newest direction or agreement, by the law of its day, extensions counted.
    pub(crate) fn divestiture_due(&self, person: &PersonId) -> Option<Date> {
        let of = self.duty_events.iter().filter(|((who, ..), _)| who == person);
        let imposed = of.filter(|(_, events)| events.iter().any(|e| e.record.step == DutyStep::Imposed));
        let due = imposed.filter_map(|((_, kind, since), events)| {
            let by_rule = match kind {
                DutyKind::Divestiture => since.plus_days(limits(since).map_or(0, |l| l.divest_days)),
                DutyKind::EthicsAgreement => since.plus_months(limits(since).map_or(0, |l| l.agreement_months)),
                _ => return None,
            };
            Some(events.iter().rev().find_map(|e| e.record.until.clone()).unwrap_or(by_rule))
        });
        due.max()
    }

    /// The moment after the last day to divest.
    fn divest_by(&self, index: LeafIndex) -> Option<Micros> {
        let grant = self.grant(index)?;
        self.divestiture_due(&grant.request.person)?.start().map(|start| start.plus(DAY))
    }

    /// Whether what was to be given up was not, by a time; the later day where it was extended.
    pub(crate) fn not_divested(&self, index: LeafIndex, by: Micros) -> Result<bool, Micros> {
        let waits = self.grant(index).is_some_and(|g| g.state == GrantState::Divesting);
        match self.divest_by(index) {
            Some(later) if waits && later > by => Err(later),
            _ => Ok(waits),
        }
    }

    /// An importer without its version.
    fn feed_name(import: &Import) -> &str {
        import.importer.as_str().split('/').next().unwrap_or_default()
    }

    pub(crate) fn note_feed(&mut self, import: &Import, index: LeafIndex, at: Micros) {
        let name = Self::feed_name(import);
        self.feeds.insert(name.to_owned(), (at, index));
        let ages = self.policies.iter().flat_map(|p| &p.record.feeds).filter(|f| f.importer.as_str() == name).map(|f| f.max_age_seconds);
        let timers: Vec<_> = ages.map(|age| (at.plus(age.saturating_mul(1_000_000)), Timer::TakeEffect(index, Reach::All))).collect();
        self.timers.extend(timers);
    }

    /// Each feed of a policy becomes too old at some time, or is so when the policy takes effect.
    pub(crate) fn await_feeds(&mut self, policy: &Policy, index: LeafIndex, at: Micros) {
        let begins = policy.effective_from.max(at);
        for feed in &policy.feeds {
            let read = self.feeds.get(feed.importer.as_str()).map(|(read, _)| read.plus(feed.max_age_seconds.saturating_mul(1_000_000)));
            self.timers.insert((read.unwrap_or(begins).max(begins), Timer::TakeEffect(index, Reach::All)));
        }
    }

    /// Whether work on a submission's model is stopped, and the entry that says so.
    pub(crate) fn model_stopped(&self, submission: &SubmissionId) -> Option<LeafIndex> {
        let model = self.submission(submission)?.record.model.as_ref()?;
        self.model(model).filter(|m| m.record.stopped == Some(true)).map(|m| m.index)
    }
}
