//! What can be wrong with a segment, and with what should go into one.

use thiserror::Error;

use super::{BATCH_BYTES_MAX, BATCH_COUNT_MAX, HEADER_LEN, LEAF_BYTES_MAX, NOTE_BYTES_MAX, SEALED_BYTES_MAX};

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
/// Why a segment cannot be written anew.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RewriteError {
    /// It cannot be read to its end.
    #[error(transparent)]
    Read(#[from] SegmentError),
    /// With the other record it would break a limit.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}
