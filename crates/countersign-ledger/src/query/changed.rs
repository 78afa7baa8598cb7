//! What changed since an entry.

use std::ops::ControlFlow;

use countersign_entry::ids::{LeafIndex, PersonId, PrincipalId};
use countersign_entry::leaf::Leaf;
use countersign_entry::record::Record;
use countersign_entry::time::Micros;

use super::{Answer, Page, View};
use crate::open::{OpenError, damaged, unless_erased};
use crate::state::typed;

/// One entry, and the one it takes the place of.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The entry.
    pub entry: LeafIndex,
    /// When it was recorded.
    pub recorded_at: Micros,
    /// Who recorded it.
    pub actor: PrincipalId,
    /// What it says.
    pub record: Record,
    /// What the entry it supersedes said.
    pub before: Option<Record>,
}

impl View<'_> {
    /// Every entry from `since` on, in index order: of one type, or about one person, where asked.
    ///
    /// # Errors
    /// An entry does not open, or the index does not answer.
    pub fn changed(&self, since: u64, kind: Option<&str>, person: Option<&PersonId>, page: Page) -> Result<Answer<Change>, OpenError> {
        let mut rows = match person {
            Some(person) => {
                let mut rows = Vec::new();
                for entry in self.entries_of_person(person)?.into_iter().filter(|entry| entry.0 >= since) {
                    if rows.len() >= page.enough() {
                        break;
                    }
                    // As below, where the index still knows whom an erased entry was about.
                    let Some(row) = unless_erased(self.change(entry))? else { continue };
                    if kind.is_none_or(|kind| row.record.type_name() == kind) {
                        rows.push(row);
                    }
                }
                rows
            }
            None => self.changes(since, kind, page.enough())?,
        };
        let more = page.cut(&mut rows);
        for row in &mut rows {
            let before = row.record.supersedes().map(|earlier| unless_erased(self.open(earlier))).transpose()?;
            row.before = before.flatten().map(|(_, _, record)| record);
        }
        Ok(Answer { more, ..self.answer(rows) })
    }

    fn change(&self, entry: LeafIndex) -> Result<Change, OpenError> {
        let (recorded_at, actor, record) = self.open(entry)?;
        Ok(Change { entry, recorded_at, actor, record, before: None })
    }

    /// Read in one go: entry by entry would read each segment's bytes many times.
    fn changes(&self, since: u64, kind: Option<&str>, enough: usize) -> Result<Vec<Change>, OpenError> {
        let mut rows = Ok(Vec::new());
        self.ledger.store.scan(since, &mut |index, leaf, sealed| {
            if index >= self.size || rows.as_ref().is_ok_and(|rows: &Vec<_>| rows.len() >= enough) {
                return ControlFlow::Break(());
            }
            match (&mut rows, self.parsed(index, leaf, sealed)) {
                (Ok(rows), Ok(change)) if kind.is_none_or(|kind| change.record.type_name() == kind) => rows.push(change),
                (Ok(_), Ok(_) | Err(OpenError::Shut { .. })) => {}
                (_, Err(e)) => {
                    rows = Err(e);
                    return ControlFlow::Break(());
                }
                (Err(_), _) => return ControlFlow::Break(()),
            }
            ControlFlow::Continue(())
        })?;
        rows
    }

    fn parsed(&self, index: u64, leaf: &[u8], sealed: &[u8]) -> Result<Change, OpenError> {
        let leaf = Leaf::decode(leaf).map_err(|e| damaged(index, e))?;
        let (meta, record) = self.ledger.open_record(index, &leaf, sealed)?;
        let (recorded_at, actor) = typed(&meta).ok_or_else(|| damaged(index, "time or actor"))?;
        Ok(Change { entry: LeafIndex(index), recorded_at, actor, record, before: None })
    }

    /// One entry, opened: when, by whom, what.
    pub(super) fn open(&self, entry: LeafIndex) -> Result<(Micros, PrincipalId, Record), OpenError> {
        let (_, meta, record) = self.ledger.entry(entry.0)?;
        let (at, actor) = typed(&meta).ok_or_else(|| damaged(entry.0, "time or actor"))?;
        Ok((at, actor, record))
    }
}
