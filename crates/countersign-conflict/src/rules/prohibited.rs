//! What some may neither acquire nor hold (5 CFR 2635.403): lists of prohibited holdings, each with its authority and whom it binds.
//!
//! No prohibition is made up. What a list names is barred for whoever it binds; whether its authority reaches a spouse or a minor child, what kind of
//! interest it means and whether it binds those whom 5 CFR part 2635 does not, is for the ethics office to say.

use countersign_entry::ids::{Date, IssuerId, LeafIndex, OrganizationId, PersonId, RecordId};
use countersign_entry::record::{
    Bound, DutyKind, DutyStep, HolderRelation, Holding, Instrument, InstrumentClass, Linking, List, ListItem, ListKind, ListSubject,
    Obligation, ObligationKind, ObligedParty, Person, PersonStatus, Record, Relationship, RelationshipKind, Trade, TradeKind, Verdict,
};
use countersign_entry::time::{DAY, Micros};

use super::{HOLDING_PROHIBITED, Rule, Sheet, limits, runs_on};
use crate::assess::Question;
use crate::facts::{Facts, Known, in_force};
use crate::trades::in_force_on;

/// Organizations above one another that are looked through; deeper, or in a circle, is nobody's agency.
const LEVELS_MAX: usize = 16;

/// That nothing is held which may not be held.
pub(super) fn held(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    let Some(person) = q.person.filter(|p| p.record.status != PersonStatus::Former) else { return };
    let (mut barred, mut unclear) = (Vec::new(), Vec::new());
    let mut take = |what: LeafIndex, (sure, item, list): (bool, Option<LeafIndex>, LeafIndex)| {
        let of = if sure { &mut barred } else { &mut unclear };
        of.extend([Some(what), item, Some(list)].into_iter().flatten());
    };
    for known in q.facts.holdings_of(q.person_id) {
        let held = &known.record;
        if held.value.hi() != Some(0) {
            let against = q.facts.against_holding(&person.record, held.relation, &held.instrument, q.at);
            against.into_iter().for_each(|found| take(known.index, found));
        }
    }
    for tie in q.facts.ties_of(q.person_id).filter(|t| serves(&t.record) && runs_on(&t.record, &Date::of(q.time_of_access()))) {
        let of = tie.record.issuer.iter().flat_map(|issuer| q.facts.forbids(&person.record, issuer));
        let of = of.filter(|(item, _)| in_force(item.record.from, item.record.until, q.at));
        of.for_each(|(item, list)| take(tie.index, (true, Some(item.index), list.index)));
    }
    if !barred.is_empty() {
        let due = q.facts.directed_to_divest_by(q.person_id);
        sheet.oblige(Obligation { who: ObligedParty::Subject, what: ObligationKind::Divest, due });
    }
    sheet.tell(q, rule, Verdict::Hold, barred, unclear);
}

/// Whether somebody's interest is the person's own, or may be (5 CFR 2635.403(c)(1)); none where it is not. `of_one` is a determination about one
/// person, which by definition reaches the spouse and minor children; a regulation does where it says so.
fn owned(relation: HolderRelation, of_one: bool) -> Option<bool> {
    use HolderRelation::*;
    match relation {
        Own | Joint | ManagedAccount | Nominee => Some(true),
        Spouse | MinorChild => Some(of_one),
        DependentChild | Unknown => Some(false),
        AdultChild | Parent | Sibling | Household | GeneralPartner | Organization | ProspectiveEmployer => None,
    }
}

/// Service counts as a financial interest (5 CFR 2635.403(c)(2)).
fn serves(tie: &Relationship) -> bool {
    tie.kind == RelationshipKind::Serves && tie.relation == HolderRelation::Own
}

