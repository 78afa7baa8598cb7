//! How much one principal may ask: a bucket for each, filled evenly, and one for all who show nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use countersign_api::problem::Kind;
use countersign_entry::ids::PrincipalId;

use crate::answer::Failure;
use crate::config::Limits;
use crate::limits::RATES_MAX;

/// What each principal has left; without one, whoever shows nothing.
#[derive(Default)]
pub struct Rates(Mutex<HashMap<Option<PrincipalId>, Bucket>>);

struct Bucket {
    left: f64,
    at: Instant,
}

impl Rates {
    /// Takes one request's worth.
    ///
    /// # Errors
    /// Nothing is left; the failure says when there will be.
    pub fn take(&self, principal: Option<&PrincipalId>, limits: &Limits) -> Result<(), Failure> {
        let (rate, burst) = (f64::from(limits.requests_per_second_max), f64::from(limits.requests_burst_max));
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if buckets.len() >= RATES_MAX {
            // Whoever has a full bucket needs none.
            buckets.retain(|_, b| b.left + now.duration_since(b.at).as_secs_f64() * rate < burst);
        }
        let bucket = buckets.entry(principal.cloned()).or_insert(Bucket { left: burst, at: now });
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
        let taken = (0..10).filter(|_| rates.take(Some(&one), &limits).is_ok()).count();
        assert!((3..=4).contains(&taken), "{taken}");
        assert!(rates.take(Some(&other), &limits).is_ok());
        let taken = (0..10).filter(|_| rates.take(None, &limits).is_ok()).count();
        assert!((3..=4).contains(&taken), "{taken}");
    }
}
