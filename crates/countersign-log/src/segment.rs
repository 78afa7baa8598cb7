//! The layout of one segment file of the store: bytes to frames and frames to bytes, nothing else.
//!
//! In scope: encoding a header, a batch frame and a seal frame; reading a whole segment back, strictly, and telling a write
//! that never finished from damage. Not here: files, durability and recovery (`countersign-store`), whether a sealed record
//! is the one its leaf commits to, and whether a note is a good checkpoint (the caller, who has the means).
//! The layout in prose is `schemas/segment.md`. Limits are the constants below.
//!
//! The checksum of a frame is not a security measure: whoever can write the file can compute it. It finds rot, torn writes
//! and frames that stand where they were not written. What stops a forger is the signed tree.

use std::ops::Range;

use thiserror::Error;

/// Length of the segment header.
pub const HEADER_LEN: usize = 32;
/// Length of the header of each frame.
pub const FRAME_HEADER_LEN: usize = 24;
/// Longest leaf, in bytes.
pub const LEAF_BYTES_MAX: usize = 1024;
/// Longest sealed record, in bytes.
pub const SEALED_BYTES_MAX: usize = 65_535;
/// Most entries in one batch.
pub const BATCH_COUNT_MAX: usize = 65_536;
/// Longest batch body, in bytes, so that one frame always fits in memory.
pub const BATCH_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Longest signed note in a seal, in bytes.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;
/// A batch that would take a segment past this length starts a new one (unless the segment holds nothing yet).
pub const ROLLOVER_BYTES: u64 = 64 * 1024 * 1024;
/// Longest segment file a writer makes: one largest batch may stand alone past the rollover, and the seal follows its batch.
pub const SEGMENT_BYTES_MAX: u64 = ROLLOVER_BYTES + BATCH_BYTES_MAX as u64 + NOTE_BYTES_MAX as u64 + 1024;

const MAGIC: &[u8; 16] = b"countersign seg1";
const KIND_BATCH: u8 = 1;
const KIND_SEAL: u8 = 2;
/// A seal and the batch after it, written and synced together.
const KIND_SEAL_AND_BATCH: u8 = 3;
const CHECKSUM_LEN: usize = 16;
/// first_index, count, checksum of the sealed records as first staged.
const BATCH_FIXED_LEN: usize = 8 + 4 + CHECKSUM_LEN;
const ITEM_LEN: usize = 2 + 4;
/// One entry whose leaf and sealed record have a byte each.
const BATCH_BYTES_MIN: usize = BATCH_FIXED_LEN + ITEM_LEN + 2;
const SEAL_FIXED_LEN: usize = 8;
/// Size and length of the note in a frame that holds a batch too.
const JOINT_FIXED_LEN: usize = SEAL_FIXED_LEN + 4;
const FRAME_CONTEXT: &str = "countersign v1 frame";
const STAGED_CONTEXT: &str = "countersign v1 sealed records as staged";

/// Where one entry's leaf and sealed record stand in the segment's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The leaf's bytes.
    pub leaf: Range<usize>,
    /// The sealed record's bytes.
    pub sealed: Range<usize>,
}

/// One frame of a segment, its checksum good and its place in the sequence right. A frame that holds a seal and a batch is given as the one and
/// then the other, with the same `offset` and `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A batch of entries. Committed only if the next frame is a seal.
    Batch {
        /// Where the frame starts.
        offset: u64,
        /// Where the next frame starts.
        end: u64,
        /// Leaf index of the first entry.
        first_index: u64,
        /// The entries, in index order.
        items: Vec<Item>,
        /// The sealed records are those that were first written. False after a redaction, which rewrites a record; false
        /// too if the write of an unsealed batch was torn, or a record damaged. The leaf's `sealed_hash` decides.
        sealed_as_staged: bool,
    },
    /// The signed checkpoint over everything up to here.
    Seal {
        /// Where the frame starts.
        offset: u64,
        /// Where the next frame starts.
        end: u64,
        /// Tree size: the index after the last entry of the batch before it.
        size: u64,
        /// The signed note's bytes.
        note: Range<usize>,
    },
    /// Zeros up to the end of the file.
    ZeroTail {
        /// Where they start.
        offset: u64,
    },
}

