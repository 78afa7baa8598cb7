//! Trades looked at against what their owner knew. A trade that arrives late is held against old accesses; a new access, edge, industry or list
//! item against old trades: whichever comes last, the finding is the same.

use countersign_entry::ids::{Date, IssuerId, LeafIndex, PersonId, RecordId, SubmissionId};
use countersign_entry::record::{AccessEvent, AccessResult, ListItem, ListKind, ListSubject, Submission, Tier, Trade};
use countersign_entry::time::Micros;

use crate::exposure::Exposed;
use crate::facts::{Facts, Known};
use crate::rules;

/// A trade in an issuer that something its owner had seen touches.
#[derive(Debug, Clone)]
pub struct TradeFinding<'a> {
    /// The trade.
    pub trade: &'a Known<Trade>,
    /// What was seen.
    pub submission: &'a Known<Submission>,
    /// How it touches the trade's issuer.
    pub exposed: Exposed<'a>,
    /// First access, as its source tells, and its entry.
    pub first_access: (Micros, LeafIndex),
}

impl Facts {
    /// A person's trades from first access until public release and cleansing, in issuers that the submission touched on the day of the trade
    /// (5 CFR 2635.703; 17 CFR 240.10b5-1(b)), in whatever tier. Days are counted in UTC; where an hour would decide, the whole day counts as
    /// inside.
    pub fn trades_to_look_at<'a>(&'a self, person: &'a PersonId, submission: &'a SubmissionId) -> impl Iterator<Item = TradeFinding<'a>> {
        let trades = self.trades_of.get(person).into_iter().flatten().filter_map(|id| self.trades.get(id));
        trades.filter_map(move |trade| self.to_look_at(trade, submission))
    }

    fn to_look_at<'a>(&'a self, trade: &'a Known<Trade>, submission: &SubmissionId) -> Option<TradeFinding<'a>> {
        let submission = self.submissions.get(submission)?;
        let first_access = *self.first_access.get(&trade.record.person)?.get(&submission.record.id)?;
        let (day, issuer) = (&trade.record.traded_on, trade.record.instrument.issuer.as_ref()?);
        // What was seen stays non-public until the public has it and recipients were told, whichever comes later, whatever the window.
        if *day < Date::of(first_access.0) || self.over_on(&submission.record.id, day) {
            return None;
        }
        Some(TradeFinding { trade, submission, exposed: self.exposed_to(submission, day, issuer)?, first_access })
    }

    /// List items that name the issuer of a trade and were in force on its day, with the access that made its owner bound by them: the first to
    /// anything, on the day or before. A restricted list bars trading; a watch list is looked at in silence.
    pub fn lists_against<'a>(&'a self, trade: &'a Known<Trade>) -> impl Iterator<Item = ListedTrade<'a>> {
        let day = &trade.record.traded_on;
        let subject = trade.record.instrument.issuer.clone().map(ListSubject::Issuer);
        let bound = self.bound_by_lists_on(&trade.record.person, day);
        let items = subject.and_then(|s| self.items_on.get(&s)).into_iter().flatten().filter_map(|id| self.items.get(id));
        items.filter(|item| in_force_on(&item.record, day)).filter_map(move |item| {
            let (submission, first_access) = bound?;
            let restricted = match self.lists.get(&item.record.list)?.record.kind {
                ListKind::Restricted => true,
                ListKind::Watch => false,
                // Whom it binds, and whether or not they had access: `look_at_interest`.
                ListKind::ProhibitedHolding => return None,
            };
            Some(ListedTrade { trade, item, restricted, submission, first_access })
        })
    }

    fn bound_by_lists_on(&self, person: &PersonId, day: &Date) -> Option<(&SubmissionId, LeafIndex)> {
        let of = self.first_access.get(person)?.iter();
        let first = of.filter(|(_, (at, _))| Date::of(*at) <= *day).min_by_key(|(_, (at, entry))| (*at, *entry))?;
        Some((first.0, first.1.1))
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
        self.look_at_executions(&event.person, at);
    }

    /// Looks at one trade against everything its person had access to, and against the lists.
    pub(crate) fn look_at_trade(&mut self, trade: &RecordId, at: Micros) {
        let Some(trade) = self.trades.get(trade) else { return };
        let submissions = self.first_access.get(&trade.record.person).into_iter().flat_map(|of| of.keys());
        let mut found: Vec<Found> = submissions.filter_map(|s| self.to_look_at(trade, s)).map(Found::of).collect();
        found.extend(self.lists_against(trade).map(Found::listed));
        let id = trade.record.id.clone();
        self.found(found, at);
        self.look_at_execution(&id, at);
    }

    /// Looks at the trades of everybody who had access to what an edge bears on.
    pub(crate) fn look_at_trades_behind(&mut self, edge: LeafIndex, at: Micros) {
        if self.people_of.is_empty() || self.trades.is_empty() {
            return;
        }
        let touched: Vec<SubmissionId> = self.submissions_behind(edge).map(|s| s.record.id.clone()).collect();
        for submission in touched {
            self.look_at_trades_of_everybody(&submission, at);
        }
    }

    /// Looks at the trades of everybody who had access to a submission.
    pub(crate) fn look_at_trades_of_everybody(&mut self, submission: &SubmissionId, at: Micros) {
        for person in self.people_of.get(submission).cloned().unwrap_or_default() {
            self.look_at_trades(&person, submission, at);
        }
    }

    /// Looks at the trades in an issuer whose industry changed, or was not known before.
    pub(crate) fn look_at_every_trade_in(&mut self, issuer: &IssuerId, at: Micros) {
        if self.trades.is_empty() || self.first_access.is_empty() {
            return;
        }
        // Its rivals' trades as well, where it is itself what somebody saw.
        let industry = self.issuers.get(issuer).and_then(|k| k.record.sub_industry.clone());
        let near = industry.and_then(|i| self.issuers_in.get(i.as_str()).cloned()).unwrap_or_default();
        let trades: Vec<RecordId> = near.iter().chain([issuer]).filter_map(|i| self.trades_in.get(i)).flatten().cloned().collect();
        for trade in trades {
            self.look_at_trade(&trade, at);
        }
    }

    /// Looks at the trades in what a list item names.
    pub(crate) fn look_at_trades_listed(&mut self, item: &RecordId, at: Micros) {
        let Some(ListSubject::Issuer(issuer)) = self.items.get(item).map(|k| &k.record.subject) else { return };
        let trades = self.trades_in.get(issuer).into_iter().flatten().filter_map(|id| self.trades.get(id));
        let found = trades.flat_map(|t| self.lists_against(t)).map(Found::listed).collect();
        self.found(found, at);
    }

    /// Looks at the trades in everything on a list: it may have been another kind of list.
    pub(crate) fn look_at_trades_on_list(&mut self, list: &RecordId, at: Micros) {
        let items: Vec<RecordId> = self.items.values().filter(|k| k.record.list == *list).map(|k| k.record.id.clone()).collect();
        for item in items {
            self.look_at_trades_listed(&item, at);
        }
    }

    fn look_at_trades(&mut self, person: &PersonId, submission: &SubmissionId, at: Micros) {
        let mut found: Vec<Found> = self.trades_to_look_at(person, submission).map(Found::of).collect();
        let trades = self.trades_of.get(person).into_iter().flatten().filter_map(|id| self.trades.get(id));
        found.extend(trades.flat_map(|t| self.lists_against(t)).map(Found::listed));
        self.found(found, at);
    }

    fn found(&mut self, found: Vec<Found>, at: Micros) {
        let case_tier_max = self.policy(at).map_or(Tier::Two, |p| p.record.case_tier_max);
        for f in found {
            let first_time = match f.item {
                None if f.tier > case_tier_max => false,
                None => self.trades_found.insert((f.trade, f.submission.clone())),
                Some(item) => self.trades_listed.insert((f.trade, item)),
            };
            if first_time {
                self.find(f.rule, &f.person, Some(&f.submission), f.trade, &f.evidence, at);
            }
        }
    }
}

