//! Recording what an import planned: a batch at a time, the import itself last. All of it is checked before, so nothing is refused half-way;
//! where storage fails between two batches, what was recorded is found unchanged when the import is run again, and that run completes it.

use countersign_conflict::Facts;
use countersign_entry::ids::{LeafIndex, Line, PrincipalId, RecordId, RequestKey};
use countersign_entry::record::{Import, Record};
use countersign_import::accounting::Source;
use countersign_ledger::limits::BATCH_MAX;
use countersign_ledger::{Ledger, Receipt, Request};
use sha2::{Digest, Sha256};

use super::bar;
use super::import_plan::{Plan, Standing, check, importer_line};
use super::import_records::identity;
use crate::failure::Failure;

/// A row's record, recorded.
pub(super) struct Done {
    /// The row.
    pub(super) row: u64,
    /// What the ledger made of it.
    pub(super) receipt: Receipt,
}

/// The import of the very same file by the same importer.
pub(super) fn import_of(facts: &Facts, source: &Source) -> Result<Option<LeafIndex>, Failure> {
    let importer = importer_line(source)?;
    Ok(facts.imports().find(|k| k.record.file_hash == source.file_sha256 && k.record.importer == importer).map(|k| k.index))
}

/// Records what is new, then the import. Returns the import's entry; none where no row could be used, so that the file may come again.
pub(super) fn commit(plan: &Plan, ledger: &mut Ledger, actor: &PrincipalId) -> Result<(Option<u64>, Vec<Done>), Failure> {
    if plan.rows.is_empty() && plan.report.total > 0 {
        return Ok((None, Vec::new()));
    }
    let last = import_request(plan, actor)?;
    check(ledger.facts(), actor, &last.record)?.map_err(|why| Failure::Invalid(format!("{why}; nothing was recorded")))?;
    let mut rows = Vec::new();
    let mut requests = Vec::new();
    for (number, record, standing) in plan.to_record() {
        rows.push(number);
        requests.push(request(record, standing, actor)?);
    }
    requests.push(last);
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

/// A request whose key follows from its record, so that the same import made again is the same request.
fn request(record: &Record, standing: Standing, actor: &PrincipalId) -> Result<Request, Failure> {
    let behind = if let Standing::Changed(index) = standing { format!("{index}") } else { String::new() };
    // None of the three holds a line feed.
    let key = key("imp", &format!("{}\n{}\n{behind}", record.type_name(), identity(record)))?;
    Ok(Request { actor: actor.clone(), key, record: record.clone(), signed: None })
}

fn import_request(plan: &Plan, actor: &PrincipalId) -> Result<Request, Failure> {
    let importer = importer_line(&plan.source)?;
    let key = key("imp-file", &format!("{}\n{importer}", plan.source.file_sha256))?;
    let recorded = plan.rows.iter().filter(|row| row.standing() != Standing::Unchanged).count() as u64;
    let import = Import {
        id: RecordId::new(key.as_str()).map_err(|e| Failure::Bug(e.to_string()))?,
        importer,
        file_hash: plan.source.file_sha256,
        rows: plan.report.total,
        recorded,
        repeated: plan.report.duplicates + plan.rows.len() as u64 - recorded,
        quarantined: plan.quarantined.len() as u64,
    };
    Ok(Request { actor: actor.clone(), key, record: import.into(), signed: None })
}

fn key(prefix: &str, of: &str) -> Result<RequestKey, Failure> {
    let short = Sha256::digest(of).first_chunk::<16>().map(hex::encode).unwrap_or_default();
    RequestKey::new(format!("{prefix}-{short}")).map_err(|e| Failure::Bug(e.to_string()))
}

/// Files of which records stand here and no import does: the import stopped half-way, and running it again completes it. Only records that keep
/// where they come from can tell; each file comes with its importer.
pub(super) fn unfinished(facts: &Facts) -> Vec<(Line, String)> {
    let kept = facts.trades().filter_map(|k| k.record.provenance.as_ref());
    let kept = kept.chain(facts.holdings().filter_map(|k| k.record.provenance.as_ref()));
    let kept = kept.chain(facts.relationships().filter_map(|k| k.record.provenance.as_ref()));
    let kept = kept.chain(facts.credentials().filter_map(|k| k.record.provenance.as_ref()));
    let mut files: Vec<_> = kept.map(|p| (p.importer.clone(), p.file_hash)).collect();
    files.sort_unstable();
    files.dedup();
    let finished = |(importer, hash): &_| facts.imports().any(|k| k.record.file_hash == *hash && k.record.importer == *importer);
    files.retain(|file| !finished(file));
    files.into_iter().map(|(importer, hash)| (importer, hash.to_string())).collect()
}
