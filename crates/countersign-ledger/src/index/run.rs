//! A run: the postings of accesses and the idempotency hashes of 65,536 entries, sorted, in one file that is never changed.
//!
//! ```text
//! 16  "countersign run1"      4  number of the run      16  nonce prefix
//! …   blocks of about 4 KiB, each sealed for its place: (16 blinded key, 1 length, payload)…, ascending by key within a section
//! …   the directory, sealed: for each of three sections and each block in it, its first key, where it stands and how long it is
//!  8  where the directory stands
//! ```
//!
//! The sections: accesses by person, accesses by submission, requests. Whoever has the file and not the key learns how many blocks it has.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::memory::{Access, AccessTo, EachAccess, Page, RequestHash, Seen};
use crate::sealed::{Blind, PREFIX_LEN, Sealer, prefix};
use crate::snapshot::private;
use countersign_entry::ids::{LeafIndex, PersonId, SubmissionId};
use countersign_entry::time::Micros;

const MAGIC: &[u8; 16] = b"countersign run1";
const HEADER_LEN: usize = 16 + 4 + PREFIX_LEN;
const BLOCK_LEN: usize = 4_096;

/// Kinds of blinded names.
pub(super) const PERSON: u8 = 1;
pub(super) const SUBMISSION: u8 = 2;
pub(super) const REQUEST: u8 = 3;

const CLEARED: u8 = 1;
const REFUSED: u8 = 2;

/// Why a run cannot be read or written. It is made anew from the entries.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// The operating system failed.
    #[error("run {number}: {source}")]
    Io {
        /// Which run.
        number: u32,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is not the one that was written.
    #[error("run {0} was changed or cut")]
    Damaged(u32),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] countersign_sign::RandomError),
}

/// Where a block stands, and the first key in it.
#[derive(Clone, Copy)]
struct Block {
    first: Blind,
    at: u64,
    len: u32,
}

/// A run, open.
pub(crate) struct Run {
    number: u32,
    file: File,
    pub(super) prefix: [u8; PREFIX_LEN],
    sections: [Vec<Block>; 3],
    bytes: u64,
}

/// Postings of one section, in one piece of memory.
#[derive(Default)]
struct Postings {
    bytes: Vec<u8>,
    places: Vec<(Blind, u32, u8)>,
}

impl Postings {
    fn add(&mut self, key: Blind, parts: &[&[u8]]) {
        let start = self.bytes.len();
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        // 65,536 postings of at most 255 bytes fit.
        self.places.push((key, u32::try_from(start).unwrap_or(u32::MAX), u8::try_from(self.bytes.len() - start).unwrap_or(u8::MAX)));
    }

    /// Ascending by key; postings of one key stay in index order.
    fn sort(&mut self) {
        self.places.sort_by_key(|(key, start, _)| (*key, *start));
    }

    fn payload(&self, start: u32, len: u8) -> &[u8] {
        let start = start as usize;
        self.bytes.get(start..start + usize::from(len)).unwrap_or_default()
    }
}

pub(super) fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:08x}.run"))
}

impl Run {
    /// Writes the run of a page whose first entry has index `base`; durable when it returns.
    pub(super) fn write(dir: &Path, sealer: &Sealer, number: u32, base: u64, page: &Page) -> Result<Self, RunError> {
        let [persons, submissions, requests] = postings(sealer, base, page);
        let prefix = prefix()?;
        let header: Vec<u8> = [MAGIC.as_slice(), &number.to_be_bytes(), &prefix].concat();
        // Sealing is most of the work, and the sections know nothing of one another.
        let (first, rest) = std::thread::scope(|scope| {
            let other = scope.spawn(|| blocks(sealer, &prefix, 0, &header, &persons));
            let rest = [blocks(sealer, &prefix, 1, &header, &submissions), blocks(sealer, &prefix, 2, &header, &requests)];
            (other.join().unwrap_or_else(|_| blocks(sealer, &prefix, 0, &header, &persons)), rest)
        });
        let mut body = header.clone();
        let mut sections = [const { Vec::new() }; 3];
        for (section, built) in sections.iter_mut().zip([first].into_iter().chain(rest)) {
            for (first, sealed) in built {
                section.push(Block { first, at: body.len() as u64, len: u32::try_from(sealed.len()).unwrap_or(u32::MAX) });
                body.extend_from_slice(&sealed);
            }
        }
        let at = body.len() as u64;
        body.extend(sealer.seal(&prefix, DIRECTORY, &header, &directory(&sections)));
        body.extend_from_slice(&at.to_be_bytes());
        let failed = |source| RunError::Io { number, source };
        let place = path(dir, number);
        let temporary = place.with_extension("tmp");
        let mut file = private(&temporary).map_err(failed)?;
        file.write_all(&body).and_then(|()| file.sync_all()).map_err(failed)?;
        std::fs::rename(&temporary, &place).and_then(|()| File::open(dir)?.sync_all()).map_err(failed)?;
        let file = File::open(&place).map_err(failed)?;
        Ok(Self { number, file, prefix, sections, bytes: body.len() as u64 })
    }

