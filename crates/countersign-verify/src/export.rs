//! A static export (ledger-format section 6): `checkpoint`, `tile/`, `sealed/`, `control/`, `checkpoints/`, one bundle of 256 entries at a time.

use std::collections::BTreeSet;

use countersign_entry::leaf::{Kind, Leaf};
use countersign_log::encoding::decimal_strict;
use countersign_log::tile::{
    BundleError, BundleReader, TileFile, Width, bundles, decode_hash_tile, entries_path, hash_tiles, sealed_path, tile_path,
};
use countersign_log::tree::{LeafHash, NodeHash, TreeSize, leaf_hash};

use crate::heads::{Head, Role};
use crate::records::stored_hash;
use crate::report::Finding;
use crate::source::{At, Progress};
use crate::tiles::{Bundle, TileCheck};
use crate::{Planes, Run, codes};

const CHECKPOINT: &str = "checkpoint";
const PER_BUNDLE: u64 = 256;

/// Checks an export and gives its checkpoint.
pub(crate) fn check(run: &mut Run<'_>) -> Option<Head> {
    let known = run.known_heads();
    if !run.files.contains_key(CHECKPOINT) {
        run.out.find(Finding::new(codes::NO_CHECKPOINT, codes::NO_CHECKPOINT.meaning).file(CHECKPOINT));
        return None;
    }
    let bytes = run.read(CHECKPOINT)?;
    let head = Head::read(&bytes, CHECKPOINT, &run.options.vkey, &mut run.out)?;
    let size = head.checkpoint.size.0;
    let published = published(run);
    let wanted = known.iter().map(|h| h.checkpoint.size.0).chain(published.iter().copied());
    let mut walk = Walk::new(run, &head, Planes::new(&head.checkpoint.origin, run.options, wanted));
    if size == 0 {
        run.out.find(head.finding(codes::EMPTY_LEDGER, codes::EMPTY_LEDGER.meaning.to_owned()).line(Some(2)));
    }
    walk.bundles(run);
    walk.upper_tiles(run);
    walk.finish(run, &head, &published, &known);
    Some(head)
}

/// The sizes under `checkpoints/`.
fn published(run: &Run<'_>) -> BTreeSet<u64> {
    run.files.keys().filter_map(|path| decimal_strict(path.strip_prefix("checkpoints/")?).ok()).collect()
}

struct Walk<'o> {
    planes: Planes<'o>,
    tiles: TileCheck,
    size: u64,
    sealed: bool,
    /// Entries that have a file under `control/`.
    control: BTreeSet<u64>,
    /// No leaf was missing or cut off.
    whole: bool,
}

/// The items of one bundle, by position.
type Items<'a> = Vec<(&'a [u8], u64)>;

impl<'o> Walk<'o> {
    fn new(run: &mut Run<'o>, head: &Head, planes: Planes<'o>) -> Self {
        let options = run.options;
        let present = run.files.keys().any(|path| path.starts_with("sealed/"));
        if !present && (options.want_sealed || options.keys.is_some()) {
            run.out.find(Finding::new(codes::SEALED_MISSING, codes::SEALED_MISSING.meaning).file("sealed"));
        } else if !present {
            run.out.not_checked("the sealed plane: this is a public export");
        } else if !options.looks_at_sealed() {
            run.out.not_checked("the sealed plane: only the public one was asked for");
        }
        let sealed = present && options.looks_at_sealed();
        Self { planes, tiles: TileCheck::default(), size: head.checkpoint.size.0, sealed, control: BTreeSet::new(), whole: true }
    }

    fn bundles(&mut self, run: &mut Run<'_>) {
        let mut missing = 0;
        for (index, width) in bundles(TreeSize(self.size)) {
            let path = entries_path(index, width);
            let first = index * PER_BUNDLE;
            self.whole &= self.planes.leaves.next() == first;
            self.planes.leaves.skip_to(first);
            if run.files.contains_key(&path) {
                self.bundle(run, index, width);
                (run.progress)(Progress { entries: self.planes.leaves.next(), of: self.size });
                continue;
            }
            run.out.find(Finding::new(codes::FILE_MISSING, "an entry bundle is missing").entry(first).file(&path));
            self.whole = false;
            missing += 1;
            if missing > missing_max(run) {
                run.out.not_checked(format!("which bundles after {path} are missing as well"));
                break;
            }
        }
        self.whole &= self.planes.leaves.next() == self.size;
        self.planes.leaves.skip_to(self.size);
    }

