//! Which entries concern whom, and which requests were made. Never the truth: whatever is wrong with it, it is made anew from the entries.
//!
//! Entries come in pages of [`RUN_LEN`]. A page lives in memory until its entries are durable and it is full; then it becomes a run on disk
//! ([`run`], [`disk`]) behind the sequencer's back. So answers never lag behind the head, what is on disk does ([`Index::lag`]), and a ledger of
//! less than a page keeps nothing on disk at all.

mod bloom;
mod concern;
mod disk;
mod memory;
mod peek;
mod rebuild;
mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread::JoinHandle;

use countersign_entry::ids::{LeafIndex, PersonId, SubmissionId};
use countersign_entry::record::Record;
use countersign_log::tree::RootHash;

use self::concern::posted;
pub(crate) use self::concern::{Before, Concern, concern, named};
pub(crate) use self::disk::{Disk, DiskError, Extras};
pub(crate) use self::memory::{Access, AccessTo, EachAccess, Page, RequestHash, Seen};
pub(crate) use self::rebuild::Source;

/// Entries of a run. Offsets within a run have two bytes.
pub const RUN_LEN: u64 = 65_536;

/// How far behind others a thread that writes a run comes. On Linux alone each thread has a priority of its own.
#[cfg(target_os = "linux")]
const WRITING_NICE: i32 = 10;

/// Whom entries concern, all of them up to the newest.
pub(crate) struct Index {
    run_len: u64,
    disk: Option<Arc<Disk>>,
    /// Pages that are no run yet, by number.
    pages: BTreeMap<u32, Arc<Page>>,
    writing: Option<(u32, JoinHandle<Result<(), DiskError>>)>,
    /// Why no more runs are written, if they are not; the pages stay in memory.
    trouble: Option<String>,
    /// Entries that are about whoever another entry is about.
    pointers: BTreeMap<LeafIndex, LeafIndex>,
    /// Accesses that a later entry took the place of.
    corrected: BTreeSet<LeafIndex>,
    /// Data keys that have their `datakey.created`.
    pub(crate) announced: BTreeSet<u32>,
}

impl Default for Index {
    fn default() -> Self {
        Self::in_memory(RUN_LEN)
    }
}

impl Index {
    /// An empty index that keeps nothing on disk.
    pub(crate) fn in_memory(run_len: u64) -> Self {
        Self {
            run_len: run_len.clamp(1, RUN_LEN),
            disk: None,
            pages: BTreeMap::new(),
            writing: None,
            trouble: None,
            pointers: BTreeMap::new(),
            corrected: BTreeSet::new(),
            announced: BTreeSet::new(),
        }
    }

    /// An index whose runs are on disk, as far as there are some.
    pub(crate) fn on_disk(run_len: u64, disk: Disk, extras: Vec<Extras>) -> Self {
        let mut index = Self::in_memory(run_len);
        index.disk = Some(Arc::new(disk));
        for extras in extras {
            index.pointers.extend(extras.pointers);
            index.corrected.extend(extras.corrected);
            index.announced.extend(extras.announced);
        }
        index
    }

    /// Whether full pages become runs.
    pub(crate) fn is_on_disk(&self) -> bool {
        self.disk.is_some()
    }

    /// Whether something went wrong with writing runs.
    pub(crate) fn has_trouble(&self) -> bool {
        self.trouble.is_some()
    }

    /// Writes no runs any more.
    pub(crate) fn give_up(&mut self, why: String) {
        self.trouble = Some(why);
    }

    /// From memory to an empty disk: every full page becomes a run, given the roots at their ends.
    pub(crate) fn move_to(&mut self, disk: Disk, roots: &[RootHash]) -> Result<(), DiskError> {
        for (number, root) in (0u32..).zip(roots) {
            let Some(page) = self.pages.get(&number) else { break };
            disk.add(disk.write(number, page, *root)?)?;
            self.pages.remove(&number);
        }
        self.disk = Some(Arc::new(disk));
        Ok(())
    }

    /// Entries that are in runs.
    pub(crate) fn covered(&self) -> u64 {
        self.disk.as_ref().map_or(0, |disk| disk.covered())
    }

    /// Entries of the ledger's `size` that are in no run yet.
    pub(crate) fn lag(&self, size: u64) -> u64 {
        size.saturating_sub(self.covered())
    }

    /// Bytes on disk, of runs and of sled, and why runs are no longer written, if they are not.
    pub(crate) fn standing(&self) -> (u64, u64, Option<&str>) {
        let (runs, sled) = self.disk.as_ref().map_or((0, 0), |disk| disk.bytes());
        (runs, sled, self.trouble.as_deref())
    }