/// Why a segment's header is not the one expected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HeaderFault {
    /// The file is shorter than the header.
    #[error("file has {0} bytes, the header alone has {HEADER_LEN}")]
    Short(usize),
    /// It does not start as a segment file of version 1.
    #[error("not a segment file of this version")]
    Magic,
    /// It is another segment than the file's name says.
    #[error("starts at index {found}, expected {expected}")]
    FirstIndex {
        /// The index asked for.
        expected: u64,
        /// The index in the header.
        found: u64,
    },
    /// The reserved bytes are not zero.
    #[error("reserved bytes are not zero")]
    Reserved,
}

/// What is wrong with one frame.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FrameFault {
    /// Neither batch nor seal.
    #[error("unknown frame kind {0}")]
    Kind(u8),
    /// The three bytes after the kind are not zero.
    #[error("reserved bytes are not zero")]
    Reserved,
    /// The body is longer than any frame of its kind, or shorter than its fixed part.
    #[error("body of {0} bytes is out of bounds")]
    BodyLength(u32),
    /// The file ends inside the frame.
    #[error("file ends inside the frame, {missing} bytes missing")]
    Short {
        /// Bytes that are not there.
        missing: u64,
    },
    /// Number of entries is zero or above the limit.
    #[error("{0} entries in one batch")]
    Count(u32),
    /// A leaf or sealed record is empty or above its limit, or the lengths do not add up to the body.
    #[error("lengths of leaves and sealed records do not fit the body")]
    Lengths,
    /// The bytes are not those written here.
    #[error("checksum does not match")]
    Checksum,
    /// Kind 0 says that only zeros follow, and something else does.
    #[error("bytes after the last frame are not zero (first at offset {0})")]
    Tail(u64),
    /// A batch that does not continue where the one before ended.
    #[error("batch starts at index {found}, expected {expected}")]
    Gap {
        /// The next index.
        expected: u64,
        /// The index in the frame.
        found: u64,
    },
    /// A batch after a batch that was never sealed.
    #[error("batch follows a batch that was never sealed")]
    Unsealed,
    /// A seal without a batch before it.
    #[error("seal without a batch before it")]
    NothingToSeal,
    /// A seal for another size than the batch before it gives.
    #[error("seal for size {found}, expected {expected}")]
    SealSize {
        /// The size after the batch.
        expected: u64,
        /// The size in the frame.
        found: u64,
    },
    /// The indexes do not fit in 64 bits.
    #[error("leaf index overflows")]
    Overflow,
}

/// Why a segment could not be read to its end.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SegmentError {
    /// The header is wrong. A writer makes the header durable before the file has its name, so this is never a torn write.
    #[error("segment header: {0}")]
    Header(#[source] HeaderFault),
    /// Damage: good frames follow, or the frame is intact and contradicts those before it. Never repaired, never cut.
    #[error("damaged at offset {offset}: {fault}")]
    Damaged {
        /// Where the frame starts.
        offset: u64,
        /// What is wrong.
        #[source]
        fault: FrameFault,
    },
    /// The last frame is not whole and no good frame follows: what a write that never finished leaves. Nothing at or after
    /// `offset` was ever acknowledged, unless the file was damaged exactly there; a kept head (register, witness) tells.
    #[error("unfinished frame at offset {offset}: {fault}")]
    Torn {
        /// Where the frame starts, and where recovery may cut.
        offset: u64,
        /// What is wrong.
        #[source]
        fault: FrameFault,
    },
}

/// Why a batch or note cannot be put into a frame.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// No entries, or too many.
    #[error("{0} entries in one batch: 1 to {BATCH_COUNT_MAX} are allowed")]
    Count(usize),
    /// An empty or too long leaf.
    #[error("leaf {index} has {len} bytes: 1 to {LEAF_BYTES_MAX} are allowed")]
    Leaf {
        /// Its leaf index.
        index: u64,
        /// Its length.
        len: usize,
    },
    /// An empty or too long sealed record.
    #[error("sealed record {index} has {len} bytes: 1 to {SEALED_BYTES_MAX} are allowed")]
    Sealed {
        /// Its leaf index.
        index: u64,
        /// Its length.
        len: usize,
    },
    /// All entries together are too long for one frame.
    #[error("batch of {0} bytes: at most {BATCH_BYTES_MAX} are allowed")]
    Batch(usize),
    /// An empty or too long note.
    #[error("note has {0} bytes: 1 to {NOTE_BYTES_MAX} are allowed")]
    Note(usize),
    /// The indexes do not fit in 64 bits.
    #[error("leaf index overflows")]
    Overflow,
}

