//! How much one principal may ask: a bucket for each, filled evenly, one for all who show nothing, and one for all who show what lets nobody in.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use countersign_api::problem::Kind;
use countersign_entry::ids::PrincipalId;

use crate::answer::Failure;
use crate::config::Limits;
use crate::limits::RATES_MAX;

/// Who asks, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Asker {
    /// A principal.
    Known(PrincipalId),
    /// Whoever shows nothing.
    Nobody,
    /// Whoever shows what lets nobody in. Apart, so that they take nothing from those who show nothing.
    Refused,
}

/// What each has left.
#[derive(Default)]
pub struct Rates(Mutex<HashMap<Asker, Bucket>>);

struct Bucket {
    left: f64,
    at: Instant,
}

impl Rates {
    /// Takes one request's worth.
    ///
    /// # Errors
    /// Nothing is left; the failure says when there will be.
    pub fn take(&self, asker: Asker, limits: &Limits) -> Result<(), Failure> {
        let (rate, burst) = (f64::from(limits.requests_per_second_max), f64::from(limits.requests_burst_max));
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if buckets.len() >= RATES_MAX {
            // Whoever has a full bucket needs none.
            buckets.retain(|_, b| b.left + now.duration_since(b.at).as_secs_f64() * rate < burst);
        }
        let bucket = buckets.entry(asker).or_insert(Bucket { left: burst, at: now });
        bucket.left = (bucket.left + now.duration_since(bucket.at).as_secs_f64() * rate).min(burst);
        bucket.at = now;
        if bucket.left < 1.0 {
            return Err(Failure::from(Kind::RateLimited).retry_after(1));
        }
        bucket.left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_taken_and_no_more_and_others_are_not_touched() {
        let limits = Limits { requests_per_second_max: 1, requests_burst_max: 3, ..Limits::default() };
        let rates = Rates::default();
        let (one, other) = (PrincipalId::new("pr-0001").unwrap(), PrincipalId::new("pr-0002").unwrap());
        let taken = (0..10).filter(|_| rates.take(Asker::Known(one.clone()), &limits).is_ok()).count();
        assert!((3..=4).contains(&taken), "{taken}");
        assert!(rates.take(Asker::Known(other.clone()), &limits).is_ok());
        for asker in [Asker::Refused, Asker::Nobody] {
            let taken = (0..10).filter(|_| rates.take(asker.clone(), &limits).is_ok()).count();
            assert!((3..=4).contains(&taken), "{asker:?} {taken}");
        }
    }
}
