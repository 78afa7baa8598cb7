//! Questions as of now, or as of any entry or time. What was known then is made anew from the entries up to it, beside the running ledger, which is asked
//! about everything else.

use std::sync::Arc;

use countersign_conflict::Facts;
use countersign_entry::time::Micros;
use countersign_ledger::Ledger;
use countersign_ledger::query::{AsOf, View};

use crate::answer::{Failure, Frame};
use crate::app::Shared;
use crate::pasts::of_view;

/// What a question is put to.
pub(super) struct Then<'a> {
    /// The ledger. Its entries may be more than were known.
    pub(super) ledger: &'a Ledger,
    /// What was known.
    pub(super) view: View<'a>,
    /// What the clock said: now, or when the newest entry of then was recorded.
    pub(super) at: Micros,
}

impl Then<'_> {
    /// What was known of people, lists and so on.
    pub(super) fn facts(&self) -> &Facts {
        self.view.facts()
    }

    /// What an answer is true for.
    pub(super) fn frame(&self) -> Frame {
        Frame::of(&self.view.answer(Vec::<()>::new()))
    }
}

/// Asks as of then. Who may know of what is judged by what was known then too; whoever answers about what may be hidden since asks again as of now.
///
/// # Errors
/// Not found where the ledger does not go so far, overloaded where what was known then takes long to read, or as the question says.
pub(super) async fn ask<T: Send + 'static>(
    app: &Shared,
    as_of: Option<AsOf>,
    question: impl Fn(&Then<'_>) -> Result<T, Failure> + Send + Sync + 'static,
) -> Result<T, Failure> {
    let question = Arc::new(question);
    let again = Arc::clone(&question);
    let now = app
        .look(move |ledger| {
            let size = as_of.map_or(Ok(ledger.size()), |as_of| ledger.size_as_of(as_of)).map_err(of_view)?;
            if size == ledger.size() {
                let now = Then { ledger, view: ledger.view(), at: ledger.now() };
                again(&now).map(Ok)
            } else {
                Ok(Err(size))
            }
        })
        .await?;
    match now {
        Ok(answer) => Ok(answer),
        Err(size) => {
            let past = app.past(size).await?;
            let then = move |ledger: &Ledger| {
                let view = ledger.view_of(past);
                question(&Then { ledger, at: view.at(), view })
            };
            app.look(then).await
        }
    }
}

/// What rows that are entries, which never change, are true for as of then, and how many entries that is.
///
/// # Errors
/// Not found where the ledger does not go so far.
pub(super) async fn bound(app: &Shared, as_of: Option<AsOf>) -> Result<Option<(Frame, u64)>, Failure> {
    let Some(as_of) = as_of else { return Ok(None) };
    app.look(move |ledger| {
        let answer = ledger.frame_as_of(as_of).map_err(of_view)?;
        Ok(Some((Frame::of(&answer), answer.as_of)))
    })
    .await
}
