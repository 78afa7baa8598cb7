//! The index on disk: runs, and in sled the directory of runs and the postings of everything that is no access. Made anew whenever anything about it
//! is not as it was written.
//!
//! sled opens a damaged file without a word, with fewer entries or none, and its `flush` does not outlast a power cut (reliability-security.md 1.1).
//! So it is opened under a guard, its file is synced after each flush, and of each run's items it must give back all and nothing else: a digest over
//! them stands in the run's line of the directory, which is sealed.
//!
//! Keys of sled: `r` and a run's number; `p` or `s`, a blinded person or submission, and a run's number; `c` and a run's number. Values are sealed
//! for their key.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use countersign_entry::ids::{LeafIndex, PersonId, SubmissionId};
use countersign_log::tree::RootHash;
use countersign_sign::datakeys::{DataKeys, SEALED_SECRET_LEN};

use super::bloom::Bloom;
use super::memory::{Access, EachAccess, Page, RequestHash, Seen};
use super::run::{PERSON, Run, RunError, SUBMISSION, blind_request, offset};
use crate::sealed::{Blind, PREFIX_LEN, Sealer, prefix};
use crate::snapshot::private;

const PURPOSE: &str = "index";
/// Bytes of memory sled may fill with pages.
const CACHE_BYTES: u64 = 64 << 20;

/// Why the index on disk does not answer. It is made anew from the entries.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiskError {
    /// A run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A file of the index.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// sled says so itself.
    #[error("sled: {0}")]
    Sled(#[from] sled::Error),
    /// sled gave up.
    #[error("sled panicked")]
    Panicked,
    /// What stands there is not what was written.
    #[error("what stands there is not what was written: {0}")]
    Changed(&'static str),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] countersign_sign::RandomError),
}

/// How long a run is, and what it was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    /// Entries of each run.
    run_len: u64,
    /// Root over everything up to the run's end.
    root: [u8; 32],
    /// Nonce prefix of the run's file and of its items.
    prefix: [u8; PREFIX_LEN],
    /// Items in sled.
    items: u64,
    /// Over those items.
    digest: [u8; 32],
}

/// What a run says beside postings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Extras {
    pub(crate) pointers: Vec<(LeafIndex, LeafIndex)>,
    pub(crate) corrected: Vec<LeafIndex>,
    pub(crate) announced: Vec<u32>,
}

/// The index on disk, open.
pub(crate) struct Disk {
    dir: PathBuf,
    run_len: u64,
    sealer: Sealer,
    db: sled::Db,
    shared: RwLock<Shared>,
}

#[derive(Default)]
struct Shared {
    runs: Vec<Arc<Run>>,
    requests: Bloom,
}

