//! Witness cosignatures (C2SP tlog-cosignature), Ed25519, type `04`: a time, and a signature over that time and the checkpoint's text.
//!
//! How many of which witnesses are enough, and which times are plausible, is policy and stands elsewhere.

pub use crate::vkey::WitnessKey;

use crate::limits::COSIGNATURE_TIME_MAX;
use crate::note::{KeyId, Note};
use crate::vkey::SignatureError;

const TIME_BYTES: usize = 8;

/// A cosignature that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cosignature {
    /// When the witness saw the checkpoint, by its own clock: seconds since the Unix epoch.
    pub time: u64,
    /// The line of the note it stands on, from 1.
    pub line: usize,
}

/// Why a note counts as not cosigned by a witness.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// No line with this name and key id.
    #[error("no cosignature by {name}+{key_id}")]
    NoLine {
        /// The witness's name.
        name: String,
        /// The key's id.
        key_id: KeyId,
    },
    /// Not even a time.
    #[error("line {line}: a cosignature begins with 8 bytes of time")]
    NoTime {
        /// Which line of the note.
        line: usize,
    },
    /// A time beyond 2⁶³ − 1.
    #[error("line {line}: time {time} is out of range")]
    TimeOutOfRange {
        /// Which line of the note.
        line: usize,
        /// Seconds since the Unix epoch, as stated.
        time: u64,
    },
    /// The signature does not hold.
    #[error("line {line}: bad cosignature by {name}+{key_id}")]
    BadSignature {
        /// The witness's name.
        name: String,
        /// The key's id.
        key_id: KeyId,
        /// Which line of the note.
        line: usize,
        /// What is wrong with it.
        source: SignatureError,
    },
}

/// Checks the cosignature of one witness. Lines by others are left alone. The log's own signature is checked elsewhere:
/// take the note out of a [`VerifiedCheckpoint`](crate::checkpoint::VerifiedCheckpoint).
pub fn verify(note: &Note, witness: &WitnessKey) -> Result<Cosignature, CosignatureError> {
    let (name, key_id) = (witness.name(), witness.key_id());
    let found = note.signature_by(name, key_id).ok_or_else(|| CosignatureError::NoLine { name: name.to_owned(), key_id })?;
    let line = found.line;
    let (time, signature) = found.signature.split_first_chunk::<TIME_BYTES>().ok_or(CosignatureError::NoTime { line })?;
    let time = u64::from_be_bytes(*time);
    if time > COSIGNATURE_TIME_MAX {
        return Err(CosignatureError::TimeOutOfRange { line, time });
    }
    let checked = witness.public_key().verify(signed_text(time, note.text()).as_bytes(), signature);
    checked.map(|()| Cosignature { time, line }).map_err(|source| CosignatureError::BadSignature {
        name: name.to_owned(),
        key_id,
        line,
        source,
    })
}

/// What a witness signs: header, time in seconds, and the checkpoint's text with its final newline.
#[must_use]
pub fn signed_text(time: u64, checkpoint_text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{checkpoint_text}")
}

/// What stands after the key id on the witness's line: the time, then the 64 bytes of the signature.
#[must_use]
pub fn line_payload(time: u64, signature: &[u8]) -> Vec<u8> {
    [time.to_be_bytes().as_slice(), signature].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::format_note;
    use ed25519_dalek::{Signer as _, SigningKey};

    const TEXT: &str = "log\n1\n12xt3rl00/8ooUATA0nNLXoWpZYhoQJgTGn/XhWfB/8=\n";

    fn witness() -> (SigningKey, WitnessKey) {
        let signing = SigningKey::from_bytes(&[3; 32]);
        let key = WitnessKey::new("w.example/1", signing.verifying_key().as_bytes()).unwrap();
        (signing, key)
    }

    fn note(key: &WitnessKey, payload: &[u8]) -> Note {
        let other = ("else.example", KeyId([1, 2, 3, 4]), [0u8; 9].as_slice());
        Note::parse(format_note(TEXT, &[other, (key.name(), key.key_id(), payload)]).unwrap().as_bytes()).unwrap()
    }

    #[test]
    fn a_cosignature_gives_its_time() {
        let (signing, key) = witness();
        let signature = signing.sign(signed_text(1_679_315_147, TEXT).as_bytes()).to_bytes();
        let good = note(&key, &line_payload(1_679_315_147, &signature));
        assert_eq!(verify(&good, &key), Ok(Cosignature { time: 1_679_315_147, line: 6 }));
        let other_time = note(&key, &line_payload(1_679_315_148, &signature));
        assert!(matches!(verify(&other_time, &key), Err(CosignatureError::BadSignature { line: 6, .. })));
    }

    #[test]
    fn each_fault_has_its_name() {
        let (signing, key) = witness();
        let plain = signing.sign(TEXT.as_bytes()).to_bytes();
        assert_eq!(verify(&note(&key, &[0; 7]), &key), Err(CosignatureError::NoTime { line: 6 }));
        assert!(matches!(
            verify(&note(&key, &plain), &key),
            Err(CosignatureError::TimeOutOfRange { .. } | CosignatureError::BadSignature { .. })
        ));
        assert!(matches!(verify(&note(&key, &line_payload(0, &plain)), &key), Err(CosignatureError::BadSignature { .. })));
        let late = COSIGNATURE_TIME_MAX + 1;
        let signature = signing.sign(signed_text(late, TEXT).as_bytes()).to_bytes();
        assert_eq!(
            verify(&note(&key, &line_payload(late, &signature)), &key),
            Err(CosignatureError::TimeOutOfRange { line: 6, time: late })
        );
        let stranger = WitnessKey::new("w.example/2", key.public_key().as_bytes()).unwrap();
        assert!(matches!(verify(&note(&key, &[0; 7]), &stranger), Err(CosignatureError::NoLine { .. })));
    }
}
