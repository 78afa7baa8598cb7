//! What people hold and whom they are tied to, against what a submission touches (18 U.S.C. 208; 5 CFR parts 2635 and 2640).
//!
//! The review of a submission is a particular matter in which its developer is a specific party (5 CFR 2640.102(l)). Who else is touched may be
//! affected without being a party. Whether an effect is direct and predictable is a human's to say, so only what touches a party bars by itself;
//! everything else is referred.

use std::collections::{BTreeMap, BTreeSet};

use countersign_entry::ids::{Date, IssuerId, LeafIndex, PersonId};
use countersign_entry::record::{
    Agreement, AgreementKind, Band, HolderRelation, Holding, InstrumentClass, Linking, OrganizationKind, Relationship, RelationshipKind,
    Trade, Verdict,
};

use countersign_law::day::Day;
use countersign_law::limits::{self, Limits};

use super::{Rule, Sheet, prohibited};
use crate::assess::Question;
use crate::facts::Known;

/// Dollars at least and at most. What has no known end has none here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// At least.
    pub lo: u64,
    /// At most; none where nobody knows.
    pub hi: Option<u64>,
}

impl Sum {
    /// What several holdings are worth together; with each, whether it belongs in the sum for certain.
    ///
    /// Reports of two days may tell of one holding twice, or of two. At least is therefore the most that was reported for one day, holder, issuer and
    /// class by class; at most is everything that no later record took the place of.
    pub fn of<'a>(holdings: impl Iterator<Item = (&'a Holding, bool)>) -> Self {
        let mut hi = Some(0u64);
        let mut days: BTreeMap<(HolderRelation, Option<&IssuerId>, InstrumentClass), BTreeMap<&Date, u64>> = BTreeMap::new();
        for (held, sure) in holdings {
            hi = hi.zip(held.value.hi()).map(|(a, b)| a.saturating_add(b));
            let of = (held.relation, held.instrument.issuer.as_ref(), held.instrument.class);
            let lo = days.entry(of).or_default().entry(&held.as_of).or_default();
            *lo = lo.saturating_add(held.value.lo().filter(|_| sure).unwrap_or(0));
        }
        let most = days.values().filter_map(|by_day| by_day.values().max());
        Self { lo: most.fold(0u64, |a, b| a.saturating_add(*b)), hi }
    }

    fn at_most(self, limit: u64) -> bool {
        self.hi.is_some_and(|hi| hi <= limit)
    }
}

/// How a holding counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Counts {
    /// Not at all.
    No,
    /// A publicly traded security of a party (5 CFR 2640.102(p), (r)).
    Party,
    /// One of somebody else who is touched.
    Affected,
    /// In a fund of one sector.
    Sector,
    /// An interest in a party that no exemption reaches.
    Barred,
    /// Somebody has to look: what it is, whose it is, or whether it is touched is not known.
    Unclear,
}

/// A holding that was looked at.
struct Held<'a> {
    known: &'a Known<Holding>,
    /// Whether it is certain that it counts.
    sure: bool,
    /// The edges by which its issuer is touched.
    via: Vec<LeafIndex>,
}

/// Whether it is certain that somebody's interest counts as the person's own (18 U.S.C. 208(a)); none where it does not.
fn own(relation: HolderRelation) -> Option<bool> {
    use HolderRelation::*;
    match relation {
        Own | Spouse | Joint | MinorChild | ManagedAccount | Nominee => Some(true),
        // A dependent child may be of age; what a partner, an organization or a prospective employer holds is imputed under conditions nobody recorded.
        DependentChild | GeneralPartner | Organization | ProspectiveEmployer | Unknown => Some(false),
        AdultChild | Parent | Sibling | Household => None,
    }
}

