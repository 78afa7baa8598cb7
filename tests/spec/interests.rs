//! The slow, obvious oracle of interests: the least and the most that somebody may hold, found by trying every way to read the reports, and what follows
//! for both.

use std::collections::BTreeSet;

use countersign_entry::ids::{Date, IssuerId};
use countersign_entry::record::*;

use super::{Book, exposure, prohibited};

pub struct Look<'a> {
    pub book: &'a Book<'a>,
    pub edges: &'a [&'a Exposure],
    pub forbidden: &'a prohibited::Forbidden<'a>,
    pub who: &'a Person,
    pub matter: &'a Submission,
    /// The day of recording, on which edges are looked at.
    pub day: Date,
    /// The day of the access in question.
    pub then: Date,
    /// Whether there is a waiver of 18 U.S.C. 208(b), and an authorization of 5 CFR 2635.502(d).
    pub papers: [bool; 2],
    /// Days on which the person stated to hold nothing.
    pub stated: Vec<Date>,
}

const CERTAINLY: [HolderRelation; 6] = [
    HolderRelation::Own,
    HolderRelation::Spouse,
    HolderRelation::Joint,
    HolderRelation::MinorChild,
    HolderRelation::ManagedAccount,
    HolderRelation::Nominee,
];
const NEVER: [HolderRelation; 4] = [HolderRelation::AdultChild, HolderRelation::Parent, HolderRelation::Sibling, HolderRelation::Household];

/// A security whose value counts towards the limits.
#[derive(Clone, Copy)]
struct Security<'a> {
    party: bool,
    sure: bool,
    held: &'a Holding,
}