    fn bundle(&mut self, run: &mut Run<'_>, index: u64, width: Width) {
        let first = index * PER_BUNDLE;
        let leaves_path = entries_path(index, width);
        let Some(leaves_bytes) = run.read(&leaves_path) else {
            self.whole = false;
            return;
        };
        let leaves = items(run, BundleReader::entries(&leaves_bytes, width), &leaves_path, first);
        let records_path = sealed_path(index, width);
        let records_bytes = if self.sealed { demand(run, &records_path, first) } else { None };
        let records = records_bytes.as_deref().map(|bytes| items(run, BundleReader::sealed(bytes, width), &records_path, first));
        let accused = self.level_0(run, index, width, &leaves);
        for (position, (leaf, offset)) in leaves.iter().enumerate() {
            let accused = accused.get(position).copied().unwrap_or(false);
            let at = At { file: &leaves_path, offset: *offset };
            let Some(leaf) = self.planes.leaves.leaf(leaf, at, accused, &mut run.out) else { continue };
            // The place counts, not what the leaf says of itself: the associated data and control/ go by position.
            let leaf = Leaf { index: first + position as u64, ..leaf };
            let record = records.as_ref().and_then(|r| r.get(position));
            self.entry(run, &leaf, record.map(|(bytes, offset)| (*bytes, At { file: &records_path, offset: *offset })));
        }
    }

    /// Holds the leaves' hashes against `tile/0` and says which disagree.
    fn level_0(&mut self, run: &mut Run<'_>, index: u64, width: Width, leaves: &Items<'_>) -> Vec<bool> {
        let path = tile_path(0, index, width);
        let stored = demand(run, &path, index * PER_BUNDLE).and_then(|bytes| hashes(run, &bytes, width, &path));
        run.out.count("tiles");
        if leaves.len() != usize::from(width.count()) {
            self.whole = false;
            return Vec::new();
        }
        let hashed: Vec<(LeafHash, u64)> = leaves.iter().map(|(leaf, offset)| (leaf_hash(leaf), *offset)).collect();
        let bundle = Bundle { file: TileFile::Entries { index, width }, first: index * PER_BUNDLE, leaves: &hashed };
        self.tiles.bundle(&bundle, stored, &mut |path| run.source.read(path).ok())
    }

    /// One entry's record: from `sealed/`, and for genesis and key events from `control/` too.
    fn entry(&mut self, run: &mut Run<'_>, leaf: &Leaf, sealed: Option<(&[u8], At<'_>)>) {
        let control_path = format!("control/{}", leaf.index);
        let control = if matches!(leaf.kind, Kind::Genesis | Kind::KeyEvent) {
            self.control.insert(leaf.index);
            demand(run, &control_path, leaf.index)
        } else {
            None
        };
        let control_good = control.as_ref().is_some_and(|bytes| stored_hash(bytes) == leaf.sealed_hash);
        if control.is_some() && !control_good {
            run.out.find(Finding::new(codes::CONTROL_DIFFERS, codes::CONTROL_DIFFERS.meaning).entry(leaf.index).file(&control_path));
        }
        let sealed_good = sealed.is_some_and(|(bytes, _)| stored_hash(bytes) == leaf.sealed_hash);
        // Where one of two copies is damaged the other still says what happened, so that the walk through the keys goes on.
        let (bytes, at) = match (&control, sealed) {
            (Some(control), Some((_, at))) if control_good && !sealed_good => {
                run.out.find(
                    Finding::new(codes::SEALED_HASH, "the stored record is not the one the leaf commits to").entry(leaf.index).at(at),
                );
                (control.as_slice(), At { file: &control_path, offset: 0 })
            }
            (Some(control), None) if control_good => (control.as_slice(), At { file: &control_path, offset: 0 }),
            (_, Some(sealed)) => sealed,
            _ => return self.planes.records.absent(leaf),
        };
        self.planes.records.record(leaf, bytes, stored_hash(bytes), at, &mut self.planes.keys, &mut run.out);
    }

    /// Presence and length of the tiles above level 0; what they hold is checked as the leaves are read.
    fn upper_tiles(&mut self, run: &mut Run<'_>) {
        let mut missing = 0;
        // The tiles above level 0 lie as those of a tree of one 256th the size do, one level down.
        for (below, index, width) in hash_tiles(TreeSize(self.size / PER_BUNDLE)) {
            let level = below + 1;
            let path = tile_path(level, index, width);
            run.out.count("tiles");
            match run.files.get(&path) {
                Some(len) if *len == 32 * u64::from(width.count()) => {}
                Some(len) => {
                    let detail = format!("a tile of {width} hashes has {} bytes, not {len}", 32 * u64::from(width.count()));
                    run.out.find(Finding::new(codes::FILE_MALFORMED, detail).file(&path));
                }
                None => {
                    run.out.find(Finding::new(codes::FILE_MISSING, "a hash tile is missing").file(&path));
                    missing += 1;
                    if missing > missing_max(run) {
                        run.out.not_checked(format!("which tiles after {path} are missing as well"));
                        break;
                    }
                }
            }
        }
    }

    fn finish(self, run: &mut Run<'_>, head: &Head, published: &BTreeSet<u64>, known: &[Head]) {
        let Self { mut planes, tiles, size, control, whole, .. } = self;
        if size > 0 {
            tiles.finish(head.checkpoint.root, whole, &mut |path| run.source.read(path).ok(), &mut run.out);
        }
        planes.keys.judge(head, &mut run.out);
        for claimed in published {
            let path = format!("checkpoints/{claimed}");
            let Some(bytes) = run.read(&path) else { continue };
            let Some(own) = Head::read(&bytes, &path, &run.options.vkey, &mut run.out) else { continue };
            if own.checkpoint.size.0 != *claimed {
                let detail = format!("it is a checkpoint of size {}", own.checkpoint.size);
                run.out.find(own.finding(codes::CHECKPOINT_NAME, detail).line(Some(2)));
            }
            own.hold(Role::Own, head, &planes.leaves, &mut planes.keys, &mut run.out);
        }
        for kept in known {
            kept.hold(Role::Known, head, &planes.leaves, &mut planes.keys, &mut run.out);
        }
        planes.keys.finish(&mut run.out);
        planes.records.finish(&mut run.out);
        list_others(run, size, published, &control);
    }
}

