//! Reading a segment: whole and strictly, or only where everything stands.

use std::ops::Range;

use thiserror::Error;

use super::{
    BATCH_BYTES_MAX, BATCH_BYTES_MIN, BATCH_COUNT_MAX, CHECKSUM_LEN, FRAME_HEADER_LEN, Frame, FrameFault, HEADER_LEN, HeaderFault,
    ITEM_LEN, Item, JOINT_FIXED_LEN, KIND_BATCH, KIND_SEAL, KIND_SEAL_AND_BATCH, LEAF_BYTES_MAX, MAGIC, NOTE_BYTES_MAX, Place,
    SEAL_FIXED_LEN, SEALED_BYTES_MAX, SegmentError, encode_header, frame_checksum,
};

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
    order: Order,
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
            order: Order::from(expected_first_index),
            behind: None,
            done: false,
        })
    }

    /// The size the newest seal read so far gives; `None` before the first.
    pub fn sealed_size(&self) -> Option<u64> {
        self.order.sealed_size
    }

    /// The index after the last entry read so far, sealed or not.
    pub fn next_index(&self) -> u64 {
        self.order.next_index
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
        if let Some(batch @ Frame::Batch { end, offset, .. }) = &behind
            && !self.anything_from(*end)
            && !batch.is_as_staged(self.bytes)
        {
            return Err(SegmentError::Torn { offset: *offset, fault: FrameFault::Checksum });
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

    /// A frame that is intact and does not follow those before it was never written by a crash.
    fn follow(&mut self, frame: Frame) -> Result<Frame, SegmentError> {
        let (offset, end) = match &frame {
            Frame::Batch { offset, end, .. } | Frame::Seal { offset, end, .. } => (*offset, *end),
            Frame::ZeroTail { .. } => return Ok(frame),
        };
        self.order.follow(&frame).map_err(|fault| SegmentError::Damaged { offset, fault })?;
        self.at = usize::try_from(end).map_err(|_| SegmentError::Damaged { offset, fault: FrameFault::Overflow })?;
        Ok(frame)
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

/// What the frames so far allow next: batches continue one another, and batch and seal alternate.
#[derive(Debug)]
struct Order {
    next_index: u64,
    sealed_size: Option<u64>,
    batch_open: bool,
}

impl Order {
    fn from(first_index: u64) -> Self {
        Self { next_index: first_index, sealed_size: None, batch_open: false }
    }

    fn follow(&mut self, frame: &Frame) -> Result<(), FrameFault> {
        match frame {
            Frame::Batch { first_index, items, .. } => self.batch(*first_index, items.len()),
            Frame::Seal { size, .. } => self.seal(*size),
            Frame::ZeroTail { .. } => Ok(()),
        }
    }

    fn batch(&mut self, first_index: u64, count: usize) -> Result<(), FrameFault> {
        if self.batch_open {
            return Err(FrameFault::Unsealed);
        }
        if first_index != self.next_index {
            return Err(FrameFault::Gap { expected: self.next_index, found: first_index });
        }
        self.next_index = first_index.checked_add(count as u64).ok_or(FrameFault::Overflow)?;
        self.batch_open = true;
        Ok(())
    }

    fn seal(&mut self, size: u64) -> Result<(), FrameFault> {
        if !self.batch_open {
            return Err(FrameFault::NothingToSeal);
        }
        if size != self.next_index {
            return Err(FrameFault::SealSize { expected: self.next_index, found: size });
        }
        self.sealed_size = Some(size);
        self.batch_open = false;
        Ok(())
    }
}

/// Where everything stands in a segment that another one follows, by the lengths its frames give. Neither checksums nor leaves nor records are read, so what it says
/// is only as good as whoever holds the entries against what is signed.
#[derive(Debug)]
pub struct Outline {
    /// The entries, in index order.
    pub items: Vec<Item>,
    /// Tree size and note of each seal, in order.
    pub seals: Vec<(u64, Range<usize>)>,
}

/// Why a segment has no outline.
#[derive(Debug, Error)]
pub enum OutlineError<E> {
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] E),
    /// Its header is wrong.
    #[error("segment header: {0}")]
    Header(#[source] HeaderFault),
    /// The lengths do not make a segment that ends with a seal.
    #[error("damaged at offset {offset}: {fault}")]
    Damaged {
        /// Where the frame starts.
        offset: u64,
        /// What is wrong.
        #[source]
        fault: FrameFault,
    },
}

/// Bytes read at once: the head of a frame of some 2,600 entries, or a dozen frames of one.
const OUTLINE_BYTES: usize = 16 * 1024;

impl Outline {
    /// Outlines a segment of `len` bytes. `read` gives the bytes of a range of the file, all of them.
    ///
    /// # Errors
    /// See [`OutlineError`].
    pub fn read<E>(
        first_index: u64,
        len: usize,
        mut read: impl FnMut(Range<usize>) -> Result<Vec<u8>, E>,
    ) -> Result<Self, OutlineError<E>> {
        check_header(&read(0..HEADER_LEN.min(len))?, first_index).map_err(OutlineError::Header)?;
        let mut outline = Self { items: Vec::new(), seals: Vec::new() };
        let mut order = Order::from(first_index);
        let (mut at, mut window_at, mut window) = (HEADER_LEN, HEADER_LEN, Vec::new());
        while at < len {
            let offset = at as u64;
            let damaged = |fault| OutlineError::Damaged { offset, fault };
            let within = at - window_at;
            if window.get(within) == Some(&0) {
                // Zeros were written ahead; that nothing else stands there is for the checksums' reader to see.
                break;
            }
            match parse_header(&window, within).and_then(|header| parse_body(&window, within, &header).map(|body| (header, body))) {
                Ok((header, body)) => {
                    outline.take(body, window_at, &mut order).map_err(damaged)?;
                    at = window_at + header.end;
                    if let Some(missing) = at.checked_sub(len).filter(|missing| *missing > 0) {
                        return Err(damaged(FrameFault::Short { missing: missing as u64 }));
                    }
                    if header.end > window.len() {
                        (window_at, window) = (at, Vec::new());
                    }
                }
                Err(FrameFault::Short { missing }) => {
                    let more = usize::try_from(missing).unwrap_or(usize::MAX);
                    // What is missing of the frame's own head is less than a window; of a frame with more entries, all of it is read.
                    let wanted = if within == 0 && !window.is_empty() { window.len().saturating_add(more) } else { OUTLINE_BYTES };
                    let end = at.saturating_add(wanted).min(len);
                    if end <= window_at + window.len() && within == 0 {
                        return Err(damaged(FrameFault::Short { missing }));
                    }
                    (window_at, window) = (at, read(at..end)?);
                }
                Err(fault) => return Err(damaged(fault)),
            }
        }
        if order.batch_open || order.sealed_size.is_none() {
            return Err(OutlineError::Damaged { offset: at as u64, fault: FrameFault::Unsealed });
        }
        Ok(outline)
    }

    fn take(&mut self, body: Body, window_at: usize, order: &mut Order) -> Result<(), FrameFault> {
        let moved = |range: Range<usize>| range.start + window_at..range.end + window_at;
        if let Some((size, note)) = body.seal {
            order.seal(size)?;
            self.seals.push((size, moved(note)));
        }
        if let Some(batch) = body.batch {
            order.batch(batch.first_index, batch.items.len())?;
            self.items.extend(batch.items.into_iter().map(|item| Item { leaf: moved(item.leaf), sealed: moved(item.sealed) }));
        }
        Ok(())
    }
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
    let header = parse_header(bytes, at)?;
    if bytes.len() < header.end {
        return Err(FrameFault::Short { missing: (header.end - bytes.len()) as u64 });
    }
    let body = parse_body(bytes, at, &header)?;
    let covered = bytes.get(at + FRAME_HEADER_LEN..body.covered_end()).ok_or(FrameFault::Lengths)?;
    let place = Place { segment_first_index, offset: at as u64 };
    if header.checksum != frame_checksum(place, header.kind, header.body_len, covered) {
        return Err(FrameFault::Checksum);
    }
    let (offset, end) = (at as u64, header.end as u64);
    let seal = body.seal.map(|(size, note)| Frame::Seal { offset, end, size, note });
    let batch =
        body.batch.map(|batch| Frame::Batch { offset, end, first_index: batch.first_index, items: batch.items, staged: batch.staged });
    match (seal, batch) {
        (Some(seal), batch) => Ok((seal, batch)),
        (None, Some(batch)) => Ok((batch, None)),
        (None, None) => Err(FrameFault::Lengths),
    }
}

/// What the header of a frame says.
struct FrameHeader {
    kind: u8,
    body_len: u32,
    checksum: [u8; CHECKSUM_LEN],
    /// Where the next frame starts.
    end: usize,
}

fn parse_header(bytes: &[u8], at: usize) -> Result<FrameHeader, FrameFault> {
    let body_at = at.saturating_add(FRAME_HEADER_LEN);
    let missing = || FrameFault::Short { missing: body_at.saturating_sub(bytes.len()) as u64 };
    let mut header = Cursor { bytes, at };
    let kind = header.u8().ok_or_else(missing)?;
    if !matches!(kind, KIND_BATCH | KIND_SEAL | KIND_SEAL_AND_BATCH) {
        return Err(FrameFault::Kind(kind));
    }
    let reserved = header.take(3).ok_or_else(missing)?;
    if reserved != [0, 0, 0] {
        return Err(FrameFault::Reserved);
    }
    let body_len = header.u32().ok_or_else(missing)?;
    let checksum = header.array().ok_or_else(missing)?;
    Ok(FrameHeader { kind, body_len, checksum, end: body_end(kind, body_len, body_at)? })
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

/// Where everything in a frame stands, by the lengths it gives.
struct Body {
    seal: Option<(u64, Range<usize>)>,
    batch: Option<BatchBody>,
}

struct BatchBody {
    first_index: u64,
    staged: [u8; CHECKSUM_LEN],
    items: Vec<Item>,
    sealed_at: usize,
}

impl Body {
    /// The checksum covers all but the sealed records.
    fn covered_end(&self) -> usize {
        let note_end = self.seal.as_ref().map_or(0, |(_, note)| note.end);
        self.batch.as_ref().map_or(note_end, |batch| batch.sealed_at)
    }
}

/// Reads the fixed parts of a body. Where `bytes` ends before them, says how many are missing of the whole frame.
fn parse_body(bytes: &[u8], at: usize, header: &FrameHeader) -> Result<Body, FrameFault> {
    let known = bytes.get(..header.end.min(bytes.len())).unwrap_or_default();
    let mut body = Cursor { bytes: known, at: at.saturating_add(FRAME_HEADER_LEN) };
    let parsed = match header.kind {
        KIND_SEAL => parse_seal(&mut body, header.end).map(|seal| Body { seal: Some(seal), batch: None }),
        KIND_BATCH => parse_batch(&mut body, header.end)?.map(|batch| Body { seal: None, batch: Some(batch) }),
        _ => match parse_joint_seal(&mut body)? {
            None => None,
            seal => parse_batch(&mut body, header.end)?.map(|batch| Body { seal, batch: Some(batch) }),
        },
    };
    parsed.ok_or(match header.end.checked_sub(bytes.len()) {
        Some(missing) if missing > 0 => FrameFault::Short { missing: missing as u64 },
        _ => FrameFault::Lengths,
    })
}

/// `None` where the bytes end too early, here and below.
fn parse_seal(body: &mut Cursor<'_>, end: usize) -> Option<(u64, Range<usize>)> {
    Some((body.u64()?, body.at..end))
}

fn parse_joint_seal(body: &mut Cursor<'_>) -> Result<Option<(u64, Range<usize>)>, FrameFault> {
    let (Some(size), Some(note_len)) = (body.u64(), body.u32()) else { return Ok(None) };
    let note_len = usize::try_from(note_len).ok().filter(|len| (1..=NOTE_BYTES_MAX).contains(len)).ok_or(FrameFault::Lengths)?;
    let note_at = body.at;
    Ok(body.take(note_len).map(|_| (size, note_at..note_at + note_len)))
}

fn parse_batch(body: &mut Cursor<'_>, end: usize) -> Result<Option<BatchBody>, FrameFault> {
    let (Some(first_index), Some(count), Some(staged)) = (body.u64(), body.u32(), body.array()) else { return Ok(None) };
    let Some(lengths) = item_lengths(body, count)? else { return Ok(None) };
    let leaves_at = body.at;
    let sealed_at = lengths.iter().fold(leaves_at, |at, (leaf, _)| at + leaf);
    if lengths.iter().fold(sealed_at, |at, (_, sealed)| at + sealed) != end {
        return Err(FrameFault::Lengths);
    }
    Ok(Some(BatchBody { first_index, staged, items: items(leaves_at, sealed_at, &lengths), sealed_at }))
}

fn item_lengths(body: &mut Cursor<'_>, count: u32) -> Result<Option<Vec<(usize, usize)>>, FrameFault> {
    let wanted = usize::try_from(count).ok().filter(|n| (1..=BATCH_COUNT_MAX).contains(n)).ok_or(FrameFault::Count(count))?;
    let Some(bytes) = body.take(wanted * ITEM_LEN) else { return Ok(None) };
    let mut table = Cursor { bytes, at: 0 };
    let mut lengths = Vec::with_capacity(wanted);
    while let (Some(leaf), Some(sealed)) = (table.u16(), table.u32()) {
        let leaf = usize::from(leaf);
        let sealed = usize::try_from(sealed).map_err(|_| FrameFault::Lengths)?;
        if !(1..=LEAF_BYTES_MAX).contains(&leaf) || !(1..=SEALED_BYTES_MAX).contains(&sealed) {
            return Err(FrameFault::Lengths);
        }
        lengths.push((leaf, sealed));
    }
    Ok(Some(lengths))
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
}
