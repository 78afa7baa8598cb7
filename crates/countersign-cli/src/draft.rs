//! Requests on their way to the officers who sign them, and what officers signed on its way back: files that anybody may carry.

use std::fmt::Write as _;
use std::path::Path;

use countersign_api::view::fields_of;
use countersign_entry::cose::Sign1;
use countersign_entry::ids::RequestKey;
use countersign_entry::record::Record;
use countersign_entry::request::CanonicalRequest;
use countersign_ledger::query::describe;
use countersign_log::checkpoint::Checkpoint;
use countersign_log::encoding::{base64, base64_strict};
use countersign_log::note::Note;
use countersign_log::spki;
use serde_json::Value;

use crate::commands::{read_small, write_new};
use crate::failure::Failure;
use crate::output::one_line;

const REQUEST: &str = "COUNTERSIGN REQUEST";
const SIGNATURE: &str = "COUNTERSIGN SIGNATURE";
const LINE_CHARS: usize = 64;

/// A request as it was written to be signed.
pub(crate) struct Draft {
    /// What is signed.
    pub(crate) bytes: Vec<u8>,
    /// The same, taken apart.
    pub(crate) request: CanonicalRequest,
    /// The record it asks for, without what the ledger fills in.
    pub(crate) record: Record,
}

impl Draft {
    /// What somebody asks of a ledger.
    pub(crate) fn new(origin: &str, actor: &str, key: &RequestKey, record: &Record) -> Result<Self, Failure> {
        let bytes = record.canonical_request(origin, actor, key.as_str()).map_err(|e| Failure::Invalid(e.to_string()))?;
        Self::of(bytes).map_err(|e| Failure::Bug(format!("a request does not read back ({e})")))
    }

    fn of(bytes: Vec<u8>) -> Result<Self, String> {
        let request = CanonicalRequest::decode(&bytes).map_err(|e| e.to_string())?;
        let record = request.record().map_err(|e| e.to_string())?;
        Ok(Self { bytes, request, record })
    }

    /// What whoever signs agrees to, in words and whole.
    pub(crate) fn lines(&self) -> Vec<String> {
        let request = &self.request;
        let mut lines = vec![
            format!("{}: {}", self.record.type_name(), one_line(&words(&self.record))),
            format!("  ledger             {}", one_line(&request.origin)),
            format!("  asked by           {}", one_line(&request.actor)),
            format!("  idempotency key    {}", one_line(&request.request)),
        ];
        let Value::Object(fields) = fields_of(&self.record) else { return lines };
        let stated = fields.into_iter().filter(|(name, _)| request.fields.iter().any(|(stated, _)| stated == name));
        lines.extend(stated.map(|(name, value)| format!("  {name:<18} {}", one_line(&value_words(&value)))));
        lines
    }
}

/// Reads the requests of a file that `--draft` wrote.
pub(crate) fn read(path: &Path) -> Result<Vec<Draft>, Failure> {
    let bad = |why: String| Failure::Invalid(format!("{}: {why}", path.display()));
    let blocks = blocks(&read_small(path)?, REQUEST).map_err(|e| bad(e.to_owned()))?;
    blocks.into_iter().map(|bytes| Draft::of(bytes).map_err(bad)).collect()
}

/// Writes requests to a new file for officers to sign.
pub(crate) fn write(path: &Path, drafts: &[Draft]) -> Result<(), Failure> {
    let text: String = drafts.iter().map(|draft| block(REQUEST, &draft.bytes)).collect();
    write_new(path, text.as_bytes(), 0o600)
}

/// Reads what an officer signed; each signature carries the request it is over.
pub(crate) fn read_signatures(path: &Path) -> Result<Vec<Sign1>, Failure> {
    let bad = |why: &str| Failure::Invalid(format!("{}: {why}", path.display()));
    let blocks = blocks(&read_small(path)?, SIGNATURE).map_err(bad)?;
    blocks.iter().map(|bytes| Sign1::decode(bytes).map_err(|e| bad(&e.to_string()))).collect()
}

