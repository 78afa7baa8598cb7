//! Asking before trading: what the rules say of a request, and how long a clearance lasts.
//!
//! Whoever asks gets "cleared until" a day or "not cleared", and nothing else. A watch list is noted for the ethics role and changes nothing: no
//! verdict, no day, no entry that would not be there without it.

use std::collections::BTreeSet;

use countersign_entry::ids::{Date, LeafIndex, PersonId, PrincipalId};
use countersign_entry::record::{
    AccessBar, Assessment, Decision, GrantState, Instrument, InstrumentClass, ListKind, ListSubject, Outcome, PreclearancePolicy,
    PreclearanceRequest, Record, Role, TradeKind, Verdict,
};
use countersign_entry::time::Micros;
use serde::{Deserialize, Serialize};

use crate::assess::{Assessed, rule_set_digest};
use crate::check::Refusal;
use crate::facts::{Facts, Known};
use crate::rules::{self, Sheet};

/// A request to trade and everything that was decided on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preclearance {
    /// The request, with what the rules said.
    pub request: PreclearanceRequest,
    /// Who asked.
    pub requester: PrincipalId,
    /// When it was recorded.
    pub at: Micros,
    /// What the ethics office decided, in order: entry, time, and the last day cleared.
    pub decisions: Vec<(LeafIndex, Micros, Option<Date>)>,
}

impl Preclearance {
    /// The last day it is cleared for, as is recorded now; none where it is not.
    pub fn cleared_until(&self) -> Option<&Date> {
        self.decisions.last().map_or(self.request.cleared_until.as_ref(), |(_, _, until)| until.as_ref())
    }

    /// Whether a trade on a day fell under it as it stood then. A trade has a day and no hour, so what stood for a part of the day counts.
    pub fn cleared_on(&self, day: &Date) -> bool {
        self.request.from <= *day && self.stood_on(day).into_iter().flatten().any(|until| day <= until)
    }

    /// The last days it was cleared for at some time of a day.
    fn stood_on(&self, day: &Date) -> Vec<Option<&Date>> {
        let first = [(self.at, self.request.cleared_until.as_ref())];
        let all = first.into_iter().chain(self.decisions.iter().map(|(_, at, until)| (*at, until.as_ref())));
        let mut stood = Vec::new();
        for (at, until) in all.take_while(|(at, _)| Date::of(*at) <= *day) {
            if Date::of(at) < *day {
                stood.clear();
            }
            stood.push(until);
        }
        stood
    }
}

/// Whether two are the same thing: of one class, and of one issuer or, where that is not known, under one name.
pub(crate) fn same_instrument(a: &Instrument, b: &Instrument) -> bool {
    a.class == b.class && known_as(a) == known_as(b)
}

/// The issuer, the identifier or the text, in this order, in one spelling.
fn known_as(i: &Instrument) -> String {
    match (&i.issuer, &i.identifier) {
        (Some(issuer), _) => format!("issuer {issuer}"),
        (None, Some(identifier)) => format!("identifier {}", identifier.as_str().trim().to_uppercase()),
        (None, None) => format!("text {}", i.text.as_str().trim().to_lowercase()),
    }
}

/// Whether a class is always cleared and needs no request. What has an issuer is never so: a fund stands for no issuer, and who writes "fund" beside a
/// company's name does not make it one.
pub(crate) fn always_cleared(policy: &PreclearancePolicy, instrument: &Instrument) -> bool {
    let class = &instrument.class;
    let allowed = policy.always_cleared.contains(class) && !policy.never_cleared.contains(class);
    instrument.issuer.is_none() && *class != InstrumentClass::Unknown && allowed
}

