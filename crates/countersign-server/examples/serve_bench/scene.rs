//! The ledger, the certificates and the service that is measured.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use countersign_entry::ids::{Date, LeafIndex};
use countersign_entry::record::*;
use countersign_entry::time::Micros;
use countersign_ledger::{Access, Clock as _, Directory, Ledger, Opening, Request, SystemClock};
use countersign_server::config::{Config, Limits, Listen, Tls};
use countersign_server::{Running, Service};
use countersign_testing::ledger::{active_grant, agreement, cast, person, principal, record, stage_set, submission_record};
use countersign_testing::scene::{self, text};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer as Authority, KeyPair, OtherNameValue, SanType};

const ORIGIN: &str = "bench.example/software";
/// People who ask to trade: each a few times a day, so many of them.
pub const ASKERS: usize = 60;
/// What is on the watch list, and what is not.
pub const WATCHED: &str = "cik-0000000002";
pub const OTHER: &str = "cik-0000000003";
pub const SUBMISSIONS: [&str; 2] = ["S-0001", "S-0002"];
const UPN: &[u64] = &[1, 3, 6, 1, 4, 1, 311, 20, 2, 3];

pub fn asker(n: usize) -> String {
    format!("asks{n:03}")
}

pub fn grantee(n: usize) -> String {
    format!("g{n:06}")
}

/// From today on, for a month.
pub fn days() -> (String, String) {
    let today = Date::of(SystemClock.now());
    (today.to_string(), today.plus_days(30).to_string())
}

fn opening() -> Opening {
    Opening { passphrase_file: None, pin_file: None, clock: Box::new(SystemClock), told: Box::new(|_| {}) }
}

/// A ledger with everybody who asks, and their certificates. The grant under which the gateway tells of accesses, as one does, and the time.
pub fn make(base: &Path, grantees: usize) -> (u64, Micros) {
    let limits = PreclearancePolicy { daily_quota: 1_000, probing_instruments: 1_000, ..scene::preclearance_policy() };
    let mut records = cast();
    for record in &mut records {
        if let Record::Policy(policy) = record {
            policy.preclearance = Some(limits.clone());
        }
    }
    for n in 0..ASKERS {
        let who = asker(n);
        records.push(one(&who).into());
        let (id, person) = (principal(&who), Some(person(&who)));
        records.push(Principal { id, person, roles: vec![Role::CoveredPerson], os_user: None, disabled: false, supersedes: None }.into());
    }
    let (founder, sequencer) = (principal("founder"), principal("sequencer"));
    let register = Path::new("register/head");
    let mut ledger = Directory::create(&base.join("ledger"), ORIGIN, register, opening(), &founder, &sequencer, records).unwrap();
    stage_set(&mut ledger);
    for id in [WATCHED, OTHER] {
        let (id, name) = (text(id), text("An issuer"));
        let issuer = Issuer { id, name, cik: None, tickers: vec![], former_names: vec![], sub_industry: None, supersedes: None };
        record(&mut ledger, "founder", &format!("issuer-{}", issuer.id), issuer).unwrap();
    }
    let now = ledger.now();
    record(&mut ledger, "founder", "second", submission_record(&text(SUBMISSIONS[1]), &text("lab"), now)).unwrap();
    record(&mut ledger, "ethics", "list", scene::list("quiet", ListKind::Watch, None)).unwrap();
    let watched = [("quiet-1", format!("issuer:{WATCHED}")), ("quiet-2", format!("submission:{}", SUBMISSIONS[0]))];
    for (id, subject) in watched {
        record(&mut ledger, "ethics", id, scene::item(id, "quiet", &subject)).unwrap();
    }
    people(&mut ledger, grantees);
    let mut parts: Vec<String> = ["officer", "gateway"].map(str::to_owned).into();
    parts.extend((0..ASKERS).map(asker));
    certificates(base, &parts);
    for part in parts {
        let linked = CredentialLinked {
            id: text(&format!("card-{part}")),
            principal: principal(&part),
            kind: CredentialKind::Piv,
            issuer: text("CN=Bench CA"),
            subject: text(&format!("{part}@agency.example")),
            secret_hash: None,
            valid_to: None,
            evidence: text("seen in person"),
            approver: principal("approver1"),
        };
        record(&mut ledger, "founder", &format!("link-{part}"), linked).unwrap();
    }
    let grant = active_grant(&mut ledger, "ada1", &text(SUBMISSIONS[0]));
    assert_eq!(ledger.facts().grant(LeafIndex(grant)).unwrap().state, GrantState::Active);
    (grant, ledger.now())
}

