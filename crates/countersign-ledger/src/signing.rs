//! Signing the root of a staged batch, and what happens while a key is away: the batch stays staged, nothing is acknowledged and nothing new is
//! decided until it has its signature.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_log::vkey::VKey;

use crate::commit::AppendError;
use crate::durable::{Made, SealError, Unsealed, sign_by};
use crate::limits::KEY_RETRY_MAX;
use crate::open::{KeyAway, Ledger, Mode};

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
            Mode::KeyAway(_) => self.finish_unsealed().and_then(|()| match &self.mode {
                Mode::KeyAway(away) => Err(still_away(&away.why)),
                _ => Ok(()),
            }),
        }
    }

    /// Steps 2 to 4 of a batch. Where a key is away it is staged, and waits for its signature.
    pub(crate) fn commit_made(&mut self, made: &Made) -> Result<Arc<[u8]>, AppendError> {
        self.hands().commit(made).map_err(|e| {
            let told = e.told();
            self.stop(e, vec![Unsealed::of(made, true)]);
            told
        })
    }

    /// What a failure leaves: only a key that is away leaves a ledger that goes on, and then with what waits for its signature.
    pub(crate) fn stop(&mut self, e: SealError, unsealed: Vec<Unsealed>) {
        match e {
            SealError::Failed(e) => drop(self.fail(e)),
            SealError::KeyAway(why) => {
                self.unsealed.extend(unsealed);
                self.wait_for_key(why);
            }
        }
    }

    /// Signs and seals the batch that recovery found staged, and took in; or stays without a signature while the key is away.
    pub(crate) fn finish_staged(&mut self) -> Result<(), AppendError> {
        let keys = self.state.keys.signing(self.size()).cloned().collect();
        self.unsealed.push_back(Unsealed { batch: None, checkpoint: self.checkpoint(), keys });
        self.finish_unsealed()
    }

    /// Signs and seals what waits, in order, as far as the key goes.
    fn finish_unsealed(&mut self) -> Result<(), AppendError> {
        while let Some(mut unsealed) = self.unsealed.pop_front() {
            match self.hands().finish(&mut unsealed) {
                Ok(()) => {}
                Err(SealError::KeyAway(why)) => {
                    self.unsealed.push_front(unsealed);
                    self.wait_for_key(why);
                    return Ok(());
                }
                Err(SealError::Failed(e)) => return Err(self.fail(e)),
            }
        }
        self.mode = Mode::Writable;
        Ok(())
    }

    fn wait_for_key(&mut self, why: String) {
        let next_try = Instant::now() + KEY_RETRY_MAX;
        self.mode = Mode::KeyAway(KeyAway { why: format!("the signing key is away: {why}"), next_try });
    }

    /// A signature by one key of the log, not checked yet.
    pub(crate) fn sign_by(&mut self, key: &VKey, text: &str) -> Result<Vec<u8>, SealError> {
        sign_by(&mut self.signers, key, text)
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