/// Runs every rule on a request to trade at a time. Total, and anything that stands against it, or cannot be told, leaves it to the ethics office.
/// Gives the last day it is cleared for as well.
pub fn assess_trade(facts: &Facts, at: Micros, request: &PreclearanceRequest) -> (Assessed, Option<Date>) {
    let known = facts.policy(at);
    let policy = known.and_then(|k| k.record.preclearance.as_ref());
    let mut sheet = Sheet::default();
    let last = match policy {
        None => {
            refer(&mut sheet, rules::NO_PRECLEARANCE_POLICY, known.map(|k| k.index).into_iter().collect());
            None
        }
        Some(policy) => Some(Asked { facts, at, today: Date::of(at), request, policy }.run(&mut sheet)),
    };
    let cleared = sheet.reasons.is_empty();
    let assessed = Assessed::new(Assessment {
        rule_set: rule_set_digest(),
        policy: known.map(|k| k.index),
        participate: Outcome::Clear,
        hold: Outcome::Clear,
        trade: sheet.worst(Verdict::Trade),
        decision: if cleared { Decision::Cleared } else { Decision::Referred },
        reasons: sheet.reasons,
        watch: sheet.watch,
        obligations: Vec::new(),
    });
    (assessed, last.filter(|_| cleared))
}

fn refer(sheet: &mut Sheet, rule: &str, evidence: Vec<LeafIndex>) {
    put(sheet, rule, Outcome::Refer, evidence);
}

fn put(sheet: &mut Sheet, rule: &str, outcome: Outcome, evidence: Vec<LeafIndex>) {
    if let Some(rule) = rules::rule(rule) {
        sheet.add(rule, Verdict::Trade, outcome, evidence);
    }
}

/// A request under a policy.
struct Asked<'a> {
    facts: &'a Facts,
    at: Micros,
    today: Date,
    request: &'a PreclearanceRequest,
    policy: &'a PreclearancePolicy,
}

