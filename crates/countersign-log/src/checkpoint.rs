//! Checkpoints (C2SP tlog-checkpoint): a signed note over origin, tree size and root hash, here without extension lines.

use crate::encoding::{Base64Error, DecimalError, base64, base64_hash, decimal_strict};
use crate::hash::{RootHash, TreeSize};
use crate::note::{Note, NoteError, NoteVerifyError};
use crate::vkey::VKey;

/// What a log says of itself: its name, how many leaves it has, and their root. Heads are compared as these three.
///
/// Made from a text, it is a claim and no more; see [`VerifiedCheckpoint`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// The log's name, also the name of its key.
    pub origin: String,
    /// Number of leaves.
    pub size: TreeSize,
    /// The root over these leaves.
    pub root: RootHash,
}

/// Why a text is not a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointTextError {
    /// The text does not end in a newline.
    #[error("the text does not end in a newline")]
    NoFinalNewline,
    /// Fewer than three lines.
    #[error("a checkpoint has three lines, not {found}")]
    TooFewLines {
        /// Lines found.
        found: usize,
    },
    /// Lines after the third, which a ledger never signs.
    #[error("extension lines are not allowed: {found} after the third line")]
    ExtensionLines {
        /// Lines after the third.
        found: usize,
    },
    /// The first line is empty.
    #[error("line 1: the origin is empty")]
    EmptyOrigin,
    /// The second line is not a strict decimal number.
    #[error("line 2: the tree size")]
    Size(#[source] DecimalError),
    /// The third line is not a hash in strict base64.
    #[error("line 3: the root hash")]
    Root(#[source] Base64Error),
}

/// Why bytes are not a checkpoint of the log whose key was given. Checked in this order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a signed note at all.
    #[error("not a signed note")]
    Note(#[from] NoteError),
    /// Not signed by the key, or badly.
    #[error("the log's signature")]
    Signature(#[from] NoteVerifyError),
    /// Signed, but not a checkpoint of ours.
    #[error("the signed text is not a checkpoint")]
    Text(#[from] CheckpointTextError),
    /// Signed under this name, but for another log.
    #[error("the origin is {found:?}, the key is that of {expected:?}")]
    WrongOrigin {
        /// The key's name.
        expected: String,
        /// The checkpoint's first line.
        found: String,
    },
}

/// A checkpoint whose signature by the log's key was checked. There is no other way to make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
    line: usize,
    key: VKey,
}

impl Checkpoint {
    /// Reads a note's text, strictly: one text for each checkpoint.
    pub fn parse(text: &str) -> Result<Self, CheckpointTextError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointTextError::NoFinalNewline)?;
        let lines: Vec<&str> = body.split('\n').collect();
        let [origin, size, root, extensions @ ..] = lines.as_slice() else {
            return Err(CheckpointTextError::TooFewLines { found: lines.len() });
        };
        if !extensions.is_empty() {
            return Err(CheckpointTextError::ExtensionLines { found: extensions.len() });
        }
        if origin.is_empty() {
            return Err(CheckpointTextError::EmptyOrigin);
        }
        let size = decimal_strict(size).map_err(CheckpointTextError::Size)?;
        let root = base64_hash(root).map_err(CheckpointTextError::Root)?;
        Ok(Self { origin: (*origin).to_owned(), size: TreeSize(size), root: RootHash(root) })
    }

    /// The text that the log signs.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, base64(self.root.as_bytes()))
    }

    /// Reads a signed checkpoint and checks it under the log's key.
    pub fn verify(note_bytes: &[u8], key: &VKey) -> Result<VerifiedCheckpoint, CheckpointError> {
        VerifiedCheckpoint::from_note(Note::parse(note_bytes)?, key)
    }
}

impl VerifiedCheckpoint {
    /// Checks a note under the log's key. The key's name must be the checkpoint's origin.
    pub fn from_note(note: Note, key: &VKey) -> Result<Self, CheckpointError> {
        let line = note.verify(key)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        if checkpoint.origin != key.name() {
            return Err(CheckpointError::WrongOrigin { expected: key.name().to_owned(), found: checkpoint.origin });
        }
        Ok(Self { checkpoint, note, line, key: key.clone() })
    }

    /// What was signed.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The log's name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.checkpoint.origin
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> TreeSize {
        self.checkpoint.size
    }

    /// The root over these leaves.
    #[must_use]
    pub fn root(&self) -> RootHash {
        self.checkpoint.root
    }

    /// The whole note, for its other signatures and for keeping.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// The key it was checked under.
    #[must_use]
    pub fn key(&self) -> &VKey {
        &self.key
    }

    /// The line of the note on which that key's signature stands, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROOT: &str = "12xt3rl00/8ooUATA0nNLXoWpZYhoQJgTGn/XhWfB/8=";

    #[test]
    fn each_fault_has_its_name() {
        use CheckpointTextError as E;
        let refused = |text: &str| Checkpoint::parse(text).unwrap_err();
        assert!(Checkpoint::parse(&format!("log\n1\n{ROOT}\n")).is_ok());
        assert_eq!(refused(&format!("log\n1\n{ROOT}")), E::NoFinalNewline);
        assert_eq!(refused("log\n1\n"), E::TooFewLines { found: 2 });
        assert_eq!(refused("\n"), E::TooFewLines { found: 1 });
        assert_eq!(refused(&format!("log\n1\n{ROOT}\nmore\n")), E::ExtensionLines { found: 1 });
        assert_eq!(refused(&format!("log\n1\n{ROOT}\n\n")), E::ExtensionLines { found: 1 });
        assert_eq!(refused(&format!("\n1\n{ROOT}\n")), E::EmptyOrigin);
        for size in ["", "01", "+1", "-1", "1 ", "18446744073709551616", "1e3"] {
            assert!(matches!(refused(&format!("log\n{size}\n{ROOT}\n")), E::Size(_)), "{size}");
        }
        // Stray trailing bits (`9` for `8`), too short, not base64.
        for root in ["12xt3rl00/8ooUATA0nNLXoWpZYhoQJgTGn/XhWfB/9=", "AAE=", "", "?"] {
            assert!(matches!(refused(&format!("log\n1\n{root}\n")), E::Root(_)), "{root}");
        }
    }

    proptest! {
        #[test]
        fn texts_and_checkpoints_are_one_to_one(origin in "[a-z./ +é]{1,20}", size: u64, root: [u8; 32]) {
            let checkpoint = Checkpoint { origin, size: TreeSize(size), root: RootHash(root) };
            prop_assert_eq!(Checkpoint::parse(&checkpoint.to_text()), Ok(checkpoint));
        }

        #[test]
        fn what_parses_is_written_the_same(text in "(l\n)?[a-z]{0,2}\n0?[0-9]{0,2}\n12xt3rl00/8ooUATA0nNLXoWpZYhoQJgTGn/XhWfB/[4-9]=\n") {
            if let Ok(checkpoint) = Checkpoint::parse(&text) {
                prop_assert_eq!(checkpoint.to_text(), text);
            }
        }
    }
}
