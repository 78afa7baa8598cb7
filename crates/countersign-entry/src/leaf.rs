//! The public bytes of one entry (ledger-format section 3).

use ciborium::Value;

use crate::cbor::{self, CborError};

/// What an entry is, as anybody may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Index 0, and only there.
    Genesis = 0,
    /// Records and padding alike.
    Entry = 1,
    /// Signing keys and officers' keys; public.
    KeyEvent = 2,
    /// Redactions and data keys.
    Maintenance = 3,
    /// Evidence from outside, such as a time stamp.
    Anchor = 4,
}

impl Kind {
    /// The kind with this number.
    pub fn from_number(n: u64) -> Option<Self> {
        Some(match n {
            0 => Kind::Genesis,
            1 => Kind::Entry,
            2 => Kind::KeyEvent,
            3 => Kind::Maintenance,
            4 => Kind::Anchor,
            _ => return None,
        })
    }
}

/// One leaf, decoded. `minute` is Unix seconds, a multiple of 60.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// Position, from 0, no gaps.
    pub index: u64,
    /// What the entry is.
    pub kind: Kind,
    /// Unix time of recording in seconds, rounded down to a multiple of 60.
    pub minute: u64,
    /// Chain hash of the previous leaf; at index 0 the hash of the origin.
    pub prev: [u8; 32],
    /// Hash of the map of field commitments.
    pub content_hash: [u8; 32],
    /// SHA-256 of the sealed record as first written.
    pub sealed_hash: [u8; 32],
}

/// Why bytes are not a leaf.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// Not deterministic CBOR.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// Not a map with exactly the keys 1 to 7.
    #[error("a leaf is a map with exactly the keys 1 to 7")]
    Keys,
    /// `version` is not 1.
    #[error("leaf version is not 1")]
    Version,
    /// A field has another type or length.
    #[error("leaf field {0} has the wrong type or length")]
    Field(u8),
    /// `kind` is a number the format does not define.
    #[error("leaf kind {0} is not defined")]
    Kind(u64),
    /// `minute` is not a multiple of 60.
    #[error("leaf minute {0} is not a multiple of 60")]
    Minute(u64),
}

impl Leaf {
    /// The leaf's one encoding, about 120 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        out.extend_from_slice(&[0xa7, 0x01, 0x01, 0x02]);
        cbor::head(&mut out, 0, self.index);
        out.extend_from_slice(&[0x03, self.kind as u8, 0x04]);
        cbor::head(&mut out, 0, self.minute);
        for (key, hash) in [(5u8, &self.prev), (6, &self.content_hash), (7, &self.sealed_hash)] {
            out.extend_from_slice(&[key, 0x58, 0x20]);
            out.extend_from_slice(hash);
        }
        out
    }

    /// Reads a leaf; accepted bytes are its one encoding.
    ///
    /// # Errors
    /// What the bytes break.
    pub fn decode(bytes: &[u8]) -> Result<Self, LeafError> {
        // The straight reader takes only the canonical form, many times faster than a general decoder; the slow one exists to say what is wrong.
        match read_canonical(bytes) {
            Some(leaf) => Ok(leaf),
            None => Self::decode_slowly(bytes),
        }
    }

    fn decode_slowly(bytes: &[u8]) -> Result<Self, LeafError> {
        let Value::Map(pairs) = cbor::decode(bytes)? else { return Err(LeafError::Keys) };
        if pairs.len() != 7 || !pairs.iter().zip(1..).all(|((k, _), want)| *k == Value::from(want)) {
            return Err(LeafError::Keys);
        }
        let uint = |i: usize| match pairs.get(i) {
            Some((_, Value::Integer(n))) => u64::try_from(i128::from(*n)).map_err(|_| LeafError::Field(i as u8 + 1)),
            _ => Err(LeafError::Field(i as u8 + 1)),
        };
        let hash = |i: usize| match pairs.get(i) {
            Some((_, Value::Bytes(b))) => <[u8; 32]>::try_from(b.as_slice()).map_err(|_| LeafError::Field(i as u8 + 1)),
            _ => Err(LeafError::Field(i as u8 + 1)),
        };
        if uint(0)? != 1 {
            return Err(LeafError::Version);
        }
        let kind = uint(2)?;
        let minute = uint(3)?;
        if !minute.is_multiple_of(60) {
            return Err(LeafError::Minute(minute));
        }
        Ok(Leaf {
            index: uint(1)?,
            kind: Kind::from_number(kind).ok_or(LeafError::Kind(kind))?,
            minute,
            prev: hash(4)?,
            content_hash: hash(5)?,
            sealed_hash: hash(6)?,
        })
    }
}

fn read_canonical(bytes: &[u8]) -> Option<Leaf> {
    let rest = bytes.strip_prefix(&[0xa7, 0x01, 0x01, 0x02])?;
    let (index, rest) = read_uint(rest)?;
    let [3, kind, 4, rest @ ..] = rest else { return None };
    let kind = Kind::from_number(u64::from(*kind))?;
    let (minute, rest) = read_uint(rest)?;
    let (prev, rest) = read_hash(rest, 5)?;
    let (content_hash, rest) = read_hash(rest, 6)?;
    let (sealed_hash, rest) = read_hash(rest, 7)?;
    (rest.is_empty() && minute.is_multiple_of(60)).then_some(Leaf { index, kind, minute, prev, content_hash, sealed_hash })
}

fn read_uint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (n, floor) = match first {
        0..=23 => return Some((u64::from(*first), rest)),
        24 => (1, 24),
        25 => (2, 0x100),
        26 => (4, 0x1_0000),
        27 => (8, 0x1_0000_0000),
        _ => return None,
    };
    let (digits, rest) = rest.split_at_checked(n)?;
    let value = digits.iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
    (value >= floor).then_some((value, rest))
}

fn read_hash(bytes: &[u8], key: u8) -> Option<([u8; 32], &[u8])> {
    let (hash, rest) = bytes.strip_prefix(&[key, 0x58, 0x20])?.split_at_checked(32)?;
    Some((hash.try_into().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_two_readers_agree(index in any::<u64>(), kind in 0u64..5, minute in 0u64..100_000_000_000, byte in any::<u8>(), at in 0usize..130, flip in any::<u8>()) {
            let leaf = Leaf { index, kind: Kind::from_number(kind).unwrap(), minute: minute * 60, prev: [byte; 32], content_hash: [1; 32], sealed_hash: [2; 32] };
            let mut bytes = leaf.encode();
            prop_assert_eq!(read_canonical(&bytes), Some(leaf));
            prop_assert_eq!(Leaf::decode_slowly(&bytes), Ok(leaf));
            if let Some(b) = bytes.get_mut(at) { *b ^= flip; }
            prop_assert_eq!(read_canonical(&bytes), Leaf::decode_slowly(&bytes).ok());
        }
    }

    #[test]
    fn faults_are_named() {
        let leaf = Leaf { index: 7, kind: Kind::Entry, minute: 120, prev: [0; 32], content_hash: [1; 32], sealed_hash: [2; 32] };
        let with = |at: usize, b: u8| {
            let mut x = leaf.encode();
            x[at] = b;
            Leaf::decode(&x)
        };
        assert_eq!(with(2, 2), Err(LeafError::Version));
        assert_eq!(with(6, 9), Err(LeafError::Kind(9)));
        assert_eq!(with(0, 0xa6), Err(LeafError::Cbor(CborError::TrailingBytes(leaf.encode().len() - 35))));
        let odd = Leaf { minute: 61, ..leaf };
        assert_eq!(Leaf::decode(&odd.encode()), Err(LeafError::Minute(61)));
    }
}