fn counts(q: &Question<'_>, held: &Holding) -> (Counts, bool, Vec<LeafIndex>) {
    use InstrumentClass::*;
    let none = (Counts::No, false, Vec::new());
    let Some(own) = own(held.relation) else { return none };
    let class = held.instrument.class;
    if held.value.hi() == Some(0) || matches!(class, DiversifiedFund | Treasury | Municipal) {
        return none;
    }
    if class == SectorFund {
        return (Counts::Sector, own, Vec::new());
    }
    let Some(issuer) = &held.instrument.issuer else {
        let waits = held.instrument.linking == Linking::InReview && !matches!(class, Plan | RealProperty | Cash);
        return (if waits { Counts::Unclear } else { Counts::No }, false, Vec::new());
    };
    let Some(touch) = q.touch(issuer) else { return none };
    let imputed_for_sure = own && touch.confirmed;
    let listed = q.facts.issuer(issuer).is_some_and(|i| !i.record.tickers.is_empty());
    let counts = match class {
        Equity | Bond if listed && touch.party => Counts::Party,
        Equity | Bond if listed => Counts::Affected,
        // No exemption of part 2640 is for what is not publicly traded, for crypto-assets (OGE LA-22-04) or for contracts on events.
        Equity | Bond | PrivateStake | Crypto | EventContract if touch.party && imputed_for_sure => Counts::Barred,
        _ => Counts::Unclear,
    };
    (counts, imputed_for_sure, touch.via.clone())
}

/// The law's numbers on a day. None, which a test of the law's crate rules out, exempts nothing.
pub fn limits(day: &Date) -> Option<&'static Limits> {
    limits::of(Day::of(day)).map(|edition| &edition.limits)
}

/// Holdings, and whoever the person serves: their interests are the person's own.
pub(super) fn own_interests(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    // An unknown submission touches nobody knows what, and another rule says so.
    if q.submission.is_none() || q.signed(AgreementKind::Waiver208).is_some() {
        return;
    }
    let mut held: BTreeMap<Counts, Vec<Held<'_>>> = BTreeMap::new();
    let (mut barred, mut unclear) = (Vec::new(), Vec::new());
    let bought = bought_since_told(q);
    for (known, told) in q.facts.holdings_of(q.person_id).map(|known| (known, true)).chain(bought.iter().map(|known| (known, false))) {
        let (counts, sure, via) = match counts(q, &known.record) {
            of if told => of,
            // It may have been sold since, so it bars nobody by itself.
            (Counts::Barred, _, via) => (Counts::Unclear, false, via),
            (counts, _, via) => (counts, false, via),
        };
        // No exemption reaches what is held in breach, and the others' sums count it all the same (5 CFR 2640.204).
        if matches!(counts, Counts::Party | Counts::Affected)
            && let Some((certain, lists)) = prohibited::in_breach(q, &known.record)
        {
            let to = if certain && sure && counts == Counts::Party { &mut barred } else { &mut unclear };
            to.extend([known.index].into_iter().chain(via.iter().copied()).chain(lists));
        }
        held.entry(counts).or_default().push(Held { known, sure, via });
    }
    let of = |which: &[Counts]| which.iter().filter_map(|c| held.get(c)).flatten().collect::<Vec<_>>();
    let sum = |which: &[Counts]| Sum::of(of(which).into_iter().map(|h| (&h.known.record, h.sure)));
    let entries = |which: &[Counts]| of(which).into_iter().flat_map(|h| [h.known.index].into_iter().chain(h.via.iter().copied()));
    barred.extend(entries(&[Counts::Barred]));
    unclear.extend(entries(&[Counts::Unclear]));
    let (parties, all) = (sum(&[Counts::Party]), sum(&[Counts::Party, Counts::Affected]));
    let limits = if held.is_empty() { None } else { limits(&Date::of(q.time_of_access())) };
    if limits.is_some_and(|l| parties.lo > l.party_securities) {
        barred.extend(entries(&[Counts::Party]));
    } else if !limits.is_some_and(|l| parties.at_most(l.party_securities) && all.at_most(l.all_securities_with_parties)) {
        unclear.extend(entries(&[Counts::Party, Counts::Affected]));
    }
    for sector in of(&[Counts::Sector]).iter().map(|h| &h.known.record.instrument.sector).collect::<BTreeSet<_>>() {
        // A fund whose sector nobody recorded may be of any.
        let mut funds = of(&[Counts::Sector]);
        funds.retain(|h| h.known.record.instrument.sector.is_none() || h.known.record.instrument.sector == *sector);
        if !limits.is_some_and(|l| Sum::of(funds.iter().map(|h| (&h.known.record, h.sure))).at_most(l.sector_funds)) {
            unclear.extend(funds.iter().map(|h| h.known.index));
        }
    }
    for tie in q.facts.ties_of(q.person_id) {
        if tie.record.kind != RelationshipKind::Serves || tie.record.relation != HolderRelation::Own || !runs(&tie.record, q) {
            continue;
        }
        match tied(q, &tie.record) {
            Tied::ToParty(via) => barred.extend([tie.index].into_iter().chain(via)),
            Tied::ToAffected(via) => unclear.extend([tie.index].into_iter().chain(via)),
            Tied::No => {}
        }
    }
    tell(q, rule, sheet, barred, unclear);
}