/// Writes signatures to a new file.
pub(crate) fn write_signatures(path: &Path, signatures: &[Sign1]) -> Result<(), Failure> {
    let text: String = signatures.iter().map(|sign1| block(SIGNATURE, &sign1.encode())).collect();
    write_new(path, text.as_bytes(), 0o600)
}

/// One block of the form of RFC 7468.
pub(crate) fn block(label: &str, bytes: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut body = base64(bytes);
    while !body.is_empty() {
        let rest = body.split_off(body.len().min(LINE_CHARS));
        writeln!(text, "{body}").unwrap_or(());
        body = rest;
    }
    writeln!(text, "-----END {label}-----").unwrap_or(());
    text
}

/// The blocks of this label, at least one, and nothing else.
pub(crate) fn blocks(bytes: &[u8], label: &str) -> Result<Vec<Vec<u8>>, &'static str> {
    const FORM: &str = "not a file of the kind that is wanted here";
    let text = std::str::from_utf8(bytes).map_err(|_| FORM)?;
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line != begin {
            return Err(FORM);
        }
        let body: String = lines.by_ref().take_while(|line| *line != end).collect();
        found.push(base64_strict(&body).map_err(|_| FORM)?);
    }
    if found.is_empty() { Err(FORM) } else { Ok(found) }
}

/// What is asked, in a sentence.
fn words(record: &Record) -> String {
    match record {
        Record::KeyRotated(r) => format!("let the ledger's signing key {} follow {}; both sign up to size {}", r.new, r.old, r.both_until),
        Record::KeyRevoked(r) => format!("believe nothing that {} signed beyond size {}", r.vkey, r.last_size),
        Record::KeyLossDeclared(r) => {
            let head = Note::parse(&r.head).ok().and_then(|note| Checkpoint::parse(note.text()).ok());
            let until = head.map(|head| format!(", up to the head of size {}, root {}", head.size, head.root)).unwrap_or_default();
            format!("declare lost, for good, what was recorded as entry {} and after it{until}", r.first)
        }
        Record::DataKeyDestroyed(r) => format!("destroy data key {}: what it sealed can be read no more, by anybody", r.key_id),
        Record::Redaction(r) => {
            let fields = r.fields.join(", ");
            format!("redact {fields} of entry {}: nobody reads what it said any more; ground: {}", r.target, r.authority)
        }
        Record::OfficerEnrolled(r) => format!("from now on the key {} signs for {}", hex::encode(spki::key_id(&r.key)), r.principal),
        Record::OfficerRevoked(r) => format!("from now on the key {} signs for {} no more", hex::encode(spki::key_id(&r.key)), r.principal),
        Record::GrantRequest(r) => format!("give {} access to {} until {}", r.person, r.submission, r.expires_at),
        Record::GrantTransition(t) => format!("move grant {} to {}", t.grant, crate::words::word_of(&t.to)),
        other => describe(other),
    }
}

/// A value as a signer reads it; bytes, which nobody reads, by their hash.
fn value_words(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_u64) => {
            let bytes: Vec<u8> = items.iter().filter_map(|item| item.as_u64()?.try_into().ok()).collect();
            format!("{} bytes, SHA-256 {}", bytes.len(), hex::encode(spki::key_id(&bytes)))
        }
        Value::Array(items) => items.iter().map(value_words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn blocks_come_back_whole_and_other_files_are_refused() {
        let two = [vec![7; 100], Vec::new(), vec![1]];
        let text: String = two.iter().map(|bytes| block(REQUEST, bytes)).collect();
        assert_eq!(blocks(text.as_bytes(), REQUEST).unwrap(), two);
        for bad in ["", "text", &text.replace("REQUEST", "SIGNATURE"), &format!("{text}\n"), &text.replace("BwcH", "Bwc"), "\u{ff}"] {
            assert!(blocks(bad.as_bytes(), REQUEST).is_err(), "{bad}");
        }
    }
}