impl Facts {
    /// What stands against holding an instrument at a time: whether for certain, the item, its list. Where nobody knows yet whose an instrument is,
    /// every list that binds may name it.
    pub(crate) fn against_holding(
        &self,
        person: &Person,
        relation: HolderRelation,
        instrument: &Instrument,
        at: Micros,
    ) -> Vec<(bool, Option<LeafIndex>, LeafIndex)> {
        let of = |list: &Known<List>| owned(relation, of_one(&list.record));
        match &instrument.issuer {
            Some(issuer) => {
                let named = self.forbids(person, issuer).filter(|(item, _)| in_force(item.record.from, item.record.until, at));
                // A debt may be a financial interest, and need not be.
                let kind = instrument.class != InstrumentClass::Liability;
                named.filter_map(|(item, list)| Some((of(list)? && kind, Some(item.index), list.index))).collect()
            }
            None if instrument.linking == Linking::InReview => {
                let binding = self.lists().filter(|list| self.list_binds(&list.record, person));
                binding.filter_map(|list| of(list).map(|_| (false, None, list.index))).collect()
            }
            None => Vec::new(),
        }
    }

    /// Items on lists of prohibited holdings that bind somebody and name an issuer, whenever they are in force.
    pub(crate) fn forbids<'a>(
        &'a self,
        person: &'a Person,
        issuer: &IssuerId,
    ) -> impl Iterator<Item = (&'a Known<ListItem>, &'a Known<List>)> {
        let items = self.items_on.get(&ListSubject::Issuer(issuer.clone())).into_iter().flatten().filter_map(|id| self.item(id));
        items.filter_map(|item| Some((item, self.list(&item.record.list)?))).filter(move |(_, list)| self.list_binds(&list.record, person))
    }

    /// Whether a list is one of prohibited holdings and binds somebody.
    fn list_binds(&self, list: &List, person: &Person) -> bool {
        list.kind == ListKind::ProhibitedHolding
            && match &list.binds {
                Some(Bound::Person(id)) => *id == person.id,
                Some(Bound::Organization(id)) => self.serves_in(&person.organization, id),
                None => false,
            }
    }

    fn serves_in(&self, organization: &OrganizationId, above: &OrganizationId) -> bool {
        let up = |id: &OrganizationId| self.organization(id).and_then(|o| o.record.parent.clone());
        std::iter::successors(Some(organization.clone()), up).take(LEVELS_MAX).any(|id| id == *above)
    }

    /// The moment after the last day to divest under the newest direction that was not followed yet.
    fn directed_to_divest_by(&self, person: &PersonId) -> Option<Micros> {
        let of = self.duty_events.iter().filter(|((who, kind, _), _)| who == person && *kind == DutyKind::Divestiture);
        let open = of.filter(|(_, events)| !events.iter().any(|e| e.record.step == DutyStep::Met));
        let days = open.map(|((.., since), events)| {
            let by_rule = || since.plus_days(limits(since).map_or(0, |l| l.divest_days));
            events.iter().rev().find_map(|e| e.record.until.clone()).unwrap_or_else(by_rule)
        });
        days.max()?.start().map(|start| start.plus(DAY))
    }

    /// Looks at something just recorded that may be held, served or bought against a list of prohibited holdings. What a list forbids from a later day is
    /// found when it is recorded, so that there is time to sell.
    pub(crate) fn look_at_interest(&mut self, record: &Record, at: Micros) {
        let (person, found) = match record {
            Record::Holding(r) => (&r.person, self.holding(&r.id).map(|k| self.holding_breaks(k, at))),
            Record::Relationship(r) => (&r.person, self.relationship(&r.id).map(|k| self.tie_breaks(k, at))),
            Record::Trade(r) => (&r.person, self.trade(&r.id).map(|k| self.trade_breaks(k))),
            _ => return,
        };
        self.breaches_found(person, found.unwrap_or_default(), at);
    }

    /// Looks at everything somebody holds, serves and bought.
    pub(crate) fn look_at_interests_of(&mut self, person: &PersonId, at: Micros) {
        let held = self.holdings_of(person).flat_map(|k| self.holding_breaks(k, at));
        let served = self.ties_of(person).flat_map(|k| self.tie_breaks(k, at));
        let found = held.chain(served).chain(self.trades_of_person(person).flat_map(|k| self.trade_breaks(k))).collect();
        self.breaches_found(person, found, at);
    }

    /// Looks at the interests of everybody whom a list of prohibited holdings binds.
    pub(crate) fn look_at_interests_against(&mut self, list: &RecordId, at: Micros) {
        let Some(list) = self.list(list).filter(|l| l.record.kind == ListKind::ProhibitedHolding) else { return };
        let bound = self.persons().filter(|p| self.list_binds(&list.record, &p.record));
        let people: Vec<PersonId> = bound.map(|p| p.record.id.clone()).collect();
        people.iter().for_each(|person| self.look_at_interests_of(person, at));
    }

    fn breaches_found(&mut self, person: &PersonId, found: Vec<Breach>, at: Micros) {
        for Breach { what, item, entries: [index, on_item, on_list] } in found {
            if self.prohibited_found.insert((what, item)) {
                self.find(HOLDING_PROHIBITED, person, None, index, &[on_item, on_list], at);
            }
        }
    }

    fn holding_breaks(&self, known: &Known<Holding>, at: Micros) -> Vec<Breach> {
        let h = &known.record;
        let held = h.value.hi() != Some(0);
        let counts = |item: &ListItem, of_one| held && not_over(item, at) && owned(h.relation, of_one).is_some();
        self.breaks(&h.person, (&h.id, known.index), h.instrument.issuer.as_ref(), counts)
    }

    fn tie_breaks(&self, known: &Known<Relationship>, at: Micros) -> Vec<Breach> {
        let t = &known.record;
        let stands = serves(t) && t.until.as_ref().is_none_or(|until| *until >= Date::of(at));
        self.breaks(&t.person, (&t.id, known.index), t.issuer.as_ref(), |item, _| stands && not_over(item, at))
    }

    fn trade_breaks(&self, known: &Known<Trade>) -> Vec<Breach> {
        let t = &known.record;
        let counts = |item: &ListItem, of_one| acquires(t.kind) && in_force_on(item, &t.traded_on) && owned(t.relation, of_one).is_some();
        self.breaks(&t.person, (&t.id, known.index), t.instrument.issuer.as_ref(), counts)
    }

    fn breaks(
        &self,
        person: &PersonId,
        (what, index): (&RecordId, LeafIndex),
        issuer: Option<&IssuerId>,
        counts: impl Fn(&ListItem, bool) -> bool,
    ) -> Vec<Breach> {
        let who = self.person(person).map(|p| &p.record).filter(|p| p.status != PersonStatus::Former);
        let (Some(who), Some(issuer)) = (who, issuer) else { return Vec::new() };
        let against = self.forbids(who, issuer).filter(|(item, list)| counts(&item.record, of_one(&list.record)));
        let breach = |(item, list): (&Known<ListItem>, &Known<List>)| Breach {
            what: what.clone(),
            item: item.record.id.clone(),
            entries: [index, item.index, list.index],
        };
        against.map(breach).collect()
    }

    /// Whether any list of prohibited holdings binds an organization: who is below whom then matters.
    pub(crate) fn any_binds_an_organization(&self) -> bool {
        self.lists().any(|l| matches!(l.record.binds, Some(Bound::Organization(_))))
    }
}

