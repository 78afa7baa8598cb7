//! The texts that keys sign about keys (ledger format, section 9), and the check of such a signature.
//!
//! Their first lines have spaces, which a key name cannot have, and the origin is a key name: so no checkpoint is ever taken for one of these.

use crate::hash::TreeSize;
use crate::vkey::{SignatureError, VKey};

/// What both the old and the new key sign when one follows the other. `origin` has no newline.
#[must_use]
pub fn rotation_text(origin: &str, old: &VKey, new: &VKey) -> String {
    format!("countersign v1 key rotation\n{origin}\n{old}\n{new}\n")
}

/// What a key still trusted signs when it revokes another. `last_size` is the last tree size for which `revoked` is trusted.
#[must_use]
pub fn revocation_text(origin: &str, revoked: &VKey, last_size: TreeSize) -> String {
    format!("countersign v1 key revocation\n{origin}\n{revoked}\n{last_size}\n")
}

/// Checks a bare signature over such a text.
pub fn verify_text(key: &VKey, text: &str, signature: &[u8]) -> Result<(), SignatureError> {
    key.public_key().verify(text.as_bytes(), signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    #[test]
    fn the_texts_are_those_of_the_format_page() {
        let signing = SigningKey::from_bytes(&[5; 32]);
        let old = VKey::new("log", signing.verifying_key().as_bytes()).unwrap();
        let new = VKey::new("log", SigningKey::from_bytes(&[6; 32]).verifying_key().as_bytes()).unwrap();
        let text = rotation_text("log", &old, &new);
        assert_eq!(text, format!("countersign v1 key rotation\nlog\n{old}\n{new}\n"));
        assert_eq!(revocation_text("log", &old, TreeSize(7)), format!("countersign v1 key revocation\nlog\n{old}\n7\n"));
        let signature = signing.sign(text.as_bytes()).to_bytes();
        assert_eq!(verify_text(&old, &text, &signature), Ok(()));
        assert_eq!(verify_text(&new, &text, &signature), Err(crate::ed25519::SignatureError::Mismatch.into()));
        assert_eq!(verify_text(&old, &rotation_text("log", &new, &old), &signature), Err(crate::ed25519::SignatureError::Mismatch.into()));
    }
}
