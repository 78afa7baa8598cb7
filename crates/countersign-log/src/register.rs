//! The bytes of a head register's file: the newest signed checkpoint once more, apart from the store.
//!
//! A head is a line that names its form, a line with the tree size, a line with a checksum over size and note, and then the signed note. The
//! checksum finds rot; whether the note is genuine is for its signature to say. An empty register has size 0 and no note.
//!
//! The file is one head (`countersign register 1`), or two *slots* of [`SLOT_BYTES`], each a head (`countersign register slot 1`, so that a file
//! cut short is not one head) of at most [`SLOT_HEAD_BYTES_MAX`] and then zeros, or zeros alone. Of two
//! heads the one with the greater size counts. Slots are written in turn, in place: a head of that length lies in one sector, which a device
//! writes whole or not at all, so that a slot that is neither is damage and never a write that power cut short. A longer head makes the file
//! one head, replaced as a whole.

use crate::segment::NOTE_BYTES_MAX;

const TAG: &str = "countersign register 1";
const SLOT_TAG: &str = "countersign register slot 1";
const CONTEXT: &str = "countersign v1 head register";

/// Bytes of the longest register: the three lines of a head are far shorter than 256.
pub const FILE_BYTES_MAX: usize = 256 + NOTE_BYTES_MAX;
/// Bytes of a slot: a page, so that writing one never touches the other's.
pub const SLOT_BYTES: usize = 4_096;
/// Bytes of the longest head that goes into a slot: one sector of the smallest kind.
pub const SLOT_HEAD_BYTES_MAX: usize = 512;

/// A head as the file holds it: tree size, signed note.
pub type KeptHead<'a> = (u64, &'a [u8]);

/// The file that is one head; size 0 with no note for an empty register.
#[must_use]
pub fn encode(size: u64, note: &[u8]) -> Vec<u8> {
    encode_head(TAG, size, note)
}

/// What is written at the start of a slot; `None` for a head that is too long for one.
#[must_use]
pub fn encode_slot(size: u64, note: &[u8]) -> Option<[u8; SLOT_HEAD_BYTES_MAX]> {
    let head = encode_head(SLOT_TAG, size, note);
    let mut bytes = [0; SLOT_HEAD_BYTES_MAX];
    bytes.get_mut(..head.len())?.copy_from_slice(&head);
    Some(bytes)
}

/// The file for a head: two slots with it in the first, or, where it is too long, the head alone.
#[must_use]
pub fn encode_file(size: u64, note: &[u8]) -> Vec<u8> {
    let Some(slot) = encode_slot(size, note) else { return encode(size, note) };
    let mut bytes = slot.to_vec();
    bytes.resize(2 * SLOT_BYTES, 0);
    bytes
}

fn encode_head(tag: &str, size: u64, note: &[u8]) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    hasher.update(&size.to_be_bytes());
    hasher.update(note);
    let mut bytes = format!("{tag}\n{size}\n{}\n", hasher.finalize().to_hex()).into_bytes();
    bytes.extend_from_slice(note);
    bytes
}

/// The head in a file's bytes; `None` for an empty register.
///
/// # Errors
/// What is wrong with the bytes.
pub fn decode(bytes: &[u8]) -> Result<Option<KeptHead<'_>>, &'static str> {
    if bytes.starts_with(TAG.as_bytes()) { decode_head(TAG, bytes) } else { decode_slots(bytes).map(|(_, head)| head) }
}

/// The slot that the next head goes into, 0 or 1, and the newest head in the other.
///
/// # Errors
/// What is wrong with the bytes; a file that is one head has no slots.
pub fn decode_slots(bytes: &[u8]) -> Result<(u64, Option<KeptHead<'_>>), &'static str> {
    let (first, second) = bytes.split_at_checked(SLOT_BYTES).filter(|(_, second)| second.len() == SLOT_BYTES).ok_or("not two slots")?;
    match (decode_slot(first)?, decode_slot(second)?) {
        (None, None) => Err("both slots are empty"),
        (Some(head), None) => Ok((1, head)),
        (None, Some(head)) => Ok((0, head)),
        (Some(a), Some(b)) => match (a.map_or(0, |(size, _)| size), b.map_or(0, |(size, _)| size)) {
            (a_size, b_size) if a_size > b_size => Ok((1, a)),
            (a_size, b_size) if a_size < b_size => Ok((0, b)),
            _ => Err("two heads of one size"),
        },
    }
}

/// The head in a slot; the outer `None` for a slot never written.
fn decode_slot(slot: &[u8]) -> Result<Option<Option<KeptHead<'_>>>, &'static str> {
    let (head, rest) = slot.split_at_checked(SLOT_HEAD_BYTES_MAX).unwrap_or((slot, &[]));
    // All of it, come what may: so it is sixteen bytes at a time.
    if rest.iter().fold(0, |all, byte| all | byte) != 0 {
        return Err("a slot holds more than a head");
    }
    let Some(end) = head.iter().rposition(|byte| *byte != 0) else { return Ok(None) };
    decode_head(SLOT_TAG, head.get(..=end).unwrap_or_default()).map(Some)
}

fn decode_head<'a>(tag: &str, bytes: &'a [u8]) -> Result<Option<KeptHead<'a>>, &'static str> {
    let mut parts = bytes.splitn(4, |byte| *byte == b'\n');
    let mut line = || parts.next().and_then(|line| std::str::from_utf8(line).ok());
    if line() != Some(tag) {
        return Err("not a head register of this version");
    }
    let size = line().and_then(|size| size.parse().ok()).ok_or("no size")?;
    line().ok_or("no checksum")?;
    let note = parts.next().ok_or("no note")?;
    // One form only: what was read must be what would be written.
    if encode_head(tag, size, note) != bytes {
        return Err("checksum does not match");
    }
    match (size, note.is_empty()) {
        (0, true) => Ok(None),
        (1.., false) => Ok(Some((size, note))),
        _ => Err("size without a note, or a note without a size"),
    }
}
