//! Who owes what by when: reports, notices, divestitures, agreements, worked out from positions, trades and ties on record.
//!
//! Days are counted on the calendar; where a clock counts business days, federal holidays are left out. A duty is met on the day somebody
//! recorded that it was; nothing is taken to be met because nobody complained.

use std::collections::BTreeMap;

use countersign_entry::ids::{Date, LeafIndex, PersonId};
use countersign_entry::record::{
    DutyEvent, DutyKind, DutyStep, Filer, HolderRelation, InstrumentClass, Linking, Record, RelationshipKind, Report, Trade,
};

use crate::check::Refusal;
use crate::facts::{Facts, Known};
use crate::rules::limits;

/// Dollars above which a transaction is reported (5 CFR 2634.309(a)).
pub const TRANSACTION_ABOVE: u64 = 1_000;

/// A duty, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// Whose.
    pub person: PersonId,
    /// Which.
    pub kind: DutyKind,
    /// Which report, where it is one.
    pub report: Option<Report>,
    /// The day it counts from.
    pub since: Date,
    /// The day it is due, extensions counted.
    pub due: Date,
    /// The day it was due by the rule alone.
    pub due_by_rule: Date,
    /// Where the rule comes from.
    pub cite: &'static str,
    /// The day it was met; none while it was not.
    pub met: Option<Date>,
    /// Days on which whoever owes it was reminded.
    pub reminded: Vec<Date>,
    /// Entries it rests on: what it follows from, then what happened.
    pub evidence: Vec<LeafIndex>,
}

/// Where a duty stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DutyState {
    /// Its day has passed, and it was not met.
    Late,
    /// Its day is ahead.
    Due,
    /// It was met, after its day.
    MetLate,
    /// It was met in time.
    Met,
}

impl Duty {
    /// Where it stands on a day. On its day itself it is not late.
    pub fn state(&self, today: &Date) -> DutyState {
        match &self.met {
            Some(met) if *met <= self.due => DutyState::Met,
            Some(_) => DutyState::MetLate,
            None if *today > self.due => DutyState::Late,
            None => DutyState::Due,
        }
    }

    fn new(person: &PersonId, kind: DutyKind, since: &Date, due: Date, evidence: Vec<LeafIndex>) -> Self {
        let (person, since) = (person.clone(), since.clone());
        let due_by_rule = due.clone();
        Self { person, kind, report: None, since, due, due_by_rule, cite: cite(kind, None), met: None, reminded: Vec::new(), evidence }
    }

    fn of_report(person: &PersonId, kind: DutyKind, report: Report, since: &Date, due: Date, evidence: LeafIndex) -> Self {
        Self { report: Some(report), cite: cite(kind, Some(report)), ..Self::new(person, kind, since, due, vec![evidence]) }
    }

    /// Of two positions, or two trades of a day, the earlier clock counts, and it is met when both are.
    fn join(&mut self, other: Duty) {
        self.due = self.due.clone().min(other.due);
        self.due_by_rule = self.due.clone();
        self.met = self.met.take().zip(other.met).map(|(one, other)| one.max(other));
        self.evidence.extend(other.evidence);
    }

    fn take(&mut self, event: &Known<DutyEvent>) {
        let e = &event.record;
        self.evidence.push(event.index);
        match e.step {
            DutyStep::Imposed => {}
            DutyStep::Reminded => self.reminded.push(e.on.clone()),
            DutyStep::Extended => self.due = e.until.clone().unwrap_or_else(|| self.due.clone()),
            DutyStep::Met => self.met = Some(self.met.take().map_or_else(|| e.on.clone(), |met| met.min(e.on.clone()))),
        }
    }
}

/// Where each clock stands in the text.
fn cite(kind: DutyKind, report: Option<Report>) -> &'static str {
    match (kind, report) {
        (DutyKind::NewEntrant, Some(Report::Confidential)) => "5 CFR 2634.903(b)",
        (DutyKind::NewEntrant, _) => "5 CFR 2634.201(b)",
        (DutyKind::Annual, Some(Report::Confidential)) => "5 CFR 2634.903(a)",
        (DutyKind::Annual, _) => "5 CFR 2634.201(a)",
        (DutyKind::Termination, _) => "5 CFR 2634.201(e)",
        (DutyKind::Transactions, _) => "5 CFR 2634.201(f), 2634.309",
        (DutyKind::Review, _) => "5 CFR 2634.605(a)",
        (DutyKind::NegotiationNotice, _) => "5 CFR 2635.607; STOCK Act sec. 17",
        (DutyKind::Divestiture, _) => "5 CFR 2635.403(d)",
        (DutyKind::EthicsAgreement, _) => "5 CFR 2634.802(b)",
    }
}

