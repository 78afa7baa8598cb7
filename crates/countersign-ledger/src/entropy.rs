//! Randomness: salts, nonces, references.

use zeroize::Zeroize;

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `out`.
    ///
    /// # Errors
    /// The source failed; nothing may be recorded without it.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError>;

    /// The same source once more, for another thread.
    fn another(&self) -> Box<dyn Entropy>;
}

/// There is no randomness to be had.
#[derive(Debug, thiserror::Error)]
#[error("the random source failed: {0}")]
pub struct EntropyError(pub String);

const BLOCK: usize = 16_384;

/// AWS-LC's generator (CTR_DRBG, NIST SP 800-90A) over the operating system's source, asked for a block at a time: an entry needs about 300 bytes, and
/// the system's own, even by the block, costs as much as sealing it. A byte is handed out once and wiped.
pub struct SystemEntropy {
    block: Box<[u8; BLOCK]>,
    used: usize,
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self { block: Box::new([0; BLOCK]), used: BLOCK }
    }
}

impl Entropy for SystemEntropy {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in out.chunks_mut(BLOCK) {
            if BLOCK - self.used < chunk.len() {
                aws_lc_rs::rand::fill(self.block.as_mut_slice()).map_err(|e| EntropyError(e.to_string()))?;
                self.used = 0;
            }
            let end = self.used + chunk.len();
            if let Some(bytes) = self.block.get_mut(self.used..end) {
                chunk.copy_from_slice(bytes);
                bytes.fill(0);
            }
            self.used = end;
        }
        Ok(())
    }

    fn another(&self) -> Box<dyn Entropy> {
        Box::new(Self::default())
    }
}

impl Drop for SystemEntropy {
    fn drop(&mut self) {
        self.block.zeroize();
    }
}
