//! Trades looked at against what their owner knew. A trade that arrives late is held against old accesses, a new access or edge against old
//! trades: whichever comes last, the finding is the same.

use countersign_entry::ids::{Date, LeafIndex, PersonId, RecordId, SubmissionId};
use countersign_entry::record::{AccessEvent, AccessResult, Exposure, Node, Submission, Trade};
use countersign_entry::time::Micros;

use crate::facts::{Facts, Known};
use crate::rules;

/// A trade in an issuer that something its owner had seen touches.
#[derive(Debug, Clone, Copy)]
pub struct TradeFinding<'a> {
    /// The trade.
    pub trade: &'a Known<Trade>,
    /// What was seen.
    pub submission: &'a Known<Submission>,
    /// How it touches the trade's issuer: the closest edge, a confirmed one before others.
    pub edge: &'a Known<Exposure>,
    /// First access, as its source tells, and its entry.
    pub first_access: (Micros, LeafIndex),
}

impl Facts {
    /// A person's trades from first access until public release and cleansing, in issuers that the submission touched on the day of the trade
    /// (5 CFR 2635.703; 17 CFR 240.10b5-1(b)). Days are counted in UTC; where an hour would decide, the whole day counts as inside.
    pub fn trades_to_look_at<'a>(&'a self, person: &'a PersonId, submission: &'a SubmissionId) -> impl Iterator<Item = TradeFinding<'a>> {
        let trades = self.trades_of.get(person).into_iter().flatten().filter_map(|id| self.trades.get(id));
        trades.filter_map(move |trade| self.to_look_at(trade, submission))
    }

    fn to_look_at<'a>(&'a self, trade: &'a Known<Trade>, submission: &SubmissionId) -> Option<TradeFinding<'a>> {
        let submission = self.submissions.get(submission)?;
        let first_access = *self.first_access.get(&trade.record.person)?.get(&submission.record.id)?;
        let (day, issuer) = (&trade.record.traded_on, trade.record.instrument.issuer.as_ref()?);
        // What was seen stays non-public until the public has it and recipients were told, whichever comes later, whatever the window.
        let over =
            submission.record.public_release_at.zip(submission.record.cleansed_at).map(|(release, cleansing)| release.max(cleansing));
        if *day < Date::of(first_access.0) || over.is_some_and(|over| day.start().is_none_or(|start| start >= over)) {
            return None;
        }
        let edges = self.exposures_of(&submission.record, day).filter(|e| e.record.to == *issuer);
        let edge = edges.min_by_key(|e| (e.record.tier, !e.record.confirmed))?;
        Some(TradeFinding { trade, submission, edge, first_access })
    }

    /// Everybody who had access to anything, with what.
    pub fn people_with_access(&self) -> impl Iterator<Item = (&PersonId, &SubmissionId)> {
        self.first_access.iter().flat_map(|(person, of)| of.keys().map(move |submission| (person, submission)))
    }

    /// Notes a first access, and looks at the trades behind it. Who was refused saw nothing; of an error nobody knows.
    pub(crate) fn note_access(&mut self, event: &AccessEvent, index: LeafIndex, at: Micros) {
        if event.result == Some(AccessResult::Refused) {
            return;
        }
        if let Some(of) = self.first_access.get(&event.person)
            && of.get(&event.submission).is_some_and(|(first, _)| *first <= event.occurred_at)
        {
            return;
        }
        self.first_access.entry(event.person.clone()).or_default().insert(event.submission.clone(), (event.occurred_at, index));
        self.people_of.entry(event.submission.clone()).or_default().insert(event.person.clone());
        self.look_at_trades(&event.person, &event.submission, at);
    }

    /// Looks at one trade against everything its person had access to.
    pub(crate) fn look_at_trade(&mut self, trade: &RecordId, at: Micros) {
        let Some(trade) = self.trades.get(trade) else { return };
        let submissions = self.first_access.get(&trade.record.person).into_iter().flat_map(|of| of.keys());
        let found: Vec<Found> = submissions.filter_map(|s| self.to_look_at(trade, s)).map(Found::of).collect();
        self.found(found, at);
    }

    /// Looks at the trades of everybody who had access to what an edge starts from.
    pub(crate) fn look_at_trades_behind(&mut self, node: &Node, at: Micros) {
        let touched = self.submissions.values().filter(|s| match node {
            Node::Submission(id) => s.record.id == *id,
            Node::Provider(id) => s.record.provider == *id,
            Node::Issuer(_) | Node::Host(_) => false,
        });
        let pairs: Vec<(PersonId, SubmissionId)> = touched
            .filter_map(|s| Some((s, self.people_of.get(&s.record.id)?)))
            .flat_map(|(s, people)| people.iter().map(|p| (p.clone(), s.record.id.clone())))
            .collect();
        for (person, submission) in pairs {
            self.look_at_trades(&person, &submission, at);
        }
    }

    fn look_at_trades(&mut self, person: &PersonId, submission: &SubmissionId, at: Micros) {
        let found: Vec<Found> = self.trades_to_look_at(person, submission).map(Found::of).collect();
        self.found(found, at);
    }

    fn found(&mut self, found: Vec<Found>, at: Micros) {
        for f in found {
            if self.trades_found.insert((f.trade, f.submission.clone())) {
                self.find(rules::TRADE_AFTER_ACCESS, &f.person, &f.submission, f.trade, &f.evidence, at);
            }
        }
    }
}

/// A finding without its borrows.
struct Found {
    person: PersonId,
    submission: SubmissionId,
    trade: LeafIndex,
    evidence: [LeafIndex; 3],
}

impl Found {
    fn of(f: TradeFinding<'_>) -> Self {
        Self {
            person: f.trade.record.person.clone(),
            submission: f.submission.record.id.clone(),
            trade: f.trade.index,
            evidence: [f.first_access.1, f.edge.index, f.submission.index],
        }
    }
}
