//! Recording what an import planned, a batch at a time.

use countersign_entry::ids::PrincipalId;
use countersign_intake::plan::Plan;
use countersign_intake::requests::{Done, requests};
use countersign_ledger::limits::BATCH_MAX;
use countersign_ledger::{Ledger, Receipt, Request};

use super::bar;
use crate::failure::Failure;

/// Records what is new, then the import. Returns the import's entry; none where no row could be used, so that the file may come again.
pub(super) fn commit(plan: &Plan, ledger: &mut Ledger, actor: &PrincipalId) -> Result<(Option<u64>, Vec<Done>), Failure> {
    let Some(all) = requests(plan, ledger.facts(), actor)? else { return Ok((None, Vec::new())) };
    let (rows, mut requests): (Vec<u64>, Vec<Request>) = all.rows.into_iter().unzip();
    requests.push(all.import);
    let mut receipts = write(ledger, requests)?;
    let import = receipts.pop().map(|r| r.index);
    Ok((import, rows.into_iter().zip(receipts).map(|(row, receipt)| Done { row, receipt }).collect()))
}

/// Records many, a batch at a time; stops at the first that is not acknowledged.
pub(super) fn write(ledger: &mut Ledger, requests: Vec<Request>) -> Result<Vec<Receipt>, Failure> {
    let bar = bar(requests.len() as u64, "recording");
    let mut receipts = Vec::with_capacity(requests.len());
    let mut waiting = requests.into_iter();
    loop {
        let batch: Vec<Request> = waiting.by_ref().take(BATCH_MAX).collect();
        if batch.is_empty() {
            bar.finish_and_clear();
            return Ok(receipts);
        }
        for answer in ledger.commit(batch) {
            receipts.push(answer?);
            bar.inc(1);
        }
    }
}
