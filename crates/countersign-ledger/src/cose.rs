//! COSE receipts (RFC 9942, verifiable data structure 1, RFC9162_SHA256): the same proof as a tlog-proof, for whoever has a COSE library and no other.
//!
//! The signature of RFC 9942 covers the root alone, so origin and tree size stand in the protected header beside it. One signature serves every entry
//! of a commit; the proof stands outside of it.

use countersign_entry::cbor;
use countersign_entry::cose::{EDDSA, ES256, to_be_signed};
use countersign_log::ecdsa;
use countersign_log::tree::{LeafIndex, NodeHash, TreeSize};
use countersign_log::vkey::PublicKey;

use crate::open::Ledger;

/// Label of the verifiable data structure, RFC 9942 section 4.
const VDS: i64 = 395;
/// Label of its proofs.
const VDP: i64 = 396;
/// RFC9162_SHA256.
const RFC9162_SHA256: i64 = 1;
/// Inclusion proofs among the proofs.
const INCLUSION: i64 = -1;
/// Tag of COSE_Sign1.
const SIGN1: u64 = 18;

/// The protected header: algorithm, key id, data structure, origin, tree size; keys in deterministic order (RFC 8949 section 4.2.1).
fn protected(algorithm: i64, origin: &str, key_id: [u8; 4], size: TreeSize) -> Vec<u8> {
    let mut out = Cbor::default();
    out.head(5, 5).int(1).int(algorithm).int(4).bytes(&key_id).int(VDS).int(RFC9162_SHA256);
    out.text("origin").text(origin).text("tree_size").head(0, size.0);
    out.0
}

/// A signature over the root of one size, which serves every receipt under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoseRoot {
    size: TreeSize,
    protected: Vec<u8>,
    signature: Vec<u8>,
}

impl CoseRoot {
    /// The receipt of one leaf, from the leaf's sibling upwards.
    #[must_use]
    pub fn receipt(&self, index: u64, path: &[NodeHash]) -> Vec<u8> {
        receipt(&self.protected, &self.signature, self.size, LeafIndex(index), path)
    }
}

/// Why there is no such signature.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CoseError {
    /// The ledger was never that long.
    #[error("the ledger has no root at size {0}")]
    Size(u64),
    /// The key is away, or what it gave is no signature.
    #[error("no signature: {0}")]
    Key(String),
}

impl Ledger {
    /// Signs the root of a size that is committed, as RFC 9942 has it, and checks the signature before anybody sees it.
    ///
    /// # Errors
    /// As [`CoseError`] says.
    pub fn cose_root(&mut self, size: u64) -> Result<CoseRoot, CoseError> {
        let root = self.root_at(TreeSize(size)).filter(|_| size > 0 && !self.key_is_away()).ok_or(CoseError::Size(size))?;
        let key = self.state.keys.newest(size).cloned().ok_or(CoseError::Size(size))?;
        let algorithm = match key.public_key() {
            PublicKey::Ed25519(_) => EDDSA,
            PublicKey::Ecdsa(_) => ES256,
        };
        let protected = protected(algorithm, &self.state.origin, key.key_id().0, TreeSize(size));
        let message = to_be_signed(&protected, &root.0);
        let signer = self.signers.iter_mut().find(|s| s.vkey() == &key).ok_or_else(|| CoseError::Key("nothing here signs by it".into()))?;
        let signature = signer.sign(&message).map_err(|e| CoseError::Key(e.to_string()))?;
        // A note has the signature in DER; COSE has r and s as they are (RFC 9053 section 2.1).
        let signature = match key.public_key() {
            PublicKey::Ed25519(_) => signature,
            PublicKey::Ecdsa(_) => ecdsa::to_fixed(&signature).ok_or_else(|| CoseError::Key("what the key gave is no signature".into()))?,
        };
        key.public_key().verify_fixed(&message, &signature).map_err(|e| CoseError::Key(e.to_string()))?;
        Ok(CoseRoot { size: TreeSize(size), protected, signature })
    }
}

/// The receipt of one leaf.
fn receipt(protected: &[u8], signature: &[u8], size: TreeSize, index: LeafIndex, path: &[NodeHash]) -> Vec<u8> {
    let mut proof = Cbor::default();
    proof.head(4, 3).head(0, size.0).head(0, index.0).head(4, path.len() as u64);
    for hash in path {
        proof.bytes(hash.as_bytes());
    }
    let mut out = Cbor::default();
    out.head(6, SIGN1).head(4, 4).bytes(protected);
    out.head(5, 1).int(VDP).head(5, 1).int(INCLUSION).head(4, 1).bytes(&proof.0);
    // The payload is detached: whoever checks computes the root from the leaf and the path.
    out.head(7, 22).bytes(signature);
    out.0
}

/// Deterministic CBOR, as far as a receipt needs it.
#[derive(Default)]
struct Cbor(Vec<u8>);

impl Cbor {
    fn head(&mut self, major: u8, value: u64) -> &mut Self {
        cbor::head(&mut self.0, major, value);
        self
    }

    fn int(&mut self, value: i64) -> &mut Self {
        if value < 0 { self.head(1, value.unsigned_abs() - 1) } else { self.head(0, value.unsigned_abs()) }
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        cbor::bytes(&mut self.0, bytes);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        cbor::text(&mut self.0, text);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_as_short_as_they_can_be() {
        // RFC 8949 appendix A.
        for (value, hex) in [
            (0, "00"),
            (23, "17"),
            (24, "1818"),
            (255, "18ff"),
            (256, "190100"),
            (65_535, "19ffff"),
            (65_536, "1a00010000"),
            (1 << 32, "1b0000000100000000"),
        ] {
            assert_eq!(hex::encode(&Cbor::default().head(0, value).0), hex, "{value}");
        }
        assert_eq!(hex::encode(&Cbor::default().int(-1).int(-8).int(-500).0), "20273901f3");
        assert_eq!(hex::encode(&Cbor::default().text("IETF").bytes(&[1, 2, 3, 4]).0), "6449455446".to_owned() + "4401020304");
    }

    #[test]
    fn a_receipt_is_what_the_rfc_lays_out() {
        let header = protected(EDDSA, "a.example/log", [1, 2, 3, 4], TreeSize(20));
        assert_eq!(hex::encode(&header), "a5012704440102030419018b01666f726967696e6d612e6578616d706c652f6c6f6769747265655f73697a6514");
        let receipt = receipt(&header, &[5; 64], TreeSize(20), LeafIndex(17), &[NodeHash([6; 32])]);
        // Tag 18, four items, the header, {396: {-1: [<<[20, 17, [path]]>>]}}, null, the signature.
        let told = hex::encode(&receipt);
        assert!(told.starts_with("d284582d"), "{told}");
        assert!(told.contains(&format!("a119018ca1208158268314118158 20{}f65840", "06".repeat(32)).replace(' ', "")), "{told}");
    }
}
