//! The facts snapshot: what was known after a commit, so that a start replays only what came after it.
//!
//! `DIR/snapshot` is sealed under a key that is itself sealed under the key-encryption key for one origin, size and root, so nobody without the
//! ledger's keys can make one, and one of another ledger, size or past does not open. A start takes it up only if the tree it restores grows to the
//! signed root; whatever is wrong with it, the ledger is replayed from its first entry instead. It holds nothing that the entries do not give.
//!
//! ```text
//! 24  "countersign snapshot v1\n"
//!  8  size      32  root      72  sealed key      16  nonce prefix
//! …   blocks of 1 MiB and a last one that is shorter, each sealed for its place
//! ```
//!
//! Written beside the old one, made durable and renamed: a crash leaves the one or the other. Of the old ones some are kept as `DIR/snapshots/SIZE`, so
//! that a question as of then reads only the entries between one of them and then; no start goes on from those.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use countersign_conflict::{FACTS_VERSION, Facts, rules};
use countersign_entry::time::Micros;
use countersign_log::chain::ChainHash;
use countersign_log::tree::{LeafHash, NodeHash, RootHash, Tree, TreeSize};
use countersign_log::vkey::VKey;
use countersign_sign::datakeys::{DataKeys, SEALED_SECRET_LEN};
use serde::{Deserialize, Serialize};

use crate::compartments::Compartments;
use crate::keys::{KeptKeys, LogKeys};
use crate::redact::Rewritten;
use crate::sealed::{PREFIX_LEN, Sealer, TAG_LEN, prefix};
use crate::state::State;

const MAGIC: &[u8; 24] = b"countersign snapshot v1\n";
const PURPOSE: &str = "facts snapshot";
const BLOCK_LEN: usize = 1 << 20;

/// Why there is no snapshot to start from. The ledger is replayed from its first entry, so this is told and nothing else.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    /// None was written yet.
    #[error("there is none yet")]
    Missing,
    /// It could not be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Not made by this ledger's keys for this origin, size and root, or changed since.
    #[error("it does not authenticate")]
    Unauthentic,
    /// Made by another version, or under other rules.
    #[error("it was made by another version")]
    OtherVersion,
    /// It is of a longer ledger than the store holds.
    #[error("it is of size {0}, and the store is shorter")]
    Ahead(u64),
    /// It was made of another past than the signed one.
    #[error("what follows it does not give the signed root, or does not replay")]
    OtherPast,
    /// It authenticates and does not fit itself.
    #[error("it contradicts itself")]
    Contradiction,
    /// No randomness.
    #[error(transparent)]
    Random(#[from] countersign_sign::RandomError),
    /// Facts that have no bytes.
    #[error("the facts could not be written: {0}")]
    Encode(String),
}

