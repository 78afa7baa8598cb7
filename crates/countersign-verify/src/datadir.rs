//! A data directory: `segments/*.seg`, `register/head`, `countersign.toml`, `keys/`, `lock`. Every commit has its signed checkpoint, and each is
//! held against the leaves up to it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::mpsc::sync_channel;

use countersign_entry::leaf::{Kind, Leaf};
use countersign_log::segment::{Frame, Frames, Item, SegmentError, parse_file_name};

use crate::heads::{Head, Role};
use crate::records::stored_hash;
use crate::report::Finding;
use crate::source::{At, Progress, Source, SourceError};
use crate::{Options, Planes, Run, codes};

const CONFIG: &str = "countersign.toml";
const REGISTER: &str = "register/head";
const LOCK: &str = "lock";
const SEGMENTS: &str = "segments/";

/// Whether these are the files of a data directory rather than of an export.
pub(crate) fn is_one(files: &BTreeMap<String, u64>) -> bool {
    let export = files.contains_key("checkpoint") || files.keys().any(|path| path.starts_with("tile/"));
    !export && (files.contains_key(CONFIG) || files.keys().any(|path| path.starts_with(SEGMENTS)))
}

/// Checks a data directory and gives its newest sealed checkpoint.
pub(crate) fn check(run: &mut Run<'_>) -> Option<Head> {
    let config = Config::read(run);
    let mut heads: Vec<(Role, Head)> = run.known_heads().into_iter().map(|h| (Role::Known, h)).collect();
    heads.extend(register(run, &config).map(|h| (Role::Register, h)));
    let wanted: BTreeSet<u64> = heads.iter().map(|(_, h)| h.checkpoint.size.0).collect();
    let expected = heads.iter().map(|(_, h)| h.checkpoint.size.0).max().unwrap_or(0);
    let segments: BTreeSet<u64> = run.files.keys().filter_map(|path| parse_file_name(path.strip_prefix(SEGMENTS)?)).collect();
    let mut walk = Walk { planes: None, wanted, newest: None, expected };
    let (source, options) = (run.source, run.options);
    std::thread::scope(|scope| {
        let (done, taken) = sync_channel(0);
        let segments = &segments;
        // The next segment is read and its records are hashed while the walk goes through this one. No more than two are in memory.
        scope.spawn(move || segments.iter().map(|first| Ahead::take(source, options, *first)).try_for_each(|ahead| done.send(ahead)));
        taken.iter().for_each(|ahead| walk.segment(run, ahead, segments.last().copied()));
    });
    let newest = walk.finish(run, &heads, &config);
    others(run, &segments, &config);
    newest
}

/// `countersign.toml` as far as it is needed before genesis is read.
struct Config {
    bytes: Option<Vec<u8>>,
    /// Where the register is, as written; the usual place where that cannot be read.
    register: String,
}

impl Config {
    fn read(run: &mut Run<'_>) -> Self {
        let bytes = if run.files.contains_key(CONFIG) { run.read(CONFIG) } else { None };
        let text = bytes.as_deref().and_then(|b| std::str::from_utf8(b).ok());
        let named = text.and_then(|t| t.lines().find_map(|line| line.strip_prefix("register = \"")?.strip_suffix('"')));
        let register = named.unwrap_or(REGISTER).to_owned();
        Self { bytes, register }
    }

    /// Holds the file against the one text that genesis gives.
    fn hold(&self, run: &mut Run<'_>, newest: &Head, keys: &[String]) {
        let (origin, register) = (&newest.checkpoint.origin, &self.register);
        let text = |vkey: &String| {
            format!("# countersign ledger, version 1\norigin = \"{origin}\"\nvkey = \"{vkey}\"\nregister = \"{register}\"\n")
        };
        let detail = match &self.bytes {
            None => "missing or unreadable",
            Some(bytes) if !keys.iter().any(|vkey| text(vkey).as_bytes() == bytes) => "not the text that genesis gives",
            Some(_) if self.register != REGISTER && run.files.contains_key(REGISTER) => {
                "it names another head register than the one that is here"
            }
            Some(_) => return,
        };
        run.out.find(Finding::new(codes::CONFIG_DIFFERS, detail).file(CONFIG));
    }
}