/// A trade in an issuer on a list.
#[derive(Debug, Clone, Copy)]
pub struct ListedTrade<'a> {
    /// The trade.
    pub trade: &'a Known<Trade>,
    /// The list item.
    pub item: &'a Known<ListItem>,
    /// Whether it stands on a restricted list; else it stands on a watch list.
    pub restricted: bool,
    /// What its owner first had access to, on the day or before.
    pub submission: &'a SubmissionId,
    /// The entry of that access.
    pub first_access: LeafIndex,
}

/// Whether an item was in force for a part of a day.
pub(crate) fn in_force_on(item: &ListItem, day: &Date) -> bool {
    Date::of(item.from) <= *day && item.until.is_none_or(|until| day.start().is_some_and(|start| start < until))
}

/// A finding without its borrows.
struct Found {
    rule: &'static str,
    person: PersonId,
    submission: SubmissionId,
    trade: LeafIndex,
    tier: Tier,
    item: Option<LeafIndex>,
    evidence: Vec<LeafIndex>,
}

impl Found {
    fn of(f: TradeFinding<'_>) -> Self {
        Self {
            rule: rules::TRADE_AFTER_ACCESS,
            person: f.trade.record.person.clone(),
            submission: f.submission.record.id.clone(),
            trade: f.trade.index,
            tier: f.exposed.tier,
            item: None,
            evidence: [f.first_access.1].into_iter().chain(f.exposed.via).chain([f.submission.index]).collect(),
        }
    }

    fn listed(f: ListedTrade<'_>) -> Self {
        Self {
            rule: if f.restricted { rules::TRADE_IN_RESTRICTED } else { rules::TRADE_IN_WATCHED },
            person: f.trade.record.person.clone(),
            submission: f.submission.clone(),
            trade: f.trade.index,
            tier: Tier::One,
            item: Some(f.item.index),
            evidence: vec![f.item.index, f.first_access],
        }
    }
}
