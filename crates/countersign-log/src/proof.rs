//! Receipts as `.tlog-proof` files (C2SP tlog-proof): a leaf's index, its inclusion proof, and the signed checkpoint it leads to.

use crate::checkpoint::{CheckpointError, VerifiedCheckpoint};
use crate::encoding::{Base64Error, DecimalError, base64, base64_hash, base64_strict, decimal_strict, push_base64};
use crate::hash::{LeafHash, LeafIndex, NodeHash, RootHash, TreeSize};
use crate::limits::{PROOF_BYTES_MAX, PROOF_EXTRA_BYTES_MAX, PROOF_HASHES_MAX};
use crate::note::{Note, NoteError};
use crate::tree::{InclusionError, leaf_hash, verify_inclusion};
use crate::vkey::VKey;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A proof as it stands in its file. Nothing in it is checked beyond its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Opaque and **not authenticated**; never empty when present.
    pub extra: Option<Vec<u8>>,
    /// The leaf's position.
    pub index: LeafIndex,
    /// From the leaf's sibling upwards.
    pub hashes: Vec<NodeHash>,
    /// The signed checkpoint, with whatever cosignatures it carries.
    pub note: Note,
}

/// Why bytes are not a proof file. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFormError {
    /// Longer than [`PROOF_BYTES_MAX`].
    #[error("a proof has at most {PROOF_BYTES_MAX} bytes, not {found}")]
    TooLong {
        /// Bytes found.
        found: usize,
    },
    /// The lines before the checkpoint are not UTF-8.
    #[error("not UTF-8 from byte {offset} on")]
    NotUtf8 {
        /// The first byte that does not fit.
        offset: usize,
    },
    /// No empty line before the checkpoint.
    #[error("no empty line before the checkpoint")]
    NoSeparator,
    /// The first line is another one.
    #[error("line 1 is not {HEADER:?}")]
    Header,
    /// The extra data is not strict base64.
    #[error("line {line}: the extra data")]
    Extra {
        /// Which line.
        line: usize,
        /// What is wrong with it.
        source: Base64Error,
    },
    /// An `extra` line without data (such a line is left out), or with too much of it.
    #[error("line {line}: extra data of {found} bytes, not 1 to {PROOF_EXTRA_BYTES_MAX}")]
    ExtraSize {
        /// Which line.
        line: usize,
        /// Bytes found.
        found: usize,
    },
    /// No line that begins with `index `.
    #[error("line {line} does not give the index")]
    NoIndex {
        /// Which line.
        line: usize,
    },
    /// The index is not a strict decimal number.
    #[error("line {line}: the index")]
    Index {
        /// Which line.
        line: usize,
        /// What is wrong with it.
        source: DecimalError,
    },
    /// More hashes than any tree is high.
    #[error("{found} hashes in one inclusion proof")]
    TooManyHashes {
        /// Hashes found.
        found: usize,
    },
    /// A line of the inclusion proof is not a hash in strict base64.
    #[error("line {line}: the hash")]
    Hash {
        /// Which line.
        line: usize,
        /// What is wrong with it.
        source: Base64Error,
    },
    /// What follows the empty line is not a signed note. Its lines and offsets count from its own start.
    #[error("the checkpoint is not a signed note")]
    Note(#[from] NoteError),
}

/// Why a proof does not prove that a leaf is in the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The checkpoint.
    #[error("the checkpoint")]
    Checkpoint(#[from] CheckpointError),
    /// The way from the leaf to the checkpoint's root.
    #[error("the inclusion proof")]
    Inclusion(#[from] InclusionError),
}

/// What a proof has proven. There is no other way to make one than [`TlogProof::verify`].
///
/// That the leaf's own `index` and `prev` agree with [`index`](Self::index) is for whoever can read leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedInclusion {
    leaf_hash: LeafHash,
    index: LeafIndex,
    checkpoint: VerifiedCheckpoint,
}

