//! How a submission touches issuers: over recorded edges, from what was seen to who issued; and by industry, which nobody has to record.

use std::collections::BTreeSet;

use countersign_entry::ids::{Date, IssuerId, LeafIndex};
use countersign_entry::record::{Exposure, Issuer, Node, Relation, Submission, Tier};

use crate::facts::{Facts, Known, remove};

/// Edges from a submission to an issuer at most: model, host, operator, and one more for its owner.
const PATH_EDGES_MAX: usize = 4;

/// One way a submission touches an issuer on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed<'a> {
    /// The issuer.
    pub issuer: &'a IssuerId,
    /// How it is touched.
    pub relation: Relation,
    /// How close: as far as the farthest edge on the way.
    pub tier: Tier,
    /// Whether it is the developer itself: every edge on the way says *is*. It is then a party to the review (5 CFR 2640.102(l)); an owner is none.
    pub party: bool,
    /// Whether somebody checked every edge on the way. What follows from the industry alone nobody checked.
    pub confirmed: bool,
    /// The entries it rests on: the edges, from the submission on, then the records of issuers that share an industry.
    pub via: Vec<LeafIndex>,
}

impl Facts {
    /// Every way over recorded edges that hold on a day. Edges start at the submission, its model or its provider. A host's edges count as those
    /// of what it serves; an issuer's own edges count where the provider is that issuer or belongs to it, and nowhere else: who supplies an
    /// investor is not touched.
    pub fn exposures_of<'a>(&'a self, submission: &Submission, day: &Date) -> Vec<Exposed<'a>> {
        self.paths(submission, |edge| edge.holds_on(day))
    }

    /// The closest way a submission touches an issuer on a day, a confirmed one before others: over recorded edges, else by industry.
    pub fn exposed_to<'a>(&'a self, submission: &Known<Submission>, day: &Date, issuer: &IssuerId) -> Option<Exposed<'a>> {
        let recorded = self.exposures_of(&submission.record, day);
        let own = recorded.iter().filter(|e| e.issuer == issuer).min_by_key(|e| (e.tier, !e.confirmed)).cloned();
        own.or_else(|| self.by_industry(submission, &recorded, self.issuer(issuer)?))
    }

    /// Whether a submission touches an issuer on any day at all. Where this says no, [`Facts::exposed_to`] finds nothing on whatever day.
    pub fn ever_exposed_to(&self, submission: &Known<Submission>, issuer: &IssuerId) -> bool {
        let recorded = self.paths(&submission.record, |_| true);
        recorded.iter().any(|e| e.issuer == issuer)
            || self.issuer(issuer).is_some_and(|issuer| self.by_industry(submission, &recorded, issuer).is_some())
    }

    /// Every issuer a submission touches on a day, each by its closest way, the closest first. Those touched by industry alone stand last.
    pub fn everything_exposed<'a>(&'a self, submission: &Known<Submission>, day: &Date) -> Vec<Exposed<'a>> {
        let recorded = self.exposures_of(&submission.record, day);
        let mut out: Vec<Exposed<'a>> = Vec::new();
        let mut seen: BTreeSet<&IssuerId> = BTreeSet::new();
        let mut ways: Vec<&Exposed<'a>> = recorded.iter().collect();
        ways.sort_by_key(|e| (e.tier, !e.confirmed));
        for way in ways {
            if seen.insert(way.issuer) {
                out.push(way.clone());
            }
        }
        let industries = self.industries(&submission.record, &recorded);
        let near = industries.iter().filter_map(|i| self.issuers_in.get(*i)).flatten().filter(|id| !seen.contains(id));
        let near: BTreeSet<&IssuerId> = near.collect();
        out.extend(near.into_iter().filter_map(|id| self.by_industry(submission, &recorded, self.issuer(id)?)));
        out
    }

    /// Submissions that an edge bears on, on whatever day.
    pub(crate) fn submissions_behind(&self, edge: LeafIndex) -> impl Iterator<Item = &Known<Submission>> {
        self.submissions.values().filter(move |s| self.paths(&s.record, |_| true).iter().any(|e| e.via.contains(&edge)))
    }

    /// An issuer of an industry that the access officer named is downstream; one of the industry of the lab, its owner or an equity holder
    /// competes with it (5 CFR 2635.402(b)(1): a matter may have a direct and predictable effect on a competitor).
    fn by_industry<'a>(
        &'a self,
        submission: &Known<Submission>,
        recorded: &[Exposed<'a>],
        issuer: &'a Known<Issuer>,
    ) -> Option<Exposed<'a>> {
        let industry = issuer.record.sub_industry.as_ref()?;
        let (relation, mut via) = if submission.record.downstream.contains(industry) {
            (Relation::Downstream, vec![submission.index])
        } else {
            let close = recorded.iter().filter(|e| e.tier == Tier::One);
            let rival =
                close.filter_map(|e| Some((e, self.issuer(e.issuer)?))).find(|(_, k)| k.record.sub_industry.as_ref() == Some(industry));
            let (way, rival) = rival?;
            (Relation::Competitor, way.via.iter().copied().chain([rival.index]).collect())
        };
        via.push(issuer.index);
        Some(Exposed { issuer: &issuer.record.id, relation, tier: Tier::Three, party: false, confirmed: false, via })
    }

    fn industries<'a>(&'a self, submission: &'a Submission, recorded: &[Exposed<'a>]) -> BTreeSet<&'a str> {
        let close = recorded.iter().filter(|e| e.tier == Tier::One).filter_map(|e| self.issuer(e.issuer)?.record.sub_industry.as_ref());
        submission.downstream.iter().chain(close).map(|i| i.as_str()).collect()
    }

    fn paths<'a>(&'a self, submission: &Submission, holds: impl Fn(&Exposure) -> bool) -> Vec<Exposed<'a>> {
        let mut out = Vec::new();
        let starts = [
            Some(Node::Submission(submission.id.clone())),
            submission.model.clone().map(Node::Model),
            Some(Node::Provider(submission.provider.clone())),
        ];
        for start in starts.iter().flatten() {
            self.follow(start, &Way { tier: Tier::One, party: true, confirmed: true, via: Vec::new() }, &holds, &mut out);
        }
        out
    }

    fn follow<'a>(&'a self, node: &Node, way: &Way, holds: &impl Fn(&Exposure) -> bool, out: &mut Vec<Exposed<'a>>) {
        let edges = self.exposures_from.get(node).into_iter().flatten().filter_map(|id| self.exposures.get(id));
        for edge in edges.filter(|e| holds(&e.record)) {
            let mut via = Vec::with_capacity(way.via.len() + 1);
            via.extend_from_slice(&way.via);
            via.push(edge.index);
            let party = way.party && edge.record.relation == Relation::Is;
            let on = Way { tier: way.tier.max(edge.record.tier), party, confirmed: way.confirmed && edge.record.confirmed, via };
            let goes_on = match &edge.record.to {
                Node::Host(_) => true,
                Node::Issuer(_) => matches!(edge.record.relation, Relation::Is | Relation::OwnedBy),
                Node::Submission(_) | Node::Model(_) | Node::Provider(_) => false,
            };
            if goes_on && on.via.len() < PATH_EDGES_MAX {
                self.follow(&edge.record.to, &on, holds, out);
            }
            if let Node::Issuer(issuer) = &edge.record.to {
                // Who runs a host touches what the host serves by serving it.
                let relation = if edge.record.relation == Relation::OperatedBy { Relation::ServedBy } else { edge.record.relation };
                out.push(Exposed { issuer, relation, tier: on.tier, party: on.party, confirmed: on.confirmed, via: on.via });
            }
        }
    }

    /// An issuer moves from one industry to another.
    pub(crate) fn change_industry(&mut self, issuer: &IssuerId, old: Option<&str>, new: Option<&str>) {
        if let Some(old) = old {
            remove(&mut self.issuers_in, &old.to_owned(), issuer);
        }
        if let Some(new) = new {
            self.issuers_in.entry(new.to_owned()).or_default().insert(issuer.clone());
        }
    }
}

/// The way so far.
struct Way {
    tier: Tier,
    party: bool,
    confirmed: bool,
    via: Vec<LeafIndex>,
}
