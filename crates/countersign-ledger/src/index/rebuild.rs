//! Runs out of the entries: what the index missed while nobody kept it, or all of it.

use std::ops::ControlFlow;

use countersign_conflict::Facts;
use countersign_entry::content::Content;
use countersign_entry::ids::LeafIndex;
use countersign_entry::record::Record;
use countersign_sign::datakeys::DataKeys;
use countersign_store::Store;

use super::concern::{Before, Rereading, beside_access, posted};
use super::memory::{Page, Seen};
use super::peek::{Peeked, peek};
use crate::open::{OpenError, damaged};
use crate::state::{key_hash, request_hash};
use crate::stored::{by_two, content_of, record_of};

/// Where entries are read from, and what is known after the newest.
pub(crate) struct Source<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) keys: &'a DataKeys,
    pub(crate) origin_hash: &'a [u8; 32],
    pub(crate) facts: &'a Facts,
}

/// An entry, opened as far as the index needs it.
enum Opened {
    Access(Peeked),
    Other { record: Box<Record>, key: [u8; 16], request: [u8; 16] },
}

impl Source<'_> {
    /// The page of the entries from `first` to before `end`.
    pub(crate) fn page(&self, first: u64, end: u64) -> Result<Page, OpenError> {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        self.store.scan(first, &mut |index, _, sealed| {
            if index >= end {
                return ControlFlow::Break(());
            }
            bytes.extend_from_slice(sealed);
            ends.push(bytes.len());
            ControlFlow::Continue(())
        })?;
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let sealed: Vec<(u64, &[u8])> =
            (first..).zip(starts.zip(&ends)).map(|(index, (start, end))| (index, bytes.get(start..*end).unwrap_or_default())).collect();
        let mut page = Page::default();
        let (keys, origin_hash) = (self.keys, self.origin_hash);
        let all = by_two(&sealed, |(index, sealed)| opened(*index, sealed, keys, origin_hash));
        let earlier = |entry: LeafIndex| self.record(entry.0);
        let before = Rereading { later: self.facts, entry: &earlier };
        for (opened, index) in all.into_iter().zip(first..) {
            match opened {
                // Erased: nobody finds it by what it said.
                Err(OpenError::Shut { .. }) => {}
                opened => take(&mut page, index, opened?, &before),
            }
        }
        Ok(page)
    }

    fn record(&self, index: u64) -> Option<Record> {
        let stored = self.store.read(index).ok()?;
        let content = content_of(index, &stored.sealed, self.keys, self.origin_hash).ok()?;
        Some(record_of(index, &Content::decode(&content).ok()?).ok()?.1)
    }
}

fn take(page: &mut Page, index: u64, opened: Opened, before: &impl Before) {
    match opened {
        Opened::Access(peeked) => {
            page.requests.insert(peeked.key, Seen { index, request: peeked.request });
            let through = peeked.grant.and_then(|grant| before.grant(grant));
            let concern = beside_access(&peeked.access.person, &peeked.access.submission, through, peeked.supersedes);
            page.take_access(peeked.access, peeked.supersedes, concern);
        }
        Opened::Other { record, key, request } => {
            page.requests.insert(key, Seen { index, request });
            super::take_into(page, LeafIndex(index), &record, posted(&record, before));
        }
    }
}

fn opened(index: u64, sealed: &[u8], keys: &DataKeys, origin_hash: &[u8; 32]) -> Result<Opened, OpenError> {
    let content = content_of(index, sealed, keys, origin_hash)?;
    if let Some(peeked) = peek(LeafIndex(index), &content) {
        return Ok(Opened::Access(peeked));
    }
    let content = Content::decode(&content).map_err(|e| damaged(index, e))?;
    let (meta, record) = record_of(index, &content)?;
    Ok(Opened::Other { key: key_hash(&meta.actor, &meta.request), request: request_hash(&record), record: Box::new(record) })
}