fn one(who: &str) -> Person {
    let (name, organization) = (text("Somebody"), text("agency"));
    Person { id: person(who), name, status: PersonStatus::Civilian, organization, supersedes: None }
}

/// Everybody access is asked for, with what they have signed, in commits of several hundred.
fn people(ledger: &mut Ledger, count: usize) {
    let now = ledger.now();
    let mut requests = Vec::new();
    for n in 0..count {
        let who = grantee(n);
        let mut put = |actor: &str, key: String, record: Record| {
            requests.push(Request { actor: principal(actor), key: key.parse().unwrap(), record, signed: None });
        };
        put("founder", format!("person-{n}"), one(&who).into());
        for kind in [AgreementKind::AccessTerms, AgreementKind::NoInterestCertification] {
            let name = format!("{who}-{kind:?}");
            put("officer", name.clone(), agreement(&name, &who, kind, now).into());
        }
    }
    for batch in requests.chunks(500) {
        ledger.commit(batch.to_vec()).into_iter().for_each(|answer| drop(answer.unwrap()));
    }
}

fn certificates(base: &Path, parts: &[String]) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Bench CA");
    let key = KeyPair::generate().unwrap();
    std::fs::write(base.join("roots.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    let authority = Authority::new(params, key);
    let issue = |name: &str, params: CertificateParams| {
        let key = KeyPair::generate().unwrap();
        std::fs::write(base.join(format!("{name}.pem")), params.signed_by(&key, &authority).unwrap().pem()).unwrap();
        std::fs::write(base.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    };
    issue("server", CertificateParams::new(vec!["localhost".to_owned()]).unwrap());
    for part in parts {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, part.as_str());
        let upn = OtherNameValue::Utf8String(format!("{part}@agency.example"));
        params.subject_alt_names.push(SanType::OtherName((UPN.to_vec(), upn)));
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        issue(part, params);
    }
}

/// Serves it until nobody holds the input; says its port in a line.
pub fn serve(base: &Path) {
    countersign_server::log::to_stderr();
    let running = start(base);
    println!("{}", running.address().port());
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    running.stop();
}

fn start(base: &Path) -> Running {
    let dir = base.join("ledger");
    let any = || "127.0.0.1:0".parse().unwrap();
    let file = |name: &str| base.join(name);
    let config = Config {
        listen: Listen { address: any(), operations: any() },
        tls: Tls {
            certificate: file("server.pem"),
            key: file("server.key"),
            client_roots: file("roots.pem"),
            revocation_lists: None,
            revocation_age_hours_max: 24,
        },
        // Connections that do nothing are to be there as long as is measured; and a load generator is no principal that asks too much.
        limits: Limits { head_seconds_max: 60, requests_per_second_max: 1_000_000, requests_burst_max: 1_000_000, ..Limits::default() },
        marking: Marking { level: MarkingLevel::Cui, categories: vec![], dissemination: vec![] },
        anonymous: false,
        oidc: vec![],
        exports: None,
        webhook: vec![],
        webhook_state: None,
        publish: None,
    };
    let directory = Directory::find(&dir).unwrap();
    let ledger = directory.open(Access::Write, opening()).unwrap();
    let reopen = move |access| directory.open(access, opening());
    let service = Service { ledger, reopen: Arc::new(reopen), clock: Box::new(SystemClock), config, dir: Some(dir) };
    service.start().unwrap()
}
