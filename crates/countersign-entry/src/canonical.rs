//! From a serde value straight to its one encoding, without a [`ciborium::Value`] between: the ledger does this twice for each entry it records.
//!
//! The bytes are those that [`crate::cbor::encode`] gives for the same value made into a [`ciborium::Value`]; a property test holds the two
//! together.

use core::ops::Range;

use serde::Serialize;
use serde::ser::{self, SerializeMap, SerializeSeq, SerializeStruct};

use crate::cbor::{self, CborError};
use crate::limits::NESTING_MAX;

/// Why a value has no encoding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// Outside the format, as in [`cbor::encode`].
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// What the type itself, or serde, has against it.
    #[error("{0}")]
    Custom(String),
}

impl ser::Error for CanonicalError {
    fn custom<T: core::fmt::Display>(what: T) -> Self {
        Self::Custom(what.to_string())
    }
}

type Done = Result<(), CanonicalError>;

/// The fields of a struct, key and value of each encoded by itself, in the order of the struct.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    bytes: Vec<u8>,
    places: Vec<Place>,
}

/// Where a field's key and value stand.
#[derive(Debug, Clone)]
struct Place {
    key: Range<usize>,
    value: Range<usize>,
}

impl Fields {
    /// The fields of `value`, which must be a struct, as they stand in a content: inside a map and an array.
    ///
    /// # Errors
    /// A value that has no encoding.
    pub fn of<T: Serialize>(value: &T) -> Result<Self, CanonicalError> {
        let mut writer = Writer { out: Vec::with_capacity(1_024), marks: Vec::with_capacity(32), top: None, sorted: Vec::new() };
        value.serialize(Item { writer: &mut writer, depth: 1 })?;
        let places = writer.top.ok_or_else(|| CanonicalError::Custom("not a map".into()))?;
        Ok(Self { bytes: writer.out, places })
    }

    /// Adds a text.
    pub fn push_text(&mut self, key: &str, text: &str) {
        self.push(key, |out| cbor::text(out, text));
    }

    /// Adds a number.
    pub fn push_uint(&mut self, key: &str, n: u64) {
        self.push(key, |out| cbor::head(out, 0, n));
    }

    fn push(&mut self, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        cbor::text(&mut self.bytes, key);
        let key_end = self.bytes.len();
        value(&mut self.bytes);
        self.places.push(Place { key: start..key_end, value: key_end..self.bytes.len() });
    }

    /// Adds a byte string.
    pub fn push_bytes(&mut self, key: &str, bytes: &[u8]) {
        self.push(key, |out| cbor::bytes(out, bytes));
    }

    /// Leaves out the fields of these names.
    pub fn leave_out(&mut self, keys: &[&str]) {
        let Self { bytes, places } = self;
        places.retain(|place| {
            let text = bytes.get(place.key.clone()).and_then(<[u8]>::split_first).map(|(_, text)| text);
            !keys.iter().any(|key| text == Some(key.as_bytes()))
        });
    }

    /// Makes a field null, if it is there.
    pub fn clear(&mut self, key: &str) {
        for place in &mut self.places {
            // A field's key is short, so its head is one byte.
            if self.bytes.get(place.key.clone()).and_then(<[u8]>::split_first).is_some_and(|(_, text)| text == key.as_bytes()) {
                self.bytes.push(NULL);
                place.value = self.bytes.len() - 1..self.bytes.len();
            }
        }
    }

    /// Encoded key and value of each field, in the order they were added.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        self.places.iter().map(|place| self.cut(place))
    }

    /// Encoded key and value of one of them, in that order; empty where there is none.
    pub(crate) fn at(&self, at: usize) -> (&[u8], &[u8]) {
        self.places.get(at).map(|place| self.cut(place)).unwrap_or_default()
    }

    fn cut(&self, place: &Place) -> (&[u8], &[u8]) {
        let cut = |range: &Range<usize>| self.bytes.get(range.clone()).unwrap_or_default();
        (cut(&place.key), cut(&place.value))
    }

    /// The map of the fields.
    ///
    /// # Errors
    /// The same key twice.
    pub fn to_map(&self) -> Result<Vec<u8>, CborError> {
        let mut out = Vec::with_capacity(self.bytes.len() + 4);
        cbor::head(&mut out, 5, self.places.len() as u64);
        for at in order(self.iter().map(|(key, _)| key))? {
            let (key, value) = self.at(at);
            out.extend_from_slice(key);
            out.extend_from_slice(value);
        }
        Ok(out)
    }
}