/// The file's name for the segment that starts at `first_index`: 16 lower-case hex digits and `.seg`.
pub fn file_name(first_index: u64) -> String {
    format!("{first_index:016x}.seg")
}

/// The first index a segment's file name gives; `None` for any other name.
pub fn parse_file_name(name: &str) -> Option<u64> {
    let first_index = u64::from_str_radix(name.strip_suffix(".seg")?, 16).ok()?;
    (file_name(first_index) == name).then_some(first_index)
}

/// The header of the segment that starts at `first_index`.
pub fn encode_header(first_index: u64) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    let fields = MAGIC.iter().copied().chain(first_index.to_be_bytes());
    header.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
    header
}

/// The frame for a batch of `(leaf, sealed record)`, to be written at `offset` of the segment that starts at `segment_first_index`.
pub fn encode_batch(segment_first_index: u64, offset: u64, first_index: u64, entries: &[(&[u8], &[u8])]) -> Result<Vec<u8>, EncodeError> {
    encode_frame(Place { segment_first_index, offset }, KIND_BATCH, &[], first_index, entries)
}

/// One frame for the signed note over the first `size` leaves and the batch that starts there: on disk both are whole or neither is.
pub fn encode_seal_and_batch(
    segment_first_index: u64,
    offset: u64,
    size: u64,
    note: &[u8],
    entries: &[(&[u8], &[u8])],
) -> Result<Vec<u8>, EncodeError> {
    check_note(note)?;
    let note_len = u32::try_from(note.len()).map_err(|_| EncodeError::Note(note.len()))?;
    let seal = [size.to_be_bytes().as_slice(), &note_len.to_be_bytes(), note].concat();
    encode_frame(Place { segment_first_index, offset }, KIND_SEAL_AND_BATCH, &seal, size, entries)
}

/// Bytes of a frame made by [`encode_seal_and_batch`] up to the end of this note.
pub fn joint_seal_len(note: &[u8]) -> u64 {
    (FRAME_HEADER_LEN + JOINT_FIXED_LEN + note.len()) as u64
}

/// The frame for the signed note over the first `size` leaves, to be written at `offset` of the segment that starts at `segment_first_index`.
pub fn encode_seal(segment_first_index: u64, offset: u64, size: u64, note: &[u8]) -> Result<Vec<u8>, EncodeError> {
    check_note(note)?;
    let body = [size.to_be_bytes().as_slice(), note].concat();
    let body_len = u32::try_from(body.len()).map_err(|_| EncodeError::Note(note.len()))?;
    let place = Place { segment_first_index, offset };
    Ok([frame_header(KIND_SEAL, body_len, frame_checksum(place, KIND_SEAL, body_len, &body)).as_slice(), &body].concat())
}

/// A frame that ends in a batch: `before` the batch's own body, all of it covered but the sealed records.
fn encode_frame(place: Place, kind: u8, before: &[u8], first_index: u64, entries: &[(&[u8], &[u8])]) -> Result<Vec<u8>, EncodeError> {
    check_batch(first_index, entries)?;
    let count = u32::try_from(entries.len()).map_err(|_| EncodeError::Count(entries.len()))?;
    let covered_len = before.len() + BATCH_FIXED_LEN + entries.iter().map(|(leaf, _)| ITEM_LEN + leaf.len()).sum::<usize>();
    let body_len = covered_len + entries.iter().map(|(_, sealed)| sealed.len()).sum::<usize>();
    let body_len_field =
        u32::try_from(body_len).ok().filter(|_| body_len - before.len() <= BATCH_BYTES_MAX).ok_or(EncodeError::Batch(body_len))?;
    let mut frame = Vec::with_capacity(FRAME_HEADER_LEN + body_len);
    frame.resize(FRAME_HEADER_LEN, 0);
    frame.extend(before);
    frame.extend(first_index.to_be_bytes());
    frame.extend(count.to_be_bytes());
    frame.extend(staged_checksum(entries.iter().map(|(_, sealed)| *sealed)));
    for (leaf, sealed) in entries {
        frame.extend(u16::try_from(leaf.len()).unwrap_or(u16::MAX).to_be_bytes());
        frame.extend(u32::try_from(sealed.len()).unwrap_or(u32::MAX).to_be_bytes());
    }
    entries.iter().for_each(|(leaf, _)| frame.extend_from_slice(leaf));
    let checksum = frame_checksum(place, kind, body_len_field, frame.get(FRAME_HEADER_LEN..).unwrap_or_default());
    frame.iter_mut().zip(frame_header(kind, body_len_field, checksum)).for_each(|(to, from)| *to = from);
    entries.iter().for_each(|(_, sealed)| frame.extend_from_slice(sealed));
    Ok(frame)
}

