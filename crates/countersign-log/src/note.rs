//! Signed notes (C2SP signed-note): a text, an empty line, and signature lines `— <name> <base64 of key id ‖ signature>`.
//!
//! The text of a note says nothing until [`Note::verify`] has found a good signature by a key that the caller trusts.

pub use crate::encoding::{Base64Error, base64_strict};
pub use crate::vkey::{KeyId, SignatureError, VKey, VKeyError, key_id};

use crate::encoding::base64;
use crate::limits::{NOTE_BYTES_MAX, SIGNATURE_LINES_MAX};
use crate::vkey::is_key_name;
use std::fmt;

/// Em dash and space, with which every signature line begins.
const LINE_START: &str = "\u{2014} ";
const KEY_ID_BYTES: usize = 4;

/// Why bytes are not a signed note. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES_MAX`].
    #[error("a note has at most {NOTE_BYTES_MAX} bytes, not {found}")]
    TooLong {
        /// Bytes found.
        found: usize,
    },
    /// Not UTF-8.
    #[error("not UTF-8 from byte {offset} on")]
    NotUtf8 {
        /// The first byte that does not fit.
        offset: usize,
    },
    /// A control character other than newline, a carriage return for instance.
    #[error("control character at byte {offset}")]
    ControlCharacter {
        /// Where it stands.
        offset: usize,
    },
    /// The last byte is not a newline.
    #[error("the last line does not end in a newline")]
    NoFinalNewline,
    /// No empty line between text and signatures.
    #[error("no empty line between text and signatures")]
    NoSeparator,
    /// Nothing after the empty line.
    #[error("no signature line")]
    NoSignature,
    /// More than [`SIGNATURE_LINES_MAX`] signature lines.
    #[error("a note has at most {SIGNATURE_LINES_MAX} signature lines, not {found}")]
    TooManySignatures {
        /// Lines found.
        found: usize,
    },
    /// Not an em dash, a name and a word of base64, with single spaces between.
    #[error("line {line}: not a signature line")]
    SignatureLine {
        /// Which line.
        line: usize,
    },
    /// The name is empty or has a plus or a Unicode space.
    #[error("line {line}: not a key name")]
    KeyName {
        /// Which line.
        line: usize,
    },
    /// The signature is not strict base64.
    #[error("line {line}: the signature")]
    Base64 {
        /// Which line.
        line: usize,
        /// What is wrong with it.
        source: Base64Error,
    },
    /// Not even a key id and one byte more.
    #[error("line {line}: no signature after the key id")]
    SignatureTooShort {
        /// Which line.
        line: usize,
    },
    /// Two lines with one name and key id.
    #[error("lines {first} and {line}: two signatures with one name and key id")]
    Duplicate {
        /// The earlier line.
        first: usize,
        /// The later line.
        line: usize,
    },
}

/// Why a note counts as not signed by a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteVerifyError {
    /// No line with this name and key id: the note says nothing about this key, which is no sign of tampering.
    #[error("no signature line by {name}+{key_id}")]
    NoLine {
        /// The key's name.
        name: String,
        /// The key's id.
        key_id: KeyId,
    },
    /// There is such a line, and it does not hold.
    #[error("line {line}: bad signature by {name}+{key_id}")]
    BadSignature {
        /// The key's name.
        name: String,
        /// The key's id.
        key_id: KeyId,
        /// Which line of the note.
        line: usize,
        /// What is wrong with it.
        source: SignatureError,
    },
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    /// The key's name.
    pub name: String,
    /// The key's id.
    pub key_id: KeyId,
    /// What the key's algorithm made; for cosignatures, the time comes first.
    pub signature: Vec<u8>,
    /// The line of the note it stands on, from 1.
    pub line: usize,
}

/// A note that is well-formed. Who signed it is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