impl Asked<'_> {
    /// Writes what stands against it, and gives the last day it could be cleared for.
    fn run(&self, sheet: &mut Sheet) -> Date {
        if !always_cleared(self.policy, &self.request.instrument) {
            self.instrument_known(sheet);
            self.class(sheet);
            self.access(sheet);
            self.lists(sheet);
            self.may_be_held(sheet);
            self.held_long_enough(sheet);
        }
        self.terms(sheet);
        self.quota(sheet);
        self.days(sheet)
    }

    fn instrument_known(&self, sheet: &mut Sheet) {
        let i = &self.request.instrument;
        // Nobody's by nature; everything else is somebody's, and nobody here knows whose.
        let nobodys = matches!(
            i.class,
            InstrumentClass::DiversifiedFund
                | InstrumentClass::Treasury
                | InstrumentClass::Municipal
                | InstrumentClass::Plan
                | InstrumentClass::RealProperty
                | InstrumentClass::Cash
        );
        if i.class == InstrumentClass::Unknown || (i.issuer.is_none() && !nobodys) {
            refer(sheet, rules::INSTRUMENT_NOT_KNOWN, vec![]);
        }
    }

    fn class(&self, sheet: &mut Sheet) {
        if self.policy.never_cleared.contains(&self.request.instrument.class) {
            refer(sheet, rules::CLASS_NEVER_CLEARED, vec![]);
        }
    }

    /// Whatever is traded: a short sale of a fund is one as well. The policy names its authority, so it blocks.
    fn terms(&self, sheet: &mut Sheet) {
        if self.policy.forbidden_terms.iter().any(|f| self.request.terms.contains(&f.term)) {
            put(sheet, rules::TERM_FORBIDDEN, Outcome::Block, vec![]);
        }
    }

    fn access(&self, sheet: &mut Sheet) {
        let touched = |submission: &_| match (self.policy.access_bars, &self.request.instrument.issuer) {
            (AccessBar::Everything, _) | (AccessBar::Touched, None) => true,
            (AccessBar::Touched, Some(issuer)) => self.facts.submission(submission).is_none_or(|s| {
                self.facts.exposed_to(s, &self.today, issuer).is_some() || self.facts.touches(&s.record, self.at).all.is_empty()
            }),
        };
        let accesses = self.facts.accesses_not_over(&self.request.person, &self.today);
        let mut evidence: Vec<LeafIndex> = accesses.filter(|(s, _)| touched(s)).map(|(_, entry)| entry).collect();
        let grants = self.facts.grants_of.get(&self.request.person).into_iter().flatten();
        let open =
            grants.filter(|g| self.facts.grant(**g).is_some_and(|g| g.state == GrantState::Active && touched(&g.request.submission)));
        evidence.extend(open);
        if !evidence.is_empty() {
            refer(sheet, rules::ACCESS_BARS_TRADE, evidence);
        }
    }

    fn lists(&self, sheet: &mut Sheet) {
        let Some(issuer) = &self.request.instrument.issuer else { return };
        let subject = ListSubject::Issuer(issuer.clone());
        for (item, list) in self.facts.items_naming(&subject, self.at) {
            match list.record.kind {
                ListKind::Watch => sheet.watch.push(item.index),
                // No authority, no prohibition (5 CFR 2635.403).
                ListKind::Restricted if list.record.authority.is_some() => {
                    put(sheet, rules::TRADE_IN_LISTED, Outcome::Block, vec![item.index, list.index]);
                }
                ListKind::Restricted => refer(sheet, rules::TRADE_IN_LISTED, vec![item.index, list.index]),
                ListKind::ProhibitedHolding => {}
            }
        }
        sheet.watch.sort_unstable();
        sheet.watch.truncate(countersign_entry::record::WATCH_ITEMS_MAX);
    }

    /// What may not be held may not be acquired either; to sell it is what is asked for.
    fn may_be_held(&self, sheet: &mut Sheet) {
        let r = self.request;
        let Some(person) = self.facts.person(&r.person).filter(|_| rules::acquires(r.kind)) else { return };
        for (sure, item, list) in self.facts.against_holding(&person.record, r.relation, &r.instrument, self.at) {
            let outcome = if sure && rules::bound(person.record.status) { Outcome::Block } else { Outcome::Refer };
            put(sheet, rules::PURCHASE_PROHIBITED, outcome, item.into_iter().chain([list]).collect());
        }
    }

    fn held_long_enough(&self, sheet: &mut Sheet) {
        let (r, months) = (self.request, i32::try_from(self.policy.hold_months).unwrap_or(i32::MAX));
        if months == 0 || r.kind == TradeKind::Purchase {
            return;
        }
        let bought = |t: &TradeKind| matches!(t, TradeKind::Purchase | TradeKind::Exchange | TradeKind::Unknown);
        let trades = self.facts.trades_of_person(&r.person).filter(|k| bought(&k.record.kind));
        let same = trades.filter(|k| same_instrument(&k.record.instrument, &r.instrument));
        let young: Vec<LeafIndex> = same.filter(|k| k.record.traded_on.plus_months(months) > r.from).map(|k| k.index).collect();
        if !young.is_empty() {
            refer(sheet, rules::NOT_HELD_LONG_ENOUGH, young);
        }
    }

    fn quota(&self, sheet: &mut Sheet) {
        let today: Vec<LeafIndex> = self.facts.asked_on(&self.request.person, &self.today).collect();
        if u32::try_from(today.len()).unwrap_or(u32::MAX) >= self.policy.daily_quota {
            refer(sheet, rules::ASKED_TOO_OFTEN, today);
        }
    }

    /// The first day asked for lies after the notice and before the clearance ends; the last is the end of the clearance at the latest.
    fn days(&self, sheet: &mut Sheet) -> Date {
        let first = self.today.plus_days(i64::from(self.policy.notice_days));
        let last = first.plus_business_days(self.policy.execute_business_days);
        let r = self.request;
        if r.from < first || r.from > last || r.until < r.from {
            refer(sheet, rules::OTHER_DAYS, vec![]);
        }
        last.min(r.until.clone())
    }
}

impl Facts {
    /// The pre-clearance with this name.
    pub fn preclearance(&self, request: LeafIndex) -> Option<&Preclearance> {
        self.preclearances.get(&request)
    }

    /// Every pre-clearance, in the order of the requests.
    pub fn preclearances(&self) -> impl Iterator<Item = (LeafIndex, &Preclearance)> {
        self.preclearances.iter().map(|(i, p)| (*i, p))
    }

    /// A person's pre-clearances, in the order of the requests.
    pub fn preclearances_of(&self, person: &PersonId) -> impl Iterator<Item = (LeafIndex, &Preclearance)> {
        let of = self.preclearances_of.get(person).into_iter().flatten();
        of.filter_map(|i| Some((*i, self.preclearances.get(i)?)))
    }