/// What a start goes on from.
pub(crate) struct Restored {
    pub(crate) facts: Facts,
    pub(crate) tree: Tree,
    pub(crate) chain: ChainHash,
    pub(crate) last_at: Micros,
    pub(crate) keys: LogKeys,
    pub(crate) erased: BTreeMap<u32, u64>,
    pub(crate) compartments: Compartments,
    pub(crate) rewritten: Rewritten,
    /// Everything due by then was recorded, and what was due and came to nothing forgotten.
    pub(crate) settled_at: Micros,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<F, B, C, R> {
    facts_version: u32,
    rule_set: String,
    facts: F,
    chain: B,
    last_at: Micros,
    settled_at: Micros,
    keys: KeptKeys,
    erased: BTreeMap<u32, u64>,
    compartments: C,
    rewritten: R,
    tiles: B,
    tail: B,
}

/// Where the newest snapshot of a ledger in a directory is.
fn newest(dir: &Path) -> PathBuf {
    dir.join("snapshot")
}

/// Where older ones are.
fn older(dir: &Path) -> PathBuf {
    dir.join("snapshots")
}

fn older_of(dir: &Path, size: u64) -> PathBuf {
    older(dir).join(size.to_string())
}

/// Sizes of the older ones, ascending.
fn older_sizes(dir: &Path) -> io::Result<Vec<u64>> {
    let files = match std::fs::read_dir(older(dir)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        files => files?,
    };
    let mut sizes = Vec::new();
    for file in files {
        sizes.extend(file?.file_name().to_str().and_then(|name| name.parse::<u64>().ok()));
    }
    sizes.sort_unstable();
    Ok(sizes)
}

/// Writes what is known after the newest commit; everything due by `settled_at` is recorded. Durable when it returns. The one before is kept where `apart`
/// entries or more lie between it and the last one that was.
pub(crate) fn write(dir: &Path, keys: &DataKeys, state: &State, settled_at: Micros, apart: u64) -> Result<(), SnapshotError> {
    let temporary = sealed_in(dir, keys, state, &state.facts, settled_at)?;
    let (kept, of_another_past): (Vec<u64>, Vec<u64>) = older_sizes(dir)?.into_iter().partition(|size| *size < state.size());
    for size in of_another_past {
        std::fs::remove_file(older_of(dir, size))?;
    }
    let before = size_in(&newest(dir)).filter(|before| *before < state.size());
    if let Some(before) = before.filter(|before| *before >= kept.last().copied().unwrap_or(0).saturating_add(apart)) {
        make_private(&older(dir))?;
        let to = older_of(dir, before);
        // Where nothing can be linked, a crash right here leaves none that a start would go on from.
        std::fs::hard_link(newest(dir), &to).or_else(|_| std::fs::rename(newest(dir), &to))?;
    }
    std::fs::rename(&temporary, newest(dir))?;
    Ok(File::open(dir)?.sync_all()?)
}

/// Writes what was known at the size that a replay has come to, among the older ones.
pub(crate) fn write_older(dir: &Path, keys: &DataKeys, state: &State, facts: &Facts) -> Result<(), SnapshotError> {
    let temporary = sealed_in(dir, keys, state, facts, state.last_at)?;
    make_private(&older(dir))?;
    Ok(std::fs::rename(temporary, older_of(dir, state.size()))?)
}

/// Removes every one: what was erased since must not be left in any.
pub(crate) fn forget(dir: &Path) -> io::Result<()> {
    gone(std::fs::remove_file(newest(dir)))?;
    gone(std::fs::remove_file(temporary(dir)))?;
    gone(std::fs::remove_dir_all(older(dir)))?;
    // A power cut must not bring any of them back.
    File::open(dir)?.sync_all()
}

/// What was not there is removed as well.
pub(crate) fn gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })
}

fn make_private(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// The size a snapshot says it is of.
fn size_in(path: &Path) -> Option<u64> {
    let mut head = [0; MAGIC.len() + 8];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).ok()?;
    head.last_chunk().map(|size| u64::from_be_bytes(*size))
}

fn temporary(dir: &Path) -> PathBuf {
    dir.join("snapshot.tmp")
}

/// Writes a snapshot that has no name yet, durably, or leaves nothing. Where it is.
fn sealed_in(dir: &Path, keys: &DataKeys, state: &State, facts: &Facts, settled_at: Micros) -> Result<PathBuf, SnapshotError> {
    seal(dir, keys, state, facts, settled_at).inspect_err(|_| gone(std::fs::remove_file(temporary(dir))).unwrap_or(()))
}