/// What was bought by the day asked about and nobody told of since: no report of what is held from that day on, and no later statement that nothing is. A
/// sale alone tells nothing, since reports do not say whether all of it was sold.
fn bought_since_told(q: &Question<'_>) -> Vec<Known<Holding>> {
    let day = q.time_of_access();
    let bought =
        q.facts.trades_of_person(q.person_id).filter(|t| prohibited::acquires(t.record.kind) && t.record.traded_on <= Date::of(day));
    let told = |t: &Trade| {
        let same = |h: &Holding| h.relation == t.relation && h.instrument.issuer == t.instrument.issuer && t.traded_on <= h.as_of;
        let none = |a: &Agreement| a.kind == AgreementKind::NoInterestCertification && t.traded_on < Date::of(a.signed_at);
        q.facts.holdings_of(q.person_id).any(|h| same(&h.record)) || q.agreements.iter().any(|a| none(&a.record))
    };
    bought.filter(|t| !told(&t.record)).map(|t| Known { index: t.index, at: t.at, record: as_held(&t.record) }).collect()
}

/// What a purchase may have left: anything up to what was paid.
pub fn as_held(trade: &Trade) -> Holding {
    Holding {
        id: trade.id.clone(),
        person: trade.person.clone(),
        relation: trade.relation,
        instrument: trade.instrument.clone(),
        value: Band::new(None, trade.value.hi()).unwrap_or(Band::UNKNOWN),
        as_of: trade.traded_on.clone(),
        provenance: None,
        supersedes: None,
    }
}

/// Whom the person seeks employment with.
pub(super) fn seeks(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    if q.signed(AgreementKind::Waiver208).is_some() {
        return;
    }
    let (mut barred, mut unclear) = (Vec::new(), Vec::new());
    for tie in q.facts.ties_of(q.person_id).filter(|t| t.record.kind == RelationshipKind::Seeking && runs(&t.record, q)) {
        match (tied(q, &tie.record), tie.record.relation) {
            (Tied::ToParty(via), HolderRelation::Own) => barred.extend([tie.index].into_iter().chain(via)),
            (Tied::ToAffected(via), HolderRelation::Own) => unclear.extend([tie.index].into_iter().chain(via)),
            _ => {}
        }
    }
    tell(q, rule, sheet, barred, unclear);
}

/// Ties to a party that a reasonable person would ask about.
pub(super) fn covered_relationships(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    if q.signed(AgreementKind::Authorization502).is_some() {
        return;
    }
    let mut found = Vec::new();
    for tie in q.facts.ties_of(q.person_id).filter(|t| covered(&t.record, q)) {
        if let Tied::ToParty(via) = tied(q, &tie.record) {
            found.extend([tie.index].into_iter().chain(via));
        }
    }
    // What a member of the household holds is not the person's own, and a party's matter may affect it (5 CFR 2635.502(a)).
    for held in q.facts.holdings_of(q.person_id).filter(|h| h.record.relation == HolderRelation::Household) {
        if let Some(touch) = held.record.instrument.issuer.as_ref().and_then(|i| q.touch(i)).filter(|t| t.party) {
            found.extend([held.index].into_iter().chain(touch.via.iter().copied()));
        }
    }
    tell(q, rule, sheet, Vec::new(), found);
}