impl Disk {
    /// Starts an empty index in the place of whatever is there.
    pub(crate) fn create(dir: &Path, run_len: u64, keys: &DataKeys) -> Result<Self, DiskError> {
        match std::fs::remove_dir_all(dir) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e.into()),
            _ => {}
        }
        make_dir(dir)?;
        let (sealer, key) = Sealer::create(keys, PURPOSE, &run_len.to_be_bytes())?;
        let mut file = private(&dir.join("key"))?;
        io::Write::write_all(&mut file, &key)?;
        file.sync_all()?;
        let db = open_sled(dir)?;
        sync(&db, dir)?;
        File::open(dir)?.sync_all()?;
        Ok(Self { dir: dir.to_owned(), run_len, sealer, db, shared: RwLock::default() })
    }

    /// Opens the index, all of it checked that can be checked without the entries: `root_at` gives the ledger's root at a size, none where it is
    /// shorter. What is ahead of the ledger is cut off. Gives what the runs say beside postings, one after another.
    pub(crate) fn open(
        dir: &Path,
        run_len: u64,
        keys: &DataKeys,
        root_at: &mut dyn FnMut(u64) -> Option<RootHash>,
    ) -> Result<(Self, Vec<Extras>), DiskError> {
        let key = std::fs::read(dir.join("key"))?;
        let sealer = Sealer::open(keys, PURPOSE, &run_len.to_be_bytes(), &key)
            .filter(|_| key.len() == SEALED_SECRET_LEN)
            .ok_or(DiskError::Changed("the key"))?;
        let db = open_sled(dir)?;
        let disk = Self { dir: dir.to_owned(), run_len, sealer, db, shared: RwLock::default() };
        let extras = disk.load(root_at)?;
        Ok((disk, extras))
    }

    fn load(&self, root_at: &mut dyn FnMut(u64) -> Option<RootHash>) -> Result<Vec<Extras>, DiskError> {
        let mut extras = Vec::new();
        for number in 0.. {
            let Some(line) = self.line(number)? else { break };
            if line.run_len != self.run_len {
                return Err(DiskError::Changed("the length of a run"));
            }
            match root_at(self.base(number) + self.run_len) {
                // A crash can leave a run of entries that were never sealed. Everything from there on is cut.
                None => break,
                Some(root) if root.0 != line.root => return Err(DiskError::Changed("it is of another ledger, or of another past")),
                Some(_) => {}
            }
            let run = Run::open(&self.dir, &self.sealer, number, line.prefix)?;
            extras.push(self.extras(number, &line)?);
            self.add(run)?;
        }
        self.cut_after(extras.len())?;
        self.check_items()?;
        Ok(extras)
    }

    /// Every item of sled belongs to a run, and every run has its items.
    fn check_items(&self) -> Result<(), DiskError> {
        let count = self.runs()?.len();
        let mut sums = vec![(0u64, [0u8; 32]); count];
        guarded(|| {
            for item in self.db.iter() {
                let (key, value) = item?;
                if key.first() == Some(&b'r') {
                    continue;
                }
                let number = key.last_chunk::<4>().map(|n| u32::from_be_bytes(*n));
                let sum = number.and_then(|n| sums.get_mut(n as usize)).ok_or(DiskError::Changed("an item of no run"))?;
                add_to(sum, &key, &value);
            }
            Ok(())
        })?;
        for (number, sum) in (0u32..).zip(&sums) {
            let line = self.line(number)?.ok_or(DiskError::Changed("the directory"))?;
            if (line.items, line.digest) != *sum {
                return Err(DiskError::Changed("items of a run"));
            }
        }
        Ok(())
    }

    /// Removes what stands after the first `count` runs.
    fn cut_after(&self, count: usize) -> Result<(), DiskError> {
        guarded(|| {
            let mut batch = sled::Batch::default();
            for item in self.db.iter() {
                let (key, _) = item?;
                if key.last_chunk::<4>().is_none_or(|n| u32::from_be_bytes(*n) as usize >= count) {
                    batch.remove(key);
                }
            }
            Ok(self.db.apply_batch(batch)?)
        })
    }

    /// Entries the runs hold.
    pub(crate) fn covered(&self) -> u64 {
        self.runs().map_or(0, |runs| runs.len() as u64 * self.run_len)
    }

    /// Bytes on disk: of the runs, and of sled.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let runs = self.runs().map_or(0, |runs| runs.iter().map(|run| run.bytes()).sum());
        (runs, guarded(|| Ok(self.db.size_on_disk()?)).unwrap_or(0))
    }

    /// Makes the run of a page durable. It counts once it was [added](Disk::add).
    pub(crate) fn write(&self, number: u32, page: &Page, root: RootHash) -> Result<Run, DiskError> {
        let run = Run::write(&self.dir, &self.sealer, number, self.base(number), page)?;
        let line = Line { run_len: self.run_len, root: root.0, prefix: run.prefix, items: 0, digest: [0; 32] };
        let batch = self.batch(number, page, line)?;
        guarded(|| Ok(self.db.apply_batch(batch)?))?;
        sync(&self.db, &self.dir)?;
        Ok(run)
    }

    /// The items of a run, and its line.
    fn batch(&self, number: u32, page: &Page, line: Line) -> Result<sled::Batch, DiskError> {
        let base = self.base(number);
        let mut items: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for (person, entries) in &page.persons {
            items.push((item_key(b'p', self.sealer.blind(PERSON, person.as_str().as_bytes()), number), offsets(entries, base)));
        }
        for (submission, entries) in &page.submissions {
            items.push((item_key(b's', self.sealer.blind(SUBMISSION, submission.as_str().as_bytes()), number), offsets(entries, base)));
        }
        items.push((extras_key(number), extras_bytes(page)));
        let nonces = prefix()?;
        let (mut batch, mut sum) = (sled::Batch::default(), (0, [0; 32]));
        for (key, plain) in items {
            let value = self.seal(&nonces, sum.0, &key, &plain);
            add_to(&mut sum, &key, &value);
            batch.insert(key, value);
        }
        let (key, line) = (line_key(number), Line { items: sum.0, digest: sum.1, ..line });
        batch.insert(key.clone(), self.seal(&prefix()?, 0, &key, &line.bytes()));
        Ok(batch)
    }

    /// Takes a written run into the answers, the next one, after reading it to its end.
    pub(crate) fn add(&self, run: Run) -> Result<(), DiskError> {
        let requests = run.check(&self.sealer)?;
        let mut shared = self.shared.write().map_err(|_| DiskError::Panicked)?;
        requests.into_iter().for_each(|key| shared.requests.insert(key));
        shared.runs.push(Arc::new(run));
        Ok(())
    }

    fn runs(&self) -> Result<Vec<Arc<Run>>, DiskError> {
        Ok(self.shared.read().map_err(|_| DiskError::Panicked)?.runs.clone())
    }

    fn base(&self, number: u32) -> u64 {
        u64::from(number) * self.run_len
    }

    /// Entries that concern a person, in index order.
    pub(crate) fn of_person(&self, person: &PersonId) -> Result<Vec<LeafIndex>, DiskError> {
        let mut out = self.posted(b'p', self.sealer.blind(PERSON, person.as_str().as_bytes()))?;
        out.extend(self.accesses_of(person)?.iter().map(|a| a.index));
        out.sort_unstable();
        Ok(out)
    }

    /// Entries that concern a submission, in index order.
    pub(crate) fn of_submission(&self, submission: &SubmissionId) -> Result<Vec<LeafIndex>, DiskError> {
        let mut out = self.posted(b's', self.sealer.blind(SUBMISSION, submission.as_str().as_bytes()))?;
        self.each_access_to(submission, &mut |access| out.push(access.index))?;
        out.sort_unstable();
        Ok(out)
    }

    /// A person's accesses, in index order.
    pub(crate) fn accesses_of(&self, person: &PersonId) -> Result<Vec<Access>, DiskError> {
        self.each_run(|run, base| run.of_person(&self.sealer, base, person))
    }

    /// Accesses to a submission, in index order.
    pub(crate) fn each_access_to(&self, submission: &SubmissionId, each: EachAccess<'_>) -> Result<(), DiskError> {
        for run in self.runs()?.iter() {
            run.each_to(&self.sealer, self.base(run.number()), submission, each)?;
        }
        Ok(())
    }

    /// Where a request was used.
    pub(crate) fn seen(&self, key: &RequestHash) -> Result<Option<Seen>, DiskError> {
        let key = blind_request(&self.sealer, key);
        let shared = self.shared.read().map_err(|_| DiskError::Panicked)?;
        if !shared.requests.may_hold(key) {
            return Ok(None);
        }
        for run in shared.runs.iter().rev() {
            if let Some(seen) = run.seen(&self.sealer, self.base(run.number()), key)? {
                return Ok(Some(seen));
            }
        }
        Ok(None)
    }

    fn each_run<T>(&self, mut read: impl FnMut(&Run, u64) -> Result<Vec<T>, RunError>) -> Result<Vec<T>, DiskError> {
        let mut out = Vec::new();
        for run in self.runs()?.iter() {
            out.extend(read(run, self.base(run.number()))?);
        }
        Ok(out)
    }

    fn posted(&self, kind: u8, blind: Blind) -> Result<Vec<LeafIndex>, DiskError> {
        let prefix: Vec<u8> = [&[kind], blind.as_slice()].concat();
        let items: Vec<(sled::IVec, sled::IVec)> = guarded(|| Ok(self.db.scan_prefix(&prefix).collect::<Result<_, _>>()?))?;
        let mut out = Vec::new();
        for (key, value) in &items {
            let number = key.last_chunk::<4>().map(|n| u32::from_be_bytes(*n)).ok_or(DiskError::Changed("an item's key"))?;
            let plain = self.unseal(key, value).ok_or(DiskError::Changed("an item"))?;
            let base = self.base(number);
            out.extend(plain.as_chunks::<2>().0.iter().map(|at| LeafIndex(base + u64::from(u16::from_be_bytes(*at)))));
        }
        Ok(out)
    }

    fn line(&self, number: u32) -> Result<Option<Line>, DiskError> {
        let key = line_key(number);
        let Some(value) = guarded(|| Ok(self.db.get(&key)?))? else { return Ok(None) };
        let line = self.unseal(&key, &value).and_then(|plain| Line::parse(&plain));
        line.map(Some).ok_or(DiskError::Changed("a line of the directory"))
    }

    fn extras(&self, number: u32, line: &Line) -> Result<Extras, DiskError> {
        let key = extras_key(number);
        let value = guarded(|| Ok(self.db.get(&key)?))?.filter(|_| line.items > 0).ok_or(DiskError::Changed("an item is gone"))?;
        self.unseal(&key, &value).and_then(|plain| parse_extras(&plain)).ok_or(DiskError::Changed("an item"))
    }

    /// Nonce prefix, place, and the value sealed for its key.
    fn seal(&self, prefix: &[u8; PREFIX_LEN], place: u64, key: &[u8], plain: &[u8]) -> Vec<u8> {
        [prefix.as_slice(), &place.to_be_bytes(), &self.sealer.seal(prefix, place, key, plain)].concat()
    }

    fn unseal(&self, key: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        let (prefix, rest) = value.split_first_chunk::<PREFIX_LEN>()?;
        let (place, sealed) = rest.split_first_chunk::<8>()?;
        self.sealer.unseal(prefix, u64::from_be_bytes(*place), key, sealed)
    }
}

