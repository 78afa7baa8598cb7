//! Trades against what their makers had seen, looking back and as things arrive.
//!
//! In scope: which days a person knew something about an issuer ([`windows`]); every trade that falls on such a day, for millions at once
//! ([`join`]) or one fact at a time, in whatever order facts arrive ([`Surveillance`]); and what to say of a match ([`finding`],
//! [`closest`]).
//!
//! Not in scope: which issuer a filer meant (`countersign-match`), reading filings (`countersign-import`), recording findings and opening
//! cases (`countersign-ledger`). A match is a question for the ethics office, not a verdict: disclosure lags trading by weeks, so most
//! matches are found long after the window.
//!
//! Limits: people, issuers, submissions and trades are `u32` handles their keeper gives out; at most [`MAX`] windows and as many trades;
//! time is in days, because filings name days. Where an hour would decide, the day counts as inside the window. As many matches come back
//! as there are. One fact at a time costs a look at everything its person did in its issuer; loading a history is cheaper with [`join`].

use std::cmp::{max, min};
use std::collections::BTreeMap;

use countersign_entry::ids::Date;
use countersign_entry::record::{Exposure, ListItem, Tier};
use countersign_entry::time::{DAY, Micros};

/// Days since 1970-01-01, UTC; negative before.
pub type Day = i32;

/// The end of what has none.
pub const OPEN: Day = Day::MAX;

/// Windows, and trades, that fit.
pub const MAX: usize = u32::MAX as usize;

/// Days on which one person knew something non-public that touches one issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// Who.
    pub person: u32,
    /// Whose securities.
    pub issuer: u32,
    /// What was seen.
    pub submission: u32,
    /// First day.
    pub from: Day,
    /// The day after the last; [`OPEN`] while it goes on. At or before `from`, the window holds no day at all.
    pub until: Day,
    /// How close the issuer is to what was seen.
    pub tier: Tier,
    /// Whether somebody checked the edge. A match over an unconfirmed one may refer, never block.
    pub confirmed: bool,
}

impl Window {
    /// Whether a day lies in it.
    pub fn covers(&self, day: Day) -> bool {
        self.from <= day && day < self.until
    }
}

/// One person's trade in one issuer. A trade with two legs (an exchange) is two of these under one handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Trade {
    /// Who: the filer, whoever in the household traded.
    pub person: u32,
    /// Whose securities.
    pub issuer: u32,
    /// The day of the trade, not of its disclosure.
    pub day: Day,
    /// Its handle.
    pub trade: u32,
}

/// A trade on a day of a window of the same person and issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hit {
    /// The trade's handle.
    pub trade: u32,
    /// The window: its position among those given.
    pub window: u32,
}

/// More than [`MAX`] of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX} {what} do not fit into one surveillance")]
pub struct TooMany {
    what: &'static str,
}

/// A window nobody added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no window {window}")]
pub struct NoSuchWindow {
    /// The window asked for.
    pub window: u32,
}

/// Every trade on a day of a window of its person and issuer, by person and issuer, then in the windows' order. Sorts both sides and merges
/// them, on two threads where there is enough to do; the answer does not depend on that.
///
/// # Errors
/// More windows than handles.
pub fn join(windows: &[Window], trades: &[Trade]) -> Result<Vec<Hit>, TooMany> {
    if windows.len() > MAX {
        return Err(TooMany { what: "windows" });
    }
    if windows.len().saturating_add(trades.len()) < THREADED {
        return Ok(join_half(windows, trades, |_| true));
    }
    let middle = middle_key(windows, trades);
    let upper = || join_half(windows, trades, |key| key >= middle);
    Ok(std::thread::scope(|scope| {
        let other = std::thread::Builder::new().spawn_scoped(scope, upper);
        let mut hits = join_half(windows, trades, |key| key < middle);
        // A thread that could not start or did not finish loses nothing: its half is done here.
        hits.extend(other.ok().and_then(|thread| thread.join().ok()).unwrap_or_else(upper));
        hits
    }))
}