type Key = (PersonId, DutyKind, Date);
/// Positions of public filers, by person.
type Public<'f> = BTreeMap<&'f PersonId, Vec<&'f Filer>>;

/// Whether somebody held such a position on a day.
fn files(public: &Public<'_>, person: &PersonId, day: &Date) -> bool {
    let mut positions = public.get(person).into_iter().flatten();
    positions.any(|f| f.from <= *day && f.until.as_ref().is_none_or(|until| day <= until))
}

impl Facts {
    /// Every duty that begins on a day or before, of one person or of all, by person, kind and day, with what became of it.
    pub fn duties(&self, of: Option<&PersonId>, today: &Date) -> Vec<Duty> {
        let mut duties: BTreeMap<Key, Duty> = BTreeMap::new();
        let mut add = |duty: Duty| {
            if duty.since <= *today && of.is_none_or(|person| *person == duty.person) {
                let key = (duty.person.clone(), duty.kind, duty.since.clone());
                match duties.get_mut(&key) {
                    Some(kept) => kept.join(duty),
                    None => drop(duties.insert(key, duty)),
                }
            }
        };
        let mut public: Public<'_> = BTreeMap::new();
        for filer in self.filers.values().filter(|k| of.is_none_or(|person| *person == k.record.person)) {
            reports(filer, today, &mut add);
            if filer.record.report == Report::Public {
                public.entry(&filer.record.person).or_default().push(&filer.record);
            }
        }
        self.transactions(&public, &mut add);
        self.notices(&public, &mut add);
        self.imposed(&mut add);
        for (key, events) in &self.duty_events {
            let Some(duty) = duties.get_mut(key) else { continue };
            events.iter().for_each(|event| duty.take(event));
        }
        let reviews: Vec<Duty> = self.reviews(duties.values());
        duties.into_values().chain(reviews.into_iter().filter(|d| d.since <= *today)).collect()
    }

    /// Transactions of public filers: 30 days after they were told, and not later than 45 days after the trade. Where nobody recorded when they
    /// were told, the 45 days alone are certain.
    fn transactions(&self, public: &Public<'_>, add: &mut dyn FnMut(Duty)) {
        let trades = public.keys().flat_map(|person| self.trades_of_person(person));
        for known in trades.filter(|k| reportable(&k.record) && files(public, &k.record.person, &k.record.traded_on)) {
            let t = &known.record;
            let last = t.traded_on.plus_days(45);
            let due = t.notified_on.as_ref().map_or_else(|| last.clone(), |told| told.plus_days(30).min(last.clone()));
            let mut duty =
                Duty { report: Some(Report::Public), ..Duty::new(&t.person, DutyKind::Transactions, &t.traded_on, due, vec![known.index]) };
            duty.met = t.filed_on.clone();
            add(duty);
        }
    }

    /// Public filers who began to talk about a job: three business days.
    fn notices(&self, public: &Public<'_>, add: &mut dyn FnMut(Duty)) {
        for known in self.relationships.values() {
            let r = &known.record;
            let (RelationshipKind::Seeking, HolderRelation::Own, Some(from)) = (r.kind, r.relation, &r.from) else { continue };
            if files(public, &r.person, from) {
                add(Duty::new(&r.person, DutyKind::NegotiationNotice, from, from.plus_business_days(3), vec![known.index]));
            }
        }
    }

    /// What somebody was directed or promised to do: 90 days to divest, three months for what an ethics agreement promises.
    fn imposed(&self, add: &mut dyn FnMut(Duty)) {
        for ((person, kind, since), events) in &self.duty_events {
            let due = match kind {
                DutyKind::Divestiture => since.plus_days(limits(since).map_or(0, |l| l.divest_days)),
                DutyKind::EthicsAgreement => since.plus_months(limits(since).map_or(0, |l| l.agreement_months)),
                _ => continue,
            };
            if events.iter().any(|e| e.record.step == DutyStep::Imposed) {
                add(Duty::new(person, *kind, since, due, Vec::new()));
            }
        }
    }

