//! A whole ledger on a disk in memory, with a real key and real data keys, that can be crashed, restarted and given to the verifier.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use countersign_entry::ids::{
    Hash32, IssuerId, Line, OrganizationId, PersonId, PrincipalId, ProviderId, RecordId, RequestKey, SubmissionId, Token,
};
use countersign_entry::record::*;
use countersign_entry::time::{DAY, Micros, Window};
use countersign_ledger::export::{Planes, export};
use countersign_ledger::{
    Access, AppendError, Beside, Clock, Entropy, EntropyError, Ledger, Notice, OpenError, Parts, Receipt, Request, SystemEntropy,
};
use countersign_log::vkey::VKey;
use countersign_sign::datakeys::DataKeys;
use countersign_sign::passphrase::Passphrase;
use countersign_sign::unlock::Unlock;
use countersign_sign::{SignError, Signer, os_random};
pub use countersign_store::memory::{Fault, Step};
use countersign_store::memory::{MemoryDisk, MemoryRegister, MemoryStore};
use countersign_store::{Register, Store};
use countersign_verify::files::DirSource;
use ed25519_dalek::Signer as _;

/// The origin of every test ledger.
pub const ORIGIN: &str = "ledger.example/test/software";
/// Noon of the day test ledgers start: 2026-06-01.
pub const START: u64 = 1_780_315_200_000_000;

/// A clock the test turns. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<AtomicU64>);

impl TestClock {
    /// A clock that stands at [`START`].
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(Arc::new(AtomicU64::new(START)))
    }

    /// Turns the clock forward by microseconds.
    pub fn advance(&self, micros: u64) {
        self.0.fetch_add(micros, Ordering::SeqCst);
    }

    /// Sets the clock, backwards too.
    pub fn set(&self, micros: u64) {
        self.0.store(micros, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Micros {
        Micros::new(self.0.load(Ordering::SeqCst)).unwrap_or(Micros::EPOCH)
    }
}

/// Signs with a seed that is no secret.
pub struct TestSigner {
    key: ed25519_dalek::SigningKey,
    vkey: VKey,
}

impl TestSigner {
    /// The signer of test ledgers.
    #[allow(clippy::unwrap_used)]
    pub fn new() -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(&[42; 32]);
        let vkey = VKey::new(ORIGIN, key.verifying_key().as_bytes()).unwrap();
        Self { key, vkey }
    }
}

impl Default for TestSigner {
    fn default() -> Self {
        Self::new()
    }
}

impl Signer for TestSigner {
    fn vkey(&self) -> &VKey {
        &self.vkey
    }
    fn sign(&mut self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(self.key.sign(message).to_bytes().to_vec())
    }
}

/// Everything a ledger stands on; survives the ledger.
pub struct World {
    /// The disk.
    pub disk: MemoryDisk,
    /// The clock.
    pub clock: TestClock,
    /// Length of the index's runs, and entries between snapshots, where the ledger keeps them; nothing where it keeps neither.
    pub kept: Option<(u64, u64)>,
    /// What starts told of things made anew.
    pub told: Arc<Mutex<Vec<String>>>,
    /// Random bytes until the ledger is refused some, once.
    pub random_bytes: Arc<AtomicI64>,
    keys: tempfile::TempDir,
}

/// The system's randomness, whose source fails once when so many bytes of it are gone.
struct Rationed {
    source: SystemEntropy,
    left: Arc<AtomicI64>,
}

impl Entropy for Rationed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        let bytes = i64::try_from(out.len()).unwrap_or(i64::MAX);
        if self.left.fetch_sub(bytes, Ordering::Relaxed) < bytes {
            self.left.store(i64::MAX, Ordering::Relaxed);
            return Err(EntropyError("none for now".to_owned()));
        }
        self.source.fill(out)
    }

    fn another(&self) -> Box<dyn Entropy> {
        Box::new(Self { source: SystemEntropy::default(), left: Arc::clone(&self.left) })
    }
}

#[allow(clippy::unwrap_used, clippy::expect_used)]
impl World {
    /// A world with a ledger that has its first commit: policy, organization, people and principals of [`cast`].
    pub fn start() -> (Self, Ledger) {
        Self::start_with(&principal("founder"), &principal("sequencer"), cast())
    }

    /// A world with a ledger whose first commit holds other records.
    pub fn start_with(founder: &PrincipalId, sequencer: &PrincipalId, records: Vec<Record>) -> (Self, Ledger) {
        let world = Self {
            disk: MemoryDisk::new(),
            clock: TestClock::new(),
            kept: None,
            told: Arc::default(),
            random_bytes: Arc::new(AtomicI64::new(i64::MAX)),
            keys: tempfile::tempdir().unwrap(),
        };
        let mut unlock = Unlock::new(Passphrase::new("correct horse").unwrap());
        let keys = DataKeys::create(&world.key_path(), ORIGIN, &mut unlock, &mut os_random).unwrap();
        let parts =
            world.parts(Box::new(MemoryStore::create(&world.disk).unwrap()), Box::new(MemoryRegister::create(&world.disk).unwrap()), keys);
        let ledger = Ledger::start(parts, founder, sequencer, records).unwrap();
        (world, ledger)
    }

