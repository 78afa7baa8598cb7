//! Recording what an import planned.

use countersign_intake::requests::{Done, Requests};
use countersign_ledger::{Ledger, Receipt, Request};

use super::bar;
use crate::failure::Failure;
use crate::session::{Session, commit_all};

/// Records what is new, then the import. Returns the import's entry; none where no row could be used, so that the file may come again.
pub(super) fn commit(
    all: Option<Requests>,
    write: impl FnOnce(Vec<Request>) -> Result<Vec<Receipt>, Failure>,
) -> Result<(Option<u64>, Vec<Done>), Failure> {
    let Some(all) = all else { return Ok((None, Vec::new())) };
    let (rows, mut requests): (Vec<u64>, Vec<Request>) = all.rows.into_iter().unzip();
    requests.push(all.import);
    let mut receipts = write(requests)?;
    let import = receipts.pop().map(|r| r.index);
    Ok((import, rows.into_iter().zip(receipts).map(|(row, receipt)| Done { row, receipt }).collect()))
}

/// Records many, and shows how far that is.
pub(super) fn write(session: &mut Session, requests: Vec<Request>) -> Result<Vec<Receipt>, Failure> {
    let bar = bar(requests.len() as u64, "recording");
    let receipts = session.append_all(requests, &mut || bar.inc(1));
    bar.finish_and_clear();
    receipts
}

/// The same in a ledger that is open here.
pub(super) fn write_here(ledger: &mut Ledger, requests: Vec<Request>) -> Result<Vec<Receipt>, Failure> {
    let bar = bar(requests.len() as u64, "recording");
    let receipts = commit_all(ledger, requests, &mut || bar.inc(1));
    bar.finish_and_clear();
    receipts
}
