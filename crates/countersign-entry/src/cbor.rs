//! RFC 8949 core deterministic CBOR (section 4.2.1), strict in both directions.
//!
//! The in-memory value is [`ciborium::Value`], so that serde types and outside tools meet it. ciborium itself accepts non-minimal lengths,
//! duplicate keys, tags and trailing bytes, so neither its reader nor its writer touches bytes that are hashed: these two functions do.

use ciborium::Value;

use crate::limits::NESTING_MAX;

/// Why bytes are not the one encoding of a value, or a value has none. Offsets count bytes from the start of the input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// The input ends inside an item.
    #[error("input ends inside an item at byte {0}")]
    Truncated(usize),
    /// Bytes follow the one item.
    #[error("trailing bytes after the item, from byte {0}")]
    TrailingBytes(usize),
    /// A length or integer is written longer than it needs to be.
    #[error("non-minimal length or integer at byte {0}")]
    NonMinimal(usize),
    /// An indefinite-length item.
    #[error("indefinite length at byte {0}")]
    Indefinite(usize),
    /// A reserved additional-information value (28 to 30).
    #[error("reserved additional information at byte {0}")]
    Reserved(usize),
    /// A tag.
    #[error("tag at byte {0}")]
    Tag(usize),
    /// A floating-point number.
    #[error("floating-point number at byte {0}")]
    Float(usize),
    /// A simple value other than false, true and null.
    #[error("simple value other than false, true or null at byte {0}")]
    Simple(usize),
    /// A negative integer below −2⁶³.
    #[error("integer below -2^63 at byte {0}")]
    IntegerRange(usize),
    /// A text string that is not UTF-8.
    #[error("text is not UTF-8 at byte {0}")]
    BadUtf8(usize),
    /// A map key that is neither an integer nor text.
    #[error("map key is neither integer nor text at byte {0}")]
    KeyType(usize),
    /// The same key twice in one map.
    #[error("duplicate map key at byte {0}")]
    DuplicateKey(usize),
    /// Keys not sorted bytewise by their encoding.
    #[error("map keys out of order at byte {0}")]
    UnorderedKeys(usize),
    /// More arrays and maps inside one another than the format allows.
    #[error("nested deeper than {NESTING_MAX} at byte {0}")]
    TooDeep(usize),
}

/// The one encoding of `value`.
///
/// # Errors
/// A value outside the format: tags, floats, integers out of range, keys of another type or twice, nesting too deep. The offset in the error is
/// where in the output the item would have stood.
pub fn encode(value: &Value) -> Result<Vec<u8>, CborError> {
    let mut out = Vec::with_capacity(128);
    encode_into(&mut out, value, 0)?;
    Ok(out)
}

/// Like [`encode`], appending to `out` an item that stands inside `depth` arrays or maps already.
///
/// # Errors
/// As [`encode`].
pub fn encode_into(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), CborError> {
    let at = out.len();
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(false) => out.push(0xf4),
        Value::Bool(true) => out.push(0xf5),
        Value::Integer(i) => integer(out, i128::from(*i))?,
        Value::Bytes(b) => bytes(out, b),
        Value::Text(t) => text(out, t),
        Value::Array(items) => {
            let depth = deeper(depth, at)?;
            head(out, 4, items.len() as u64);
            for item in items {
                encode_into(out, item, depth)?;
            }
        }
        Value::Map(pairs) => map(out, pairs, deeper(depth, at)?)?,
        Value::Float(_) => return Err(CborError::Float(at)),
        Value::Tag(..) => return Err(CborError::Tag(at)),
        _ => return Err(CborError::Simple(at)),
    }
    Ok(())
}

/// Appends a text string.
pub fn text(out: &mut Vec<u8>, t: &str) {
    head(out, 3, t.len() as u64);
    out.extend_from_slice(t.as_bytes());
}

/// Appends a byte string.
pub fn bytes(out: &mut Vec<u8>, b: &[u8]) {
    head(out, 2, b.len() as u64);
    out.extend_from_slice(b);
}

