//! What the index needs of an access event, straight from its content's bytes: several times as fast as reading the whole record.

use countersign_entry::cbor;
use countersign_entry::ids::{LeafIndex, PersonId, SubmissionId};
use countersign_entry::time::Micros;

use super::memory::Access;
use crate::state::{key_hash, short_hash};

/// What the ledger itself fills in, and so no part of a request.
const OUTCOME: &[u8] = b"assessment";
/// Fields of an access event as this ledger writes it: its own and the four common ones.
const FIELDS: usize = 19;
/// Arrays and maps inside one another; the format allows fewer.
const DEPTH_MAX: usize = 64;

/// An access event, as far as the index needs it.
pub(super) struct Peeked {
    pub(super) access: Access,
    pub(super) grant: Option<LeafIndex>,
    pub(super) supersedes: Option<LeafIndex>,
    pub(super) key: [u8; 16],
    pub(super) request: [u8; 16],
}

/// A field: its key as encoded, its name, its value as encoded.
type Field<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// Reads an access event; none where the content is anything else, or not just as this ledger writes it.
pub(super) fn peek(index: LeafIndex, content: &[u8]) -> Option<Peeked> {
    let fields = fields(content)?;
    let get = |name: &[u8]| fields.iter().find(|(_, n, _)| *n == name).map(|(.., value)| *value);
    let string = |name: &[u8]| std::str::from_utf8(text(get(name)?)?).ok();
    if fields.len() != FIELDS || string(b"type")? != "access.event" {
        return None;
    }
    let entry = |name: &[u8]| get(name).and_then(uint).map(LeafIndex);
    let refused = get(b"result").and_then(text) == Some(b"refused");
    let access = Access {
        index,
        person: PersonId::new(string(b"person")?).ok()?,
        submission: SubmissionId::new(string(b"submission")?).ok()?,
        occurred_at: Micros::new(uint(get(b"occurred_at")?)?).ok()?,
        cleared: decision(get(OUTCOME)?) == Some(b"cleared"),
        refused,
    };
    Some(Peeked {
        access,
        grant: entry(b"grant"),
        supersedes: entry(b"supersedes"),
        key: key_hash(string(b"actor")?, string(b"request")?),
        request: short_hash(&request_bytes(&fields)),
    })
}

/// The canonical request, as `Record::request_bytes` gives it: keys stand in the content in the order they have there.
fn request_bytes(fields: &[Field<'_>]) -> Vec<u8> {
    let asked = || fields.iter().filter(|(_, name, _)| !matches!(*name, b"at" | b"actor" | b"request"));
    let mut out = Vec::with_capacity(1_024);
    cbor::head(&mut out, 5, asked().count() as u64);
    for (key, name, value) in asked() {
        out.extend_from_slice(key);
        out.extend_from_slice(if *name == OUTCOME { &[0xf6] } else { value });
    }
    out
}

/// Shown fields of a content; none where one is erased.
fn fields(content: &[u8]) -> Option<Vec<Field<'_>>> {
    let (major, count, mut rest) = head(content)?;
    let mut fields = Vec::with_capacity(usize::try_from(count).ok()?.min(64));
    for _ in 0..(if major == 5 { count } else { return None }) {
        let (key, after) = item(rest)?;
        // An array of two: 16 bytes of salt, and the value.
        let (value, after) = item(after.strip_prefix(&[0x82, 0x50])?.get(16..)?)?;
        fields.push((key, text(key)?, value));
        rest = after;
    }
    rest.is_empty().then_some(fields)
}

/// The decision of an assessment.
fn decision(assessment: &[u8]) -> Option<&[u8]> {
    let (5, count, mut rest) = head(assessment)? else { return None };
    for _ in 0..count {
        let (key, after) = item(rest)?;
        let (value, after) = item(after)?;
        if text(key)? == b"decision" {
            return text(value);
        }
        rest = after;
    }
    None
}

fn uint(value: &[u8]) -> Option<u64> {
    head(value).filter(|(major, ..)| *major == 0).map(|(_, n, _)| n)
}

fn text(value: &[u8]) -> Option<&[u8]> {
    let (3, len, rest) = head(value)? else { return None };
    rest.get(..usize::try_from(len).ok()?)
}

/// Major type and argument, and what follows.
fn head(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (argument, rest) = match first & 0x1f {
        small @ 0..=23 => (u64::from(small), rest),
        24 => rest.split_first().map(|(b, rest)| (u64::from(*b), rest))?,
        25 => rest.split_first_chunk().map(|(b, rest)| (u64::from(u16::from_be_bytes(*b)), rest))?,
        26 => rest.split_first_chunk().map(|(b, rest)| (u64::from(u32::from_be_bytes(*b)), rest))?,
        27 => rest.split_first_chunk().map(|(b, rest)| (u64::from_be_bytes(*b), rest))?,
        _ => return None,
    };
    Some((first >> 5, argument, rest))
}

/// The first item of some bytes, and what follows.
fn item(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = skip(bytes, 0)?;
    bytes.split_at_checked(bytes.len() - rest.len())
}

fn skip(bytes: &[u8], depth: usize) -> Option<&[u8]> {
    let (major, argument, rest) = head(bytes)?;
    let items = match major {
        0 | 1 | 7 => return Some(rest),
        2 | 3 => return rest.get(usize::try_from(argument).ok()?..),
        4 => argument,
        5 => argument.checked_mul(2)?,
        _ => return None,
    };
    (0..items).try_fold(rest, |rest, _| if depth < DEPTH_MAX { skip(rest, depth + 1) } else { None })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use countersign_entry::content::Content;
    use countersign_entry::record::Record;
    use countersign_testing::records;
    use proptest::prelude::*;

    use super::*;

    fn bytes(record: &Record) -> Vec<u8> {
        record.content(1_780_000_000_000_000, "pr-0001", "k-1", None, || [7; 16]).unwrap().encode().unwrap().bytes
    }

    proptest! {
        #[test]
        fn a_peek_says_what_the_record_says(record in records::record_of("access.event")) {
            let bytes = bytes(&record);
            let peeked = peek(LeafIndex(3), &bytes).unwrap();
            let Record::AccessEvent(event) = Record::from_content(&Content::decode(&bytes).unwrap()).unwrap() else { panic!("an access event") };
            prop_assert_eq!(&peeked.access, &Access::of(LeafIndex(3), &event));
            prop_assert_eq!((peeked.grant, peeked.supersedes), (event.grant, event.supersedes));
            prop_assert_eq!(peeked.request, short_hash(&record.request_bytes().unwrap()));
            prop_assert_eq!(peeked.key, key_hash("pr-0001", "k-1"));
        }

        #[test]
        fn nothing_else_is_taken_for_one(record in records::record(), cut in 0usize..400) {
            let mut bytes = bytes(&record);
            prop_assert_eq!(peek(LeafIndex(0), &bytes).is_some(), matches!(record, Record::AccessEvent(_)));
            bytes.truncate(cut.min(bytes.len().saturating_sub(1)));
            prop_assert!(peek(LeafIndex(0), &bytes).is_none());
        }
    }
}
