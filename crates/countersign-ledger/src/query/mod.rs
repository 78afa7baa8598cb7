//! Questions over the whole range, as of any entry: who had access to anything touching an issuer, everything on a person, the insider list of a
//! submission, what changed. Rows stand in index order, so that a late-arriving event changes no earlier answer's order; every answer names the
//! size and the root it is true for, and says whether it is complete.
//!
//! A [`View`] is what the ledger knew at a size. The newest borrows what the ledger has in memory; the facts of an older one are made anew from the
//! entries before it, by the same function the sequencer uses, so that it answers now what was answered then. Which entries are about whom never changes:
//! that is the index of the writer, up to the size; a ledger opened for reading has none, and makes one of so many entries when it is asked.

mod changed;
mod describe;
mod insiders;
mod past;
mod people;

use std::collections::BTreeSet;
use std::sync::Arc;

use countersign_conflict::Facts;
use countersign_entry::ids::{LeafIndex, PersonId, SubmissionId};
use countersign_entry::leaf::Leaf;
use countersign_entry::time::Micros;
use countersign_log::tree::{RootHash, TreeSize};

pub use self::changed::Change;
pub use self::describe::describe;
pub use self::insiders::{InsiderList, InsiderRow, Signed, Standing, SteppedAside};
pub use self::past::{Past, Recollection};
pub use self::people::{IssuerRow, SubmissionRow, TimelineRow};
use crate::beside::Notice;
use crate::index::{Concern, EachAccess, Index, concern, named};
use crate::open::{Ledger, OpenError, damaged, unless_erased};

/// As of when a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// A tree size: the entries before this index.
    Size(u64),
    /// Everything recorded by then.
    Time(Micros),
}

/// Corrections of corrections of corrections that are followed.
const REFERRED_MAX: usize = 64;

/// Which rows of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Rows left out before the first.
    pub offset: usize,
    /// Rows at most.
    pub limit: usize,
}

impl Page {
    /// All of them.
    pub const ALL: Page = Page { offset: 0, limit: usize::MAX };

    /// The part of some rows that is asked for, and whether more follow.
    pub fn cut<Row>(self, rows: &mut Vec<Row>) -> bool {
        rows.drain(..self.offset.min(rows.len()));
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        more
    }

    /// Rows after which it is known that more follow.
    fn enough(self) -> usize {
        self.offset.saturating_add(self.limit).saturating_add(1)
    }
}

/// Why there is no view.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The ledger is not that long.
    #[error("the ledger has {size} entries, so nothing can be asked as of size {asked}")]
    Beyond {
        /// What was asked.
        asked: u64,
        /// What there is.
        size: u64,
    },
    /// An entry does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// What the ledger knew at a size.
pub struct View<'a> {
    ledger: &'a Ledger,
    size: u64,
    at: Micros,
    past: Option<Arc<Past>>,
}

/// The ledger's index, as far as it is of the entries before a size.
struct Upto<'a> {
    index: &'a Index,
    size: u64,
    /// Of an older size, which accesses were corrected by then.
    corrected: Option<BTreeSet<LeafIndex>>,
}

impl Upto<'_> {
    /// As [`Index::of_person`].
    fn of_person(&self, person: &PersonId) -> Result<Vec<LeafIndex>, OpenError> {
        Ok(self.before(self.index.of_person(person)?))
    }

    /// As [`Index::of_submission`].
    fn of_submission(&self, submission: &SubmissionId) -> Result<Vec<LeafIndex>, OpenError> {
        Ok(self.before(self.index.of_submission(submission)?))
    }

    fn before(&self, mut entries: Vec<LeafIndex>) -> Vec<LeafIndex> {
        entries.retain(|entry| entry.0 < self.size);
        entries
    }

    /// As [`Index::each_access_to`].
    fn each_access_to(&self, submission: &SubmissionId, each: EachAccess<'_>) -> Result<(), OpenError> {
        self.index.each_access_to(submission, &mut |access| {
            if access.index.0 < self.size {
                each(access);
            }
        })?;
        Ok(())
    }

    /// As [`Index::is_corrected`].
    fn is_corrected(&self, access: LeafIndex) -> bool {
        self.corrected.as_ref().map_or_else(|| self.index.is_corrected(access), |corrected| corrected.contains(&access))
    }

    /// As [`Index::pointers`].
    fn pointers(&self) -> impl Iterator<Item = (LeafIndex, LeafIndex)> {
        self.index.pointers().filter(|(entry, _)| entry.0 < self.size)
    }
}

/// An answer: rows, and what it is an answer about.
#[derive(Debug, Clone)]
pub struct Answer<Row> {
    /// The rows.
    pub rows: Vec<Row>,
    /// Entries the answer is true for.
    pub as_of: u64,
    /// When the newest of them was recorded.
    pub at: Micros,
    /// Root over them.
    pub root: RootHash,
    /// Why these may not be all rows there are; none where they are all.
    pub incomplete: Option<String>,
    /// Whether rows follow after the page that was asked for.
    pub more: bool,
}