    /// Opens what is on the disk.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open(&self, access: Access) -> Result<Ledger, OpenError> {
        let (store, register) = match access {
            Access::Write => (MemoryStore::open_writer(&self.disk)?, MemoryRegister::open_writer(&self.disk)?),
            Access::Read => (MemoryStore::open_reader(&self.disk)?, MemoryRegister::open_reader(&self.disk)?),
        };
        self.open_with(Box::new(store), Box::new(register), access)
    }

    /// Opens what is on the disk as often as it is asked, from any thread.
    pub fn opener(&self) -> impl Fn(Access) -> Result<Ledger, countersign_ledger::DirectoryError> + Send + Sync + 'static {
        let (disk, clock, path) = (self.disk.clone(), self.clock.clone(), self.key_path());
        move |access| {
            let mut unlock = Unlock::new(Passphrase::new("correct horse").unwrap());
            let (store, register) = match access {
                Access::Write => (MemoryStore::open_writer(&disk)?, MemoryRegister::open_writer(&disk)?),
                Access::Read => (MemoryStore::open_reader(&disk)?, MemoryRegister::open_reader(&disk)?),
            };
            let parts = Parts {
                store: Box::new(store),
                register: Box::new(register),
                vkey: TestSigner::new().vkey.clone(),
                signers: vec![Box::new(TestSigner::new())],
                keys: DataKeys::open(&path, ORIGIN, &mut unlock).unwrap(),
                clock: Box::new(clock.clone()),
                entropy: Box::new(SystemEntropy::default()),
                beside: None,
            };
            Ok(Ledger::open(parts, access)?)
        }
    }

    /// What is on the disk, to be read beside whoever writes to it.
    pub fn reader(&self) -> Box<dyn Store> {
        Box::new(MemoryStore::open_reader(&self.disk).unwrap())
    }

    /// Opens another store or register with this world's keys and clock.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open_with(&self, store: Box<dyn Store>, register: Box<dyn Register>, access: Access) -> Result<Ledger, OpenError> {
        let mut unlock = Unlock::new(Passphrase::new("correct horse").unwrap());
        let keys = DataKeys::open(&self.key_path(), ORIGIN, &mut unlock).unwrap();
        Ledger::open(self.parts(store, register, keys), access)
    }

    fn parts(&self, store: Box<dyn Store>, register: Box<dyn Register>, keys: DataKeys) -> Parts {
        Parts {
            store,
            register,
            vkey: TestSigner::new().vkey.clone(),
            signers: vec![Box::new(TestSigner::new())],
            keys,
            clock: Box::new(self.clock.clone()),
            entropy: Box::new(Rationed { source: SystemEntropy::default(), left: Arc::clone(&self.random_bytes) }),
            beside: self.kept.map(|(run_len, snapshot_after)| Beside {
                dir: self.beside_path(),
                run_len,
                snapshot_after,
                told: self.listener(),
            }),
        }
    }

    /// Where index and snapshot are kept.
    pub fn beside_path(&self) -> PathBuf {
        self.keys.path().to_owned()
    }

    fn listener(&self) -> Box<dyn FnMut(Notice<'_>) + Send + Sync> {
        let told = Arc::clone(&self.told);
        Box::new(move |notice| {
            if let Notice::Anew(why) = notice {
                told.lock().unwrap().push(why.to_owned());
            }
        })
    }

    fn key_path(&self) -> PathBuf {
        self.keys.path().join("data.keys")
    }
}

/// Records a request under a key.
///
/// # Errors
/// As [`Ledger::append`].
#[allow(clippy::unwrap_used)]
pub fn record(ledger: &mut Ledger, actor: &str, key: &str, record: impl Into<Record>) -> Result<Receipt, AppendError> {
    ledger.append(Request { actor: principal(actor), key: RequestKey::new(key).unwrap(), record: record.into(), signed: None })
}

/// The principal that plays a part: `founder`, `officer`, `approver1`, `approver2`, `ethics`, `gateway`, `sequencer`.
#[allow(clippy::unwrap_used)]
pub fn principal(part: &str) -> PrincipalId {
    PrincipalId::new(format!("pr-{part}")).unwrap()
}

/// The person of a part, or any other test person.
#[allow(clippy::unwrap_used)]
pub fn person(part: &str) -> PersonId {
    PersonId::new(format!("P-{part}")).unwrap()
}