/// The frames of one segment, in order. Stops after the first error and after a zero tail.
///
/// Besides each frame's own bytes it holds the order: batches continue one another from the segment's first index, and
/// batch and seal alternate. A segment may end with an unsealed batch; whether it may is for the caller to know (only the
/// newest segment may). How far the segment is sealed: [`Frames::sealed_size`].
#[derive(Debug)]
pub struct Frames<'a> {
    bytes: &'a [u8],
    segment_first_index: u64,
    at: usize,
    next_index: u64,
    sealed_size: Option<u64>,
    batch_open: bool,
    /// The batch of a frame whose seal was given last.
    behind: Option<Frame>,
    done: bool,
}

impl<'a> Frames<'a> {
    /// Checks the header of a whole segment file against the index its name gives.
    pub fn new(bytes: &'a [u8], expected_first_index: u64) -> Result<Self, SegmentError> {
        check_header(bytes, expected_first_index).map_err(SegmentError::Header)?;
        Ok(Self {
            bytes,
            segment_first_index: expected_first_index,
            at: HEADER_LEN,
            next_index: expected_first_index,
            sealed_size: None,
            batch_open: false,
            behind: None,
            done: false,
        })
    }

    /// The size the newest seal read so far gives; `None` before the first.
    pub fn sealed_size(&self) -> Option<u64> {
        self.sealed_size
    }

    /// The index after the last entry read so far, sealed or not.
    pub fn next_index(&self) -> u64 {
        self.next_index
    }

    fn step(&mut self) -> Result<Frame, SegmentError> {
        if let Some(batch) = self.behind.take() {
            return self.follow(batch);
        }
        if self.bytes.get(self.at) == Some(&0) {
            return self.zero_tail();
        }
        let (frame, behind) = parse_frame(self.bytes, self.segment_first_index, self.at).map_err(|fault| self.torn_or_damaged(fault))?;
        // A seal and a batch that were written together are whole together. If nothing stands behind records that are not those first written,
        // the write never finished, and what the seal would have committed was not acknowledged.
        if let Some(Frame::Batch { sealed_as_staged: false, end, offset, .. }) = behind
            && !self.anything_from(end)
        {
            return Err(SegmentError::Torn { offset, fault: FrameFault::Checksum });
        }
        self.behind = behind;
        self.follow(frame)
    }

    fn anything_from(&self, offset: u64) -> bool {
        let tail = usize::try_from(offset).ok().and_then(|at| self.bytes.get(at..)).unwrap_or_default();
        tail.iter().any(|byte| *byte != 0)
    }

    fn zero_tail(&mut self) -> Result<Frame, SegmentError> {
        let tail = self.bytes.get(self.at..).unwrap_or_default();
        let Some(stray) = tail.iter().position(|byte| *byte != 0) else {
            self.done = true;
            return Ok(Frame::ZeroTail { offset: self.at as u64 });
        };
        Err(self.torn_or_damaged(FrameFault::Tail((self.at + stray) as u64)))
    }

    /// Holds a frame against those before it. A frame that is intact and does not follow was never written by a crash.
    fn follow(&mut self, frame: Frame) -> Result<Frame, SegmentError> {
        let (Frame::Batch { offset, .. } | Frame::Seal { offset, .. } | Frame::ZeroTail { offset }) = frame;
        self.order(&frame).map_err(|fault| SegmentError::Damaged { offset, fault })?;
        Ok(frame)
    }