    /// Takes in an entry. `before` is what was known before it.
    pub(crate) fn take(&mut self, index: u64, record: &Record, before: &impl Before, key: RequestHash, request: [u8; 16]) {
        let concern = posted(record, before);
        let Ok(number) = u32::try_from(index / self.run_len) else { return };
        let page = Arc::make_mut(self.pages.entry(number).or_default());
        page.requests.insert(key, Seen { index, request });
        self.pointers.extend(concern.pointer.map(|target| (LeafIndex(index), target)));
        take_into(page, LeafIndex(index), record, concern);
        if let Record::AccessEvent(r) = record {
            self.corrected.extend(r.supersedes);
        }
        if let Record::DataKeyCreated(r) = record {
            self.announced.insert(r.key_id);
        }
    }

    /// Takes in the page of the entries after the last run, or makes it a run where it is full.
    pub(crate) fn take_page(&mut self, page: Page, full: Option<RootHash>) -> Result<(), DiskError> {
        self.pointers.extend(&page.pointers);
        self.corrected.extend(&page.corrected);
        self.announced.extend(&page.announced);
        let number = u32::try_from(self.covered() / self.run_len).unwrap_or(u32::MAX);
        if let (Some(root), Some(disk)) = (full, &self.disk) {
            return disk.add(disk.write(number, &page, root)?);
        }
        let after = self.pages.last_key_value().map_or(number, |(last, _)| last + 1);
        self.pages.insert(after, Arc::new(page));
        Ok(())
    }

    /// Tells that the entries before `size` have their leaves. A page they fill becomes a run on a thread of its own.
    pub(crate) fn leaves_taken(&mut self, size: u64, root: impl FnOnce() -> RootHash) {
        if size.is_multiple_of(self.run_len) && size > 0 {
            self.finish_writing();
            self.begin_writing(size, root());
        }
    }

    fn begin_writing(&mut self, size: u64, root: RootHash) {
        let (Some(disk), None) = (&self.disk, &self.trouble) else { return };
        let Ok(number) = u32::try_from(size / self.run_len - 1) else { return };
        // A run is written only behind the one before it.
        let Some(page) = self.pages.get(&number).filter(|_| disk.covered() == u64::from(number) * self.run_len) else { return };
        let (disk, page) = (Arc::clone(disk), Arc::clone(page));
        let thread = std::thread::Builder::new().name("index".into());
        let write = move || {
            // Nobody waits for it before the next page is full, and commits do for a processor. Where it cannot be said it is only slower.
            #[cfg(target_os = "linux")]
            rustix::process::setpriority_process(None, WRITING_NICE).unwrap_or_default();
            disk.add(disk.write(number, &page, root)?)
        };
        match thread.spawn(write) {
            Ok(writing) => self.writing = Some((number, writing)),
            Err(e) => self.trouble = Some(e.to_string()),
        }
    }

    /// Waits for the run that is being written.
    pub(crate) fn finish_writing(&mut self) {
        let Some((number, writing)) = self.writing.take() else { return };
        match writing.join() {
            Ok(Ok(())) => drop(self.pages.remove(&number)),
            Ok(Err(e)) => self.trouble = Some(e.to_string()),
            Err(_) => self.trouble = Some("the thread that wrote a run died".into()),
        }
    }

    /// Where an idempotency key was used.
    pub(crate) fn seen(&self, key: &RequestHash) -> Result<Option<Seen>, DiskError> {
        if let Some(seen) = self.pages.values().rev().find_map(|page| page.requests.get(key)) {
            return Ok(Some(*seen));
        }
        self.disk.as_ref().map_or(Ok(None), |disk| disk.seen(key))
    }

    /// Entries that concern a person, in index order; those that only [point](Index::pointers) to one that does left out.
    pub(crate) fn of_person(&self, person: &PersonId) -> Result<Vec<LeafIndex>, DiskError> {
        let (disk, pages) = self.parts();
        let mut out = disk.map_or(Ok(Vec::new()), |disk| disk.of_person(person))?;
        out.extend(pages.flat_map(|page| page.of_person(person)));
        out.sort_unstable();
        out.dedup();
        Ok(out)
    }

    /// Entries that concern a submission, in index order; those that only point to one that does left out.
    pub(crate) fn of_submission(&self, submission: &SubmissionId) -> Result<Vec<LeafIndex>, DiskError> {
        let (disk, pages) = self.parts();
        let mut out = disk.map_or(Ok(Vec::new()), |disk| disk.of_submission(submission))?;
        out.extend(pages.flat_map(|page| page.of_submission(submission)));
        out.sort_unstable();
        out.dedup();
        Ok(out)
    }