/// Windows and trades together from which a second thread pays for itself.
const THREADED: usize = 8_192;

/// Keys looked at on each side to halve the work.
const SAMPLE: usize = 512;

fn key(person: u32, issuer: u32) -> u64 {
    u64::from(person) << 32 | u64::from(issuer)
}

/// A key with about as much work below it as above. One pair with most of the work stays on one thread.
fn middle_key(windows: &[Window], trades: &[Trade]) -> u64 {
    let step = |len: usize| max(len / SAMPLE, 1);
    let of_windows = windows.iter().step_by(step(windows.len())).map(|w| key(w.person, w.issuer));
    let of_trades = trades.iter().step_by(step(trades.len())).map(|t| key(t.person, t.issuer));
    let mut keys: Vec<u64> = of_windows.chain(of_trades).collect();
    keys.sort_unstable();
    keys.get(keys.len() / 2).copied().unwrap_or(0)
}

/// A key, a day and a handle in one number, the key first: numbers sort several times faster than their parts one by one.
fn packed(key: u64, day: Day, handle: u32) -> u128 {
    // The sign bit turned over: earlier days are lower numbers.
    let day = day.cast_unsigned() ^ (1 << 31);
    u128::from(key) << 64 | u128::from(day) << 32 | u128::from(handle)
}

fn key_of(packed: u128) -> u64 {
    (packed >> 64) as u64
}

fn day_in(packed: u128) -> Day {
    ((packed >> 32) as u32 ^ (1 << 31)).cast_signed()
}

fn handle_in(packed: u128) -> u32 {
    packed as u32
}

fn join_half(windows: &[Window], trades: &[Trade], mine: impl Fn(u64) -> bool) -> Vec<Hit> {
    let mut dated: Vec<u128> =
        trades.iter().map(|t| packed(key(t.person, t.issuer), t.day, t.trade)).filter(|d| mine(key_of(*d))).collect();
    let mut spans: Vec<u128> =
        windows.iter().zip(0..).map(|(w, position)| packed(key(w.person, w.issuer), 0, position)).filter(|s| mine(key_of(*s))).collect();
    spans.sort_unstable();
    dated.sort_unstable();
    merge(windows, &spans, &dated)
}

/// Windows stay where they are and are looked up by position, only where their key has trades.
fn merge(windows: &[Window], spans: &[u128], mut dated: &[u128]) -> Vec<Hit> {
    let mut hits = Vec::new();
    for group in spans.chunk_by(|a, b| key_of(*a) == key_of(*b)) {
        let Some(key) = group.first().map(|s| key_of(*s)) else { continue };
        while let [first, rest @ ..] = dated
            && key_of(*first) < key
        {
            dated = rest;
        }
        let (run, rest) = dated.split_at(dated.iter().take_while(|d| key_of(**d) == key).count());
        dated = rest;
        if run.is_empty() {
            continue;
        }
        for window in group.iter().map(|s| handle_in(*s)) {
            let Some(w) = usize::try_from(window).ok().and_then(|i| windows.get(i)) else { continue };
            // The days of a run are in order, so a window costs its matches and a search, however many trades its person made.
            let start = run.partition_point(|d| day_in(*d) < w.from);
            hits.extend(run.iter().skip(start).take_while(|d| day_in(**d) < w.until).map(|d| Hit { trade: handle_in(*d), window }));
        }
    }
    hits
}

/// Windows and trades as they arrive, each checked against all that came before. About 30 bytes a window, 12 a trade and 30 a pair of
/// person and issuer; nothing is ever taken out, and the same trade added twice is two trades. Handles and order of arrival are the
/// keeper's, so replay gives the same.
#[derive(Debug, Clone, Default)]
pub struct Surveillance {
    windows: Vec<(Window, Next)>,
    trades: Vec<(Day, u32, Next)>,
    chains: BTreeMap<u64, Chain>,
}

/// The one added before it under the same key, as a position; [`NONE`] for the first.
type Next = u32;
const NONE: Next = u32::MAX;