    fn order(&mut self, frame: &Frame) -> Result<(), FrameFault> {
        let end = match frame {
            Frame::Batch { first_index, items, end, .. } => {
                if self.batch_open {
                    return Err(FrameFault::Unsealed);
                }
                if *first_index != self.next_index {
                    return Err(FrameFault::Gap { expected: self.next_index, found: *first_index });
                }
                self.next_index = first_index.checked_add(items.len() as u64).ok_or(FrameFault::Overflow)?;
                self.batch_open = true;
                *end
            }
            Frame::Seal { size, end, .. } => {
                if !self.batch_open {
                    return Err(FrameFault::NothingToSeal);
                }
                if *size != self.next_index {
                    return Err(FrameFault::SealSize { expected: self.next_index, found: *size });
                }
                self.sealed_size = Some(*size);
                self.batch_open = false;
                *end
            }
            Frame::ZeroTail { .. } => return Ok(()),
        };
        self.at = usize::try_from(end).map_err(|_| FrameFault::Overflow)?;
        Ok(())
    }

    /// A frame is written only once the one before it is durable. So a bad frame with a good one anywhere behind it is damage.
    fn torn_or_damaged(&self, fault: FrameFault) -> SegmentError {
        let offset = self.at as u64;
        if frame_follows(self.bytes, self.segment_first_index, self.at) {
            SegmentError::Damaged { offset, fault }
        } else {
            SegmentError::Torn { offset, fault }
        }
    }
}

impl Iterator for Frames<'_> {
    type Item = Result<Frame, SegmentError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done || (self.behind.is_none() && self.at >= self.bytes.len()) {
            return None;
        }
        let step = self.step();
        self.done |= step.is_err();
        Some(step)
    }
}

/// Where a frame stands. Part of its checksum, so that a frame copied elsewhere is not a frame.
#[derive(Clone, Copy)]
struct Place {
    segment_first_index: u64,
    offset: u64,
}

fn check_batch(first_index: u64, entries: &[(&[u8], &[u8])]) -> Result<(), EncodeError> {
    if entries.is_empty() || entries.len() > BATCH_COUNT_MAX {
        return Err(EncodeError::Count(entries.len()));
    }
    first_index.checked_add(entries.len() as u64).ok_or(EncodeError::Overflow)?;
    for ((leaf, sealed), index) in entries.iter().zip(first_index..) {
        if leaf.is_empty() || leaf.len() > LEAF_BYTES_MAX {
            return Err(EncodeError::Leaf { index, len: leaf.len() });
        }
        if sealed.is_empty() || sealed.len() > SEALED_BYTES_MAX {
            return Err(EncodeError::Sealed { index, len: sealed.len() });
        }
    }
    Ok(())
}

fn check_note(note: &[u8]) -> Result<(), EncodeError> {
    if note.is_empty() || note.len() > NOTE_BYTES_MAX { Err(EncodeError::Note(note.len())) } else { Ok(()) }
}

fn frame_header(kind: u8, body_len: u32, checksum: [u8; CHECKSUM_LEN]) -> [u8; FRAME_HEADER_LEN] {
    let mut header = [0; FRAME_HEADER_LEN];
    let fields = [kind, 0, 0, 0].into_iter().chain(body_len.to_be_bytes()).chain(checksum);
    header.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
    header
}

fn frame_checksum(place: Place, kind: u8, body_len: u32, covered: &[u8]) -> [u8; CHECKSUM_LEN] {
    let mut hasher = blake3::Hasher::new_derive_key(FRAME_CONTEXT);
    hasher.update(&place.segment_first_index.to_be_bytes());
    hasher.update(&place.offset.to_be_bytes());
    hasher.update(&[kind]);
    hasher.update(&body_len.to_be_bytes());
    hasher.update(covered);
    first_half(&hasher)
}

fn staged_checksum<'a>(sealed: impl Iterator<Item = &'a [u8]>) -> [u8; CHECKSUM_LEN] {
    let mut hasher = blake3::Hasher::new_derive_key(STAGED_CONTEXT);
    sealed.for_each(|record| {
        hasher.update(record);
    });
    first_half(&hasher)
}

