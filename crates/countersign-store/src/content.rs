//! What the segment files hold: one file judged while recovering, and the tables kept from all of them.

use std::ops::Range;
use std::sync::OnceLock;

use countersign_log::segment::{Frame, Frames, HEADER_LEN, Item, Outline, SegmentError};

use crate::order::Position;
use crate::{Head, StagedBatch, StoredEntry};

/// What is in the files, as far as reading and writing need it.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub segments: Vec<Segment>,
    pub position: Position,
    /// Places of the pending batch's entries, in the newest segment.
    pending: Vec<Place>,
    /// Where the next frame goes in the newest segment.
    pub end: u64,
    /// Something unfinished stands there and is cut first.
    pub torn: bool,
}

impl Content {
    /// Takes in the next segment; `None` if a place in it does not fit its field, which no file of allowed length does.
    pub fn push(&mut self, loaded: Loaded<'_>) -> Option<()> {
        let table = Table::of(&loaded.sealed, &loaded.seals)?;
        self.pending = loaded.pending.iter().map(Place::of).collect::<Option<_>>()?;
        self.position.size = loaded.first_index.saturating_add(table.places.len() as u64);
        let segment = Segment { first_index: loaded.first_index, end_index: self.position.size, table: OnceLock::from(table) };
        self.position.staged_size = (!self.pending.is_empty()).then(|| self.position.size.saturating_add(self.pending.len() as u64));
        self.end = loaded.end;
        self.torn = loaded.torn_bytes > 0;
        self.segments.push(segment);
        Some(())
    }

    /// Takes in a segment that nobody needs yet, up to where the next one begins.
    pub fn push_unread(&mut self, first_index: u64, end_index: u64) {
        self.position.size = end_index;
        self.segments.push(Segment { first_index, end_index, table: OnceLock::new() });
    }

    /// Takes in a batch that is durable now.
    pub fn staged(&mut self, batch: &StagedBatch, staged_size: u64, new_segment: bool, frame_len: u64) {
        if new_segment {
            let (first_index, table) = (batch.first_index, OnceLock::from(Table::default()));
            self.segments.push(Segment { first_index, end_index: first_index, table });
            self.end = HEADER_LEN as u64;
        }
        self.end += frame_len;
        self.torn = false;
        self.position.staged_size = Some(staged_size);
        let length = |part: fn(&StoredEntry) -> &Vec<u8>| batch.entries.iter().map(|entry| part(entry).len() as u64).sum::<u64>();
        let mut sealed_at = self.end.saturating_sub(length(|entry| &entry.sealed));
        let mut leaf_at = sealed_at.saturating_sub(length(|entry| &entry.leaf));
        self.pending = Vec::with_capacity(batch.entries.len());
        for entry in &batch.entries {
            self.pending.extend(Place::new(leaf_at, entry.leaf.len(), sealed_at, entry.sealed.len()));
            leaf_at += entry.leaf.len() as u64;
            sealed_at += entry.sealed.len() as u64;
        }
    }

    /// Takes in the seal over the pending batch, durable now.
    pub fn sealed(&mut self, head: &Head, frame_len: u64) {
        self.end += frame_len;
        self.torn = false;
        self.position = Position { size: head.size, staged_size: None };
        let Some(newest) = self.segments.last_mut() else { return };
        newest.end_index = head.size;
        let Some(table) = newest.table.get_mut() else { return };
        table.places.append(&mut self.pending);
        table.seals.extend(SealPlace::new(head.size, self.end.saturating_sub(head.note.len() as u64), head.note.len()));
    }

    /// First index of the segment that is written to.
    pub fn newest_first(&self) -> Option<u64> {
        self.segments.last().map(|segment| segment.first_index)
    }

    /// The segment that holds an entry.
    pub fn find(&self, index: u64) -> Option<&Segment> {
        let after = self.segments.partition_point(|segment| segment.first_index <= index);
        self.segments.get(after.checked_sub(1)?)
    }
}

#[derive(Debug)]
pub(crate) struct Segment {
    pub first_index: u64,
    /// After its last sealed entry.
    pub end_index: u64,
    /// Made when it is first asked for, where `recover` had no need to read the file. Never empty for the newest segment.
    pub table: OnceLock<Table>,
}

/// Where everything in a segment stands.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// One for each sealed entry.
    pub places: Vec<Place>,
    pub seals: Vec<SealPlace>,
}

impl Table {
    fn of(items: &[Item], seals: &[(u64, Range<usize>)]) -> Option<Self> {
        Some(Self {
            places: items.iter().map(Place::of).collect::<Option<_>>()?,
            seals: seals.iter().map(|(size, note)| SealPlace::of(*size, note)).collect::<Option<_>>()?,
        })
    }

    /// Of a segment that holds the entries up to `end_index`, as the name of the one after it says.
    pub fn outlined(outline: &Outline, first_index: u64, end_index: u64) -> Option<Self> {
        let whole = first_index.saturating_add(outline.items.len() as u64) == end_index;
        Self::of(&outline.items, &outline.seals).filter(|_| whole)
    }

    /// Bytes up to the end of the last sealed entry.
    pub fn bytes(&self) -> u64 {
        self.places.last().map_or(0, |place| place.sealed().end)
    }

    pub fn place(&self, position: u64) -> Option<&Place> {
        self.places.get(usize::try_from(position).ok()?)
    }
}

/// Where an entry stands in its segment: 12 bytes, since there is one for every entry of the ledger.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    leaf_at: u32,
    sealed_at: u32,
    leaf_len: u16,
    sealed_len: u16,
}