/// A covered payment from a party within two years.
pub(super) fn paid_by_party(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    let (mut barred, mut unclear) = (Vec::new(), Vec::new());
    for tie in q.facts.ties_of(q.person_id).filter(|t| t.record.kind == RelationshipKind::CoveredPayment) {
        let Tied::ToParty(via) = tied(q, &tie.record) else { continue };
        let today = Date::of(q.time_of_access());
        let found = [tie.index].into_iter().chain(via);
        match &tie.record.from {
            Some(received) if limits(&today).is_none_or(|l| received.plus_months(l.covered_payment_months) > today) => barred.extend(found),
            Some(_) => {}
            None => unclear.extend(found),
        }
    }
    tell(q, rule, sheet, barred, unclear);
}

enum Tied {
    No,
    ToParty(Vec<LeafIndex>),
    ToAffected(Vec<LeafIndex>),
}

/// To whom a tie ties. The developer's organization has its provider's id.
fn tied(q: &Question<'_>, tie: &Relationship) -> Tied {
    let provider = q.submission.map(|s| s.record.provider.as_str());
    let organization = tie.organization.as_ref().filter(|id| Some(id.as_str()) == provider).and_then(|id| q.facts.organization(id));
    if let Some(developer) = organization.filter(|o| o.record.kind == OrganizationKind::Developer) {
        return Tied::ToParty(vec![developer.index]);
    }
    match tie.issuer.as_ref().and_then(|issuer| q.touch(issuer)) {
        Some(touch) if touch.party && touch.confirmed => Tied::ToParty(touch.via.clone()),
        Some(touch) => Tied::ToAffected(touch.via.clone()),
        None => Tied::No,
    }
}

/// Whether a tie stands on the day asked about.
fn runs(tie: &Relationship, q: &Question<'_>) -> bool {
    runs_on(tie, &Date::of(q.time_of_access()))
}

/// Whether a tie stands on a day.
pub(super) fn runs_on(tie: &Relationship, day: &Date) -> bool {
    tie.from.as_ref().is_none_or(|from| from <= day) && tie.until.as_ref().is_none_or(|until| day <= until)
}

/// 5 CFR 2635.502(b)(1): own ties but those 18 U.S.C. 208 looks at, whoever was served within a year, and whom close relatives serve or seek to serve.
fn covered(tie: &Relationship, q: &Question<'_>) -> bool {
    use RelationshipKind::*;
    let today = Date::of(q.time_of_access());
    let lately = |until: &Date| *until < today && limits(&today).is_none_or(|l| today < until.plus_months(l.former_employer_months));
    let within_a_year = || tie.until.as_ref().is_none_or(lately);
    match (tie.kind, tie.relation) {
        (Served, HolderRelation::Own) => within_a_year(),
        (Serves, HolderRelation::Own) => tie.until.is_some() && within_a_year(),
        (Business | ActiveIn, HolderRelation::Own) => runs(tie, q),
        (Serves | Seeking | Business, _) => tie.relation != HolderRelation::Own && runs(tie, q),
        _ => false,
    }
}

fn tell(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet, barred: Vec<LeafIndex>, unclear: Vec<LeafIndex>) {
    sheet.tell(q, rule, Verdict::Participate, barred, unclear);
}

impl crate::facts::Facts {
    /// What a person, and whoever they report for, holds, by record id.
    pub fn holdings_of(&self, person: &PersonId) -> impl Iterator<Item = &Known<Holding>> {
        self.holdings_of.get(person).into_iter().flatten().filter_map(|id| self.holding(id))
    }

    /// Ties of a person and of those close to them, by record id.
    pub fn ties_of(&self, person: &PersonId) -> impl Iterator<Item = &Known<Relationship>> {
        self.ties_of.get(person).into_iter().flatten().filter_map(|id| self.relationship(id))
    }
}
