//! The store in append-only files: `DIR/lock` and `DIR/segments/<first index>.seg` (layout: `schemas/segment.md`).
//!
//! Each frame is one write and one `fdatasync` after the last one in the newest segment, into zeros that stand there already if the segment is
//! long enough to be worth it. No frame is ever changed where it stands: a redaction makes a segment anew (`rewrite`). What a crash leaves is at most one unfinished frame after the last acknowledged one. `recover` finds it and leaves it; the next write cuts it. Until then the
//! owner can compare the head with the register, and a store that lost sealed frames is still there to be looked at.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::ops::{ControlFlow, Range};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use countersign_log::segment::{self, Outline, OutlineError};

use crate::ahead::Ahead;
use crate::content::{Content, Loaded, Segment, Table};
use crate::files::{lock, make_directory, on, parent, read_bounded, replace, sync_directory};
use crate::order::Position;
use crate::{EachEntry, EachSeal, Head, Recovered, Rewrite, StagedBatch, Store, StoreError, StoredEntry};

/// A store in a local directory. See [`Store`] for what each call promises.
#[derive(Debug)]
pub struct SegmentStore {
    pub(crate) dir: PathBuf,
    rollover_bytes: u64,
    /// Held for life by a writer; a reader has none.
    lock: Option<File>,
    content: Option<Content>,
    /// Of the newest segment; a writer's alone.
    pub(crate) ahead: Ahead,
    pub(crate) poisoned: bool,
}

/// One file of a copy of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentPart {
    /// The segment it is made from, and the name it gets.
    pub path: PathBuf,
    /// So many bytes from that segment's start.
    pub bytes: u64,
    /// And behind them these.
    pub then: Vec<u8>,
}

impl SegmentStore {
    /// Makes a new store at a path that does not exist (its parent must) and opens it for writing. For `init` alone. `rollover_bytes` is
    /// the length past which a new segment is begun: [`segment::ROLLOVER_BYTES`], which is also the greatest, or less in tests.
    pub fn create(dir: &Path, rollover_bytes: u64) -> Result<Self, StoreError> {
        make_directory(dir).map_err(|error| match error.source.kind() {
            ErrorKind::AlreadyExists => StoreError::AlreadyExists(dir.to_owned()),
            _ => error.into(),
        })?;
        let store = Self::new(dir, rollover_bytes, Some(writer_lock(dir)?));
        make_directory(&store.segments_dir())?;
        // The first segment has its header before the store can be used, so an emptied file is never taken for a new one.
        replace(&store.segment_path(0), &segment::encode_header(0))?;
        sync_directory(dir)?;
        sync_directory(parent(dir))?;
        Ok(store)
    }

    /// Opens a store for writing, alone.
    pub fn open_writer(dir: &Path, rollover_bytes: u64) -> Result<Self, StoreError> {
        check_exists(dir)?;
        Ok(Self::new(dir, rollover_bytes, Some(writer_lock(dir)?)))
    }

    /// Opens a store for reading, beside a writer. Sees nothing after the last seal, takes no lock and writes nothing.
    pub fn open_reader(dir: &Path) -> Result<Self, StoreError> {
        check_exists(dir)?;
        Ok(Self::new(dir, segment::ROLLOVER_BYTES, None))
    }

    fn new(dir: &Path, rollover_bytes: u64, lock: Option<File>) -> Self {
        let rollover_bytes = rollover_bytes.min(segment::ROLLOVER_BYTES);
        Self { dir: dir.to_owned(), rollover_bytes, lock, content: None, ahead: Ahead::default(), poisoned: false }
    }

    fn segments_dir(&self) -> PathBuf {
        self.dir.join("segments")
    }

    pub(crate) fn segment_path(&self, first_index: u64) -> PathBuf {
        self.segments_dir().join(segment::file_name(first_index))
    }