    /// The agency reviews each report within 60 days of receiving it.
    fn reviews<'a>(&self, duties: impl Iterator<Item = &'a Duty>) -> Vec<Duty> {
        let mut reviews: BTreeMap<Key, Duty> = BTreeMap::new();
        let reports = duties.filter(|d| d.report.is_some() && d.kind != DutyKind::Transactions);
        for (received, report) in reports.filter_map(|d| Some((d.met.as_ref()?, d))) {
            let key = (report.person.clone(), DutyKind::Review, received.clone());
            let evidence = report.evidence.last().copied().into_iter().collect();
            let new = || Duty::new(&report.person, DutyKind::Review, received, received.plus_days(60), evidence);
            let duty = reviews.entry(key.clone()).or_insert_with(new);
            duty.report = report.report;
            if duty.evidence.len() == 1 {
                self.duty_events.get(&key).into_iter().flatten().for_each(|event| duty.take(event));
            }
        }
        reviews.into_values().collect()
    }

    /// An event names a duty of that person, and an extension a later day.
    pub(crate) fn check_duty(&self, record: &Record) -> Result<(), Refusal> {
        let Record::DutyEvent(e) = record else { return Ok(()) };
        let invalid = |why| Err(Refusal::Invalid(why));
        if e.until.is_some() != (e.step == DutyStep::Extended) {
            return invalid("an extension says until when, and nothing else does");
        }
        let can_impose = matches!(e.duty, DutyKind::Divestiture | DutyKind::EthicsAgreement);
        if e.step == DutyStep::Imposed {
            return if can_impose && e.on == e.since {
                Ok(())
            } else {
                invalid(
                    "a divestiture or an ethics agreement is imposed, on the day it counts from; other duties follow from what is recorded",
                )
            };
        }
        let Some(duty) = self.duties(Some(&e.person), &e.since).into_iter().find(|d| d.kind == e.duty && d.since == e.since) else {
            return invalid("nobody owes this duty from that day: look at the calendar");
        };
        match &e.until {
            Some(until) if *until <= duty.due => invalid("an extension ends later than the duty was due"),
            Some(until) => self.check_extension(&duty, until),
            None => Ok(()),
        }
    }

    /// Reports may be extended by 90 days in all (5 CFR 2634.201(g), 2634.903(d)); a notice and the clock of a transaction cannot be moved.
    fn check_extension(&self, duty: &Duty, until: &Date) -> Result<(), Refusal> {
        let fixed = matches!(duty.kind, DutyKind::NegotiationNotice);
        let report = matches!(duty.kind, DutyKind::NewEntrant | DutyKind::Annual | DutyKind::Termination | DutyKind::Transactions);
        if fixed {
            return Err(Refusal::Invalid("the three business days of the notice have no extension"));
        }
        if report && *until > duty.due_by_rule.plus_days(90) {
            return Err(Refusal::Invalid("a report is extended by 90 days at most in all"));
        }
        Ok(())
    }

    pub(crate) fn apply_duty_event(&mut self, event: Known<DutyEvent>) {
        let e = &event.record;
        self.duty_events.entry((e.person.clone(), e.duty, e.since.clone())).or_default().push(event);
    }
}

/// Entry, annual and leaving reports of one position. Who leaves files no annual report after that, and a confidential filer files none on leaving.
fn reports(known: &Known<Filer>, today: &Date, add: &mut dyn FnMut(Duty)) {
    let f = &known.record;
    let of = |kind, since: &Date, due| Duty::of_report(&f.person, kind, f.report, since, due, known.index);
    add(of(DutyKind::NewEntrant, &f.from, f.from.plus_days(30)));
    let (month, day) = match f.report {
        Report::Public => (5, 15),
        Report::Confidential => (2, 15),
    };
    for year in f.from.year().saturating_add(1)..=today.year() {
        let (Some(since), Some(due)) = (Date::from_parts(year, 1, 1), Date::from_parts(year, month, day)) else { continue };
        // Served more than 60 days of the year before, and still serves when it begins.
        let served = since.days_since(&f.from) > MORE_THAN_DAYS && f.until.as_ref().is_none_or(|until| *until >= since);
        if served {
            add(of(DutyKind::Annual, &since, due));
        }
    }
    if let (Report::Public, Some(until)) = (f.report, &f.until) {
        add(of(DutyKind::Termination, until, until.plus_days(30)));
    }
}

/// Days of service in a year above which an annual report is owed (5 CFR 2634.201(a), 2634.903(a)).
const MORE_THAN_DAYS: i64 = 60;

/// Whether a transaction may have to be reported: above $1,000 or not known to be below, in what is not exempt by its kind (5 CFR 2634.309).
fn reportable(t: &Trade) -> bool {
    let own = matches!(
        t.relation,
        HolderRelation::Own
            | HolderRelation::Spouse
            | HolderRelation::Joint
            | HolderRelation::MinorChild
            | HolderRelation::DependentChild
            | HolderRelation::ManagedAccount
            | HolderRelation::Nominee
            | HolderRelation::Unknown
    );
    let exempt = matches!(
        t.instrument.class,
        InstrumentClass::DiversifiedFund
            | InstrumentClass::Treasury
            | InstrumentClass::Cash
            | InstrumentClass::Plan
            | InstrumentClass::RealProperty
    ) && t.instrument.linking != Linking::InReview;
    own && !exempt && t.value.hi().is_none_or(|most| most > TRANSACTION_ABOVE)
}