#[allow(clippy::unwrap_used)]
fn line(text: &str) -> Line {
    Line::new(text).unwrap()
}

#[allow(clippy::unwrap_used)]
fn id(text: &str) -> RecordId {
    RecordId::new(text).unwrap()
}

/// The policy of test ledgers.
pub fn policy() -> Policy {
    Policy {
        id: id("default"),
        version: 1,
        effective_from: Micros::EPOCH,
        approvals_required: 2,
        agreements_required: vec![AgreementKind::AccessTerms],
        on_refer: Effects { participate: Effect::Refer, hold: Effect::Refer, trade: Effect::Allow },
        on_block: Effects { participate: Effect::Deny, hold: Effect::Refer, trade: Effect::Allow },
        on_block_without_participation: Effect::Allow,
        case_cadence_seconds: 900,
        case_tier_max: Tier::Two,
        clock_skew_seconds: 300,
        feeds: vec![],
        preclearance: None,
        signatures_required: vec![],
        routine_uses: vec![],
        supersedes: None,
    }
}

/// The first records of every test ledger.
#[allow(clippy::unwrap_used)]
pub fn cast() -> Vec<Record> {
    let agency = OrganizationId::new("agency").unwrap();
    let people = ["founder", "officer", "approver1", "approver2", "ethics", "ada1", "bob1"];
    let mut records: Vec<Record> = vec![
        policy().into(),
        Organization {
            id: agency.clone(),
            name: line("Agency"),
            kind: OrganizationKind::Agency,
            parent: None,
            ethics_office: None,
            supersedes: None,
        }
        .into(),
    ];
    for who in people {
        records.push(
            Person { id: person(who), name: line(who), status: PersonStatus::Civilian, organization: agency.clone(), supersedes: None }
                .into(),
        );
    }
    let roles = [
        ("sequencer", None, vec![Role::Sequencer]),
        ("officer", Some("officer"), vec![Role::AccessOfficer]),
        ("approver1", Some("approver1"), vec![Role::Approver]),
        ("approver2", Some("approver2"), vec![Role::Approver]),
        ("ethics", Some("ethics"), vec![Role::EthicsOfficer]),
        ("gateway", None, vec![Role::Gateway]),
        ("founder", Some("founder"), vec![Role::Operator]),
    ];
    for (who, of, roles) in roles {
        let record = Principal { id: principal(who), person: of.map(person), roles, os_user: None, disabled: false, supersedes: None };
        records.push(record.into());
    }
    records
}

/// A submission that can be reviewed, with everything it needs: provider, issuer, exposure, agreements of `ada1` and `bob1`.
#[allow(clippy::unwrap_used)]
pub fn stage_set(ledger: &mut Ledger) -> SubmissionId {
    let now = ledger.now();
    let lab = ProviderId::new("lab").unwrap();
    let issuer = IssuerId::new("cik-0000000001").unwrap();
    let submission = SubmissionId::new("S-0001").unwrap();
    let put = |ledger: &mut Ledger, actor: &str, key: &str, r: Record| drop(record(ledger, actor, key, r).unwrap());
    put(ledger, "founder", "set-provider", Provider { id: lab.clone(), name: line("Lab"), supersedes: None }.into());
    let r = Issuer {
        id: issuer.clone(),
        name: line("Parent Corp"),
        cik: None,
        tickers: vec![],
        former_names: vec![],
        sub_industry: None,
        supersedes: None,
    };
    put(ledger, "founder", "set-issuer", r.into());
    put(ledger, "founder", "set-exposure", exposure("x-1", Node::Provider(lab.clone()), &issuer, true).into());
    put(ledger, "founder", "set-submission", submission_record(&submission, &lab, now).into());
    for who in ["ada1", "bob1"] {
        for kind in [AgreementKind::AccessTerms, AgreementKind::NoInterestCertification] {
            let key = format!("set-{who}-{kind:?}");
            put(ledger, "officer", &key, agreement(&key, who, kind, now).into());
        }
    }
    submission
}

/// An edge.
pub fn exposure(name: &str, from: Node, to: &IssuerId, confirmed: bool) -> Exposure {
    Exposure {
        id: id(name),
        from,
        relation: Relation::OwnedBy,
        to: Node::Issuer(to.clone()),
        tier: Tier::One,
        valid_from: None,
        valid_to: None,
        basis: Basis::PublicFiling,
        confirmed,
        evidence: None,
        supersedes: None,
    }
}