    /// Opens a run that was written with this nonce prefix.
    pub(super) fn open(dir: &Path, sealer: &Sealer, number: u32, prefix: [u8; PREFIX_LEN]) -> Result<Self, RunError> {
        let failed = |source| RunError::Io { number, source };
        let file = File::open(path(dir, number)).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let damaged = || RunError::Damaged(number);
        let header: Vec<u8> = [MAGIC.as_slice(), &number.to_be_bytes(), &prefix].concat();
        let end = bytes.checked_sub(8).ok_or_else(damaged)?;
        let at = u64::from_be_bytes(read(&file, end, 8).ok().and_then(|b| b.try_into().ok()).ok_or_else(damaged)?);
        let len = end.checked_sub(at).filter(|len| *len < 1 << 26 && at >= HEADER_LEN as u64).ok_or_else(damaged)?;
        let same = read(&file, 0, HEADER_LEN as u64).map_err(failed)? == header;
        let sealed = read(&file, at, len).map_err(failed)?;
        let sections = sealer.unseal(&prefix, DIRECTORY, &header, &sealed).filter(|_| same).and_then(|d| parse_directory(&d));
        Ok(Self { number, file, prefix, sections: sections.ok_or_else(damaged)?, bytes })
    }

    /// Which run it is.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Its length in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A person's accesses, in index order.
    pub(super) fn of_person(&self, sealer: &Sealer, base: u64, person: &PersonId) -> Result<Vec<Access>, RunError> {
        self.accesses(sealer, 0, sealer.blind(PERSON, person.as_str().as_bytes()), |at, rest| {
            Some(at.access(base, person.clone(), SubmissionId::new(std::str::from_utf8(rest).ok()?).ok()?))
        })
    }

    /// Accesses to a submission, in index order.
    pub(super) fn each_to(&self, sealer: &Sealer, base: u64, submission: &SubmissionId, each: EachAccess<'_>) -> Result<(), RunError> {
        let mut whole = true;
        self.visit(sealer, 1, sealer.blind(SUBMISSION, submission.as_str().as_bytes()), &mut |payload| {
            let parts = Summary::parse(payload).and_then(|(at, rest)| Some((at, std::str::from_utf8(rest).ok()?)));
            match parts {
                Some((at, person)) => each(at.access_to(base, person)),
                None => whole = false,
            }
        })?;
        if whole { Ok(()) } else { Err(RunError::Damaged(self.number)) }
    }

    /// Where a request was used.
    pub(super) fn seen(&self, sealer: &Sealer, base: u64, key: Blind) -> Result<Option<Seen>, RunError> {
        let found = self.get(sealer, 2, key)?;
        found.first().map(|payload| seen(base, payload).ok_or(RunError::Damaged(self.number))).transpose()
    }

    /// Reads all of it, so that what was changed is found now and not when somebody asks; gives every request, blinded.
    pub(super) fn check(&self, sealer: &Sealer) -> Result<Vec<Blind>, RunError> {
        let mut requests = Vec::new();
        for (section, blocks) in self.sections.iter().enumerate() {
            for (place, block) in blocks.iter().enumerate() {
                let bytes = self.block(sealer, section, place, block)?;
                if section == 2 {
                    requests.extend(Postings::read(&bytes).map(|(key, _)| key));
                }
            }
        }
        Ok(requests)
    }