/// The newest window and trade of a person in an issuer.
#[derive(Debug, Clone, Copy)]
struct Chain {
    window: Next,
    trade: Next,
}

/// What a changed window does to the matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Matches that were none before.
    pub new: Vec<Hit>,
    /// Matches that are none any more. A finding made of one stays recorded; somebody disposes of it.
    pub gone: Vec<Hit>,
}

impl Surveillance {
    /// Adds a window: an access, an edge or a list item became known. Gives its position and the trades already known that fall into it.
    ///
    /// # Errors
    /// No position is left.
    pub fn add_window(&mut self, window: Window) -> Result<(u32, Vec<Hit>), TooMany> {
        let position = position(self.windows.len(), "windows")?;
        let chain = self.chains.entry(key(window.person, window.issuer)).or_insert(Chain { window: NONE, trade: NONE });
        self.windows.push((window, std::mem::replace(&mut chain.window, position)));
        let trades = chain.trade;
        Ok((
            position,
            self.trades_from(trades).filter(|(day, _)| window.covers(*day)).map(|(_, trade)| Hit { trade, window: position }).collect(),
        ))
    }

    /// Ends a window: what was seen was released and cleansed, or the edge ended. An end at or before its start withdraws the window; one
    /// further out than before prolongs it.
    ///
    /// # Errors
    /// No such window.
    pub fn end_window(&mut self, window: u32, until: Day) -> Result<Change, NoSuchWindow> {
        let from = self.window(window).ok_or(NoSuchWindow { window })?.from;
        self.move_window(window, from, until)
    }

    /// Gives a window other days: an access turned out to be earlier, or the edge to have begun later.
    ///
    /// # Errors
    /// No such window.
    pub fn move_window(&mut self, window: u32, from: Day, until: Day) -> Result<Change, NoSuchWindow> {
        let slot = usize::try_from(window).ok().and_then(|i| self.windows.get_mut(i)).ok_or(NoSuchWindow { window })?;
        let before = slot.0;
        (slot.0.from, slot.0.until) = (from, until);
        let after = slot.0;
        let mut change = Change::default();
        let trades = self.chains.get(&key(after.person, after.issuer)).map_or(NONE, |c| c.trade);
        for (day, trade) in self.trades_from(trades) {
            match (before.covers(day), after.covers(day)) {
                (false, true) => change.new.push(Hit { trade, window }),
                (true, false) => change.gone.push(Hit { trade, window }),
                _ => {}
            }
        }
        Ok(change)
    }

    /// Adds a trade, however late it became known. Gives the windows it falls into.
    ///
    /// # Errors
    /// No position is left.
    pub fn add_trade(&mut self, trade: Trade) -> Result<Vec<Hit>, TooMany> {
        let position = position(self.trades.len(), "trades")?;
        let chain = self.chains.entry(key(trade.person, trade.issuer)).or_insert(Chain { window: NONE, trade: NONE });
        self.trades.push((trade.day, trade.trade, std::mem::replace(&mut chain.trade, position)));
        let windows = chain.window;
        Ok(self.windows_from(windows).filter(|(_, w)| w.covers(trade.day)).map(|(window, _)| Hit { trade: trade.trade, window }).collect())
    }

    /// A window as it stands.
    pub fn window(&self, window: u32) -> Option<&Window> {
        self.windows.get(usize::try_from(window).ok()?).map(|(window, _)| window)
    }

    /// Every window as it stands, by position; those of a submission, for instance, when it is released.
    pub fn windows(&self) -> impl Iterator<Item = (u32, &Window)> {
        self.windows.iter().zip(0..).map(|((window, _), position)| (position, window))
    }

    /// Every match there is now, in no order that means anything.
    pub fn hits(&self) -> Vec<Hit> {
        let matches = |chain: &Chain| {
            let trades = chain.trade;
            self.windows_from(chain.window).flat_map(move |(window, w)| {
                self.trades_from(trades).filter(|(day, _)| w.covers(*day)).map(move |(_, trade)| Hit { trade, window })
            })
        };
        self.chains.values().flat_map(matches).collect()
    }