impl TlogProof {
    /// Reads a proof file, strictly: one file for each proof.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofFormError> {
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(ProofFormError::TooLong { found: bytes.len() });
        }
        let (head, note) = split(bytes)?;
        let head = std::str::from_utf8(head).map_err(|error| ProofFormError::NotUtf8 { offset: error.valid_up_to() })?;
        let mut lines = (1..).zip(head.split('\n')).peekable();
        if lines.next().map(|(_, content)| content) != Some(HEADER) {
            return Err(ProofFormError::Header);
        }
        let extra = lines.next_if(|(_, content)| content.starts_with("extra ")).map(parse_extra).transpose()?;
        let index = parse_index(lines.next().unwrap_or((2, "")))?;
        let hashes = lines.map(parse_hash).collect::<Result<Vec<_>, _>>()?;
        if hashes.len() > PROOF_HASHES_MAX {
            return Err(ProofFormError::TooManyHashes { found: hashes.len() });
        }
        Ok(Self { extra, index, hashes, note: Note::parse(note)? })
    }

    /// The file's content. The inverse of [`TlogProof::parse`], given that `extra` is not an empty vector.
    #[must_use]
    pub fn encode(&self) -> String {
        render(self.extra.as_deref(), self.index, &self.hashes, &self.note.to_string())
    }

    /// Checks that these are the bytes of a leaf in the log whose key this is.
    pub fn verify(&self, leaf_bytes: &[u8], key: &VKey) -> Result<VerifiedInclusion, ProofError> {
        let checkpoint = VerifiedCheckpoint::from_note(self.note.clone(), key)?;
        let leaf_hash = leaf_hash(leaf_bytes);
        verify_inclusion(leaf_hash, self.index, checkpoint.size(), &self.hashes, checkpoint.root())?;
        Ok(VerifiedInclusion { leaf_hash, index: self.index, checkpoint })
    }
}

/// The content of a proof file around a signed note as it stands; the caller knows that it is one.
#[must_use]
pub fn render(extra: Option<&[u8]>, index: LeafIndex, hashes: &[NodeHash], note: &str) -> String {
    // 44 characters of base64 and a line feed for each hash.
    let mut text = String::with_capacity(HEADER.len() + 32 + 45 * hashes.len() + note.len() + extra.map_or(0, |extra| 2 * extra.len() + 8));
    text.push_str(HEADER);
    if let Some(extra) = extra {
        text.push_str("\nextra ");
        text.push_str(&base64(extra));
    }
    text.push_str("\nindex ");
    text.push_str(&index.to_string());
    for hash in hashes {
        text.push('\n');
        push_base64(&mut text, hash.as_bytes());
    }
    text.push_str("\n\n");
    text.push_str(note);
    text
}

impl VerifiedInclusion {
    /// The log.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.checkpoint.origin()
    }

    /// The leaf's position.
    #[must_use]
    pub fn index(&self) -> LeafIndex {
        self.index
    }

    /// The tree in which it was found.
    #[must_use]
    pub fn size(&self) -> TreeSize {
        self.checkpoint.size()
    }

    /// That tree's root.
    #[must_use]
    pub fn root(&self) -> RootHash {
        self.checkpoint.root()
    }

    /// The hash of the leaf.
    #[must_use]
    pub fn leaf_hash(&self) -> LeafHash {
        self.leaf_hash
    }

    /// The signed checkpoint, for its cosignatures.
    #[must_use]
    pub fn checkpoint(&self) -> &VerifiedCheckpoint {
        &self.checkpoint
    }
}

/// The lines before the first empty line, and the note after it.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), ProofFormError> {
    let at = bytes.windows(2).position(|pair| pair == b"\n\n").ok_or(ProofFormError::NoSeparator)?;
    let head = bytes.get(..at).ok_or(ProofFormError::NoSeparator)?;
    let note = bytes.get(at + 2..).ok_or(ProofFormError::NoSeparator)?;
    Ok((head, note))
}

fn parse_extra((line, content): (usize, &str)) -> Result<Vec<u8>, ProofFormError> {
    let encoded = content.strip_prefix("extra ").unwrap_or_default();
    let extra = base64_strict(encoded).map_err(|source| ProofFormError::Extra { line, source })?;
    match extra.len() {
        1..=PROOF_EXTRA_BYTES_MAX => Ok(extra),
        found => Err(ProofFormError::ExtraSize { line, found }),
    }
}

fn parse_index((line, content): (usize, &str)) -> Result<LeafIndex, ProofFormError> {
    let digits = content.strip_prefix("index ").ok_or(ProofFormError::NoIndex { line })?;
    decimal_strict(digits).map(LeafIndex).map_err(|source| ProofFormError::Index { line, source })
}

fn parse_hash((line, content): (usize, &str)) -> Result<NodeHash, ProofFormError> {
    base64_hash(content).map(NodeHash).map_err(|source| ProofFormError::Hash { line, source })
}