impl Line {
    fn bytes(&self) -> Vec<u8> {
        [&self.run_len.to_be_bytes(), self.root.as_slice(), &self.prefix, &self.items.to_be_bytes(), &self.digest].concat()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (run_len, rest) = bytes.split_first_chunk::<8>()?;
        let (root, rest) = rest.split_first_chunk::<32>()?;
        let (prefix, rest) = rest.split_first_chunk::<PREFIX_LEN>()?;
        let (items, digest) = rest.split_first_chunk::<8>()?;
        let (run_len, items) = (u64::from_be_bytes(*run_len), u64::from_be_bytes(*items));
        Some(Self { run_len, root: *root, prefix: *prefix, items, digest: digest.try_into().ok()? })
    }
}

fn line_key(number: u32) -> Vec<u8> {
    [b"r".as_slice(), &number.to_be_bytes()].concat()
}

fn extras_key(number: u32) -> Vec<u8> {
    [b"c".as_slice(), &number.to_be_bytes()].concat()
}

fn item_key(kind: u8, blind: Blind, number: u32) -> Vec<u8> {
    [&[kind], blind.as_slice(), &number.to_be_bytes()].concat()
}

/// Adds an item to a digest that does not depend on the order of items.
fn add_to(sum: &mut (u64, [u8; 32]), key: &[u8], value: &[u8]) {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_be_bytes());
    hasher.update(key);
    hasher.update(value);
    sum.0 += 1;
    sum.1.iter_mut().zip(hasher.finalize().as_bytes()).for_each(|(sum, byte)| *sum ^= byte);
}