/// Where entries with these encoded keys stand, in the order of the keys.
///
/// # Errors
/// The same key twice.
pub fn order<'k>(keys: impl Iterator<Item = &'k [u8]>) -> Result<impl Iterator<Item = usize>, CborError> {
    // What most keys differ in is compared as a number.
    let mut order: Vec<(u64, &[u8], usize)> = keys.enumerate().map(|(at, key)| (first(key), key, at)).collect();
    order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1)));
    let twice = order.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0 && a.1 == b.1));
    if twice { Err(CborError::DuplicateKey(0)) } else { Ok(order.into_iter().map(|(_, _, at)| at)) }
}

/// The first eight bytes of a key; no encoded key is the beginning of another.
fn first(key: &[u8]) -> u64 {
    u64::from_be_bytes(key.first_chunk().copied().unwrap_or_else(|| {
        let mut first = [0; 8];
        first.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
        first
    }))
}

const NULL: u8 = 0xf6;

struct Writer {
    out: Vec<u8>,
    /// For each map that is being written: where each of its entries starts, and where its key ends.
    marks: Vec<(usize, usize)>,
    /// The entries of the outermost map, which stay in the order they came.
    top: Option<Vec<Place>>,
    /// Where the entries of a map are put in order.
    sorted: Vec<u8>,
}

/// Writes one item that stands inside `depth` arrays or maps.
struct Item<'w> {
    writer: &'w mut Writer,
    depth: usize,
}

impl<'w> Item<'w> {
    fn open(self, major: u8, len: Option<usize>) -> Result<Compound<'w>, CanonicalError> {
        let at = self.writer.out.len();
        if self.depth >= NESTING_MAX {
            return Err(CborError::TooDeep(at).into());
        }
        let len = len.ok_or_else(|| CanonicalError::Custom("a length is not known".into()))?;
        cbor::head(&mut self.writer.out, major, len as u64);
        let (entries, first_mark) = (self.writer.out.len(), self.writer.marks.len());
        Ok(Compound { writer: self.writer, depth: self.depth + 1, left: len, entries, first_mark })
    }

    /// `{variant: …}`, as serde tells an enum's variants with values apart.
    fn variant(self, variant: &'static str) -> Result<Item<'w>, CanonicalError> {
        let at = self.writer.out.len();
        if self.depth >= NESTING_MAX {
            return Err(CborError::TooDeep(at).into());
        }
        cbor::head(&mut self.writer.out, 5, 1);
        cbor::text(&mut self.writer.out, variant);
        Ok(Item { writer: self.writer, depth: self.depth + 1 })
    }

    fn signed(self, n: i64) -> Done {
        match u64::try_from(n) {
            Ok(n) => cbor::head(&mut self.writer.out, 0, n),
            Err(_) => cbor::head(&mut self.writer.out, 1, !n.cast_unsigned()),
        }
        Ok(())
    }

    fn float(self) -> Done {
        Err(CborError::Float(self.writer.out.len()).into())
    }
}

/// An array or a map being written.
struct Compound<'w> {
    writer: &'w mut Writer,
    depth: usize,
    /// Items that the head promises and that have not come.
    left: usize,
    /// Where the first entry starts.
    entries: usize,
    first_mark: usize,
}

impl Compound<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        value.serialize(Item { writer: self.writer, depth: self.depth })
    }

    fn one_less(&mut self) -> Done {
        self.left = self.left.checked_sub(1).ok_or_else(|| CanonicalError::Custom("more items than were promised".into()))?;
        Ok(())
    }

    fn key_written(&mut self, start: usize) -> Done {
        self.one_less()?;
        self.writer.marks.push((start, self.writer.out.len()));
        Ok(())
    }

    fn finish(self) -> Done {
        if self.left > 0 { Err(CanonicalError::Custom("fewer items than were promised".into())) } else { Ok(()) }
    }

    /// Puts the entries in the order of their keys.
    fn finish_map(self) -> Done {
        let Writer { out, marks, top, sorted } = &mut *self.writer;
        let own = marks.get(self.first_mark..).unwrap_or_default();
        let ends = own.iter().skip(1).map(|(start, _)| *start).chain([out.len()]);
        let places = own.iter().zip(ends).map(|((start, key_end), end)| Place { key: *start..*key_end, value: *key_end..end });
        if self.first_mark == 0 {
            *top = Some(places.collect());
        } else if !own.is_sorted_by(|a, b| out.get(a.0..a.1) < out.get(b.0..b.1)) {
            let cut = |range: Range<usize>| out.get(range).unwrap_or_default();
            let entries: Vec<(&[u8], &[u8])> =
                places.map(|place| (cut(place.key.clone()), cut(place.key.start..place.value.end))).collect();
            sorted.clear();
            for at in order(entries.iter().map(|(key, _)| *key))? {
                sorted.extend_from_slice(entries.get(at).map(|(_, whole)| *whole).unwrap_or_default());
            }
            out.truncate(self.entries);
            out.extend_from_slice(sorted);
        }
        marks.truncate(self.first_mark);
        self.finish()
    }
}