/// A submission whose window of 20 days opened a day ago.
#[allow(clippy::unwrap_used)]
pub fn submission_record(submission: &SubmissionId, provider: &ProviderId, now: Micros) -> Submission {
    let opened = Micros::new(now.value() - DAY).unwrap();
    Submission {
        id: submission.clone(),
        provider: provider.clone(),
        model: None,
        downstream: vec![],
        title: line("Secured matter 1"),
        authority: line("EO 14409 sec. 3"),
        offer: Some(Offer { offered_at: opened, terms_hash: Hash32([1; 32]), purpose: line("Cyber evaluation"), revoked_at: None }),
        designation: None,
        window: Window::new(opened, opened.plus(20 * DAY)).unwrap(),
        window_end_event: WindowEndEvent::TrustedPartnerRelease,
        public_release_at: None,
        cleansed_at: None,
        status: SubmissionStatus::Open,
        marking: Marking { level: MarkingLevel::Cui, categories: vec![], dissemination: vec![] },
        information_owner: InformationOwner::Developer,
        confidentiality_basis: line("Terms of access"),
        supersedes: None,
    }
}

/// A signed agreement.
pub fn agreement(name: &str, who: &str, kind: AgreementKind, now: Micros) -> Agreement {
    Agreement {
        id: id(name),
        person: person(who),
        kind,
        submission: None,
        version: line("1"),
        document_hash: Hash32([2; 32]),
        signed_at: now,
        expires_at: None,
        supersedes: None,
    }
}

/// A request for access by a person.
pub fn grant_request(who: &str, submission: &SubmissionId, expires_at: Micros) -> GrantRequest {
    GrantRequest {
        person: person(who),
        submission: submission.clone(),
        duty: line("Evaluate cyber capability"),
        needs_participation: true,
        expires_at,
        reference: None,
        assessment: None,
        result: None,
    }
}

/// A move of a grant.
pub fn transition(grant: u64, to: GrantState) -> GrantTransition {
    GrantTransition { grant: countersign_entry::ids::LeafIndex(grant), to, cause: None, reason: None, assessment: None, result: None }
}

/// An access event of 15 fields, like a gateway's.
#[allow(clippy::unwrap_used)]
pub fn access(who: &str, submission: &SubmissionId, grant: Option<u64>, at: Micros) -> AccessEvent {
    AccessEvent {
        person: person(who),
        submission: submission.clone(),
        grant: grant.map(countersign_entry::ids::LeafIndex),
        action: Token::new("query").unwrap(),
        occurred_at: at,
        artefact: Some(line("endpoint/chat")),
        result: Some(AccessResult::Success),
        source: Some(line("gateway-1")),
        source_id: Some(line("evt-0001")),
        session: Some(line("sess-42")),
        marking: Some(MarkingLevel::Cui),
        information_owner: Some(InformationOwner::Developer),
        detail: ciborium::Value::Null,
        assessment: None,
        supersedes: None,
    }
}

/// An active grant for a person, approved by both approvers. Its index.
#[allow(clippy::unwrap_used)]
pub fn active_grant(ledger: &mut Ledger, who: &str, submission: &SubmissionId) -> u64 {
    let expires_at = ledger.now().plus(5 * DAY);
    let grant =
        record(ledger, "officer", &format!("req-{who}-{}", ledger.size()), grant_request(who, submission, expires_at)).unwrap().index;
    for (actor, to) in [("approver1", GrantState::Approved), ("approver2", GrantState::Approved), ("officer", GrantState::Active)] {
        record(ledger, actor, &format!("{actor}-{to:?}-{grant}"), transition(grant, to)).unwrap();
    }
    grant
}

/// Exports a ledger and gives it to the verifier with every key: the oracle of every end-to-end test.
///
/// # Panics
/// The verifier finds anything, or leaves a decision unreplayed.
pub fn verified(ledger: &Ledger) -> countersign_verify::Report {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("export");
    export(ledger, &to, Planes::Both, &mut |_| {}).unwrap();
    verified_export(&to, ledger)
}

/// Holds an export of a ledger, as it is or was, to everything the verifier knows.
pub fn verified_export(dir: &std::path::Path, ledger: &Ledger) -> countersign_verify::Report {
    let report = countersign_verify::verify(&DirSource::new(dir), &options(ledger), &mut |_| {});
    assert_eq!(report.verdict, countersign_verify::Verdict::Verified, "{report}");
    assert!(report.checks.iter().any(|c| c.name == "replayed" && c.count > 0), "{report}");
    report
}

/// What an inspector with every key would ask.
pub fn options(ledger: &Ledger) -> countersign_verify::Options {
    let mut options = countersign_verify::Options::new(ledger.vkey().clone());
    let key = |hex: &str| <[u8; 32]>::try_from(hex::decode(hex).unwrap()).unwrap();
    options.keys = Some(ledger.export_keys().iter().map(|(id, hex)| (*id, key(hex))).collect());
    options.key_files = Some(countersign_sign::keyfile::check_any);
    options
}