/// A size is only a claim: once more files are missing than there are, the rest is not listed one by one.
fn missing_max(run: &Run<'_>) -> usize {
    run.files.len() + 16
}

/// Files that are no part of an export of this size.
fn list_others(run: &mut Run<'_>, size: u64, published: &BTreeSet<u64>, control: &BTreeSet<u64>) {
    let number = |path: &str, folder: &str| path.strip_prefix(folder).and_then(|n| decimal_strict(n).ok());
    for path in run.files.keys() {
        let known = path == CHECKPOINT
            || TileFile::parse(path).is_ok_and(|file| belongs(file, size))
            || number(path, "checkpoints/").is_some_and(|n| published.contains(&n))
            || number(path, "control/").is_some_and(|n| control.contains(&n));
        if !known {
            run.out.not_checked(format!("file {path}: no part of an export of this size"));
        }
    }
}

/// Whether an export of this size has this very file.
fn belongs(file: TileFile, size: u64) -> bool {
    let (level, index, width) = match file {
        TileFile::Hashes { level, index, width } => (level, index, width),
        TileFile::Entries { index, width } | TileFile::Sealed { index, width } => (0, index, width),
    };
    let items = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
    let rest = items.saturating_sub(index.saturating_mul(PER_BUNDLE));
    rest.min(PER_BUNDLE) == u64::from(width.count())
}

/// A file that the size demands: its absence is tampering.
fn demand(run: &mut Run<'_>, path: &str, entry: u64) -> Option<Vec<u8>> {
    if run.files.contains_key(path) {
        return run.read(path);
    }
    run.out.find(Finding::new(codes::FILE_MISSING, "a file that the size demands is missing").entry(entry).file(path));
    None
}

fn hashes(run: &mut Run<'_>, bytes: &[u8], width: Width, path: &str) -> Option<Vec<NodeHash>> {
    match decode_hash_tile(bytes, width) {
        Ok(hashes) => Some(hashes),
        Err(e) => {
            run.out.find(Finding::new(codes::FILE_MALFORMED, e.to_string()).file(path));
            None
        }
    }
}

/// The items of a bundle up to its first fault, which is reported.
fn items<'b>(run: &mut Run<'_>, reader: BundleReader<'b>, path: &str, first: u64) -> Items<'b> {
    let mut items = Vec::new();
    for item in reader {
        match item {
            Ok(item) => items.push((item.bytes, item.offset as u64)),
            Err(e) => {
                let (BundleError::ShortPrefix { offset, .. }
                | BundleError::ShortItem { offset, .. }
                | BundleError::TooLong { offset, .. }
                | BundleError::Trailing { offset, .. }) = e;
                let at = At { file: path, offset: offset as u64 };
                out_of_form(run, at, first + items.len() as u64, e);
            }
        }
    }
    items
}

fn out_of_form(run: &mut Run<'_>, at: At<'_>, entry: u64, e: BundleError) {
    let finding = Finding::new(codes::FILE_MALFORMED, e.to_string()).at(at);
    // Bytes after the last item belong to no entry.
    run.out.find(if matches!(e, BundleError::Trailing { .. }) { finding } else { finding.entry(entry) });
}