/// Appends the head of an item: major type and argument in the fewest bytes.
pub fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let m = major << 5;
    match argument {
        0..=23 => out.push(m | argument as u8),
        24..=0xff => out.extend_from_slice(&[m | 24, argument as u8]),
        0x100..=0xffff => {
            out.push(m | 25);
            out.extend_from_slice(&(argument as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(m | 26);
            out.extend_from_slice(&(argument as u32).to_be_bytes());
        }
        _ => {
            out.push(m | 27);
            out.extend_from_slice(&argument.to_be_bytes());
        }
    }
}

fn integer(out: &mut Vec<u8>, i: i128) -> Result<(), CborError> {
    let at = out.len();
    if let Ok(u) = u64::try_from(i) {
        head(out, 0, u);
    } else if i >= i128::from(i64::MIN) {
        head(out, 1, u64::try_from(-1 - i).map_err(|_| CborError::IntegerRange(at))?);
    } else {
        return Err(CborError::IntegerRange(at));
    }
    Ok(())
}

fn deeper(depth: usize, at: usize) -> Result<usize, CborError> {
    if depth >= NESTING_MAX { Err(CborError::TooDeep(at)) } else { Ok(depth + 1) }
}

fn map(out: &mut Vec<u8>, pairs: &[(Value, Value)], depth: usize) -> Result<(), CborError> {
    let at = out.len();
    let mut keyed = Vec::with_capacity(pairs.len());
    for (k, v) in pairs {
        let mut key = Vec::with_capacity(16);
        match k {
            Value::Integer(i) => integer(&mut key, i128::from(*i))?,
            Value::Text(t) => text(&mut key, t),
            _ => return Err(CborError::KeyType(at)),
        }
        keyed.push((key, v));
    }
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    if keyed.windows(2).any(|w| matches!(w, [a, b] if a.0 == b.0)) {
        return Err(CborError::DuplicateKey(at));
    }
    head(out, 5, pairs.len() as u64);
    for (key, v) in keyed {
        out.extend_from_slice(&key);
        encode_into(out, v, depth)?;
    }
    Ok(())
}

/// The value that `bytes` encode, if they are its one encoding and nothing more.
///
/// # Errors
/// The first rule the bytes break, and where.
pub fn decode(bytes: &[u8]) -> Result<Value, CborError> {
    let mut r = Reader { bytes, pos: 0 };
    let value = r.item(0)?;
    if r.pos != bytes.len() {
        return Err(CborError::TrailingBytes(r.pos));
    }
    Ok(value)
}

struct Reader<'a> {
    bytes: &'a [u8],
    pos: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], CborError> {
        let end = self.pos.checked_add(n).ok_or(CborError::Truncated(self.pos))?;
        let out = self.bytes.get(self.pos..end).ok_or(CborError::Truncated(self.pos))?;
        self.pos = end;
        Ok(out)
    }

    /// Major type, argument, and the offset of the head. Floats, tags, simple values and long forms are refused here.
    fn head(&mut self) -> Result<(u8, u64, usize), CborError> {
        let at = self.pos;
        let first = self.take(1)?.first().copied().unwrap_or(0);
        let (major, info) = (first >> 5, first & 0x1f);
        match (major, info) {
            (6, _) => return Err(CborError::Tag(at)),
            (7, 25..=27) => return Err(CborError::Float(at)),
            (7, 20..=22) => return Ok((7, u64::from(info), at)),
            (7, _) => return Err(CborError::Simple(at)),
            _ => {}
        }
        let (extra, floor) = match info {
            0..=23 => return Ok((major, u64::from(info), at)),
            24 => (1, 24),
            25 => (2, 0x100),
            26 => (4, 0x1_0000),
            27 => (8, 0x1_0000_0000),
            31 => return Err(CborError::Indefinite(at)),
            _ => return Err(CborError::Reserved(at)),
        };
        let argument = self.take(extra)?.iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
        if argument < floor {
            return Err(CborError::NonMinimal(at));
        }
        Ok((major, argument, at))
    }

    fn item(&mut self, depth: usize) -> Result<Value, CborError> {
        let (major, argument, at) = self.head()?;
        // An argument beyond the address space cannot be satisfied by any input, so it reads as truncation, before anything is allocated.
        let len = || usize::try_from(argument).map_err(|_| CborError::Truncated(at));
        Ok(match major {
            0 => Value::Integer(argument.into()),
            1 => {
                let n = i64::try_from(argument).map_err(|_| CborError::IntegerRange(at))?;
                Value::Integer((-1 - n).into())
            }
            2 => Value::Bytes(self.take(len()?)?.to_vec()),
            3 => {
                let raw = self.take(len()?)?;
                Value::Text(core::str::from_utf8(raw).map_err(|_| CborError::BadUtf8(at))?.to_owned())
            }
            4 => {
                let depth = deeper(depth, at)?;
                let n = len()?;
                let mut items = Vec::with_capacity(n.min(64));
                for _ in 0..n {
                    items.push(self.item(depth)?);
                }
                Value::Array(items)
            }
            5 => self.map(len()?, deeper(depth, at)?)?,
            _ => match argument {
                20 => Value::Bool(false),
                21 => Value::Bool(true),
                _ => Value::Null,
            },
        })
    }

    fn map(&mut self, n: usize, depth: usize) -> Result<Value, CborError> {
        let mut pairs = Vec::with_capacity(n.min(64));
        let mut last: Option<&'a [u8]> = None;
        for _ in 0..n {
            let start = self.pos;
            let first = self.bytes.get(start).copied().ok_or(CborError::Truncated(start))?;
            if !matches!(first >> 5, 0 | 1 | 3) {
                return Err(CborError::KeyType(start));
            }
            let key = self.item(depth)?;
            let raw = self.bytes.get(start..self.pos).ok_or(CborError::Truncated(start))?;
            match last.map(|l| l.cmp(raw)) {
                Some(core::cmp::Ordering::Equal) => return Err(CborError::DuplicateKey(start)),
                Some(core::cmp::Ordering::Greater) => return Err(CborError::UnorderedKeys(start)),
                _ => {}
            }
            last = Some(raw);
            pairs.push((key, self.item(depth)?));
        }
        Ok(Value::Map(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<u64>().prop_map(|n| Value::Integer(n.into())),
            any::<i64>().prop_map(|n| Value::Integer(n.into())),
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
            ".{0,30}".prop_map(Value::Text),
        ];
        leaf.prop_recursive(5, 64, 8, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
                proptest::collection::btree_map(".{0,30}", inner, 0..8)
                    .prop_map(|m| Value::Map(m.into_iter().map(|(k, v)| (Value::Text(k), v)).collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_has_one_encoding_and_ciborium_reads_the_same(v in value()) {
            let bytes = encode(&v).unwrap();
            let back = decode(&bytes).unwrap();
            prop_assert_eq!(encode(&back).unwrap(), bytes.clone());
            let foreign: Value = ciborium::from_reader(bytes.as_slice()).unwrap();
            prop_assert_eq!(foreign, back);
        }

        #[test]
        fn accepted_bytes_reencode_to_themselves(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(v) = decode(&bytes) {
                prop_assert_eq!(encode(&v).unwrap(), bytes);
            }
        }
    }

    #[test]
    fn each_rule_is_named() {
        let deep = |n: usize| [vec![0x81; n], vec![0x01]].concat();
        assert!(decode(&deep(16)).is_ok());
        let cases: &[(&[u8], CborError)] = &[
            (&[0x18, 0x17], CborError::NonMinimal(0)),
            (&[0x19, 0x00, 0xff], CborError::NonMinimal(0)),
            (&[0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], CborError::NonMinimal(0)),
            (&[0x01, 0x01], CborError::TrailingBytes(1)),
            (&[0x9f, 0x01, 0xff], CborError::Indefinite(0)),
            (&[0xc1, 0x01], CborError::Tag(0)),
            (&[0xf9, 0x3c, 0x00], CborError::Float(0)),
            (&[0xf7], CborError::Simple(0)),
            (&[0xf8, 0x14], CborError::Simple(0)),
            (&[0x3b, 0x80, 0, 0, 0, 0, 0, 0, 0], CborError::IntegerRange(0)),
            (&[0x62, 0xc3, 0x28], CborError::BadUtf8(0)),
            (&[0x63, 0xed, 0xa0, 0x80], CborError::BadUtf8(0)),
            (&[0xa1, 0x41, 0x00, 0x00], CborError::KeyType(1)),
            (&[0xa2, 0x61, b'a', 0x00, 0x61, b'a', 0x01], CborError::DuplicateKey(4)),
            (&[0xa2, 0x61, b'b', 0x00, 0x61, b'a', 0x01], CborError::UnorderedKeys(4)),
            (&[0x1c], CborError::Reserved(0)),
            (&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], CborError::Truncated(9)),
            (&[], CborError::Truncated(0)),
        ];
        for (bytes, want) in cases {
            assert_eq!(decode(bytes).as_ref(), Err(want), "{bytes:02x?}");
        }
        assert_eq!(decode(&deep(17)), Err(CborError::TooDeep(16)));
    }
}
