//! Checkpoints as evidence: reading one, and holding published and kept ones against the leaves.

use countersign_log::checkpoint::Checkpoint;
use countersign_log::note::{Note, NoteError, NoteVerifyError, VKey};
use countersign_log::tree::empty_root;

use crate::codes::{self, Code};
use crate::keys::{KeyWalk, words};
use crate::leaves::Leaves;
use crate::report::{Finding, Outcome};

/// A well-formed checkpoint whose signatures are still to be judged.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    /// Where it was read, or what it was called on the command line.
    pub name: String,
    /// Where the note begins in that file, for seals.
    pub offset: Option<u64>,
    pub checkpoint: Checkpoint,
    pub note: Note,
    pub bytes: Vec<u8>,
}

/// What a head is to this ledger, which decides what a difference means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// `checkpoints/<size>` or a seal: the ledger's own.
    Own,
    /// Kept by somebody else.
    Known,
    /// The head register beside the store.
    Register,
}

impl Head {
    /// Reads a note and reports what is wrong with its form; where there is no checkpoint to judge, also whether the pinned key signed it.
    pub fn read(bytes: &[u8], name: &str, pinned: &VKey, out: &mut Outcome) -> Option<Self> {
        let note = match Note::parse(bytes) {
            Ok(note) => note,
            Err(e) => {
                out.find(Finding::new(codes::NOTE_MALFORMED, words(&e)).file(name).line(line_of(&e)));
                return None;
            }
        };
        match Checkpoint::parse(note.text()) {
            Ok(checkpoint) => {
                if checkpoint.origin != pinned.name() {
                    let detail = format!("the origin is {:?}, the pinned key is that of {:?}", checkpoint.origin, pinned.name());
                    out.find(Finding::new(codes::WRONG_ORIGIN, detail).file(name).line(Some(1)));
                }
                Some(Self { name: name.to_owned(), offset: None, checkpoint, note, bytes: bytes.to_vec() })
            }
            Err(e) => {
                let finding = match note.verify(pinned) {
                    Ok(_) => Finding::new(codes::CHECKPOINT_TEXT, words(&e)),
                    Err(NoteVerifyError::NoLine { .. }) => {
                        Finding::new(codes::NO_TRUSTED_SIGNATURE, format!("and not a checkpoint: {}", words(&e)))
                    }
                    Err(bad @ NoteVerifyError::BadSignature { line, .. }) => {
                        Finding::new(codes::SIGNATURE_BAD, format!("{}; nor is it a checkpoint: {}", words(&bad), words(&e)))
                            .line(Some(line))
                    }
                };
                out.find(finding.file(name));
                None
            }
        }
    }

    /// Holds a head against the leaves: the same past, or not, or longer than what there is.
    pub fn hold(&self, role: Role, current: &Head, leaves: &Leaves, keys: &mut KeyWalk, out: &mut Outcome) {
        let vouched = keys.judge(self, out);
        if role == Role::Known && !vouched {
            return out.not_checked(format!("{} against this ledger: nobody trusted vouches for it", self.name));
        }
        if self.checkpoint.origin != current.checkpoint.origin {
            return;
        }
        let (size, now) = (self.checkpoint.size.0, current.checkpoint.size.0);
        if size > now {
            let code = if role == Role::Register { codes::REGISTER_AHEAD } else { codes::SHORTER_THAN_KNOWN };
            out.find(self.finding(code, format!("the ledger has {now} entries, this head {size}")));
            return out.not_checked(format!("the past in common with {} (size {size})", self.name));
        }
        let root = match size {
            0 => Some(empty_root()),
            // The tree in the checkpoint is what is signed: a head of the same size is compared with it, whatever the leaves give.
            _ if size == now => Some(current.checkpoint.root),
            _ => leaves.root_at(size),
        };
        let Some(root) = root else { return out.not_checked(format!("{}: leaves before size {size} are missing", self.name)) };
        out.count("roots");
        if root == self.checkpoint.root {
            return;
        }
        let code = if role == Role::Own { codes::CHECKPOINT_ROOT } else { codes::KNOWN_HEAD_DIVERGES };
        let detail = format!(
            "at size {size} this ledger has root {root}, the head {}; the two notes: {:?} and {:?}",
            self.checkpoint.root,
            String::from_utf8_lossy(&current.bytes),
            String::from_utf8_lossy(&self.bytes)
        );
        out.find(self.finding(code, detail).line(Some(3)));
    }

    /// A finding about this note.
    pub fn finding(&self, code: Code, detail: String) -> Finding {
        Finding { offset: self.offset, ..Finding::new(code, detail).file(&self.name) }
    }
}

fn line_of(e: &NoteError) -> Option<usize> {
    match e {
        NoteError::SignatureLine { line }
        | NoteError::KeyName { line }
        | NoteError::Base64 { line, .. }
        | NoteError::SignatureTooShort { line }
        | NoteError::Duplicate { line, .. } => Some(*line),
        _ => None,
    }
}