/// The head register. It may lag behind the store by a commit, and never runs ahead.
fn register(run: &mut Run<'_>, config: &Config) -> Option<Head> {
    let path = &config.register;
    if !run.files.contains_key(path) {
        if path.starts_with('/') {
            run.out.not_checked(format!("the head register {path}, which {CONFIG} names: it is not among these files"));
        } else {
            run.out.find(Finding::new(codes::REGISTER_MISSING, codes::REGISTER_MISSING.meaning).file(path));
        }
        return None;
    }
    let bytes = run.read(path)?;
    let damaged = |detail: &str| Finding::new(codes::REGISTER_DAMAGED, detail).file(path);
    match countersign_log::register::decode(&bytes) {
        Err(what) => {
            run.out.find(damaged(what));
            None
        }
        Ok(None) => {
            run.out.not_checked(format!("{path}: it is empty, so it cannot tell whether the store was cut short"));
            None
        }
        Ok(Some((size, note))) => {
            let head = Head::read(note, path, &run.options.vkey, &mut run.out)?;
            if head.checkpoint.size.0 != size {
                run.out.find(damaged("its size is not that of its note"));
            }
            Some(head)
        }
    }
}

struct Walk<'o> {
    /// From the first seal on, which names the origin.
    planes: Option<Planes<'o>>,
    wanted: BTreeSet<u64>,
    newest: Option<Head>,
    expected: u64,
}

/// A frame, and with a batch the hashes of its stored records.
type HashedFrame = (Result<Frame, SegmentError>, Vec<[u8; 32]>);

/// A segment as it was read and taken apart ahead of the walk.
struct Ahead {
    first: u64,
    path: String,
    read: Result<Vec<u8>, SourceError>,
    frames: Result<Vec<HashedFrame>, SegmentError>,
}

impl Ahead {
    fn take(source: &dyn Source, options: &Options, first: u64) -> Self {
        let path = format!("{SEGMENTS}{}", countersign_log::segment::file_name(first));
        let read = source.read(&path);
        let bytes = read.as_deref().unwrap_or_default();
        let hashed = |frame| {
            let stored = match &frame {
                Ok(Frame::Batch { items, .. }) if options.looks_at_sealed() => {
                    items.iter().map(|item| stored_hash(bytes.get(item.sealed.clone()).unwrap_or_default())).collect()
                }
                _ => Vec::new(),
            };
            (frame, stored)
        };
        let frames = Frames::new(bytes, first).map(|frames| frames.map(hashed).collect());
        Self { first, path, read, frames }
    }
}

struct Batch {
    first_index: u64,
    items: Vec<Item>,
    stored: Vec<[u8; 32]>,
}

impl<'o> Walk<'o> {
    fn segment(&mut self, run: &mut Run<'o>, ahead: Ahead, last: Option<u64>) {
        let Ahead { first, path, read, frames } = ahead;
        let next = self.next();
        if first != next {
            let detail = format!("this segment starts at entry {first}, the one before it ends at {next}");
            run.out.find(Finding::new(codes::SEGMENT_MISSING, detail).entry(next).file(&path));
            self.skip_to(first);
        }
        let is_last = last == Some(first);
        match (read, frames) {
            (Err(e), _) => run.out.find(Finding::new(codes::UNREADABLE, e.reason).file(&path)),
            (Ok(bytes), Ok(frames)) => self.frames(run, &path, &bytes, frames, is_last),
            (Ok(_), Err(e)) => self.damaged(run, &path, &e, is_last),
        }
    }