    fn asked_on<'a>(&'a self, person: &PersonId, day: &'a Date) -> impl Iterator<Item = LeafIndex> {
        // The newest first: what was asked today stands at the end.
        let of = self.preclearances_of.get(person).into_iter().flatten().rev();
        of.take_while(move |i| self.preclearances.get(i).is_some_and(|p| Date::of(p.at) == *day)).copied()
    }

    pub(crate) fn trades_of_person(&self, person: &PersonId) -> impl Iterator<Item = &Known<countersign_entry::record::Trade>> {
        self.trades_of.get(person).into_iter().flatten().filter_map(|id| self.trades.get(id))
    }

    /// What a person had access to by a day and is not both public and cleansed on it, with the entry of the first access.
    pub(crate) fn accesses_not_over<'a>(
        &'a self,
        person: &PersonId,
        day: &'a Date,
    ) -> impl Iterator<Item = (&'a countersign_entry::ids::SubmissionId, LeafIndex)> {
        let of = self.first_access.get(person).into_iter().flatten();
        of.filter(move |(submission, (first, _))| Date::of(*first) <= *day && !self.over_on(submission, day))
            .map(|(submission, (_, entry))| (submission, *entry))
    }

    /// Somebody asks for themselves; for another, the ethics office does.
    pub(crate) fn check_preclearance(&self, actor: &PrincipalId, record: &Record) -> Result<(), Refusal> {
        let principal = self.principal(actor).map(|p| &p.record);
        let stands_for = |person: &PersonId| principal.and_then(|p| p.person.as_ref()) == Some(person);
        match record {
            Record::PreclearanceRequest(r) => {
                let ethics = principal.is_some_and(|p| p.roles.contains(&Role::EthicsOfficer));
                if self.bootstrapped() && !ethics && !stands_for(&r.person) {
                    return Err(Refusal::Invalid("people ask for themselves; for somebody else the ethics office asks"));
                }
                if r.quantity.is_none() && r.value.hi().is_none() {
                    return Err(Refusal::Invalid("a request says how many units, or for how much at most"));
                }
                Ok(())
            }
            Record::PreclearanceDecision(d) => {
                let asked = self.preclearance(d.preclearance);
                let asked = asked.ok_or_else(|| Refusal::Unknown { what: "pre-clearance", id: d.preclearance.to_string() })?;
                if stands_for(&asked.request.person) {
                    return Err(Refusal::Invalid("nobody decides on a trade of their own"));
                }
                if d.cleared_until.as_ref().is_some_and(|until| *until < asked.request.from) {
                    return Err(Refusal::Invalid("a clearance ends on the first day that was asked for, or later"));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn apply_preclearance(&mut self, index: LeafIndex, at: Micros, actor: &PrincipalId, r: &PreclearanceRequest) {
        let before = self.instruments_asked(&r.person, at);
        let asked = Preclearance { request: r.clone(), requester: actor.clone(), at, decisions: Vec::new() };
        self.preclearances.insert(index, asked);
        self.preclearances_of.entry(r.person.clone()).or_default().insert(index);
        self.find_probing(&r.person, index, before.0, at);
    }

    /// Many instruments in a short time: somebody may be reading a list from the answers.
    fn find_probing(&mut self, person: &PersonId, index: LeafIndex, before: usize, at: Micros) {
        let Some(policy) = self.policy(at).and_then(|p| p.record.preclearance.as_ref()) else { return };
        let threshold = usize::try_from(policy.probing_instruments).unwrap_or(usize::MAX);
        let (now, requests) = self.instruments_asked(person, at);
        if before < threshold && now >= threshold {
            self.find(rules::PROBING, person, None, index, &requests, at);
        }
    }

    /// How many different instruments a person asked about lately, and the requests.
    fn instruments_asked(&self, person: &PersonId, at: Micros) -> (usize, Vec<LeafIndex>) {
        let days = self.policy(at).and_then(|p| p.record.preclearance.as_ref()).map_or(1, |p| p.probing_days);
        let since = Date::of(at).plus_days(1 - i64::from(days));
        let of = self.preclearances_of.get(person).into_iter().flatten().rev();
        let lately = of.filter_map(|i| Some((*i, self.preclearances.get(i)?))).take_while(|(_, p)| Date::of(p.at) >= since);
        let (requests, names): (Vec<LeafIndex>, BTreeSet<String>) = lately.map(|(i, p)| (i, known_as(&p.request.instrument))).unzip();
        (names.len(), requests)
    }
}