    fn accesses(
        &self,
        sealer: &Sealer,
        section: usize,
        key: Blind,
        make: impl Fn(Summary, &[u8]) -> Option<Access>,
    ) -> Result<Vec<Access>, RunError> {
        let read = |payload: &Vec<u8>| {
            let (summary, rest) = Summary::parse(payload)?;
            make(summary, rest)
        };
        self.get(sealer, section, key)?.iter().map(|payload| read(payload).ok_or(RunError::Damaged(self.number))).collect()
    }

    /// Payloads of a key, in the order they were written.
    fn get(&self, sealer: &Sealer, section: usize, key: Blind) -> Result<Vec<Vec<u8>>, RunError> {
        let mut out = Vec::new();
        self.visit(sealer, section, key, &mut |payload| out.push(payload.to_vec()))?;
        Ok(out)
    }

    fn visit(&self, sealer: &Sealer, section: usize, key: Blind, each: &mut dyn FnMut(&[u8])) -> Result<(), RunError> {
        let Some(blocks) = self.sections.get(section) else { return Ok(()) };
        // The key's first posting may stand at the end of the block before the first block that begins with it.
        let from = blocks.partition_point(|block| block.first < key).saturating_sub(1);
        for (place, block) in blocks.iter().enumerate().skip(from).take_while(|(_, block)| block.first <= key) {
            let bytes = self.block(sealer, section, place, block)?;
            Postings::read(&bytes).filter(|(k, _)| *k == key).for_each(|(_, payload)| each(payload));
        }
        Ok(())
    }

    fn block(&self, sealer: &Sealer, section: usize, place: usize, block: &Block) -> Result<Vec<u8>, RunError> {
        let sealed = read(&self.file, block.at, u64::from(block.len)).map_err(|source| RunError::Io { number: self.number, source })?;
        let header: Vec<u8> = [MAGIC.as_slice(), &self.number.to_be_bytes(), &self.prefix].concat();
        sealer.unseal(&self.prefix, at_place(section, place), &header, &sealed).ok_or(RunError::Damaged(self.number))
    }
}

/// The place of the directory among the sealed pieces of a run.
const DIRECTORY: u64 = u64::MAX;

fn at_place(section: usize, place: usize) -> u64 {
    (section as u64) << 32 | place as u64
}

impl Postings {
    fn read(block: &[u8]) -> impl Iterator<Item = (Blind, &[u8])> {
        let mut rest = block;
        std::iter::from_fn(move || {
            let (key, after) = rest.split_first_chunk::<16>()?;
            let (len, after) = after.split_first()?;
            let (payload, after) = after.split_at_checked(usize::from(*len))?;
            rest = after;
            Some((*key, payload))
        })
    }
}

fn postings(sealer: &Sealer, base: u64, page: &Page) -> [Postings; 3] {
    let [mut persons, mut submissions, mut requests] = [const { Postings { bytes: Vec::new(), places: Vec::new() } }; 3];
    for access in &page.accesses {
        let summary = Summary::of(access, base).bytes();
        let (person, submission) = (access.person.as_str().as_bytes(), access.submission.as_str().as_bytes());
        persons.add(sealer.blind(PERSON, person), &[&summary, submission]);
        submissions.add(sealer.blind(SUBMISSION, submission), &[&summary, person]);
    }
    for (key, seen) in &page.requests {
        requests.add(blind_request(sealer, key), &[&offset(seen.index, base).to_be_bytes(), &seen.request]);
    }
    let mut all = [persons, submissions, requests];
    all.iter_mut().for_each(Postings::sort);
    all
}

pub(super) fn blind_request(sealer: &Sealer, key: &RequestHash) -> Blind {
    sealer.blind(REQUEST, key)
}

fn seen(base: u64, payload: &[u8]) -> Option<Seen> {
    let (at, request) = payload.split_first_chunk::<2>()?;
    Some(Seen { index: base + u64::from(u16::from_be_bytes(*at)), request: request.try_into().ok()? })
}