    /// What a copy of this store is made of, in order: it holds what is sealed and nothing after it. A writer beside this handle changes none of it, unless it carries
    /// out a redaction.
    pub fn parts(&self) -> Result<Vec<SegmentPart>, StoreError> {
        let content = self.content()?;
        let newest = content.newest_first();
        let mut parts = Vec::new();
        for segment in &content.segments {
            let path = self.segment_path(segment.first_index);
            if Some(segment.first_index) != newest {
                let bytes = self.file_len(&path)?;
                parts.push(SegmentPart { path, bytes, then: Vec::new() });
                continue;
            }
            let table = self.table(segment)?;
            if let (Some(entry), Some(seal)) = (table.places.last(), table.seals.last()) {
                // The newest seal may share its frame with a batch that is not sealed, so it is written anew as a frame of its own.
                let bytes = entry.sealed().end;
                let note = self.read_at(segment.first_index, seal.note())?;
                let then = segment::encode_seal(segment.first_index, bytes, seal.size, &note)?;
                parts.push(SegmentPart { path, bytes, then });
            }
        }
        Ok(parts)
    }

    pub(crate) fn content(&self) -> Result<&Content, StoreError> {
        self.content.as_ref().ok_or(StoreError::NotRecovered)
    }

    pub(crate) fn writable(&self) -> Result<&Content, StoreError> {
        if self.lock.is_none() {
            return Err(StoreError::ReadOnly);
        }
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        self.content()
    }

    /// First indexes of the segment files, in order. Other names are not ours and are left alone.
    fn list(&self) -> Result<Vec<u64>, StoreError> {
        let dir = self.segments_dir();
        let failed = |source| match on("list", &dir)(source) {
            error if error.is_missing() => StoreError::Emptied(self.dir.clone()),
            error => error.into(),
        };
        let names =
            std::fs::read_dir(&dir).map_err(failed)?.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let mut firsts: Vec<u64> = names.iter().filter_map(|name| segment::parse_file_name(name.to_str()?)).collect();
        firsts.sort_unstable();
        if firsts.is_empty() { Err(StoreError::Emptied(self.dir.clone())) } else { Ok(firsts) }
    }

    /// What there is, and the length of the newest segment file. Segments whose entries all stand before `from` are left for later, as long as a head stands
    /// behind them.
    fn load(&self, from: u64) -> Result<(Content, Recovered, u64), StoreError> {
        let firsts = self.list()?;
        let ends = firsts.iter().skip(1).copied().map(Some).chain([None]);
        let all: Vec<(u64, Option<u64>)> = firsts.iter().copied().zip(ends).collect();
        // The newest may hold a batch and no seal yet; the head is then in the one before.
        let read_from = all.iter().rposition(|(_, end)| end.is_some_and(|end| end <= from)).map_or(0, |last| last + 1);
        let read_from = read_from.min(all.len().saturating_sub(2));
        let (unread, read) = all.split_at_checked(read_from).unwrap_or_default();
        let mut content = Content::default();
        let mut recovered = Recovered { head: None, staged: None, torn_bytes: 0 };
        let mut len = 0;
        for (first_index, end) in unread {
            self.check_follows(&content, *first_index)?;
            content.push_unread(*first_index, end.unwrap_or(*first_index));
        }
        for (first_index, end) in read {
            let path = self.check_follows(&content, *first_index)?;
            let bytes =
                read_bounded(&path, segment::SEGMENT_BYTES_MAX)?.ok_or_else(|| damaged(&path, 0, "longer than any segment".into()))?;
            len = bytes.len() as u64;
            let loaded = Loaded::read(&bytes, *first_index, end.is_none()).map_err(|(offset, what)| damaged(&path, offset, what))?;
            recovered = Recovered { head: loaded.head().or(recovered.head), staged: loaded.staged(), torn_bytes: loaded.torn_bytes };
            content.push(loaded).ok_or_else(|| damaged(&path, 0, "longer than any segment".into()))?;
        }
        Ok((content, recovered, len))
    }

    fn check_follows(&self, content: &Content, first_index: u64) -> Result<PathBuf, StoreError> {
        let path = self.segment_path(first_index);
        if first_index == content.position.size {
            Ok(path)
        } else {
            Err(damaged(&path, 0, format!("segments are missing: the entries before end at {}", content.position.size)))
        }
    }