    fn windows_from(&self, newest: Next) -> impl Iterator<Item = (u32, &Window)> {
        let at = |i: Next| Some((i, self.windows.get(usize::try_from(i).ok()?)?));
        std::iter::successors(at(newest), move |(_, (_, next))| at(*next)).map(|(i, (window, _))| (i, window))
    }

    fn trades_from(&self, newest: Next) -> impl Iterator<Item = (Day, u32)> {
        let at = |i: Next| self.trades.get(usize::try_from(i).ok()?);
        std::iter::successors(at(newest), move |(_, _, next)| at(*next)).map(|(day, trade, _)| (*day, *trade))
    }
}

/// The next position; never [`NONE`], which no vector of at most [`MAX`] reaches.
fn position(len: usize, what: &'static str) -> Result<u32, TooMany> {
    u32::try_from(len).ok().filter(|p| *p != NONE).ok_or(TooMany { what })
}

/// That a person saw something of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Who.
    pub person: u32,
    /// Of what.
    pub submission: u32,
    /// On which day.
    pub day: Day,
}

/// A dated edge from a submission (its own, its provider's, its host's) to an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// From what was seen.
    pub submission: u32,
    /// To whom it matters.
    pub issuer: u32,
    /// First day it holds; [`Day::MIN`] where unknown.
    pub from: Day,
    /// The day after the last; [`OPEN`] where it still holds.
    pub until: Day,
    /// How close.
    pub tier: Tier,
    /// Whether somebody checked it.
    pub confirmed: bool,
}

impl Edge {
    /// The days of an exposure, whose last day is one it still holds on.
    pub fn of(submission: u32, issuer: u32, exposure: &Exposure) -> Self {
        let from = exposure.valid_from.as_ref().map_or(Day::MIN, day_of_date);
        let until = exposure.valid_to.as_ref().map_or(OPEN, |date| day_of_date(date).saturating_add(1));
        Self { submission, issuer, from, until, tier: exposure.tier, confirmed: exposure.confirmed }
    }

    /// The days a list item that bears on the submission names an issuer. Only an item whose list has an authority counts as confirmed:
    /// without one there is no prohibition (5 CFR 2635.403).
    pub fn of_item(submission: u32, issuer: u32, tier: Tier, item: &ListItem, has_authority: bool) -> Self {
        let until = item.until.map_or(OPEN, first_day_after);
        Self { submission, issuer, from: day_of(item.from), until, tier, confirmed: has_authority }
    }
}

/// From when what a submission showed is no longer inside information.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// The submission.
    pub submission: u32,
    /// First free day; [`OPEN`] while there is none.
    pub until: Day,
}

impl Ending {
    /// Public release alone does not end it, nor does telling recipients that it is out before it is: the first day wholly after both does.
    pub fn of(submission: u32, public_release: Option<Micros>, cleansed: Option<Micros>) -> Self {
        let until = public_release.zip(cleansed).map_or(OPEN, |(released, cleansed)| first_day_after(max(released, cleansed)));
        Self { submission, until }
    }
}

/// The day a time falls on.
pub fn day_of(at: Micros) -> Day {
    Day::try_from(at.value() / DAY).unwrap_or(OPEN)
}

/// The day a date names; [`Day::MIN`] before 1970.
pub fn day_of_date(date: &Date) -> Day {
    date.start().map_or(Day::MIN, day_of)
}

/// The first day none of which lies before a time: a trade is dated by its day and may have come before the hour.
fn first_day_after(at: Micros) -> Day {
    Day::try_from(at.value().div_ceil(DAY)).unwrap_or(OPEN)
}