impl Ledger {
    /// What is known after the newest entry.
    pub fn view(&self) -> View<'_> {
        View { ledger: self, size: self.size(), at: self.state.last_at, past: None }
    }

    /// What was known then. An older size is made anew from entries, which is [told](Recollection::run).
    ///
    /// # Errors
    /// The ledger is shorter, or an entry does not open.
    pub fn view_as_of(&self, as_of: AsOf, told: &mut dyn FnMut(Notice<'_>)) -> Result<View<'_>, ViewError> {
        let size = self.size_as_of(as_of)?;
        if size == self.size() {
            return Ok(self.view());
        }
        Ok(self.view_of(Arc::new(self.recollection(size)?.run(told)?)))
    }

    /// What was known then, where it was made anew before.
    pub fn view_of(&self, past: Arc<Past>) -> View<'_> {
        View { ledger: self, size: past.size, at: past.at, past: Some(past) }
    }

    /// What an answer about the entries up to then is an answer about. Unlike a view it costs nothing: it is for rows that are entries, which never change.
    ///
    /// # Errors
    /// The ledger is shorter, or an entry does not open.
    pub fn frame_as_of(&self, as_of: AsOf) -> Result<Answer<()>, ViewError> {
        let size = self.size_as_of(as_of)?;
        let at = match size.checked_sub(1) {
            _ if size == self.size() => self.state.last_at,
            Some(last) => self.recorded_at(LeafIndex(last))?,
            None => Micros::EPOCH,
        };
        // What is known stays out of it: the rows are not asked of it.
        Ok(View { ledger: self, size, at, past: None }.answer(Vec::new()))
    }

    /// The tree size a question as of then is about.
    ///
    /// # Errors
    /// The ledger is shorter, or an entry does not open.
    pub fn size_as_of(&self, as_of: AsOf) -> Result<u64, ViewError> {
        match as_of {
            AsOf::Size(asked) if asked > self.size() => Err(ViewError::Beyond { asked, size: self.size() }),
            AsOf::Size(size) => Ok(size),
            AsOf::Time(at) => Ok(self.size_at(at)?),
        }
    }

    /// Entries recorded by a time. Time strictly increases from entry to entry, so halving finds it.
    fn size_at(&self, at: Micros) -> Result<u64, OpenError> {
        let (mut low, mut high) = (0, self.size());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.recorded_at(LeafIndex(middle))? <= at { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// Of an erased entry the minute is left, which its leaf has: a question about a time within that minute takes it for earlier than it may be.
    fn recorded_at(&self, entry: LeafIndex) -> Result<Micros, OpenError> {
        let at = match unless_erased(self.entry(entry.0))? {
            Some((_, meta, _)) => meta.at,
            None => Leaf::decode(&self.leaf(entry.0)?).map_err(|e| damaged(entry.0, e))?.minute.saturating_mul(1_000_000),
        };
        Micros::new(at).map_err(|e| damaged(entry.0, e))
    }
}

impl View<'_> {
    /// Entries it is made of.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// When the newest of them was recorded.
    pub fn at(&self) -> Micros {
        self.at
    }

    /// What was known.
    pub fn facts(&self) -> &Facts {
        self.past.as_ref().map_or(&self.ledger.state.facts, |past| &past.facts)
    }

    fn index(&self) -> Result<Upto<'_>, OpenError> {
        let Some(past) = &self.past else { return Ok(Upto { index: self.ledger.index()?, size: self.size, corrected: None }) };
        let index = if self.ledger.opened_for_reading() { past.index(self.ledger)? } else { self.ledger.index()? };
        let corrections = index.pointers().filter(|(entry, _)| past.facts.is_access(*entry));
        Ok(Upto { index, size: self.size, corrected: Some(corrections.map(|(_, access)| access).collect()) })
    }

    /// Entries that concern a person, in index order: that name them, or refer to an entry about them.
    fn entries_of_person(&self, person: &PersonId) -> Result<Vec<LeafIndex>, OpenError> {
        let index = self.index()?;
        let mut entries = index.of_person(person)?;
        for (entry, target) in index.pointers() {
            if self.about(target, 0)?.persons.contains(person) {
                entries.push(entry);
            }
        }
        entries.sort_unstable();
        entries.dedup();
        Ok(entries)
    }

    /// Whom an entry is about, for an entry that refers to it: whom it names; where it names nobody, whoever the entry it refers to is about.
    fn about(&self, entry: LeafIndex, depth: usize) -> Result<Concern, OpenError> {
        // An erased entry names nobody any more.
        let Some((_, _, record)) = unless_erased(self.open(entry))? else { return Ok(Concern::default()) };
        let own = named(&record);
        if !own.persons.is_empty() || !own.submissions.is_empty() || depth > REFERRED_MAX {
            return Ok(own);
        }
        let through = concern(&record, self.facts());
        match through.pointer {
            Some(target) => self.about(target, depth + 1),
            None => Ok(through),
        }
    }

    /// Gives rows their frame. A ledger that is behind its head register, does not replay or failed in a commit knows more, or less, than it says.
    pub fn answer<Row>(&self, rows: Vec<Row>) -> Answer<Row> {
        let root = self.ledger.root_at(TreeSize(self.size)).unwrap_or_else(|| self.ledger.root());
        Answer { rows, as_of: self.size, at: self.at, root, incomplete: self.ledger.read_only().map(str::to_owned), more: false }
    }
}