    /// Where everything in a segment stands, from its file if nobody asked before.
    pub(crate) fn table<'a>(&self, segment: &'a Segment) -> Result<&'a Table, StoreError> {
        if let Some(table) = segment.table.get() {
            return Ok(table);
        }
        let path = self.segment_path(segment.first_index);
        let len = self.file_len(&path)?;
        if len > segment::SEGMENT_BYTES_MAX {
            return Err(damaged(&path, 0, "longer than any segment".into()));
        }
        // A segment has some hundred frames, so it is opened once for all of them.
        let file = File::open(&path).map_err(on("open", &path))?;
        let outline = Outline::read(segment.first_index, usize::try_from(len).unwrap_or(usize::MAX), |range| {
            read_range(&file, &path, range.start as u64..range.end as u64)
        });
        let outline = outline.map_err(|error| match error {
            OutlineError::Read(error) => error,
            OutlineError::Header(fault) => damaged(&path, 0, fault.to_string()),
            OutlineError::Damaged { offset, fault } => damaged(&path, offset, fault.to_string()),
        })?;
        let missing = || damaged(&path, 0, format!("segments are missing: the entries in it do not end at {}", segment.end_index));
        let table = Table::outlined(&outline, segment.first_index, segment.end_index).ok_or_else(missing)?;
        Ok(segment.table.get_or_init(|| table))
    }

    fn file_len(&self, path: &Path) -> Result<u64, StoreError> {
        Ok(std::fs::metadata(path).map_err(on("look at", path))?.len())
    }

    /// Writes a frame at the end of the newest segment. Any failure leaves its result unknown, hence the latch.
    fn append(&mut self, frame: &[u8]) -> Result<(), StoreError> {
        let content = self.writable()?;
        let (path, end, torn) = (self.segment_path(content.newest_first().ok_or(StoreError::NotRecovered)?), content.end, content.torn);
        self.poisoned = true;
        let frame_end = end.saturating_add(frame.len() as u64);
        self.ahead.make_way(frame_end);
        let file = OpenOptions::new().write(true).open(&path).map_err(on("open", &path))?;
        if torn {
            // Shortened and synced first: were the new frame shorter than the torn one, the rest of that would stand behind it.
            file.set_len(end).map_err(on("shorten", &path))?;
            file.sync_all().map_err(on("sync", &path))?;
            self.ahead = Ahead::new(frame_end);
        }
        file.write_all_at(frame, end).map_err(on("write", &path))?;
        file.sync_data().map_err(on("sync", &path))?;
        self.ahead.top_up(&path, frame.len() as u64, frame_end, self.rollover_bytes);
        self.poisoned = false;
        Ok(())
    }

    /// Starts a segment that holds its first batch from the moment it has its name. If we stop before the rename, nothing was staged.
    fn begin_segment(&mut self, first_index: u64, frame: &[u8]) -> Result<(), StoreError> {
        self.writable()?;
        let path = self.segment_path(first_index);
        self.poisoned = true;
        self.ahead.finish();
        replace(&path, &[segment::encode_header(first_index).as_slice(), frame].concat())?;
        self.ahead = Ahead::new((segment::HEADER_LEN + frame.len()) as u64);
        self.poisoned = false;
        Ok(())
    }

    fn rolls_over(&self, end: u64, frame_len: usize) -> bool {
        end > segment::HEADER_LEN as u64 && end.saturating_add(frame_len as u64) > self.rollover_bytes
    }

    fn read_at(&self, first_index: u64, at: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let path = self.segment_path(first_index);
        read_range(&File::open(&path).map_err(on("open", &path))?, &path, at)
    }

    /// The sealed entries of one segment from `from` on.
    fn scan_segment(&self, segment: &Segment, from: u64, size: u64, each: EachEntry<'_>) -> Result<ControlFlow<()>, StoreError> {
        let skipped = from.saturating_sub(segment.first_index);
        let skip = usize::try_from(skipped).unwrap_or(usize::MAX);
        let mut window = Window { at: 0, bytes: Vec::new() };
        let table = self.table(segment)?;
        for (place, index) in table.places.iter().skip(skip).zip(segment.first_index.saturating_add(skipped)..size) {
            let (leaf, sealed) = (place.leaf(), place.sealed());
            if !window.holds(leaf.start..sealed.end) {
                // A batch's leaves stand before its records, so a window begins at a leaf and holds the record too.
                let end = (leaf.start + WINDOW_BYTES).min(table.bytes()).max(sealed.end);
                window = Window { at: leaf.start, bytes: self.read_at(segment.first_index, leaf.start..end)? };
            }
            let (Some(leaf), Some(sealed)) = (window.cut(leaf), window.cut(sealed)) else { return Err(StoreError::NotRecovered) };
            if each(index, leaf, sealed).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Bytes of a segment that are read at once. A question that wants a few entries reads no more than it has to; one that wants all reads in long
/// pieces.
const WINDOW_BYTES: u64 = 4 << 20;

/// A piece of a segment.
struct Window {
    at: u64,
    bytes: Vec<u8>,
}

impl Window {
    fn holds(&self, range: Range<u64>) -> bool {
        self.at <= range.start && range.end <= self.at + self.bytes.len() as u64
    }

    fn cut(&self, range: Range<u64>) -> Option<&[u8]> {
        let within = |at: u64| usize::try_from(at.checked_sub(self.at)?).ok();
        self.bytes.get(within(range.start)?..within(range.end)?)
    }
}

impl Drop for SegmentStore {
    /// Takes back the zeros that were not needed. Nothing depends on it: they are no frames.
    fn drop(&mut self) {
        self.ahead.finish();
        let Some(content) = self.content.as_ref().filter(|_| !self.poisoned) else { return };
        let newest = content.newest_first().filter(|_| self.ahead.own_zeros_behind(content.end)).map(|index| self.segment_path(index));
        if let Some(file) = newest.and_then(|path| OpenOptions::new().write(true).open(path).ok()) {
            drop(file.set_len(content.end));
        }
    }
}

impl Store for SegmentStore {
    fn recover(&mut self, from: u64) -> Result<Recovered, StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        self.ahead.finish();
        let (content, mut recovered, len) = self.load(from)?;
        self.content = Some(content);
        self.ahead = Ahead::new(len);
        if self.lock.is_none() {
            // What stands after the seal may be a live writer's, who is not done yet.
            recovered.staged = None;
            recovered.torn_bytes = 0;
        }
        Ok(recovered)
    }

    fn stage(&mut self, batch: &StagedBatch) -> Result<(), StoreError> {
        let content = self.writable()?;
        let staged_size = content.position.may_stage(batch)?;
        let (newest, end) = (content.newest_first().ok_or(StoreError::NotRecovered)?, content.end);
        let mut frame = segment::encode_batch(newest, end, batch.first_index, &pairs(batch))?;
        let rolls_over = self.rolls_over(end, frame.len());
        if rolls_over {
            frame = segment::encode_batch(batch.first_index, segment::HEADER_LEN as u64, batch.first_index, &pairs(batch))?;
            self.begin_segment(batch.first_index, &frame)?;
        } else {
            self.append(&frame)?;
        }
        let content = self.content.as_mut().ok_or(StoreError::NotRecovered)?;
        content.staged(batch, staged_size, rolls_over, frame.len() as u64);
        Ok(())
    }

    fn seal(&mut self, head: &Head) -> Result<(), StoreError> {
        let content = self.writable()?;
        content.position.may_seal(head)?;
        let newest = content.newest_first().ok_or(StoreError::NotRecovered)?;
        let frame = segment::encode_seal(newest, content.end, head.size, &head.note)?;
        self.append(&frame)?;
        let content = self.content.as_mut().ok_or(StoreError::NotRecovered)?;
        content.sealed(head, frame.len() as u64);
        Ok(())
    }

    fn seal_and_stage(&mut self, head: &Head, next: &StagedBatch) -> Result<(), StoreError> {
        let content = self.writable()?;
        content.position.may_seal(head)?;
        let staged_size = Position { size: head.size, staged_size: None }.may_stage(next)?;
        let (newest, end) = (content.newest_first().ok_or(StoreError::NotRecovered)?, content.end);
        let frame = segment::encode_seal_and_batch(newest, end, head.size, &head.note, &pairs(next))?;
        if self.rolls_over(end, frame.len()) {
            // A segment ends with a seal and begins with a batch.
            self.seal(head)?;
            return self.stage(next);
        }
        self.append(&frame)?;
        let content = self.content.as_mut().ok_or(StoreError::NotRecovered)?;
        content.sealed(head, segment::joint_seal_len(&head.note));
        content.staged(next, staged_size, false, frame.len() as u64 - segment::joint_seal_len(&head.note));
        Ok(())
    }

    fn reader(&self) -> Result<Box<dyn Store>, StoreError> {
        Ok(Box::new(Self::open_reader(&self.dir)?))
    }

    fn read(&self, index: u64) -> Result<StoredEntry, StoreError> {
        let content = self.content()?;
        content.position.may_read(index)?;
        let missing = StoreError::NotSealed { index, size: content.position.size };
        let Some(segment) = content.find(index) else { return Err(missing) };
        let Some(place) = self.table(segment)?.place(index - segment.first_index) else { return Err(missing) };
        let leaf = self.read_at(segment.first_index, place.leaf())?;
        let sealed = self.read_at(segment.first_index, place.sealed())?;
        Ok(StoredEntry { leaf, sealed })
    }

    fn scan(&self, from: u64, each: EachEntry<'_>) -> Result<(), StoreError> {
        let content = self.content()?;
        for segment in content.segments.iter().filter(|segment| segment.end_index > from) {
            if self.scan_segment(segment, from, content.position.size, each)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn seals(&self, size_min: u64, each: EachSeal<'_>) -> Result<(), StoreError> {
        for segment in self.content()?.segments.iter().filter(|segment| segment.end_index >= size_min) {
            let seals = &self.table(segment)?.seals;
            let from = seals.partition_point(|seal| seal.size < size_min);
            for seal in seals.iter().skip(from) {
                let note = self.read_at(segment.first_index, seal.note())?;
                if each(seal.size, &note).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn stage_rewrite(&mut self, rewrite: &Rewrite) -> Result<(), StoreError> {
        self.put_by(rewrite)
    }

    fn staged_rewrites(&self) -> Result<Vec<Rewrite>, StoreError> {
        self.list_put_by()
    }

    fn carry_out(&mut self, target: u64) -> Result<(), StoreError> {
        self.put_in_place(target)
    }

    fn drop_rewrite(&mut self, target: u64) -> Result<(), StoreError> {
        self.writable()?;
        self.forget_put_by(target)
    }
}

fn read_range(file: &File, path: &Path, at: Range<u64>) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![0; usize::try_from(at.end.saturating_sub(at.start)).unwrap_or(0)];
    file.read_exact_at(&mut bytes, at.start).map_err(|source| match source.kind() {
        ErrorKind::UnexpectedEof => damaged(path, at.start, "the file is shorter than when it was opened".into()),
        _ => on("read", path)(source).into(),
    })?;
    Ok(bytes)
}

fn check_exists(dir: &Path) -> Result<(), StoreError> {
    match std::fs::metadata(dir) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(damaged(dir, 0, "not a directory".into())),
        Err(source) if source.kind() == ErrorKind::NotFound => Err(StoreError::Missing(dir.to_owned())),
        Err(source) => Err(on("open", dir)(source).into()),
    }
}

fn writer_lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join("lock");
    lock(&path)?.ok_or(StoreError::Locked(path))
}

fn pairs(batch: &StagedBatch) -> Vec<(&[u8], &[u8])> {
    batch.entries.iter().map(|entry| (entry.leaf.as_slice(), entry.sealed.as_slice())).collect()
}

pub(crate) fn damaged(path: &Path, offset: u64, what: String) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), offset, what }
}