impl Note {
    /// Reads a note. The text keeps its final newline, but not the empty line after it.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let (text, block) = split(checked_text(bytes)?)?;
        let found = block.lines().count();
        if found > SIGNATURE_LINES_MAX {
            return Err(NoteError::TooManySignatures { found });
        }
        let mut signatures: Vec<SignatureLine> = Vec::new();
        for (line, content) in (first_signature_line(text)..).zip(block.lines()) {
            let signature = parse_signature_line(line, content)?;
            let same = |other: &&SignatureLine| other.name == signature.name && other.key_id == signature.key_id;
            if let Some(other) = signatures.iter().find(same) {
                return Err(NoteError::Duplicate { first: other.line, line });
            }
            signatures.push(signature);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The signed text, with its final newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signature lines, known or not, in order.
    #[must_use]
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// The line under this name and key id, if there is one.
    #[must_use]
    pub fn signature_by(&self, name: &str, key_id: KeyId) -> Option<&SignatureLine> {
        self.signatures.iter().find(|line| line.name == name && line.key_id == key_id)
    }

    /// Checks the signature by `key` and gives the line it stands on. Lines by other keys are left alone.
    pub fn verify(&self, key: &VKey) -> Result<usize, NoteVerifyError> {
        let (name, key_id) = (key.name(), key.key_id());
        let line = self.signature_by(name, key_id).ok_or_else(|| NoteVerifyError::NoLine { name: name.to_owned(), key_id })?;
        let checked = key.public_key().verify(self.text.as_bytes(), &line.signature);
        checked.map(|()| line.line).map_err(|source| NoteVerifyError::BadSignature {
            name: name.to_owned(),
            key_id,
            line: line.line,
            source,
        })
    }

    /// The note with one more signature line at its end, a witness's for instance.
    pub fn with_signature(&self, name: &str, key_id: KeyId, signature: &[u8]) -> Result<Self, NoteError> {
        let own = self.signatures.iter().map(|line| (line.name.as_str(), line.key_id, line.signature.as_slice()));
        let lines: Vec<_> = own.chain([(name, key_id, signature)]).collect();
        Self::parse(format_note(&self.text, &lines)?.as_bytes())
    }
}

impl fmt::Display for Note {
    /// The bytes that [`Note::parse`] read, exactly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| f.write_str(&render_line(&line.name, line.key_id, &line.signature)))
    }
}

/// Writes a note and reads it back, so that nothing that is not a note ever leaves. `text` ends in a newline.
pub fn format_note(text: &str, signatures: &[(&str, KeyId, &[u8])]) -> Result<String, NoteError> {
    if !text.ends_with('\n') {
        return Err(NoteError::NoSeparator);
    }
    let mut rendered = format!("{text}\n");
    for (line, (name, key_id, signature)) in (first_signature_line(text)..).zip(signatures) {
        // Looked at before it is written: a name with newlines could move the end of the text.
        if !is_key_name(name) {
            return Err(NoteError::KeyName { line });
        }
        rendered.push_str(&render_line(name, *key_id, signature));
    }
    Note::parse(rendered.as_bytes())?;
    Ok(rendered)
}

/// The line of the note after the text and the empty line.
fn first_signature_line(text: &str) -> usize {
    text.matches('\n').count() + 2
}

fn render_line(name: &str, key_id: KeyId, signature: &[u8]) -> String {
    format!("{LINE_START}{name} {}\n", base64(&[key_id.0.as_slice(), signature].concat()))
}

fn checked_text(bytes: &[u8]) -> Result<&str, NoteError> {
    if bytes.len() > NOTE_BYTES_MAX {
        return Err(NoteError::TooLong { found: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| NoteError::NotUtf8 { offset: error.valid_up_to() })?;
    if let Some(offset) = bytes.iter().position(|byte| *byte < b' ' && *byte != b'\n') {
        return Err(NoteError::ControlCharacter { offset });
    }
    if text.ends_with('\n') { Ok(text) } else { Err(NoteError::NoFinalNewline) }
}

/// Text and signature block, at the last empty line. The text may have empty lines of its own.
fn split(note: &str) -> Result<(&str, &str), NoteError> {
    let (before, block) = note.rsplit_once("\n\n").ok_or(NoteError::NoSeparator)?;
    if block.is_empty() {
        return Err(NoteError::NoSignature);
    }
    let text = note.get(..before.len() + 1).ok_or(NoteError::NoSeparator)?;
    Ok((text, block))
}

fn parse_signature_line(line: usize, content: &str) -> Result<SignatureLine, NoteError> {
    let malformed = NoteError::SignatureLine { line };
    let (name, encoded) = content.strip_prefix(LINE_START).and_then(|rest| rest.split_once(' ')).ok_or(malformed)?;
    if !is_key_name(name) {
        return Err(NoteError::KeyName { line });
    }
    let bytes = base64_strict(encoded).map_err(|source| NoteError::Base64 { line, source })?;
    match bytes.split_first_chunk::<KEY_ID_BYTES>() {
        Some((key_id, signature)) if !signature.is_empty() => {
            Ok(SignatureLine { name: name.to_owned(), key_id: KeyId(*key_id), signature: signature.to_vec(), line })
        }
        _ => Err(NoteError::SignatureTooShort { line }),
    }
}