fn seal(dir: &Path, keys: &DataKeys, state: &State, facts: &Facts, settled_at: Micros) -> Result<PathBuf, SnapshotError> {
    let tree = &state.tree;
    let (size, root) = (tree.size(), tree.root());
    let context = context(size, root);
    let (sealer, key) = Sealer::create(keys, PURPOSE, &context)?;
    let prefix = prefix()?;
    let temporary = temporary(dir);
    let mut file = private(&temporary)?;
    file.write_all(&[MAGIC.as_slice(), &context, &key, &prefix].concat())?;
    let mut out =
        SealWriter { file: &mut file, sealer: &sealer, prefix, context: &context, place: 0, block: Vec::with_capacity(BLOCK_LEN) };
    let (tiles, tail) = tree.tiles();
    let bytes = |nodes: &[NodeHash]| serde_bytes::ByteBuf::from(nodes.iter().flat_map(|n| n.0).collect::<Vec<u8>>());
    let body = Body {
        facts_version: FACTS_VERSION,
        rule_set: rules::rule_set().to_string(),
        facts,
        chain: serde_bytes::ByteBuf::from(state.chain.0),
        last_at: state.last_at,
        settled_at,
        keys: state.keys.kept(),
        erased: state.erased.clone(),
        compartments: &state.compartments,
        rewritten: &state.rewritten,
        tiles: bytes(tiles),
        tail: bytes(tail),
    };
    ciborium::into_writer(&body, &mut out).map_err(|e| SnapshotError::Encode(e.to_string()))?;
    out.end()?;
    file.sync_all()?;
    Ok(temporary)
}

/// A snapshot that was made by this ledger's keys for the origin, size and root it names. The facts in it are not read yet.
pub(crate) struct Snapshot {
    file: File,
    sealer: Sealer,
    context: [u8; 40],
    prefix: [u8; PREFIX_LEN],
}

impl Snapshot {
    /// Opens the newest snapshot in a ledger's directory.
    pub(crate) fn open(dir: &Path, keys: &DataKeys) -> Result<Self, SnapshotError> {
        Self::open_at(&newest(dir), keys)
    }

    /// Opens those that are of a size or fewer entries, the newest first, as somebody asks for them.
    pub(crate) fn upto(dir: &Path, keys: &DataKeys, size: u64) -> io::Result<impl Iterator<Item = Result<Self, SnapshotError>>> {
        let mut paths: Vec<PathBuf> = older_sizes(dir)?.into_iter().filter(|of| *of <= size).map(|of| older_of(dir, of)).collect();
        paths.extend(size_in(&newest(dir)).filter(|of| *of <= size).map(|_| newest(dir)));
        Ok(paths.into_iter().rev().map(|path| Self::open_at(&path, keys)))
    }

    fn open_at(path: &Path, keys: &DataKeys) -> Result<Self, SnapshotError> {
        let mut file = match File::open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(SnapshotError::Missing),
            opened => opened?,
        };
        let mut magic = [0; MAGIC.len()];
        let (mut context, mut key, mut prefix) = ([0; 40], [0; SEALED_SECRET_LEN], [0; PREFIX_LEN]);
        for part in [magic.as_mut_slice(), &mut context, &mut key, &mut prefix] {
            file.read_exact(part).map_err(|_| SnapshotError::Unauthentic)?;
        }
        let sealer = Sealer::open(keys, PURPOSE, &context, &key).filter(|_| magic == *MAGIC).ok_or(SnapshotError::Unauthentic)?;
        Ok(Self { file, sealer, context, prefix })
    }

    /// Entries it is of.
    pub(crate) fn size(&self) -> u64 {
        u64::from_be_bytes(self.context.first_chunk().copied().unwrap_or_default())
    }

    /// Root over those.
    pub(crate) fn root(&self) -> RootHash {
        RootHash(self.context.last_chunk().copied().unwrap_or_default())
    }

    /// Reads what it holds.
    pub(crate) fn restore(self, first_key: &VKey) -> Result<Restored, SnapshotError> {
        let (size, root) = (self.size(), self.root());
        let Self { file, sealer, context, prefix } = self;
        let mut blocks = UnsealReader { file, sealer: &sealer, prefix, context: &context, place: 0, block: Vec::new(), at: 0, last: false };
        let body: Body<Facts, serde_bytes::ByteBuf, Compartments, Rewritten> =
            ciborium::from_reader(&mut blocks).map_err(|_| blocks.fault())?;
        if body.facts_version != FACTS_VERSION || body.rule_set != rules::rule_set().to_string() {
            return Err(SnapshotError::OtherVersion);
        }
        let nodes = |bytes: &[u8]| bytes.as_chunks::<32>().0.iter().map(|n| NodeHash(*n)).collect::<Vec<_>>();
        let tree = Tree::from_tiles(nodes(&body.tiles), nodes(&body.tail).into_iter().map(|n| LeafHash(n.0)));
        let chain = body.chain.as_slice().try_into().map(ChainHash).map_err(|_| SnapshotError::Contradiction)?;
        let same = tree.size() == TreeSize(size) && tree.root() == root && body.facts.size() == size;
        let Body { facts, last_at, settled_at, keys, erased, compartments, rewritten, .. } = body;
        let keys = LogKeys::of_kept(keys, first_key).ok_or(SnapshotError::Contradiction)?;
        let restored = Restored { facts, tree, chain, last_at, keys, erased, compartments, rewritten, settled_at };
        same.then_some(restored).ok_or(SnapshotError::Contradiction)
    }
}

