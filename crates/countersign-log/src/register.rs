//! The bytes of a head register's file: the newest signed checkpoint once more, apart from the store.
//!
//! A line `countersign register 1`, a line with the tree size, a line with a checksum over size and note, and then the signed note. The checksum
//! finds rot; whether the note is genuine is for its signature to say. An empty register has size 0 and no note.

use crate::segment::NOTE_BYTES_MAX;

const TAG: &str = "countersign register 1";
const CONTEXT: &str = "countersign v1 head register";

/// Bytes of the longest register: its three lines are far shorter than 256.
pub const FILE_BYTES_MAX: usize = 256 + NOTE_BYTES_MAX;

/// The file's bytes for a head; size 0 with no note for an empty register.
#[must_use]
pub fn encode(size: u64, note: &[u8]) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    hasher.update(&size.to_be_bytes());
    hasher.update(note);
    let mut bytes = format!("{TAG}\n{size}\n{}\n", hasher.finalize().to_hex()).into_bytes();
    bytes.extend_from_slice(note);
    bytes
}

/// The head in a file's bytes: tree size and signed note; `None` for an empty register.
///
/// # Errors
/// What is wrong with the bytes.
pub fn decode(bytes: &[u8]) -> Result<Option<(u64, &[u8])>, &'static str> {
    let mut parts = bytes.splitn(4, |byte| *byte == b'\n');
    let mut line = || parts.next().and_then(|line| std::str::from_utf8(line).ok());
    if line() != Some(TAG) {
        return Err("not a head register of this version");
    }
    let size = line().and_then(|size| size.parse().ok()).ok_or("no size")?;
    line().ok_or("no checksum")?;
    let note = parts.next().ok_or("no note")?;
    // One form only: what was read must be what would be written.
    if encode(size, note) != bytes {
        return Err("checksum does not match");
    }
    match (size, note.is_empty()) {
        (0, true) => Ok(None),
        (1.., false) => Ok(Some((size, note))),
        _ => Err("size without a note, or a note without a size"),
    }
}