impl<'w> ser::Serializer for Item<'w> {
    type Ok = ();
    type Error = CanonicalError;
    type SerializeSeq = Compound<'w>;
    type SerializeTuple = Compound<'w>;
    type SerializeTupleStruct = Compound<'w>;
    type SerializeTupleVariant = Compound<'w>;
    type SerializeMap = Compound<'w>;
    type SerializeStruct = Compound<'w>;
    type SerializeStructVariant = Compound<'w>;

    fn is_human_readable(&self) -> bool {
        false
    }
    fn serialize_bool(self, b: bool) -> Done {
        self.writer.out.push(0xf4 | u8::from(b));
        Ok(())
    }
    fn serialize_i8(self, n: i8) -> Done {
        self.signed(n.into())
    }
    fn serialize_i16(self, n: i16) -> Done {
        self.signed(n.into())
    }
    fn serialize_i32(self, n: i32) -> Done {
        self.signed(n.into())
    }
    fn serialize_i64(self, n: i64) -> Done {
        self.signed(n)
    }
    fn serialize_i128(self, n: i128) -> Done {
        let at = self.writer.out.len();
        match (u64::try_from(n), i64::try_from(n)) {
            (Ok(n), _) => self.serialize_u64(n),
            (_, Ok(n)) => self.signed(n),
            _ => Err(CborError::IntegerRange(at).into()),
        }
    }
    fn serialize_u8(self, n: u8) -> Done {
        self.serialize_u64(n.into())
    }
    fn serialize_u16(self, n: u16) -> Done {
        self.serialize_u64(n.into())
    }
    fn serialize_u32(self, n: u32) -> Done {
        self.serialize_u64(n.into())
    }
    fn serialize_u64(self, n: u64) -> Done {
        cbor::head(&mut self.writer.out, 0, n);
        Ok(())
    }
    fn serialize_u128(self, n: u128) -> Done {
        let at = self.writer.out.len();
        self.serialize_u64(u64::try_from(n).map_err(|_| CborError::IntegerRange(at))?)
    }
    fn serialize_f32(self, _: f32) -> Done {
        self.float()
    }
    fn serialize_f64(self, _: f64) -> Done {
        self.float()
    }
    fn serialize_char(self, c: char) -> Done {
        self.serialize_str(c.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, text: &str) -> Done {
        cbor::text(&mut self.writer.out, text);
        Ok(())
    }
    fn serialize_bytes(self, bytes: &[u8]) -> Done {
        cbor::head(&mut self.writer.out, 2, bytes.len() as u64);
        self.writer.out.extend_from_slice(bytes);
        Ok(())
    }
    fn serialize_none(self) -> Done {
        self.serialize_unit()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Done {
        self.writer.out.push(NULL);
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Done {
        self.serialize_unit()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Done {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(self, _: &'static str, _: u32, variant: &'static str, value: &T) -> Done {
        value.serialize(self.variant(variant)?)
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<Compound<'w>, CanonicalError> {
        self.open(4, len)
    }
    fn serialize_tuple(self, len: usize) -> Result<Compound<'w>, CanonicalError> {
        self.open(4, Some(len))
    }
    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Compound<'w>, CanonicalError> {
        self.open(4, Some(len))
    }
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Compound<'w>, CanonicalError> {
        if name == "@@TAG@@" {
            // How ciborium hands a tag to serde.
            return Err(CborError::Tag(self.writer.out.len()).into());
        }
        self.variant(variant)?.open(4, Some(len))
    }
    fn serialize_map(self, len: Option<usize>) -> Result<Compound<'w>, CanonicalError> {
        self.open(5, len)
    }
    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Compound<'w>, CanonicalError> {
        self.open(5, Some(len))
    }
    fn serialize_struct_variant(self, _: &'static str, _: u32, variant: &'static str, len: usize) -> Result<Compound<'w>, CanonicalError> {
        self.variant(variant)?.open(5, Some(len))
    }
}