fn offsets(entries: &[LeafIndex], base: u64) -> Vec<u8> {
    entries.iter().flat_map(|entry| offset(entry.0, base).to_be_bytes()).collect()
}

fn extras_bytes(page: &Page) -> Vec<u8> {
    let mut out = Vec::new();
    let mut list = |values: &mut dyn Iterator<Item = u64>| {
        let values: Vec<u64> = values.collect();
        out.extend_from_slice(&(values.len() as u64).to_be_bytes());
        values.iter().for_each(|v| out.extend_from_slice(&v.to_be_bytes()));
    };
    list(&mut page.pointers.iter().flat_map(|(entry, target)| [entry.0, target.0]));
    list(&mut page.corrected.iter().map(|entry| entry.0));
    list(&mut page.announced.iter().map(|id| u64::from(*id)));
    out
}

fn parse_extras(bytes: &[u8]) -> Option<Extras> {
    let mut words = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_be_bytes(*word));
    let mut list = || -> Option<Vec<u64>> {
        let count = usize::try_from(words.next()?).ok()?;
        let values: Vec<u64> = words.by_ref().take(count).collect();
        (values.len() == count).then_some(values)
    };
    let pointers = list()?.as_chunks::<2>().0.iter().map(|[entry, target]| (LeafIndex(*entry), LeafIndex(*target))).collect();
    let corrected = list()?.into_iter().map(LeafIndex).collect();
    let announced = list()?.into_iter().map(u32::try_from).collect::<Result<_, _>>().ok()?;
    Some(Extras { pointers, corrected, announced })
}

fn open_sled(dir: &Path) -> Result<sled::Db, DiskError> {
    // No timer flushes behind our back: what is not flushed and synced with its run does not count.
    guarded(|| Ok(sled::Config::new().path(dir.join("entities")).cache_capacity(CACHE_BYTES).flush_every_ms(None).open()?))
}

/// sled's own flush only hands pages to the operating system.
fn sync(db: &sled::Db, dir: &Path) -> Result<(), DiskError> {
    guarded(|| Ok(db.flush()?))?;
    Ok(File::open(dir.join("entities").join("db"))?.sync_all()?)
}

/// Runs what calls sled: over damaged pages it may panic.
fn guarded<T>(call: impl FnOnce() -> Result<T, DiskError>) -> Result<T, DiskError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(DiskError::Panicked))
}

fn make_dir(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).recursive(true).create(dir)
}