fn first_half(hasher: &blake3::Hasher) -> [u8; CHECKSUM_LEN] {
    let mut checksum = [0; CHECKSUM_LEN];
    hasher.finalize_xof().fill(&mut checksum);
    checksum
}

fn check_header(bytes: &[u8], expected: u64) -> Result<(), HeaderFault> {
    let header = bytes.get(..HEADER_LEN).ok_or(HeaderFault::Short(bytes.len()))?;
    if !header.starts_with(MAGIC) {
        return Err(HeaderFault::Magic);
    }
    let mut rest = Cursor { bytes: header, at: MAGIC.len() };
    let found = rest.u64().ok_or(HeaderFault::Short(bytes.len()))?;
    if found != expected {
        return Err(HeaderFault::FirstIndex { expected, found });
    }
    if header != encode_header(expected) {
        return Err(HeaderFault::Reserved);
    }
    Ok(())
}

/// One frame by its own bytes alone, whatever stands before it; the second is the batch of a frame that holds a seal too.
fn parse_frame(bytes: &[u8], segment_first_index: u64, at: usize) -> Result<(Frame, Option<Frame>), FrameFault> {
    let missing = |end: usize| FrameFault::Short { missing: end.saturating_sub(bytes.len()) as u64 };
    let body_at = at.saturating_add(FRAME_HEADER_LEN);
    let mut header = Cursor { bytes, at };
    let kind = header.u8().ok_or_else(|| missing(body_at))?;
    if !matches!(kind, KIND_BATCH | KIND_SEAL | KIND_SEAL_AND_BATCH) {
        return Err(FrameFault::Kind(kind));
    }
    let reserved = header.take(3).ok_or_else(|| missing(body_at))?;
    if reserved != [0, 0, 0] {
        return Err(FrameFault::Reserved);
    }
    let body_len = header.u32().ok_or_else(|| missing(body_at))?;
    let checksum = header.take(CHECKSUM_LEN).ok_or_else(|| missing(body_at))?;
    let end = body_end(kind, body_len, body_at)?;
    let body = Cursor { bytes: bytes.get(..end).ok_or_else(|| missing(end))?, at: body_at };
    let place = Place { segment_first_index, offset: at as u64 };
    let matches = |covered: &[u8]| checksum == frame_checksum(place, kind, body_len, covered);
    match kind {
        KIND_BATCH => Ok((parse_batch(body, body_at, place.offset, matches)?, None)),
        KIND_SEAL => Ok((parse_seal(body, place.offset, matches)?, None)),
        _ => parse_joint(body, place.offset, matches).map(|(seal, batch)| (seal, Some(batch))),
    }
}

fn body_end(kind: u8, body_len: u32, body_at: usize) -> Result<usize, FrameFault> {
    let bounds = match kind {
        KIND_BATCH => BATCH_BYTES_MIN..=BATCH_BYTES_MAX,
        KIND_SEAL_AND_BATCH => JOINT_FIXED_LEN + 1 + BATCH_BYTES_MIN..=JOINT_FIXED_LEN + NOTE_BYTES_MAX + BATCH_BYTES_MAX,
        _ => SEAL_FIXED_LEN + 1..=SEAL_FIXED_LEN + NOTE_BYTES_MAX,
    };
    let len = usize::try_from(body_len).ok().filter(|len| bounds.contains(len)).ok_or(FrameFault::BodyLength(body_len))?;
    body_at.checked_add(len).ok_or(FrameFault::BodyLength(body_len))
}

fn parse_seal(mut body: Cursor<'_>, offset: u64, matches: impl Fn(&[u8]) -> bool) -> Result<Frame, FrameFault> {
    if !matches(body.rest()) {
        return Err(FrameFault::Checksum);
    }
    let size = body.u64().ok_or(FrameFault::Lengths)?;
    let end = body.bytes.len();
    Ok(Frame::Seal { offset, end: end as u64, size, note: body.at..end })
}

fn parse_joint(mut body: Cursor<'_>, offset: u64, matches: impl Fn(&[u8]) -> bool) -> Result<(Frame, Frame), FrameFault> {
    let covered_from = body.at;
    let size = body.u64().ok_or(FrameFault::Lengths)?;
    let note_len = body.u32().and_then(|len| usize::try_from(len).ok()).filter(|len| (1..=NOTE_BYTES_MAX).contains(len));
    let note_at = body.at;
    body.take(note_len.ok_or(FrameFault::Lengths)?).ok_or(FrameFault::Lengths)?;
    let note = note_at..body.at;
    let batch = parse_batch(body, covered_from, offset, matches)?;
    Ok((Frame::Seal { offset, end: body.bytes.len() as u64, size, note }, batch))
}

