//! Whether the signing key signs, asked without recording anything.

use std::time::{Duration, Instant};

use crate::open::Ledger;

impl Ledger {
    /// Has the newest key sign a text that is no checkpoint, no receipt and no key event, and checks the signature. Says how long that took.
    ///
    /// # Errors
    /// In words: the key is away or not this handle's, or what it gave is no signature.
    pub fn try_key(&mut self) -> Result<Duration, String> {
        let key = self.state.keys.newest(self.size()).cloned().ok_or("the ledger names no key")?;
        let text = format!("countersign v1 trial\n{}\n{}\n", self.state.origin, self.size());
        let signer = self.signers.iter_mut().find(|s| s.vkey() == &key).ok_or("nothing here signs by the ledger's key")?;
        let began = Instant::now();
        let signature = signer.sign(text.as_bytes()).map_err(|e| e.to_string())?;
        key.public_key().verify(text.as_bytes(), &signature).map_err(|e| format!("what the key gave is no signature: {e}"))?;
        Ok(began.elapsed())
    }
}
