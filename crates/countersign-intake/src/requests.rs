//! The requests an import comes to, the import itself last. All of it is checked before, so nothing is refused half-way; where storage fails between two
//! batches, what was recorded is found unchanged when the import is run again, and that run completes it.

use countersign_conflict::Facts;
use countersign_entry::ids::{LeafIndex, Line, PrincipalId, RecordId, RequestKey};
use countersign_entry::record::{Import, Record};
use countersign_import::accounting::Source;
use countersign_ledger::{Receipt, Request};
use sha2::{Digest, Sha256};

use crate::IntakeError;
use crate::plan::{Plan, Standing, check, importer_line};
use crate::records::identity;

/// A row's record, recorded.
pub struct Done {
    /// The row.
    pub row: u64,
    /// What the ledger made of it.
    pub receipt: Receipt,
}

/// The import of the very same file by the same importer.
pub fn import_of(facts: &Facts, source: &Source) -> Result<Option<LeafIndex>, IntakeError> {
    let importer = importer_line(source)?;
    Ok(facts.imports().find(|k| k.record.file_hash == source.file_sha256 && k.record.importer == importer).map(|k| k.index))
}

/// What an import records.
pub struct Requests {
    /// What is new or changed, each with its row, in order.
    pub rows: Vec<(u64, Request)>,
    /// The import itself; it comes last.
    pub import: Request,
}

/// The requests a plan comes to; none where no row could be used, so that the file may come again.
///
/// # Errors
/// The actor may record nothing of it, or the ledger would not take the import itself.
pub fn requests(plan: &Plan, facts: &Facts, actor: &PrincipalId) -> Result<Option<Requests>, IntakeError> {
    if plan.rows.is_empty() && plan.report.total > 0 {
        return Ok(None);
    }
    let import = import_request(plan, actor)?;
    check(facts, actor, &import.record)?.map_err(|why| IntakeError::Invalid(format!("{why}; nothing was recorded")))?;
    let rows = plan.to_record().map(|(number, record, standing)| Ok((number, request(record, standing, actor)?)));
    Ok(Some(Requests { rows: rows.collect::<Result<_, IntakeError>>()?, import }))
}

/// What a plan and its requests would do, in 32 bytes of hex: the same for the same records, standing as they stand, and the same rows put aside. Whoever
/// looked at a plan names by it what they looked at.
///
/// # Errors
/// A record that has no bytes, which is a bug.
pub fn digest(plan: &Plan, requests: Option<&Requests>) -> Result<String, IntakeError> {
    let mut hash = Sha256::new();
    hash.update(plan.source.file_sha256.0);
    hash.update((plan.quarantined.len() as u64).to_be_bytes());
    hash.update(Sha256::digest(&plan.quarantine));
    for request in requests.iter().flat_map(|r| r.rows.iter().map(|(_, request)| request).chain([&r.import])) {
        let bytes = request.record.request_bytes().map_err(|e| IntakeError::Bug(e.to_string()))?;
        for part in [request.key.as_str().as_bytes(), bytes.as_slice()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    Ok(hex::encode(hash.finalize()))
}

/// A request whose key follows from its record, so that the same import made again is the same request.
fn request(record: &Record, standing: Standing, actor: &PrincipalId) -> Result<Request, IntakeError> {
    let behind = if let Standing::Changed(index) = standing { format!("{index}") } else { String::new() };
    // None of the three holds a line feed.
    let key = key("imp", &format!("{}\n{}\n{behind}", record.type_name(), identity(record)))?;
    Ok(Request { actor: actor.clone(), key, record: record.clone(), signed: None })
}

fn import_request(plan: &Plan, actor: &PrincipalId) -> Result<Request, IntakeError> {
    let importer = importer_line(&plan.source)?;
    let key = key("imp-file", &format!("{}\n{importer}", plan.source.file_sha256))?;
    let recorded = plan.rows.iter().filter(|row| row.standing() != Standing::Unchanged).count() as u64;
    let import = Import {
        id: RecordId::new(key.as_str()).map_err(|e| IntakeError::Bug(e.to_string()))?,
        importer,
        file_hash: plan.source.file_sha256,
        rows: plan.report.total,
        recorded,
        repeated: plan.report.duplicates + plan.rows.len() as u64 - recorded,
        quarantined: plan.quarantined.len() as u64,
    };
    Ok(Request { actor: actor.clone(), key, record: import.into(), signed: None })
}

fn key(prefix: &str, of: &str) -> Result<RequestKey, IntakeError> {
    let short = Sha256::digest(of).first_chunk::<16>().map(hex::encode).unwrap_or_default();
    RequestKey::new(format!("{prefix}-{short}")).map_err(|e| IntakeError::Bug(e.to_string()))
}

/// Files of which records stand here and no import does: the import stopped half-way, and running it again completes it. Only records that keep
/// where they come from can tell; each file comes with its importer.
pub fn unfinished(facts: &Facts) -> Vec<(Line, String)> {
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