impl Look<'_> {
    pub fn against(&self) -> Vec<(&'static str, Outcome)> {
        let mut out = Vec::new();
        let [waived, authorized] = self.papers;
        if !waived {
            out.extend(self.holdings().into_iter().map(|o| ("R-208-1", o)));
            for tie in self.ties().filter(|t| t.kind == RelationshipKind::Serves && t.relation == HolderRelation::Own && self.runs(t)) {
                out.extend(self.reach(tie).map(|party| ("R-208-1", self.bars(party))));
            }
            for tie in self.ties().filter(|t| t.kind == RelationshipKind::Seeking && t.relation == HolderRelation::Own && self.runs(t)) {
                out.extend(self.reach(tie).map(|party| ("R-604-1", self.bars(party))));
            }
        }
        if !authorized {
            let household = self.held().any(|h| {
                h.relation == HolderRelation::Household
                    && h.instrument.issuer.as_ref().is_some_and(|i| self.surest(i).is_some_and(|(_, p)| p))
            });
            if household || self.ties().any(|t| self.asks(t) && self.reach(t) == Some(true)) {
                out.push(("R-502-1", Outcome::Refer));
            }
        }
        for tie in self.ties().filter(|t| t.kind == RelationshipKind::CoveredPayment && self.reach(t) == Some(true)) {
            match &tie.from {
                None => out.push(("R-503-1", Outcome::Refer)),
                Some(day) if self.then.as_str() < day.plus_months(24).as_str() => out.push(("R-503-1", self.bars(true))),
                Some(_) => {}
            }
        }
        out
    }

    /// What bars bars those the statutes bind; the others are referred.
    fn bars(&self, party: bool) -> Outcome {
        use PersonStatus::{Contractor, Enlisted, Ffrdc, Partner};
        if party && ![Contractor, Ffrdc, Partner, Enlisted].contains(&self.who.status) { Outcome::Block } else { Outcome::Refer }
    }

    fn held(&self) -> impl Iterator<Item = &Holding> {
        let newest = self.book.newest(|r| if let Record::Holding(r) = r { Some((r.id.to_string(), r)) } else { None });
        newest.into_iter().filter(|h| h.person == self.who.id)
    }

    /// What was bought by the day and may still be there, of as much as it may be: nobody said from that day on what became of it.
    fn bought(&self) -> Vec<Holding> {
        let newest = self.book.newest(|r| if let Record::Trade(r) = r { Some((r.id.to_string(), r)) } else { None });
        let mut out = Vec::new();
        for t in newest.into_iter().filter(|t| t.person == self.who.id && t.traded_on.as_str() <= self.then.as_str()) {
            let sold = matches!(t.kind, TradeKind::Sale | TradeKind::PartialSale);
            let told = self.held().any(|h| {
                h.relation == t.relation && h.instrument.issuer == t.instrument.issuer && h.as_of.as_str() >= t.traded_on.as_str()
            });
            if !sold && !told && !self.stated.iter().any(|day| day.as_str() > t.traded_on.as_str()) {
                let value = Band::new(None, t.value.hi()).unwrap();
                let (id, person, instrument) = (t.id.clone(), t.person.clone(), t.instrument.clone());
                let (relation, as_of) = (t.relation, t.traded_on.clone());
                out.push(Holding { id, person, relation, instrument, value, as_of, provenance: None, supersedes: None });
            }
        }
        out
    }

    fn ties(&self) -> impl Iterator<Item = &Relationship> {
        let newest = self.book.newest(|r| if let Record::Relationship(r) = r { Some((r.id.to_string(), r)) } else { None });
        newest.into_iter().filter(|t| t.person == self.who.id)
    }

    /// How an issuer is touched, the surest way first: confirmed, and a party.
    fn surest(&self, issuer: &IssuerId) -> Option<(bool, bool)> {
        let ways = exposure::ways(self.edges, self.matter, &self.day);
        let any = ways.iter().filter(|(id, ..)| id == issuer).map(|(_, _, sure)| *sure).max()?;
        let party = exposure::party(self.edges, self.matter, &self.day, issuer);
        // A confirmed way that shows no party goes before an unconfirmed one that does.
        Some((any, party.is_some_and(|sure| sure == any)))
    }

    fn listed(&self, issuer: &IssuerId) -> bool {
        let all = self.book.newest(|r| if let Record::Issuer(r) = r { Some((r.id.to_string(), r)) } else { None });
        all.into_iter().any(|i| i.id == *issuer && !i.tickers.is_empty())
    }

    fn holdings(&self) -> Vec<Outcome> {
        use InstrumentClass as C;
        let (mut out, mut sums, mut funds) = (Vec::new(), Vec::new(), Vec::new());
        let bought = self.bought();
        let all = self.held().map(|h| (h, true)).chain(bought.iter().map(|h| (h, false)));
        for (held, there) in all.filter(|(h, _)| !NEVER.contains(&h.relation) && h.value.hi() != Some(0)) {
            let certain = there && CERTAINLY.contains(&held.relation);
            match (held.instrument.class, &held.instrument.issuer) {
                (C::DiversifiedFund | C::Treasury | C::Municipal, _) => {}
                (C::SectorFund, _) => funds.push(Security { party: false, sure: certain, held }),
                (C::Plan | C::RealProperty | C::Cash, None) => {}
                (_, None) if held.instrument.linking == Linking::InReview => out.push(Outcome::Refer),
                (_, None) => {}
                (class, Some(issuer)) => {
                    let Some((confirmed, party)) = self.surest(issuer) else { continue };
                    let (sure, listed) = (certain && confirmed, self.listed(issuer));
                    if matches!(class, C::Equity | C::Bond) && listed {
                        sums.push(Security { party, sure, held });
                        // 5 CFR 2640.204: whatever it is worth.
                        out.extend(
                            self.forbidden
                                .of(held)
                                .filter(|_| held.instrument.issuer.is_some())
                                .map(|breach| self.bars(breach && sure && party)),
                        );
                    } else if matches!(class, C::Equity | C::Bond | C::PrivateStake | C::Crypto | C::EventContract) && party && sure {
                        out.push(self.bars(true));
                    } else {
                        out.push(Outcome::Refer);
                    }
                }
            }
        }
        out.extend(self.tried(&sums, |party, all| (party > 15_000, party <= 15_000 && all <= 25_000)));
        // Of each sector, with those that may be of it.
        let mut sectors: Vec<Option<&str>> = funds.iter().map(|f| f.held.instrument.sector.as_ref().map(|s| s.as_str())).collect();
        sectors.dedup();
        for sector in sectors {
            let of = |f: &&Security<'_>| f.held.instrument.sector.as_ref().is_none_or(|s| Some(s.as_str()) == sector);
            let funds: Vec<Security<'_>> = funds.iter().filter(of).copied().collect();
            out.extend(self.tried(&funds, |_, all| (false, all <= 50_000)).filter(|o| *o != Outcome::Block));
        }
        out
    }

    /// What comes out whatever the values are: `of` says for the sum of the parties' and of all whether it bars, and whether it is exempt. An end
    /// nobody knows is far beyond every limit.
    fn tried(&self, securities: &[Security<'_>], of: impl Fn(u64, u64) -> (bool, bool)) -> Option<Outcome> {
        if securities.is_empty() {
            return None;
        }
        let sum = |picked: &dyn Fn(&Security<'_>) -> bool, value: &dyn Fn(&Holding) -> u64| {
            let of = |parties: bool| securities.iter().filter(|s| picked(s) && (s.party || !parties)).map(|s| value(s.held)).sum::<u64>();
            (of(true), of(false))
        };
        // Every way to take, of each holder's kind of thing, the report of one day: what was reported on any of them was held, and no record took its place.
        let days: BTreeSet<&str> = securities.iter().map(|s| s.held.as_of.as_str()).collect();
        let kinds: Vec<_> = securities.iter().map(|s| kind(s.held)).collect();
        let mut least = (0, 0);
        let ways = days.len().pow(u32::try_from(kinds.len()).unwrap());
        for way in 0..ways {
            let day_of = |s: &Security<'_>| {
                let place = kinds.iter().position(|k| *k == kind(s.held)).unwrap();
                *days.iter().nth(way / days.len().pow(u32::try_from(place).unwrap()) % days.len()).unwrap()
            };
            let (party, all) = sum(&|s| s.sure && day_of(s) == s.held.as_of.as_str(), &|h| h.value.lo().unwrap_or(0));
            least = (party.max(least.0), all.max(least.1));
        }
        let most = sum(&|_| true, &|h| h.value.hi().unwrap_or(1 << 40));
        match (of(least.0, least.1).0, of(most.0, most.1).1) {
            (true, _) => Some(self.bars(true)),
            (_, true) => None,
            _ => Some(Outcome::Refer),
        }
    }

    /// Whether a tie reaches the developer (true) or somebody else who is touched.
    fn reach(&self, tie: &Relationship) -> Option<bool> {
        let developer = tie.organization.as_ref().is_some_and(|id| {
            let all = self.book.newest(|r| if let Record::Organization(r) = r { Some((r.id.to_string(), r)) } else { None });
            id.as_str() == self.matter.provider.as_str() && all.into_iter().any(|o| o.id == *id && o.kind == OrganizationKind::Developer)
        });
        if developer {
            return Some(true);
        }
        self.surest(tie.issuer.as_ref()?).map(|(sure, party)| sure && party)
    }

    fn runs(&self, tie: &Relationship) -> bool {
        tie.from.as_ref().is_none_or(|d| d.as_str() <= self.then.as_str())
            && tie.until.as_ref().is_none_or(|d| d.as_str() >= self.then.as_str())
    }

    /// 5 CFR 2635.502(b)(1).
    fn asks(&self, tie: &Relationship) -> bool {
        use RelationshipKind as K;
        let over = tie.until.as_ref().is_some_and(|d| d.as_str() < self.then.as_str());
        let lately = tie.until.as_ref().is_none_or(|d| over && self.then.as_str() < d.plus_months(12).as_str());
        let own = tie.relation == HolderRelation::Own;
        match tie.kind {
            K::Served if own => lately,
            K::Serves if own => tie.until.is_some() && lately,
            K::Business => self.runs(tie),
            K::ActiveIn => own && self.runs(tie),
            K::Serves | K::Seeking => !own && self.runs(tie),
            _ => false,
        }
    }
}

fn kind(held: &Holding) -> (HolderRelation, Option<&str>, String) {
    (held.relation, held.instrument.issuer.as_ref().map(|i| i.as_str()), format!("{:?}", held.instrument.class))
}