fn parse_batch(mut body: Cursor<'_>, covered_from: usize, offset: u64, matches: impl Fn(&[u8]) -> bool) -> Result<Frame, FrameFault> {
    let first_index = body.u64().ok_or(FrameFault::Lengths)?;
    let count = body.u32().ok_or(FrameFault::Lengths)?;
    let staged = body.take(CHECKSUM_LEN).ok_or(FrameFault::Lengths)?;
    let lengths = item_lengths(&mut body, count)?;
    let leaves_at = body.at;
    let sealed_at = lengths.iter().fold(leaves_at, |at, (leaf, _)| at + leaf);
    let end = lengths.iter().fold(sealed_at, |at, (_, sealed)| at + sealed);
    if end != body.bytes.len() {
        return Err(FrameFault::Lengths);
    }
    if !matches(body.bytes.get(covered_from..sealed_at).ok_or(FrameFault::Lengths)?) {
        return Err(FrameFault::Checksum);
    }
    let sealed = body.bytes.get(sealed_at..end).ok_or(FrameFault::Lengths)?;
    let sealed_as_staged = staged == staged_checksum(std::iter::once(sealed));
    let items = items(leaves_at, sealed_at, &lengths);
    Ok(Frame::Batch { offset, end: end as u64, first_index, items, sealed_as_staged })
}

fn item_lengths(body: &mut Cursor<'_>, count: u32) -> Result<Vec<(usize, usize)>, FrameFault> {
    let wanted = usize::try_from(count).ok().filter(|n| (1..=BATCH_COUNT_MAX).contains(n)).ok_or(FrameFault::Count(count))?;
    let mut table = Cursor { bytes: body.take(wanted * ITEM_LEN).ok_or(FrameFault::Lengths)?, at: 0 };
    let mut lengths = Vec::with_capacity(wanted);
    while let (Some(leaf), Some(sealed)) = (table.u16(), table.u32()) {
        let leaf = usize::from(leaf);
        let sealed = usize::try_from(sealed).map_err(|_| FrameFault::Lengths)?;
        if !(1..=LEAF_BYTES_MAX).contains(&leaf) || !(1..=SEALED_BYTES_MAX).contains(&sealed) {
            return Err(FrameFault::Lengths);
        }
        lengths.push((leaf, sealed));
    }
    Ok(lengths)
}

fn items(mut leaf_at: usize, mut sealed_at: usize, lengths: &[(usize, usize)]) -> Vec<Item> {
    let item = |(leaf, sealed): &(usize, usize)| {
        let item = Item { leaf: leaf_at..leaf_at + leaf, sealed: sealed_at..sealed_at + sealed };
        (leaf_at, sealed_at) = (item.leaf.end, item.sealed.end);
        item
    };
    lengths.iter().map(item).collect()
}

/// Whether a good frame stands anywhere after `bad`. The place is part of each checksum, so nothing passes by chance. A file
/// made to cost much here runs out of budget and counts as damaged, which is the careful answer.
fn frame_follows(bytes: &[u8], segment_first_index: u64, bad: usize) -> bool {
    let mut budget = bytes.len().saturating_mul(8).saturating_add(BATCH_BYTES_MAX);
    for at in bad + 1..bytes.len().saturating_sub(FRAME_HEADER_LEN) {
        let Some([KIND_BATCH | KIND_SEAL | KIND_SEAL_AND_BATCH, 0, 0, 0, a, b, c, d]) = bytes.get(at..at + 8) else { continue };
        let body_len = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        if body_len > bytes.len() - at {
            continue;
        }
        if parse_frame(bytes, segment_first_index, at).is_ok() {
            return true;
        }
        match budget.checked_sub(body_len) {
            Some(left) => budget = left,
            None => return true,
        }
    }
    false
}

/// Reads big-endian fields; `None` past the end.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(len)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "segment_tests.rs"]
mod tests;