    fn frames(&mut self, run: &mut Run<'o>, path: &str, bytes: &[u8], frames: Vec<HashedFrame>, is_last: bool) {
        let mut staged: Option<Batch> = None;
        for (frame, stored) in frames {
            match frame {
                Ok(Frame::Batch { first_index, items, .. }) => staged = Some(Batch { first_index, items, stored }),
                Ok(Frame::Seal { size, note, .. }) => self.seal(run, path, bytes, staged.take(), (size, note)),
                Ok(Frame::ZeroTail { .. }) => {}
                Err(e) => self.damaged(run, path, &e, is_last),
            }
        }
        let Some(batch) = staged else { return };
        let n = batch.items.len();
        if is_last {
            run.out
                .not_checked(format!("{path}: {n} entries from {} on, staged and never sealed, so never acknowledged", batch.first_index));
        } else {
            let finding = Finding::new(codes::SEGMENT_DAMAGED, "a batch without its seal, and another segment follows");
            run.out.find(finding.entry(batch.first_index).file(path));
        }
    }

    /// One commit: its entries, then its checkpoint over everything so far.
    fn seal(&mut self, run: &mut Run<'o>, path: &str, bytes: &[u8], batch: Option<Batch>, (size, note): (u64, Range<usize>)) {
        let Some(batch) = batch else { return };
        let offset = note.start as u64;
        let head = Head::read(bytes.get(note).unwrap_or_default(), path, &run.options.vkey, &mut run.out);
        let origin = head.as_ref().map_or_else(|| run.options.vkey.name().to_owned(), |h| h.checkpoint.origin.clone());
        let wanted = self.wanted.clone();
        let planes = self.planes.get_or_insert_with(|| Planes::new(&origin, run.options, wanted));
        let mut stored = batch.stored.into_iter();
        for (item, index) in batch.items.iter().zip(batch.first_index..) {
            entry(planes, run, path, bytes, item, stored.next(), index);
        }
        (run.progress)(Progress { entries: size, of: self.expected.max(size) });
        let Some(head) = head else { return };
        let head = Head { offset: Some(offset), ..head };
        if head.checkpoint.size.0 != size {
            let detail = format!("the seal of size {size} holds a checkpoint of size {}", head.checkpoint.size);
            run.out.find(head.finding(codes::CHECKPOINT_NAME, detail).line(Some(2)));
        }
        hold_commit(planes, run, &head, size);
        self.newest = Some(head);
    }

    fn damaged(&mut self, run: &mut Run<'_>, path: &str, e: &SegmentError, is_last: bool) {
        match e {
            SegmentError::Torn { offset, .. } if is_last => {
                run.out.not_checked(format!("{path}: from byte {offset} on, a write that never finished: {e}"));
            }
            _ => {
                let offset = match e {
                    SegmentError::Torn { offset, .. } | SegmentError::Damaged { offset, .. } => *offset,
                    SegmentError::Header(_) => 0,
                };
                let finding = Finding::new(codes::SEGMENT_DAMAGED, e.to_string()).entry(self.next()).at(At { file: path, offset });
                run.out.find(finding);
            }
        }
    }

    fn next(&self) -> u64 {
        self.planes.as_ref().map_or(0, |p| p.leaves.next())
    }

    fn skip_to(&mut self, index: u64) {
        if let Some(planes) = &mut self.planes {
            planes.leaves.skip_to(index);
        }
    }

    fn finish(self, run: &mut Run<'_>, heads: &[(Role, Head)], config: &Config) -> Option<Head> {
        let (Some(mut planes), Some(newest)) = (self.planes, self.newest) else {
            run.out.find(Finding::new(codes::NO_CHECKPOINT, "no commit is sealed").file("segments"));
            for (role, head) in heads {
                let code = if *role == Role::Register { codes::REGISTER_AHEAD } else { codes::SHORTER_THAN_KNOWN };
                run.out.find(head.finding(code, format!("nothing is sealed, and this head is of size {}", head.checkpoint.size)));
            }
            return None;
        };
        for (role, head) in heads {
            head.hold(*role, &newest, &planes.leaves, &mut planes.keys, &mut run.out);
        }
        config.hold(run, &newest, planes.records.genesis_keys());
        planes.keys.finish(&mut run.out);
        planes.records.finish(&mut run.out);
        Some(newest)
    }
}

