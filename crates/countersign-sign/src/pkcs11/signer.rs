//! A signer whose key stays in a token.

use countersign_log::vkey::VKey;

use super::connection::Wanted;
use super::{Algorithm, Class, STEP_MAX, Token, TokenError};
use crate::{SignError, Signer};

/// Signs with one key of a token, pinned by its public half.
#[derive(Debug)]
pub struct TokenSigner {
    token: Token,
    vkey: VKey,
    algorithm: Algorithm,
    wanted: Wanted,
}

impl TokenSigner {
    /// The key of this label, which must be `vkey`'s. The token is not asked yet: a ledger can be read while it is away.
    #[must_use]
    pub fn new(token: Token, label: &str, vkey: VKey) -> Self {
        use countersign_log::vkey::PublicKey;
        let algorithm = match vkey.public_key() {
            PublicKey::Ed25519(_) => Algorithm::Ed25519,
            PublicKey::Ecdsa(_) => Algorithm::P256,
        };
        let pinned = Some(vkey.public_key().as_bytes().to_vec());
        Self { token, vkey, algorithm, wanted: Wanted { class: Class::Signing, label: label.to_owned(), pinned } }
    }
}

impl Signer for TokenSigner {
    fn vkey(&self) -> &VKey {
        &self.vkey
    }

    fn sign(&mut self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        if message.is_empty() {
            return Err(SignError::Refused("nothing to sign".into()));
        }
        let (place, wanted, algorithm, message) = (self.token.place.clone(), self.wanted.clone(), self.algorithm, message.to_vec());
        let signed = self.token.module.run(STEP_MAX, move |c| c.climb(&place, &mut |c| c.sign(&place, &wanted, algorithm, &message)));
        // Whatever it was, nothing was signed that anybody can use, and the same text can be signed later.
        signed.map_err(|e: TokenError| SignError::KeyUnavailable(e.to_string()))
    }
}
