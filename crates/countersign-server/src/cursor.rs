//! Cursors: where a page ended and what it was a page of, signed, so that nobody makes one up and none is taken to another question. The key lives as
//! long as the process: after a restart a client begins again.

use countersign_api::problem::Kind;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::answer::Failure;

/// Signs cursors.
pub struct Cursors([u8; 32]);

/// Bytes of a signature.
const MAC: usize = 16;

impl Cursors {
    /// With a key of its own.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self(key))
    }

    /// A cursor for the page of `question` after `last`.
    pub fn make(&self, question: &str, last: &str) -> String {
        format!("{}{}", hex::encode(self.mac(question, last)), hex::encode(last))
    }

    /// Where the page of `question` begins.
    ///
    /// # Errors
    /// [`Kind::Validation`] where it has not the form of one, [`Kind::Cursor`] where it is not one of this question.
    pub fn read(&self, question: &str, cursor: &str) -> Result<String, Failure> {
        let bytes = hex::decode(cursor).map_err(|_| Kind::Validation)?;
        let (mac, last) = bytes.split_at_checked(MAC).ok_or(Kind::Validation)?;
        let last = String::from_utf8(last.to_vec()).map_err(|_| Kind::Cursor)?;
        let good: bool = self.mac(question, &last).ct_eq(mac).into();
        if good { Ok(last) } else { Err(Kind::Cursor.into()) }
    }

    fn mac(&self, question: &str, last: &str) -> [u8; MAC] {
        // Of fixed length in front and behind, so the hash cannot be drawn out, and neither text runs into the other.
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update((question.len() as u64).to_be_bytes());
        hash.update(question);
        hash.update(last);
        hash.update(self.0);
        let digest: [u8; 32] = hash.finalize().into();
        digest.first_chunk().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_for_its_own_question_and_process() {
        let cursors = Cursors::new().unwrap();
        let cursor = cursors.make("grants P-0001", "17");
        assert_eq!(cursors.read("grants P-0001", &cursor).unwrap(), "17");
        assert!(cursors.read("grants P-0002", &cursor).is_err());
        assert!(Cursors::new().unwrap().read("grants P-0001", &cursor).is_err());
        for bad in ["", "00", "zz", &cursor[1..], &format!("{cursor}00")] {
            assert!(cursors.read("grants P-0001", bad).is_err(), "{bad}");
        }
    }
}