/// Something held, served or bought, the item that names it, and the entries of both and of the list.
struct Breach {
    what: RecordId,
    item: RecordId,
    entries: [LeafIndex; 3],
}

/// Whether a list binds one person by name: a determination (5 CFR 2635.403(b)).
fn of_one(list: &List) -> bool {
    matches!(list.binds, Some(Bound::Person(_)))
}

fn not_over(item: &ListItem, at: Micros) -> bool {
    item.until.is_none_or(|until| at < until)
}

/// Whether a trade may bring something in.
pub(crate) fn acquires(kind: TradeKind) -> bool {
    matches!(kind, TradeKind::Purchase | TradeKind::Exchange | TradeKind::Unknown)
}

/// Whether a holding is one that may not be held, for certain or perhaps, and the entries that say so (5 CFR 2640.204).
pub(super) fn in_breach(q: &Question<'_>, held: &Holding) -> Option<(bool, Vec<LeafIndex>)> {
    let person = &q.person?.record;
    held.instrument.issuer.as_ref()?;
    let against = q.facts.against_holding(person, held.relation, &held.instrument, q.at);
    let sure = against.iter().any(|(sure, ..)| *sure);
    let entries: Vec<LeafIndex> = against.into_iter().flat_map(|(_, item, list)| item.into_iter().chain([list])).collect();
    (!entries.is_empty()).then_some((sure, entries))
}
