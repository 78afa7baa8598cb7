//! JSON arrays, nested arrays and lines. Each value's own text is kept, so that a row's raw text is what the file says and not what a
//! parser made of it.

use core::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{EmptyParent, Parts, RawRow, RowFault, TableError};

pub(super) fn array(body: &[u8]) -> Result<Parts, TableError> {
    let mut parts = Parts::default();
    for value in values(body)? {
        let read = pairs(value.get());
        push(&mut parts, value.get(), read.map(|p| cells_of(&p)))?;
    }
    Ok(parts)
}

pub(super) fn nested(body: &[u8], under: &str) -> Result<Parts, TableError> {
    let mut parts = Parts::default();
    for (outer, number) in values(body)?.into_iter().zip(1..) {
        let before = match pairs(outer.get()) {
            Ok(before) => before,
            Err(fault) => {
                push(&mut parts, outer.get(), Err(fault))?;
                continue;
            }
        };
        let own: Vec<(String, &str)> = before.iter().filter(|(k, _)| k != under).cloned().collect();
        match inner(&before, under) {
            Err(fault) => push(&mut parts, outer.get(), Err(fault))?,
            Ok(rows) if rows.is_empty() => parts.empty.push(EmptyParent { number, raw: outer.get().to_owned() }),
            Ok(rows) => {
                for row in rows {
                    push(&mut parts, row.get(), pairs(row.get()).map(|p| joined(&own, &p, under)))?;
                }
            }
        }
    }
    Ok(parts)
}

pub(super) fn lines(body: &[u8]) -> Result<Parts, TableError> {
    let mut parts = Parts::default();
    for (line, number) in body.split(|b| *b == b'\n').zip(1..) {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let text = core::str::from_utf8(line);
        let read = text.map_err(|_| RowFault::NotUtf8).and_then(pairs).map(|p| cells_of(&p));
        push(&mut parts, &String::from_utf8_lossy(line), read)?;
        if let Some(row) = parts.rows.last_mut() {
            row.number = number;
        }
    }
    Ok(parts)
}

fn values(body: &[u8]) -> Result<Vec<&RawValue>, TableError> {
    let text = core::str::from_utf8(body).map_err(|_| TableError::NotUtf8)?;
    serde_json::from_str(text).map_err(|e| TableError::Syntax { format: "a JSON array", detail: e.to_string() })
}

/// The inner array; absent and null are empty.
fn inner<'a>(outer: &[(String, &'a str)], under: &str) -> Result<Vec<&'a RawValue>, RowFault> {
    match outer.iter().find(|(k, _)| k == under).map(|(_, v)| *v) {
        None | Some("null") => Ok(Vec::new()),
        Some(text) => serde_json::from_str(text).map_err(|_| RowFault::NotAnArray(under.to_owned())),
    }
}

/// The outer object's cells, then the inner one's; a key both have is told apart by the array's name.
fn joined(own: &[(String, &str)], inner: &[(String, &str)], under: &str) -> Vec<(String, String)> {
    let mut all = cells_of(own);
    for (key, value) in cells_of(inner) {
        let taken = own.iter().any(|(k, _)| *k == key);
        all.push((if taken { format!("{under}.{key}") } else { key }, value));
    }
    all
}

fn cells_of(pairs: &[(String, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| (k.clone(), cell(v))).collect()
}

/// A string is its text, null is empty, anything else is its JSON text.
fn cell(value: &str) -> String {
    match value {
        "null" => String::new(),
        text if text.starts_with('"') => serde_json::from_str(text).unwrap_or_else(|_| text.to_owned()),
        other => other.to_owned(),
    }
}

/// Puts a row under the columns its keys name, adding columns that are new.
fn push(parts: &mut Parts, raw: &str, read: Result<Vec<(String, String)>, RowFault>) -> Result<(), TableError> {
    let mut cells = Vec::new();
    let mut fault = None;
    match read {
        Ok(pairs) => {
            for (key, value) in pairs {
                let at = column(parts, key)?;
                if cells.len() <= at {
                    cells.resize(at + 1, String::new());
                }
                if let Some(slot) = cells.get_mut(at) {
                    *slot = value;
                }
            }
        }
        Err(found) => fault = Some(found),
    }
    let number = parts.rows.len() as u64 + 1;
    parts.push(RawRow { number, raw: raw.to_owned(), cells, fault })
}

fn column(parts: &mut Parts, key: String) -> Result<usize, TableError> {
    if let Some(at) = parts.header.iter().position(|h| *h == key) {
        return Ok(at);
    }
    super::limit("columns", parts.header.len() + 1, super::COLUMNS_MAX)?;
    parts.header.push(key);
    Ok(parts.header.len() - 1)
}

/// An object's keys and the texts of their values, in order.
fn pairs(text: &str) -> Result<Vec<(String, &str)>, RowFault> {
    if !text.trim_start().starts_with('{') {
        let valid = serde_json::from_str::<&RawValue>(text);
        return Err(valid.map_or_else(|e| RowFault::NotJson(e.to_string()), |_| RowFault::NotAnObject));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = reader.deserialize_map(Pairs).and_then(|p| reader.end().map(|()| p)).map_err(|e| RowFault::NotJson(e.to_string()))?;
    let mut keys = std::collections::BTreeSet::new();
    match found.iter().find(|(k, _)| !keys.insert(k.as_str())) {
        Some((twice, _)) => Err(RowFault::DuplicateKey(twice.clone())),
        None => Ok(found),
    }
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, &'de str)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
            pairs.push((key, value.get()));
        }
        Ok(pairs)
    }
}
