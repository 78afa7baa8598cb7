//! A clock that moves only when a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign_entry::time::Micros;

/// A clock a test sets by hand. Clones show the same time.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn new(now: Micros) -> Self {
        Self(Arc::new(AtomicU64::new(now.value())))
    }

    /// The time it shows.
    pub fn now(&self) -> Micros {
        Micros::EPOCH.plus(self.0.load(Ordering::SeqCst))
    }

    /// Sets it, backwards too: real clocks do that.
    pub fn set(&self, now: Micros) {
        self.0.store(now.value(), Ordering::SeqCst);
    }

    /// Moves it on and says what it shows then.
    pub fn advance(&self, micros: u64) -> Micros {
        let next = self.now().plus(micros);
        self.set(next);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_time_and_it_may_go_back() {
        let clock = ManualClock::new(Micros::EPOCH.plus(5));
        let other = clock.clone();
        assert_eq!(clock.advance(2), Micros::EPOCH.plus(7));
        assert_eq!(other.now(), clock.now());
        other.set(Micros::EPOCH);
        assert_eq!(clock.now(), Micros::EPOCH);
    }
}