    /// Accesses to a submission, in index order, each once.
    pub(crate) fn each_access_to(&self, submission: &SubmissionId, each: EachAccess<'_>) -> Result<(), DiskError> {
        let (disk, pages) = self.parts();
        let mut next = LeafIndex(0);
        // A page that became a run in between answers twice.
        let mut once = |access: AccessTo<'_>| {
            if access.index >= next {
                next = LeafIndex(access.index.0 + 1);
                each(access);
            }
        };
        if let Some(disk) = disk {
            disk.each_access_to(submission, &mut once)?;
        }
        pages.flat_map(|page| page.accesses.iter().filter(|a| a.submission == *submission)).for_each(|a| once(a.into()));
        Ok(())
    }

    /// Whether a later entry took the place of an access.
    pub(crate) fn is_corrected(&self, access: LeafIndex) -> bool {
        self.corrected.contains(&access)
    }

    /// Entries that are about whoever another entry is about, and that entry.
    pub(crate) fn pointers(&self) -> impl Iterator<Item = (LeafIndex, LeafIndex)> {
        self.pointers.iter().map(|(entry, target)| (*entry, *target))
    }

    /// Runs, and the pages that were none yet when this was asked. One that becomes a run before the runs are read answers twice.
    fn parts(&self) -> (Option<&Disk>, impl Iterator<Item = &Page>) {
        let covered = self.covered();
        let pages = self.pages.iter().filter(move |(number, _)| u64::from(**number) * self.run_len >= covered);
        (self.disk.as_deref(), pages.map(|(_, page)| &**page))
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.finish_writing();
    }
}

fn take_into(page: &mut Page, index: LeafIndex, record: &Record, concern: Concern) {
    match record {
        Record::AccessEvent(r) => page.take_access(Access::of(index, r), r.supersedes, concern),
        Record::DataKeyCreated(r) => page.announced.push(r.key_id),
        _ => page.post(index, concern),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use countersign_conflict::Facts;
    use countersign_entry::record::{AccessEvent, Trade};
    use countersign_entry::time::Micros;
    use countersign_testing::{records, scene};
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    struct Human<'a>(&'a Record);

    impl serde::Serialize for Human<'_> {
        fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            self.0.to_human(s)
        }
    }

    /// Every text of a record that is, alone or behind `person:`, a person's id. Slow and blind to types, so it misses none.
    fn people_in(value: &Value, out: &mut BTreeSet<PersonId>) {
        match value {
            Value::String(text) => out.extend(PersonId::new(text.strip_prefix("person:").unwrap_or(text))),
            Value::Array(items) => items.iter().for_each(|v| people_in(v, out)),
            Value::Object(fields) => fields.values().for_each(|v| people_in(v, out)),
            _ => {}
        }
    }

    /// Takes a record in as the ledger does: whom it is about, then what it says.
    fn take(index: &mut Index, facts: &mut Facts, at: u64, record: &Record) {
        index.take(at, record, facts, [at as u8; 16], [0; 16]);
        facts.apply(LeafIndex(at), Micros::EPOCH.plus(at), &scene::text(scene::ETHICS), record);
    }

    proptest! {
        #[test]
        fn whoever_a_record_names_has_it_in_their_history(record in records::record()) {
            let mut people = BTreeSet::new();
            // What a gateway tells in `detail` and what somebody asked are not fields that name people.
            if !matches!(record, Record::AccessEvent(_) | Record::Read(_)) {
                people_in(&serde_json::to_value(Human(&record)).unwrap_or_default(), &mut people);
            }
            let mut index = Index::default();
            take(&mut index, &mut Facts::default(), 7, &record);
            for person in &people {
                prop_assert_eq!(index.of_person(person).unwrap(), vec![LeafIndex(7)], "{}", record.type_name());
            }
        }
    }

    #[test]
    fn a_record_that_changes_hands_stands_in_both_histories_and_hands_on_only_the_new_one() {
        let trade = |person: &str, supersedes: Option<u64>| {
            Record::from(Trade { supersedes: supersedes.map(LeafIndex), ..scene::trade("t-1", person, None, "2026-06-01") })
        };
        let (mut index, mut facts) = (Index::default(), Facts::default());
        for (at, record) in [(1, trade("P-0001", None)), (2, trade("P-0002", Some(1))), (3, trade("P-0002", Some(2)))] {
            take(&mut index, &mut facts, at, &record);
        }
        assert_eq!(index.of_person(&scene::text("P-0001")).unwrap(), [LeafIndex(1), LeafIndex(2)]);
        assert_eq!(index.of_person(&scene::text("P-0002")).unwrap(), [LeafIndex(2), LeafIndex(3)]);
    }

    #[test]
    fn an_access_that_was_corrected_is_marked_and_points_to_the_other() {
        let access = |person: &str, supersedes: Option<u64>| {
            Record::from(AccessEvent { supersedes: supersedes.map(LeafIndex), ..scene::access(person, None, Micros::EPOCH) })
        };
        let (mut index, mut facts) = (Index::default(), Facts::default());
        take(&mut index, &mut facts, 1, &access("P-0001", None));
        take(&mut index, &mut facts, 2, &access("P-0002", Some(1)));
        assert!(index.is_corrected(LeafIndex(1)) && !index.is_corrected(LeafIndex(2)));
        assert_eq!(index.pointers().collect::<Vec<_>>(), [(LeafIndex(2), LeafIndex(1))]);
    }
}