fn context(size: TreeSize, root: RootHash) -> [u8; 40] {
    let mut context = [0; 40];
    context.iter_mut().zip(size.0.to_be_bytes().into_iter().chain(root.0)).for_each(|(to, from)| *to = from);
    context
}

/// A file for its owner alone, in the place of whatever an earlier run left there.
pub(crate) fn private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Whether a block is the last one is part of what is sealed, so a file that was cut between blocks does not open.
fn associated(context: &[u8], last: bool) -> Vec<u8> {
    [context, &[u8::from(last)]].concat()
}

struct SealWriter<'a> {
    file: &'a mut File,
    sealer: &'a Sealer,
    prefix: [u8; PREFIX_LEN],
    context: &'a [u8],
    place: u64,
    block: Vec<u8>,
}

impl SealWriter<'_> {
    fn put(&mut self, last: bool) -> io::Result<()> {
        let sealed = self.sealer.seal(&self.prefix, self.place, &associated(self.context, last), &self.block);
        self.place += 1;
        self.block.clear();
        self.file.write_all(&sealed)
    }

    fn end(&mut self) -> io::Result<()> {
        self.put(true)
    }
}

impl Write for SealWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(BLOCK_LEN - self.block.len());
        self.block.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        if self.block.len() == BLOCK_LEN {
            self.put(false)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct UnsealReader<'a> {
    file: File,
    sealer: &'a Sealer,
    prefix: [u8; PREFIX_LEN],
    context: &'a [u8],
    place: u64,
    block: Vec<u8>,
    at: usize,
    last: bool,
}

impl UnsealReader<'_> {
    fn next(&mut self) -> io::Result<()> {
        let mut sealed = Vec::with_capacity(BLOCK_LEN + TAG_LEN);
        (&mut self.file).take((BLOCK_LEN + TAG_LEN) as u64).read_to_end(&mut sealed)?;
        self.last = sealed.len() < BLOCK_LEN + TAG_LEN;
        let block = self.sealer.unseal(&self.prefix, self.place, &associated(self.context, self.last), &sealed);
        self.block = block.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        (self.at, self.place) = (0, self.place + 1);
        Ok(())
    }

    /// Bytes that authenticate and are no snapshot of this version are another version's.
    fn fault(&self) -> SnapshotError {
        if self.place > 0 && !self.block.is_empty() { SnapshotError::OtherVersion } else { SnapshotError::Unauthentic }
    }
}

impl Read for UnsealReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() && !self.last {
            self.block.clear();
            self.next()?;
        }
        let rest = self.block.get(self.at..).unwrap_or_default();
        let count = rest.len().min(out.len());
        out.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.at += count;
        Ok(count)
    }
}
