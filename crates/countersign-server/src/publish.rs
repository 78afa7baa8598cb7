//! Checkpoints that are published, at a fixed cadence, apart from those that are committed and stand in receipts (ledger-format section 6): whoever may
//! see the public plane alone learns from them how much is recorded only at fixed times, and, where sizes are padded, only roughly.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use countersign_api::problem::Kind;
use countersign_entry::ids::{PrincipalId, RequestKey};
use countersign_entry::record::{Record, Role};
use countersign_ledger::{Ledger, Request};
use serde::{Deserialize, Serialize};

use crate::answer::Failure;
use crate::app::Shared;

/// Rounds of padding: what the ledger adds by itself, such as data keys, stands in its commits too.
const ROUNDS: usize = 4;

/// When checkpoints are published, and to which sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// Seconds from one to the next, counted from the beginning of 1970: 86,400 publishes at midnight, UTC.
    pub every_seconds: u32,
    /// Published sizes are multiples of this; entries that say nothing fill up what is missing. 1 adds none.
    #[serde(default = "one")]
    pub size_multiple: u32,
}

fn one() -> u32 {
    1
}

impl Publish {
    /// Whether these make sense.
    ///
    /// # Errors
    /// Says what does not.
    pub fn check(self) -> Result<(), &'static str> {
        match (self.every_seconds, self.size_multiple) {
            (1..=86_400, 1..=4_096) => Ok(()),
            _ => Err("publish: every_seconds is 1 to 86400, size_multiple 1 to 4096"),
        }
    }
}

/// A checkpoint and its size.
#[derive(Debug, Clone)]
pub struct Published {
    /// Entries it covers.
    pub size: u64,
    /// The signed note.
    pub note: Arc<[u8]>,
}

/// The newest one that was published; none where every committed one is.
#[derive(Default)]
pub struct Board(RwLock<Option<Published>>);

impl Board {
    /// The newest.
    pub fn newest(&self) -> Option<Published> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, published: Published) {
        let mut newest = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // One that is shorter would take back what others have seen.
        if newest.as_ref().is_none_or(|newest| newest.size < published.size) {
            *newest = Some(published);
        }
    }
}

/// Publishes the head there is, and then at each time, until the service stops.
pub async fn publish_all(app: Shared) {
    let Some(how) = app.config.publish else { return };
    let mut stopping = app.stopping.clone();
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(until_next(how.every_seconds)) => {}
        }
        if publish(&app, how.size_multiple).await.is_err() {
            app.metrics.unpublished();
            tracing::warn!(target: "publish", "no checkpoint was published: nothing can be recorded now");
        }
    }
}

fn until_next(every_seconds: u32) -> Duration {
    let every = Duration::from_secs(every_seconds.into()).as_millis().max(1);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Duration::from_millis(u64::try_from(every - now % every).unwrap_or(1))
}

/// Puts up the head as it stands, filled up to a multiple.
///
/// # Errors
/// The ledger takes no entries now, and there are some missing; or it does not read.
pub async fn publish(app: &Shared, multiple: u32) -> Result<(), Failure> {
    let (told, answer) = tokio::sync::oneshot::channel();
    let asked = app.door.with(move |ledger| told.send(fill(ledger, multiple.into())).map_or((), drop));
    asked.map_err(|_| Failure::from(Kind::Overloaded))?;
    let published = answer.await.map_err(|_| Failure::from(Kind::Internal))?;
    app.board.put(published.ok_or(Kind::KeyUnavailable)?);
    Ok(())
}

/// The head at a size that is a multiple, in between two commits of others.
fn fill(ledger: &mut Ledger, multiple: u64) -> Option<Published> {
    for _ in 0..ROUNDS {
        let missing = (multiple - ledger.size() % multiple) % multiple;
        if missing == 0 && !ledger.key_is_away() && ledger.read_only().is_none() {
            let head = ledger.head().ok()?;
            return Some(Published { size: head.size, note: head.note.into() });
        }
        let actor = sequencer(ledger)?;
        let padding = (0..missing).map(|_| padding(&actor)).collect::<Option<Vec<_>>>()?;
        if padding.is_empty() || ledger.commit(padding).into_iter().any(|answer| answer.is_err()) {
            return None;
        }
    }
    None
}

fn sequencer(ledger: &Ledger) -> Option<PrincipalId> {
    let known = ledger.facts().principals().find(|p| !p.record.disabled && p.record.roles.contains(&Role::Sequencer))?;
    Some(known.record.id.clone())
}

fn padding(actor: &PrincipalId) -> Option<Request> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    let key = RequestKey::new(format!("padding-{}", hex::encode(bytes))).ok()?;
    Some(Request { actor: actor.clone(), key, record: Record::Padding, signed: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_time_is_never_far_and_never_now() {
        for every in [1, 60, 86_400] {
            let until = until_next(every);
            assert!(until > Duration::ZERO && until <= Duration::from_secs(every.into()));
        }
    }

    #[test]
    fn a_cadence_makes_sense() {
        let of = |every_seconds, size_multiple| Publish { every_seconds, size_multiple }.check().is_ok();
        assert!(of(60, 1) && of(86_400, 4_096));
        assert!(!of(0, 1) && !of(86_401, 1) && !of(60, 0) && !of(60, 4_097));
    }
}