fn blocks(sealer: &Sealer, prefix: &[u8; PREFIX_LEN], section: usize, header: &[u8], postings: &Postings) -> Vec<(Blind, Vec<u8>)> {
    let mut out: Vec<(Blind, Vec<u8>)> = Vec::new();
    let mut block = Vec::with_capacity(BLOCK_LEN + 300);
    let mut first = None;
    let mut end = |first: &mut Option<Blind>, block: &mut Vec<u8>| {
        if let Some(first) = first.take() {
            let place = at_place(section, out.len());
            out.push((first, sealer.seal(prefix, place, header, block)));
            block.clear();
        }
    };
    for (key, start, len) in &postings.places {
        first.get_or_insert(*key);
        block.extend_from_slice(key);
        block.push(*len);
        block.extend_from_slice(postings.payload(*start, *len));
        if block.len() >= BLOCK_LEN {
            end(&mut first, &mut block);
        }
    }
    end(&mut first, &mut block);
    out
}

fn directory(sections: &[Vec<Block>; 3]) -> Vec<u8> {
    let mut out = Vec::new();
    for section in sections {
        out.extend_from_slice(&(section.len() as u64).to_be_bytes());
        for block in section {
            out.extend_from_slice(&block.first);
            out.extend_from_slice(&block.at.to_be_bytes());
            out.extend_from_slice(&block.len.to_be_bytes());
        }
    }
    out
}

fn parse_directory(bytes: &[u8]) -> Option<[Vec<Block>; 3]> {
    let mut rest = bytes;
    let mut sections = [const { Vec::new() }; 3];
    for section in &mut sections {
        let (count, after) = rest.split_first_chunk::<8>()?;
        rest = after;
        for _ in 0..u64::from_be_bytes(*count) {
            let (first, after) = rest.split_first_chunk::<16>()?;
            let (at, after) = after.split_first_chunk::<8>()?;
            let (len, after) = after.split_first_chunk::<4>()?;
            section.push(Block { first: *first, at: u64::from_be_bytes(*at), len: u32::from_be_bytes(*len) });
            rest = after;
        }
    }
    rest.is_empty().then_some(sections)
}

/// An access in 11 bytes, whom and what left out.
struct Summary {
    offset: u16,
    occurred_at: u64,
    flags: u8,
}

impl Summary {
    fn of(access: &Access, base: u64) -> Self {
        let flags = if access.cleared { CLEARED } else { 0 } | if access.refused { REFUSED } else { 0 };
        Self { offset: offset(access.index.0, base), occurred_at: access.occurred_at.value(), flags }
    }

    fn bytes(&self) -> [u8; 11] {
        let mut bytes = [self.flags; 11];
        bytes.iter_mut().zip(self.offset.to_be_bytes().into_iter().chain(self.occurred_at.to_be_bytes())).for_each(|(to, from)| *to = from);
        bytes
    }

    fn parse(payload: &[u8]) -> Option<(Self, &[u8])> {
        let (offset, rest) = payload.split_first_chunk::<2>()?;
        let (at, rest) = rest.split_first_chunk::<8>()?;
        let (flags, rest) = rest.split_first()?;
        Some((Self { offset: u16::from_be_bytes(*offset), occurred_at: u64::from_be_bytes(*at), flags: *flags }, rest))
    }

    fn access_to<'a>(&self, base: u64, person: &'a str) -> AccessTo<'a> {
        AccessTo {
            index: LeafIndex(base + u64::from(self.offset)),
            person,
            occurred_at: Micros::new(self.occurred_at).unwrap_or(Micros::EPOCH),
            cleared: self.flags & CLEARED != 0,
            refused: self.flags & REFUSED != 0,
        }
    }

    fn access(&self, base: u64, person: PersonId, submission: SubmissionId) -> Access {
        Access {
            index: LeafIndex(base + u64::from(self.offset)),
            person,
            submission,
            occurred_at: Micros::new(self.occurred_at).unwrap_or(Micros::EPOCH),
            cleared: self.flags & CLEARED != 0,
            refused: self.flags & REFUSED != 0,
        }
    }
}

/// A run has at most 65,536 entries.
pub(super) fn offset(index: u64, base: u64) -> u16 {
    u16::try_from(index.saturating_sub(base)).unwrap_or(u16::MAX)
}

fn read(file: &File, at: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}