/// `stored` is the hash of the stored record where it was made already.
fn entry(planes: &mut Planes<'_>, run: &mut Run<'_>, path: &str, bytes: &[u8], item: &Item, stored: Option<[u8; 32]>, index: u64) {
    planes.leaves.skip_to(index);
    let at = |range: &Range<usize>| At { file: path, offset: range.start as u64 };
    let leaf_bytes = bytes.get(item.leaf.clone()).unwrap_or_default();
    let Some(leaf) = planes.leaves.leaf(leaf_bytes, at(&item.leaf), false, &mut run.out) else { return };
    let leaf = Leaf { index, ..leaf };
    if matches!(leaf.kind, Kind::Genesis | Kind::KeyEvent) || run.options.looks_at_sealed() {
        let record = bytes.get(item.sealed.clone()).unwrap_or_default();
        let stored = stored.unwrap_or_else(|| stored_hash(record));
        planes.records.record(&leaf, record, stored, at(&item.sealed), &mut planes.keys, &mut run.out);
    }
}

fn hold_commit(planes: &mut Planes<'_>, run: &mut Run<'_>, head: &Head, size: u64) {
    planes.keys.judge(head, &mut run.out);
    let Some(range) = planes.leaves.range() else {
        return run.out.not_checked(format!("the root at size {size}: earlier leaves are missing"));
    };
    run.out.count("roots");
    let root = range.root();
    if root != head.checkpoint.root {
        let detail = format!("the leaves up to size {size} give root {root}, the checkpoint states {}", head.checkpoint.root);
        run.out.find(head.finding(codes::CHECKPOINT_ROOT, detail).line(Some(3)));
    }
}

/// Everything beside the segments, the register and the configuration.
fn others(run: &mut Run<'_>, segments: &BTreeSet<u64>, config: &Config) {
    let register_lock = format!("{}.lock", config.register);
    let paths: Vec<(String, u64)> = run.files.iter().map(|(path, len)| (path.clone(), *len)).collect();
    if paths.iter().any(|(path, _)| derived(path)) {
        run.out.not_checked("the facts snapshots and the index: made from the entries, and no evidence of anything");
    }
    for (path, len) in paths.into_iter().filter(|(path, _)| !derived(path)) {
        let segment = path.strip_prefix(SEGMENTS).and_then(parse_file_name).is_some_and(|first| segments.contains(&first));
        if segment || path == CONFIG || path == config.register {
            continue;
        }
        if path == LOCK || path == register_lock {
            if len > 0 {
                run.out.find(Finding::new(codes::LOCK_NOT_EMPTY, codes::LOCK_NOT_EMPTY.meaning).file(&path));
            }
        } else if path.starts_with("rewrites/") {
            run.out
                .not_checked(format!("{path}: a rewritten record that is put by, and no part of the ledger until a start carries it out"));
        } else if path.starts_with("keys/") {
            key_file(run, &path);
        } else {
            run.out.not_checked(format!("file {path}: no part of a ledger"));
        }
    }
}

/// Kept beside a ledger, and made anew from its entries by whoever doubts it.
fn derived(path: &str) -> bool {
    path == "snapshot" || path == "snapshot.tmp" || path.starts_with("snapshots/") || path.starts_with("index/")
}

/// Damage in a key file. Its format is the signer's, so whoever knows the signer hands the check in.
fn key_file(run: &mut Run<'_>, path: &str) {
    let Some(check) = run.options.key_files else {
        return run.out.not_checked(format!("key file {path}: its format is the signer's"));
    };
    let Some(bytes) = run.read(path) else { return };
    match check(path, &bytes) {
        Ok(()) => run.out.count("key-files"),
        Err(what) => run.out.find(Finding::new(codes::KEY_FILE, what).file(path)),
    }
}
