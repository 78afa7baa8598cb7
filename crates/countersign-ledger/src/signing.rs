//! Signing the root of a staged batch, and what happens while a key is away: the batch stays staged, nothing is acknowledged and nothing new is
//! decided until it has its signature.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_log::vkey::VKey;
use countersign_sign::{SignError, Signer};

use crate::commit::AppendError;
use crate::limits::{KEY_RETRY_MAX, KEY_RETRY_MIN, SEAL_PATIENCE};
use crate::open::{KeyAway, Ledger, Mode};

/// Why a staged batch is not sealed.
pub(crate) enum SealError {
    /// A key is away. Nobody has seen a signature over this batch, so it can be signed later, and only it.
    KeyAway(String),
    /// What is stored is unknown.
    Failed(AppendError),
}

impl From<AppendError> for SealError {
    fn from(e: AppendError) -> Self {
        Self::Failed(e)
    }
}

impl Ledger {
    /// Asks the key again where it is away, no more often than makes sense. A ledger that is idle is asked by its [`Writer`](crate::Writer).
    ///
    /// # Errors
    /// The key is still away, or the ledger only reads.
    pub fn ready(&mut self) -> Result<(), AppendError> {
        match &self.mode {
            Mode::Writable => Ok(()),
            Mode::ReadOnly(why) => Err(AppendError::ReadOnly(why.clone())),
            Mode::KeyAway(away) if Instant::now() < away.next_try => Err(still_away(&away.why)),
            Mode::KeyAway(_) => self.finish_staged().and_then(|()| match &self.mode {
                Mode::KeyAway(away) => Err(still_away(&away.why)),
                _ => Ok(()),
            }),
        }
    }

    /// Signs and seals the batch that is staged, or stays without it while the key is away.
    pub(crate) fn finish_staged(&mut self) -> Result<(), AppendError> {
        match self.seal_staged() {
            Ok(_) => {
                self.mode = Mode::Writable;
                Ok(())
            }
            Err(SealError::KeyAway(why)) => {
                self.wait_for_key(why);
                Ok(())
            }
            Err(SealError::Failed(e)) => Err(self.fail(e)),
        }
    }

    /// [`Ledger::seal_staged`], asking the key again for a while. Nobody is answered meanwhile.
    pub(crate) fn seal_patiently(&mut self) -> Result<Arc<[u8]>, SealError> {
        let began = Instant::now();
        let mut pause = KEY_RETRY_MIN;
        loop {
            match self.seal_staged() {
                Err(SealError::KeyAway(why)) if began.elapsed() + pause > SEAL_PATIENCE => return Err(SealError::KeyAway(why)),
                Err(SealError::KeyAway(_)) => std::thread::sleep(pause),
                done => return done,
            }
            pause = pause.saturating_mul(2).min(KEY_RETRY_MAX);
        }
    }

    /// What the requests of a batch are told whose seal did not come: whatever it was, they are staged.
    pub(crate) fn fail_or_wait(&mut self, e: SealError) -> AppendError {
        match e {
            SealError::Failed(e) => self.fail(e),
            SealError::KeyAway(why) => {
                self.wait_for_key(why.clone());
                AppendError::Unknown(format!("it is stored and not signed, as the key is away, and will be signed when it is back ({why})"))
            }
        }
    }

    fn wait_for_key(&mut self, why: String) {
        let next_try = Instant::now() + KEY_RETRY_MAX;
        self.mode = Mode::KeyAway(KeyAway { why: format!("the signing key is away: {why}"), next_try });
    }

    /// A signature by each key that signs a tree of this size.
    pub(crate) fn sign_by_all(&mut self, text: &str, size: u64) -> Result<Vec<(VKey, Vec<u8>)>, SealError> {
        let keys: Vec<VKey> = self.state.keys.signing(size).cloned().collect();
        keys.into_iter().map(|key| self.sign_by(&key, text).map(|signature| (key, signature))).collect()
    }

    /// A signature by one key of the log, not checked yet.
    pub(crate) fn sign_by(&mut self, key: &VKey, text: &str) -> Result<Vec<u8>, SealError> {
        let signer = self.signers.iter_mut().find(|s| s.vkey() == key);
        let signer: &mut Box<dyn Signer> = signer.ok_or_else(|| SealError::KeyAway(format!("nothing here signs as {key}")))?;
        signer.sign(text.as_bytes()).map_err(|e| match e {
            SignError::KeyUnavailable(why) => SealError::KeyAway(why),
            refused @ SignError::Refused(_) => SealError::Failed(AppendError::Unknown(refused.to_string())),
        })
    }

    /// How long an idle [`Writer`](crate::Writer) waits before it asks the key again.
    pub(crate) fn key_retry(&self) -> Option<Duration> {
        match &self.mode {
            Mode::KeyAway(away) => Some(away.next_try.saturating_duration_since(Instant::now())),
            _ => None,
        }
    }
}

fn still_away(why: &str) -> AppendError {
    AppendError::Unavailable(format!("{why}. Nothing of this request was recorded; repeat it later"))
}