impl SerializeSeq for Compound<'_> {
    type Ok = ();
    type Error = CanonicalError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.one_less()?;
        self.item(value)
    }
    fn end(self) -> Done {
        self.finish()
    }
}

impl ser::SerializeTuple for Compound<'_> {
    type Ok = ();
    type Error = CanonicalError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Done {
        self.finish()
    }
}

impl ser::SerializeTupleStruct for Compound<'_> {
    type Ok = ();
    type Error = CanonicalError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Done {
        self.finish()
    }
}

impl ser::SerializeTupleVariant for Compound<'_> {
    type Ok = ();
    type Error = CanonicalError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Done {
        self.finish()
    }
}

impl SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = CanonicalError;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        let start = self.writer.out.len();
        self.item(key)?;
        match self.writer.out.get(start).map(|first| first >> 5) {
            Some(0 | 1 | 3) => self.key_written(start),
            _ => Err(CborError::KeyType(start).into()),
        }
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.item(value)
    }
    fn end(self) -> Done {
        self.finish_map()
    }
}

impl SerializeStruct for Compound<'_> {
    type Ok = ();
    type Error = CanonicalError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
        let start = self.writer.out.len();
        cbor::text(&mut self.writer.out, key);
        self.key_written(start)?;
        self.item(value)
    }
    fn end(self) -> Done {
        self.finish_map()
    }
}

impl ser::SerializeStructVariant for Compound<'_> {
    type Ok = ();
    type Error = CanonicalError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
        SerializeStruct::serialize_field(self, key, value)
    }
    fn end(self) -> Done {
        self.finish_map()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ciborium::Value;
    use proptest::prelude::*;

    #[derive(Serialize)]
    struct One {
        value: Value,
    }

    fn value() -> impl Strategy<Value = Value> {
        let key = prop_oneof![".{0,30}".prop_map(Value::Text), any::<i64>().prop_map(|n| Value::Integer(n.into())), Just(Value::Null)];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<u64>().prop_map(|n| Value::Integer(n.into())),
            any::<i64>().prop_map(|n| Value::Integer(n.into())),
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
            ".{0,30}".prop_map(Value::Text),
            any::<f64>().prop_map(Value::Float),
            Just(Value::Tag(1, Box::new(Value::Null))),
        ];
        leaf.prop_recursive(5, 64, 8, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
                proptest::collection::vec((key.clone(), inner), 0..8).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        /// Keys unordered, twice, of the wrong type; floats; tags: both refuse the same, and write the same.
        #[test]
        fn the_slow_encoder_agrees(value in value()) {
            let slow = cbor::encode(&value).ok();
            let fields = Fields::of(&One { value });
            prop_assert_eq!(fields.ok().map(|f| f.iter().next().unwrap().1.to_vec()), slow);
        }
    }

    #[test]
    fn nesting_is_counted_from_the_content() {
        let deep = |n: usize| One { value: (0..n).fold(Value::Null, |inner, _| Value::Array(vec![inner])) };
        assert!(Fields::of(&deep(NESTING_MAX - 2)).is_ok());
        assert!(matches!(Fields::of(&deep(NESTING_MAX - 1)), Err(CanonicalError::Cbor(CborError::TooDeep(_)))));
    }

    #[test]
    fn a_cleared_field_is_null_and_the_map_is_sorted() {
        #[derive(Serialize)]
        struct Two {
            long_one: u8,
            b: Option<&'static str>,
        }
        let mut fields = Fields::of(&Two { long_one: 1, b: Some("x") }).unwrap();
        fields.push_text("a", "y");
        assert_eq!(fields.to_map().unwrap(), [b"\xa3\x61a\x61y\x61b\x61x\x68long_one".as_slice(), &[1]].concat());
        fields.clear("b");
        assert_eq!(fields.to_map().unwrap(), [b"\xa3\x61a\x61y\x61b\xf6\x68long_one".as_slice(), &[1]].concat());
        fields.push_text("a", "twice");
        assert_eq!(fields.to_map(), Err(CborError::DuplicateKey(0)));
        assert!(Fields::of(&"not a struct").is_err());
    }
}