/// The windows that facts amount to: for every person and submission, from the first access until the ending, on the days each edge holds.
/// A person keeps knowing what the person saw, so the end of a grant ends nothing. One window for each edge; of several endings of a
/// submission the last counts, and none means not yet.
///
/// New facts go the same way: a first access with its submission's edges, a new edge with its submission's accesses, and
/// [`Surveillance::add_window`].
pub fn windows(
    accesses: impl IntoIterator<Item = Access>,
    edges: impl IntoIterator<Item = Edge>,
    endings: impl IntoIterator<Item = Ending>,
) -> Vec<Window> {
    let mut first: BTreeMap<(u32, u32), Day> = BTreeMap::new();
    for a in accesses {
        first.entry((a.person, a.submission)).and_modify(|day| *day = min(*day, a.day)).or_insert(a.day);
    }
    let mut edges_of: BTreeMap<u32, Vec<Edge>> = BTreeMap::new();
    for edge in edges {
        edges_of.entry(edge.submission).or_default().push(edge);
    }
    let ends: BTreeMap<u32, Day> = endings.into_iter().map(|e| (e.submission, e.until)).collect();
    let of = |((person, submission), day): (&(u32, u32), &Day)| {
        let (person, day, end) = (*person, *day, ends.get(submission).copied().unwrap_or(OPEN));
        edges_of.get(submission).into_iter().flatten().map(move |edge| window(person, day, end, edge))
    };
    first.iter().flat_map(of).filter(|w| w.from < w.until).collect()
}

fn window(person: u32, first_access: Day, end: Day, edge: &Edge) -> Window {
    let Edge { submission, issuer, tier, confirmed, .. } = *edge;
    Window { person, issuer, submission, from: max(first_access, edge.from), until: min(end, edge.until), tier, confirmed }
}

/// The days on which what a match rests on was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// The access.
    pub access: Day,
    /// The edge or list item.
    pub exposure: Day,
    /// The trade.
    pub trade: Day,
}

/// What to say of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// The match.
    pub hit: Hit,
    /// The trade.
    pub trade: Trade,
    /// What had been seen.
    pub submission: u32,
    /// How close the issuer was to it.
    pub tier: Tier,
    /// Whether somebody checked the edge.
    pub confirmed: bool,
    /// Days into the window; 0 on its first.
    pub days_in: i64,
    /// Days until it ended; none where it had no end.
    pub days_left: Option<i64>,
    /// Whether access and edge were on record on the day of the trade: whether somebody could have known then.
    pub known_on_the_day: bool,
    /// The first day all of it was on record: before that nobody could have found it.
    pub found_from: Day,
}

/// What to say of a match, or nothing where trade and window do not meet.
pub fn finding(position: u32, window: &Window, trade: &Trade, recorded: &Recorded) -> Option<Finding> {
    if (window.person, window.issuer) != (trade.person, trade.issuer) || !window.covers(trade.day) {
        return None;
    }
    let days = |from: Day, until: Day| i64::from(until) - i64::from(from);
    let window_recorded = max(recorded.access, recorded.exposure);
    Some(Finding {
        hit: Hit { trade: trade.trade, window: position },
        trade: *trade,
        submission: window.submission,
        tier: window.tier,
        confirmed: window.confirmed,
        days_in: days(window.from, trade.day),
        days_left: (window.until != OPEN).then(|| days(trade.day, window.until)),
        known_on_the_day: window_recorded <= trade.day,
        found_from: max(window_recorded, recorded.trade),
    })
}

/// One finding for each trade and submission, in that order: the closest tier, and over a confirmed edge where there is one. Several edges
/// lead from a submission to the same issuer where a lab's owner also hosts its models; that is one finding, not two.
pub fn closest(findings: impl IntoIterator<Item = Finding>) -> Vec<Finding> {
    let mut of: BTreeMap<(u32, u32), Finding> = BTreeMap::new();
    let rank = |f: &Finding| (f.tier, !f.confirmed, f.hit.window);
    for f in findings {
        of.entry((f.hit.trade, f.submission))
            .and_modify(|best| {
                if rank(&f) < rank(best) {
                    *best = f
                }
            })
            .or_insert(f);
    }
    of.into_values().collect()
}
