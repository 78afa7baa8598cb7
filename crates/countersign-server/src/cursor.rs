//! Cursors: where a page ended, sealed for the question it is a page of, so that nobody makes one up, takes one to another question or reads of which row it
//! is: that may be one they may not know of. The key lives as long as the process: after a restart a client begins again.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use countersign_api::problem::Kind;

use crate::answer::Failure;

/// Seals cursors.
pub struct Cursors(XChaCha20Poly1305);

/// Bytes of a nonce: so many that random ones never meet.
const NONCE: usize = 24;
/// Bytes of a tag.
const TAG: usize = 16;

impl Cursors {
    /// With a key of its own.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut key = Key::default();
        getrandom::fill(&mut key)?;
        Ok(Self(XChaCha20Poly1305::new(&key)))
    }

    /// A cursor for the page of `question` after `last`.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub fn make(&self, question: &str, last: &str) -> Result<String, Failure> {
        let mut nonce = XNonce::default();
        getrandom::fill(&mut nonce).map_err(|_| Kind::Internal)?;
        let sealed = self.0.encrypt(&nonce, Payload { msg: last.as_bytes(), aad: question.as_bytes() }).map_err(|_| Kind::Internal)?;
        Ok(hex::encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Where the page of `question` begins.
    ///
    /// # Errors
    /// [`Kind::Validation`] where it has not the form of one, [`Kind::Cursor`] where it is not one of this question.
    pub fn read(&self, question: &str, cursor: &str) -> Result<String, Failure> {
        let bytes = hex::decode(cursor).map_err(|_| Kind::Validation)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().filter(|(_, sealed)| sealed.len() >= TAG).ok_or(Kind::Validation)?;
        let last = self.0.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: question.as_bytes() }).map_err(|_| Kind::Cursor)?;
        String::from_utf8(last).map_err(|_| Kind::Cursor.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_for_its_own_question_and_process() {
        let cursors = Cursors::new().unwrap();
        let cursor = cursors.make("grants P-0001", "17").unwrap();
        assert!(!cursor.contains(&hex::encode("17")) && cursor != cursors.make("grants P-0001", "17").unwrap());
        assert_eq!(cursors.read("grants P-0001", &cursor).unwrap(), "17");
        assert!(cursors.read("grants P-0002", &cursor).is_err());
        assert!(Cursors::new().unwrap().read("grants P-0001", &cursor).is_err());
        for bad in ["", "00", "zz", &cursor[1..], &format!("{cursor}00")] {
            assert!(cursors.read("grants P-0001", bad).is_err(), "{bad}");
        }
    }
}
