//! Trades held against what was cleared: by instrument, side, account, number, value and day.

use countersign_entry::ids::{Date, LeafIndex, PersonId, RecordId, SubmissionId};
use countersign_entry::record::{HolderRelation, Linking, PreclearancePolicy, PreclearanceScope, Trade, TradeKind};
use countersign_entry::time::Micros;

use crate::facts::{Facts, Known};
use crate::preclear::{Preclearance, always_cleared, same_instrument};
use crate::rules;

/// How a trade stands to what was asked and cleared before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Execution {
    /// It needed no clearance.
    NotRequired,
    /// It keeps to what was cleared: the requests.
    Covered(Vec<LeafIndex>),
    /// Whether it keeps to it cannot be told: the requests, and what has to be known.
    Undetermined(Vec<LeafIndex>, &'static str),
    /// Nothing was cleared for it; requests about the same instrument that were not cleared, if any.
    Without(Vec<LeafIndex>),
    /// More, or something else, than was cleared: the requests, and what differs.
    Beyond(Vec<LeafIndex>, &'static str),
    /// On a day that was not cleared: the requests.
    OtherDay(Vec<LeafIndex>),
}

impl Execution {
    /// Requests it rests on, for a finding; none where there is nothing to find.
    fn finding(self) -> Option<Vec<LeafIndex>> {
        match self {
            Execution::NotRequired | Execution::Covered(_) | Execution::Undetermined(..) => None,
            Execution::Without(requests) | Execution::Beyond(requests, _) | Execution::OtherDay(requests) => Some(requests),
        }
    }
}

impl Facts {
    /// How a trade stands to what was cleared by its day.
    pub fn execution(&self, trade: &Known<Trade>) -> Execution {
        let t = &trade.record;
        // What waits for its issuer is looked at when somebody decided.
        if t.instrument.linking == Linking::InReview || !self.clearance_required(t) {
            return Execution::NotRequired;
        }
        let about: Vec<_> =
            self.preclearances_of(&t.person).filter(|(_, p)| same_instrument(&p.request.instrument, &t.instrument)).collect();
        let entries = |of: &[(LeafIndex, &Preclearance)]| of.iter().map(|(i, _)| *i).collect::<Vec<_>>();
        let ever: Vec<_> = about.iter().copied().filter(|(_, p)| ever_cleared(p, &t.traded_on)).collect();
        let (same_side, other_side): (Vec<_>, Vec<_>) = ever.into_iter().partition(|(_, p)| same_side(p.request.kind, t.kind));
        let (same, other_account): (Vec<_>, Vec<_>) =
            same_side.into_iter().partition(|(_, p)| same_account(p.request.relation, t.relation));
        let on_day: Vec<_> = same.iter().copied().filter(|(_, p)| p.cleared_on(&t.traded_on)).collect();
        if !on_day.is_empty() {
            return self.amounts(trade, &on_day);
        }
        if !same.is_empty() {
            return Execution::OtherDay(entries(&same));
        }
        if !other_account.is_empty() {
            return Execution::Beyond(entries(&other_account), "another account was cleared");
        }
        if !other_side.is_empty() {
            return Execution::Beyond(entries(&other_side), "the other side was cleared");
        }
        Execution::Without(about.iter().map(|(i, _)| *i).collect())
    }

    /// Trades that fall under a request: the same thing, side and account, on a day that was cleared.
    pub fn trades_under(&self, request: LeafIndex) -> impl Iterator<Item = &Known<Trade>> {
        let asked = self.preclearance(request);
        let trades = asked.into_iter().flat_map(|p| self.trades_of_person(&p.request.person));
        trades.filter(move |k| asked.is_some_and(|p| under(p, &k.record)))
    }

    /// All trades under some clearances together, against all that they clear.
    fn amounts(&self, trade: &Known<Trade>, clearances: &[(LeafIndex, &Preclearance)]) -> Execution {
        let under = |t: &Trade| clearances.iter().any(|(_, p)| under(p, t));
        let all: Vec<&Trade> = self.trades_of_person(&trade.record.person).map(|k| &k.record).filter(|t| under(t)).collect();
        let entries: Vec<LeafIndex> = clearances.iter().map(|(i, _)| *i).collect();
        let add = |sum: Option<u64>, n: Option<u64>| sum.zip(n).map(|(a, b)| a.saturating_add(b));
        let total = |each: &mut dyn Iterator<Item = Option<u64>>| each.fold(Some(0), add);
        let most_units = total(&mut clearances.iter().map(|(_, p)| p.request.quantity));
        let most_value = total(&mut clearances.iter().map(|(_, p)| p.request.value.hi()));
        let known_units = all.iter().filter_map(|t| t.quantity).fold(0, u64::saturating_add);
        let least_value = all.iter().filter_map(|t| t.value.lo()).fold(0, u64::saturating_add);
        if most_units.is_some_and(|most| known_units > most) {
            return Execution::Beyond(entries, "more units than were cleared");
        }
        if most_value.is_some_and(|most| least_value > most) {
            return Execution::Beyond(entries, "for more than was cleared");
        }
        if most_units.is_some() && all.iter().any(|t| t.quantity.is_none()) {
            return Execution::Undetermined(entries, "how many units were traded");
        }
        let most_traded = total(&mut all.iter().map(|t| t.value.hi()));
        if most_value.is_some_and(|most| most_traded.is_none_or(|traded| traded > most)) {
            return Execution::Undetermined(entries, "for how much it was traded");
        }
        Execution::Covered(entries)
    }

    fn clearance_required(&self, trade: &Trade) -> bool {
        let Some(policy) = self.preclearance_policy_on(&trade.traded_on) else { return false };
        let bound = match policy.required_of {
            PreclearanceScope::Everybody => true,
            PreclearanceScope::PeopleWithAccess => self.accesses_not_over(&trade.person, &trade.traded_on).next().is_some(),
        };
        bound && !always_cleared(policy, &trade.instrument)
    }

    /// The policy that was in force when a day began: nobody has to keep to a rule that came at noon.
    fn preclearance_policy_on(&self, day: &Date) -> Option<&PreclearancePolicy> {
        let start = day.start()?;
        let in_force = self.policies.iter().rev().find(|p| p.at <= start && p.record.effective_from <= start);
        in_force.and_then(|p| p.record.preclearance.as_ref())
    }

    /// Whether something is public and cleansed before a day begins.
    pub(crate) fn over_on(&self, submission: &SubmissionId, day: &Date) -> bool {
        let ends = |s: &Known<countersign_entry::record::Submission>| s.record.public_release_at.zip(s.record.cleansed_at);
        let over = self.submission(submission).and_then(ends).map(|(release, cleansing)| release.max(cleansing));
        over.is_some_and(|over| day.start().is_none_or(|start| start >= over))
    }

    /// Finds a trade that does not keep to what was cleared, once.
    pub(crate) fn look_at_execution(&mut self, trade: &RecordId, at: Micros) {
        let Some(known) = self.trades.get(trade) else { return };
        let (index, person, day) = (known.index, known.record.person.clone(), known.record.traded_on.clone());
        if self.trades_not_cleared.contains(&index) {
            return;
        }
        let Some(mut evidence) = self.execution(known).finding() else { return };
        let access = self.accesses_not_over(&person, &day).min_by_key(|(_, entry)| *entry).map(|(s, entry)| (s.clone(), entry));
        evidence.extend(access.as_ref().map(|(_, entry)| *entry));
        self.trades_not_cleared.insert(index);
        self.find(rules::TRADE_NOT_CLEARED, &person, access.as_ref().map(|(s, _)| s), index, &evidence, at);
    }

    /// The same for everything a person traded.
    pub(crate) fn look_at_executions(&mut self, person: &PersonId, at: Micros) {
        for trade in self.trades_of.get(person).cloned().unwrap_or_default() {
            self.look_at_execution(&trade, at);
        }
    }
}

fn under(p: &Preclearance, t: &Trade) -> bool {
    let same = same_instrument(&p.request.instrument, &t.instrument) && same_side(p.request.kind, t.kind);
    same && same_account(p.request.relation, t.relation) && p.cleared_on(&t.traded_on)
}

/// Whether something was cleared by a day, for whatever days.
fn ever_cleared(p: &Preclearance, day: &Date) -> bool {
    let by = |at: Micros| Date::of(at) <= *day;
    by(p.at) && (p.request.cleared_until.is_some() || p.decisions.iter().any(|(_, at, until)| by(*at) && until.is_some()))
}

fn same_side(asked: TradeKind, made: TradeKind) -> bool {
    let sale = |kind| matches!(kind, TradeKind::Sale | TradeKind::PartialSale);
    asked == made || (sale(asked) && sale(made))
}

/// A source that does not say whose account it was may mean the one that was cleared.
fn same_account(asked: HolderRelation, made: HolderRelation) -> bool {
    asked == made || made == HolderRelation::Unknown
}