impl Place {
    fn new(leaf_at: u64, leaf_len: usize, sealed_at: u64, sealed_len: usize) -> Option<Self> {
        Some(Self {
            leaf_at: leaf_at.try_into().ok()?,
            sealed_at: sealed_at.try_into().ok()?,
            leaf_len: leaf_len.try_into().ok()?,
            sealed_len: sealed_len.try_into().ok()?,
        })
    }

    fn of(item: &Item) -> Option<Self> {
        Self::new(item.leaf.start as u64, item.leaf.len(), item.sealed.start as u64, item.sealed.len())
    }

    pub fn leaf(&self) -> Range<u64> {
        u64::from(self.leaf_at)..u64::from(self.leaf_at) + u64::from(self.leaf_len)
    }

    pub fn sealed(&self) -> Range<u64> {
        u64::from(self.sealed_at)..u64::from(self.sealed_at) + u64::from(self.sealed_len)
    }
}

/// Where a signed note stands in its segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SealPlace {
    pub size: u64,
    at: u32,
    len: u32,
}

impl SealPlace {
    fn new(size: u64, at: u64, len: usize) -> Option<Self> {
        Some(Self { size, at: at.try_into().ok()?, len: len.try_into().ok()? })
    }

    fn of(size: u64, note: &Range<usize>) -> Option<Self> {
        Self::new(size, note.start as u64, note.len())
    }

    pub fn note(&self) -> Range<u64> {
        u64::from(self.at)..u64::from(self.at) + u64::from(self.len)
    }
}

/// One segment file, read and judged.
pub(crate) struct Loaded<'a> {
    bytes: &'a [u8],
    first_index: u64,
    sealed: Vec<Item>,
    /// The entries of the last batch, if no seal follows it.
    pending: Vec<Item>,
    seals: Vec<(u64, Range<usize>)>,
    /// After the last good frame.
    end: u64,
    /// From there to the end of the file, zeros written ahead left out.
    pub torn_bytes: u64,
}

/// Where a segment is wrong, and what is wrong there.
type Fault = (u64, String);

impl<'a> Loaded<'a> {
    /// Reads a segment to its end. Only the newest may end with an unfinished frame or a batch that is not sealed.
    pub fn read(bytes: &'a [u8], first_index: u64, newest: bool) -> Result<Self, Fault> {
        let end = HEADER_LEN as u64;
        let mut loaded = Self { bytes, first_index, sealed: Vec::new(), pending: Vec::new(), seals: Vec::new(), end, torn_bytes: 0 };
        let mut last = None;
        for frame in Frames::new(bytes, first_index).map_err(|error| (0, error.to_string()))? {
            match frame {
                Ok(batch @ Frame::Batch { .. }) => {
                    if let Frame::Batch { items, end, .. } = &batch {
                        (loaded.pending, loaded.end) = (items.clone(), *end);
                    }
                    last = Some(batch);
                }
                Ok(Frame::Seal { size, note, end, .. }) => {
                    // Sealed records that changed since are no matter of ours: a redaction does that, and the leaf knows better.
                    last = None;
                    loaded.sealed.append(&mut loaded.pending);
                    loaded.seals.push((size, note));
                    loaded.end = end;
                }
                Ok(Frame::ZeroTail { .. }) => {}
                // If something stands behind a batch, the batch was durable: then it is its records that changed, not its write that was torn.
                Err(SegmentError::Torn { offset, .. }) if newest && last.as_ref().is_none_or(|batch| batch.is_as_staged(bytes)) => {
                    loaded.torn_bytes = (bytes.len() as u64).saturating_sub(offset);
                    last = None;
                }
                Err(SegmentError::Torn { offset, fault } | SegmentError::Damaged { offset, fault }) => {
                    return Err((offset, fault.to_string()));
                }
                Err(SegmentError::Header(fault)) => return Err((0, fault.to_string())),
            }
        }
        if let Some(Frame::Batch { offset, .. }) = last.filter(|batch| !batch.is_as_staged(bytes)) {
            loaded.cut_batch(offset);
        }
        loaded.check_end(newest)?;
        Ok(loaded)
    }

    /// The newest seal in this segment.
    pub fn head(&self) -> Option<Head> {
        let (size, note) = self.seals.last()?;
        Some(Head { size: *size, note: self.cut(note) })
    }

    /// The batch that is whole and not sealed.
    pub fn staged(&self) -> Option<StagedBatch> {
        let entry = |item: &Item| StoredEntry { leaf: self.cut(&item.leaf), sealed: self.cut(&item.sealed) };
        let first_index = self.first_index.saturating_add(self.sealed.len() as u64);
        (!self.pending.is_empty()).then(|| StagedBatch { first_index, entries: self.pending.iter().map(entry).collect() })
    }

    fn cut(&self, range: &Range<usize>) -> Vec<u8> {
        self.bytes.get(range.clone()).unwrap_or_default().to_vec()
    }

    /// The write of the last batch was torn inside its sealed records.
    fn cut_batch(&mut self, offset: u64) {
        self.pending.clear();
        self.end = offset;
        self.torn_bytes = (self.bytes.len() as u64).saturating_sub(offset);
    }

    /// A segment after the first has its first batch before it has its name, and the next one is begun only after a seal. So these ends
    /// are not a crash's doing.
    fn check_end(&self, newest: bool) -> Result<(), Fault> {
        let nothing = self.seals.is_empty() && self.pending.is_empty();
        if nothing && self.first_index > 0 {
            return Err((self.end, "no batch in a segment that was begun with one".into()));
        }
        if !newest && (self.seals.is_empty() || !self.pending.is_empty()) {
            return Err((self.end, "the last batch is not sealed, and another segment follows".into()));
        }
        Ok(())
    }
}
