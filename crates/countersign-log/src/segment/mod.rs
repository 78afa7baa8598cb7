//! The layout of one segment file of the store: bytes to frames and frames to bytes, nothing else.
//!
//! In scope: encoding a header, a batch frame and a seal frame; reading a whole segment back, strictly, and telling a write
//! that never finished from damage; finding where everything stands in a segment that somebody else holds against its checksums. Not here: files, durability and recovery (`countersign-store`), whether a sealed record
//! is the one its leaf commits to, and whether a note is a good checkpoint (the caller, who has the means).
//! The layout in prose is `schemas/segment.md`. Limits are the constants below.
//!
//! The checksum of a frame is not a security measure: whoever can write the file can compute it. It finds rot, torn writes
//! and frames that stand where they were not written. What stops a forger is the signed tree.

mod fault;
mod read;

use std::ops::Range;

pub use fault::{EncodeError, FrameFault, HeaderFault, RewriteError, SegmentError};
pub use read::{Frames, Outline, OutlineError};

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
        /// Checksum of the sealed records the frame was written with: [`Frame::is_as_staged`].
        staged: [u8; CHECKSUM_LEN],
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

impl Frame {
    /// Whether the sealed records of a batch are those it was written with, out of the bytes it was read from. If not, the write of an unsealed batch was
    /// torn, or a record damaged. Of a batch with a seal it says nothing: whether a record is the right one, its leaf's `sealed_hash` decides, or a
    /// redaction; so nobody pays for it unasked.
    pub fn is_as_staged(&self, bytes: &[u8]) -> bool {
        let Self::Batch { items, staged, .. } = self else { return true };
        // Sealed records stand one behind the other.
        let all = items.first().zip(items.last()).map_or(0..0, |(first, last)| first.sealed.start..last.sealed.end);
        *staged == staged_checksum(bytes.get(all).unwrap_or_default())
    }
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

/// A segment anew, with another sealed record for one of its entries: every frame where it comes to stand then. Zeros ahead are left out.
///
/// # Errors
/// What the segment breaks, torn writes included; or a batch that grows past its limit.
pub fn rewrite(bytes: &[u8], segment_first_index: u64, target: u64, sealed: &[u8]) -> Result<Vec<u8>, RewriteError> {
    let mut out = encode_header(segment_first_index).to_vec();
    let mut seal: Option<(u64, u64, Range<usize>)> = None;
    for frame in Frames::new(bytes, segment_first_index)? {
        match frame? {
            Frame::Seal { offset, size, note, .. } => {
                add_seal(&mut out, segment_first_index, bytes, seal.replace((offset, size, note)))?;
            }
            Frame::Batch { offset, first_index, items, .. } => {
                let cut = |range: &Range<usize>| bytes.get(range.clone()).unwrap_or_default();
                let entries: Vec<(&[u8], &[u8])> = items
                    .iter()
                    .zip(first_index..)
                    .map(|(item, index)| (cut(&item.leaf), if index == target { sealed } else { cut(&item.sealed) }))
                    .collect();
                let joint = seal.take_if(|(at, ..)| *at == offset);
                add_seal(&mut out, segment_first_index, bytes, seal.take())?;
                let at = out.len() as u64;
                out.extend(match joint {
                    Some((_, size, note)) => encode_seal_and_batch(segment_first_index, at, size, cut(&note), &entries)?,
                    None => encode_batch(segment_first_index, at, first_index, &entries)?,
                });
            }
            Frame::ZeroTail { .. } => {}
        }
    }
    add_seal(&mut out, segment_first_index, bytes, seal)?;
    Ok(out)
}

fn add_seal(out: &mut Vec<u8>, first_index: u64, bytes: &[u8], seal: Option<(u64, u64, Range<usize>)>) -> Result<(), RewriteError> {
    let Some((_, size, note)) = seal else { return Ok(()) };
    out.extend(encode_seal(first_index, out.len() as u64, size, bytes.get(note).unwrap_or_default())?);
    Ok(())
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
    let staged_at = frame.len();
    frame.extend([0; CHECKSUM_LEN]);
    for (leaf, sealed) in entries {
        frame.extend(u16::try_from(leaf.len()).unwrap_or(u16::MAX).to_be_bytes());
        frame.extend(u32::try_from(sealed.len()).unwrap_or(u32::MAX).to_be_bytes());
    }
    entries.iter().for_each(|(leaf, _)| frame.extend_from_slice(leaf));
    entries.iter().for_each(|(_, sealed)| frame.extend_from_slice(sealed));
    // Records by the hundred where they stand already: BLAKE3 takes sixteen kilobytes of one piece side by side, and records one after the other.
    let (covered, sealed) = frame.split_at_mut(FRAME_HEADER_LEN + covered_len);
    put(covered, staged_at, &staged_checksum(sealed));
    let checksum = frame_checksum(place, kind, body_len_field, covered.get(FRAME_HEADER_LEN..).unwrap_or_default());
    put(covered, 0, &frame_header(kind, body_len_field, checksum));
    Ok(frame)
}

fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    bytes.iter_mut().skip(at).zip(what).for_each(|(to, from)| *to = *from);
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

fn staged_checksum(sealed: &[u8]) -> [u8; CHECKSUM_LEN] {
    first_half(blake3::Hasher::new_derive_key(STAGED_CONTEXT).update(sealed))
}

fn first_half(hasher: &blake3::Hasher) -> [u8; CHECKSUM_LEN] {
    let mut checksum = [0; CHECKSUM_LEN];
    hasher.finalize_xof().fill(&mut checksum);
    checksum
}

#[cfg(test)]
mod tests;
