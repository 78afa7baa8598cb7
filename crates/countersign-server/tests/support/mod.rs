//! A real service on loopback over a ledger of invented people, with a certificate authority of its own, and a client that speaks TLS and HTTP as
//! others would.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, each of which uses a part"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use countersign_entry::record::{
    CredentialKind, CredentialLinked, Organization, OrganizationKind, Person, PersonStatus, Principal, Record, Role,
};
use countersign_ledger::{Access, DirectoryError, Ledger};
use countersign_server::config::{Config, Limits, Listen, Tls};
use countersign_server::{Running, Service, who};
use countersign_testing::ledger::{World, cast, principal, record, stage_set, verified};
use countersign_testing::scene::text;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, OtherNameValue, SanType};
use serde_json::Value;
use tempfile::TempDir;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::aws_lc_rs, version};

pub use countersign_testing::ledger::ORIGIN;

const UPN: &[u64] = &[1, 3, 6, 1, 4, 1, 311, 20, 2, 3];
/// The inquiry the inspector asks under.
pub const INQUIRY: &str = "26-0117";
/// The secret of the gateway's key.
pub const SECRET: [u8; 32] = [9; 32];

/// Parts beside those of every test ledger: name, organization, role.
const MORE: [(&str, &str, Role); 7] = [
    ("inspector", "agency", Role::InspectorGeneral),
    ("super1", "agency", Role::Supervisor),
    ("devel1", "lab", Role::Developer),
    ("covered", "agency", Role::CoveredPerson),
    ("sync1", "agency", Role::Provisioner),
    ("witness1", "agency", Role::Witness),
    ("abroad", "bureau", Role::EthicsOfficer),
];

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let (params, key) = authority(name);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// An authority under this one, and its certificate.
    pub fn under(&self, name: &str) -> (Self, String) {
        let (params, key) = authority(name);
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        (Self { issuer: Issuer::new(params, key), pem: pem.clone() }, pem)
    }

    pub fn issue(&self, params: CertificateParams) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    pub fn server(&self) -> (String, String) {
        self.issue(CertificateParams::new(vec!["localhost".to_owned()]).unwrap())
    }

    /// A card with a user principal name and a serial number.
    pub fn card(&self, upn: &str, serial: u64) -> (String, String) {
        self.issue(named(upn, serial))
    }

    /// A revocation list of now that names these serial numbers and holds for ten years.
    pub fn revoked(&self, serials: &[u64]) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        self.revoked_between(serials, now, now + 10 * 365 * 86_400)
    }

    /// A revocation list of a time, with its next update, both in seconds since 1970.
    pub fn revoked_between(&self, serials: &[u64], of: u64, next: u64) -> String {
        let at = |seconds| rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
        let revoked = |serial: &u64| rcgen::RevokedCertParams {
            serial_number: (*serial).into(),
            revocation_time: rcgen::date_time_ymd(2025, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = rcgen::CertificateRevocationListParams {
            this_update: at(of),
            next_update: at(next),
            crl_number: 1_u64.into(),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

/// What an authority's certificate says, and its key.
fn authority(name: &str) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::CrlSign];
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    (params, KeyPair::generate().unwrap())
}

/// What is on a card with a user principal name and a serial number.
pub fn named(upn: &str, serial: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, format!("EXAMPLE.{serial:010}"));
    params.subject_alt_names.push(SanType::OtherName((UPN.to_vec(), OtherNameValue::Utf8String(upn.to_owned()))));
    params.serial_number = Some(serial.into());
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// A service, everything it stands on, and whoever asks it.
pub struct House {
    pub world: World,
    pub files: TempDir,
    pub ca: Authority,
    pub config: Config,
    pub running: Option<Running>,
    /// Where the service believes the ledger to be.
    pub dir: Option<PathBuf>,
    pub address: u16,
    pub operations: u16,
}

impl House {
    /// As it comes.
    pub fn start() -> Self {
        Self::start_with(|_| {}, |_| {})
    }

    /// With another configuration, and a ledger that had more recorded before.
    pub fn start_with(configure: impl FnOnce(&mut Config), furnish: impl FnOnce(&mut Ledger)) -> Self {
        let (world, mut ledger) = World::start_with(&principal("founder"), &principal("sequencer"), everybody());
        stage_set(&mut ledger);
        for (serial, part) in (1_u64..).zip(parts()) {
            link(&mut ledger, &part, CredentialKind::Piv, "CN=Example CA", &format!("{part}@agency.example"), serial);
        }
        let key = CredentialLinked {
            secret_hash: Some(who::key_hash(&SECRET)),
            ..linked("key-1", "gateway", CredentialKind::ApiKey, ORIGIN, "key-1")
        };
        record(&mut ledger, "founder", "link-key-1", key).unwrap();
        furnish(&mut ledger);
        let ca = Authority::new("Example CA");
        let files = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(files.path().join(name), text).unwrap();
        let (certificate, key) = ca.server();
        put("server.pem", &certificate);
        put("server.key", &key);
        put("roots.pem", &ca.pem);
        let any = || "127.0.0.1:0".parse().unwrap();
        let mut config = Config {
            listen: Listen { address: any(), operations: any() },
            tls: Tls {
                certificate: files.path().join("server.pem"),
                key: files.path().join("server.key"),
                client_roots: files.path().join("roots.pem"),
                revocation_lists: None,
                revocation_age_hours_max: 24,
            },
            limits: Limits::default(),
            marking: toml::from_str("level = \"cui\"\ncategories = [\"SP-PROPIN\"]\ndissemination = []").unwrap(),
            anonymous: true,
            publish: None,
            oidc: Vec::new(),
            exports: Some(files.path().join("exports")),
            webhook: Vec::new(),
            webhook_state: Some(files.path().join("webhooks")),
        };
        configure(&mut config);
        drop(ledger);
        let mut house = Self { world, files, ca, config, running: None, dir: None, address: 0, operations: 0 };
        house.run();
        house
    }

    /// Starts the service on what is there.
    pub fn run(&mut self) {
        let opener = self.world.opener();
        self.run_by(opener);
    }

    /// Starts the service on what is there, its ledger opened once more by somebody else.
    pub fn run_by(&mut self, opener: impl Fn(Access) -> Result<Ledger, DirectoryError> + Send + Sync + 'static) {
        let ledger = self.world.open(Access::Write).unwrap();
        let (clock, config, dir) = (Box::new(self.world.clock.clone()), self.config.clone(), self.dir.clone());
        let service = Service { ledger, reopen: Arc::new(opener), clock, config, dir };
        let running = service.start().unwrap();
        (self.address, self.operations) = (running.address().port(), running.operations().port());
        self.running = Some(running);
    }

    /// The log's key.
    pub fn vkey(&self) -> countersign_log::vkey::VKey {
        self.world.open(Access::Read).unwrap().vkey().clone()
    }

    /// Stops it and lets the verifier look at every entry and replay every decision.
    pub fn verified(mut self) -> Ledger {
        self.running.take().unwrap().stop();
        let ledger = self.world.open(Access::Write).unwrap();
        verified(&ledger);
        ledger
    }

    /// Whoever plays a part, with their card; the inspector under an inquiry.
    pub fn client(&self, part: &str) -> Client {
        let serial = 1 + parts().iter().position(|p| p == part).unwrap() as u64;
        let client = self.with_card(self.ca.card(&format!("{part}@agency.example"), serial));
        if part == "inspector" { client.under(INQUIRY) } else { client }
    }

    pub fn with_card(&self, (certificate, key): (String, String)) -> Client {
        self.with_chain(&[certificate], &key)
    }

    /// Whoever shows a chain of certificates, their own first.
    pub fn with_chain(&self, chain: &[String], key: &str) -> Client {
        let chain = chain.iter().map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).collect();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        Client { address: self.address, tls: Arc::new(trusting(&self.ca).with_client_auth_cert(chain, key).unwrap()), headers: Vec::new() }
    }

    /// Whoever shows nothing.
    pub fn nobody(&self) -> Client {
        Client { address: self.address, tls: Arc::new(trusting(&self.ca).with_no_client_auth()), headers: Vec::new() }
    }

    /// The gateway with its key.
    pub fn gateway_key(&self) -> Client {
        let mut client = self.nobody();
        client.headers.push(("Authorization".into(), format!("Bearer {}", who::key_text("key-1", &SECRET))));
        client
    }

    /// Asks the other address.
    pub fn operations(&self, path: &str) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.operations)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::parse(&bytes)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }
}

fn trusting(ca: &Authority) -> tokio_rustls::rustls::ConfigBuilder<ClientConfig, tokio_rustls::rustls::client::WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.pem.as_bytes()).unwrap()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
}

/// Everybody who has a card.
pub fn parts() -> Vec<String> {
    let first = ["founder", "officer", "approver1", "approver2", "ethics", "gateway"];
    first.iter().map(|p| (*p).to_owned()).chain(MORE.iter().map(|(name, ..)| (*name).to_owned())).collect()
}

fn everybody() -> Vec<Record> {
    let mut records = cast();
    for (id, kind) in [("lab", OrganizationKind::Developer), ("bureau", OrganizationKind::Agency)] {
        records.push(Organization { id: text(id), name: text(id), kind, parent: None, ethics_office: None, supersedes: None }.into());
    }
    for (name, organization, role) in MORE {
        let person = format!("P-{name}");
        // The covered person is one of those who get access.
        let of = if name == "covered" { "P-ada1".to_owned() } else { person.clone() };
        if name != "covered" {
            let status = PersonStatus::Civilian;
            records.push(Person { id: text(&person), name: text(name), status, organization: text(organization), supersedes: None }.into());
        }
        let roles = vec![role];
        records.push(
            Principal { id: principal(name), person: Some(text(&of)), roles, os_user: None, disabled: false, supersedes: None }.into(),
        );
    }
    records
}

pub fn linked(id: &str, part: &str, kind: CredentialKind, issuer: &str, subject: &str) -> CredentialLinked {
    let approver = if part == "approver1" { "approver2" } else { "approver1" };
    CredentialLinked {
        id: text(id),
        principal: principal(part),
        kind,
        issuer: text(issuer),
        subject: text(subject),
        secret_hash: None,
        valid_to: None,
        evidence: text("seen in person"),
        approver: principal(approver),
    }
}

pub fn link(ledger: &mut Ledger, part: &str, kind: CredentialKind, issuer: &str, subject: &str, serial: u64) {
    record(ledger, "founder", &format!("link-{serial}"), linked(&format!("card-{serial}"), part, kind, issuer, subject)).unwrap();
}

/// Somebody who asks.
#[derive(Clone)]
pub struct Client {
    address: u16,
    tls: Arc<ClientConfig>,
    pub headers: Vec<(String, String)>,
}

pub type Stream = StreamOwned<ClientConnection, TcpStream>;

impl Client {
    pub fn connect(&self) -> std::io::Result<Stream> {
        let stream = TcpStream::connect(("127.0.0.1", self.address))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost").unwrap();
        Ok(StreamOwned::new(ClientConnection::new(Arc::clone(&self.tls), name).unwrap(), stream))
    }

    /// The same, asking under an inquiry.
    pub fn under(mut self, inquiry: &str) -> Self {
        self.headers.push(("Countersign-Inquiry".into(), inquiry.into()));
        self
    }

    /// The same, asking a house that was started again.
    pub fn to(&self, house: &House) -> Self {
        Self { address: house.address, ..self.clone() }
    }

    /// One request on a connection of its own.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> std::io::Result<Answer> {
        let mut stream = self.connect()?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        let own = self.headers.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        for (name, value) in own.chain(headers.iter().copied()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        stream.write_all(body)?;
        let mut bytes = Vec::new();
        if let Err(e) = stream.read_to_end(&mut bytes)
            && bytes.is_empty()
        {
            return Err(e);
        }
        // Nothing at all: the service ended before it took the request.
        if bytes.is_empty() { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(Answer::parse(&bytes)) }
    }

    /// Asks for the events with more headers, each a line; the answer is to be read.
    pub fn events(&self, more: &str) -> Stream {
        let mut stream = self.connect().unwrap();
        let own: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        write!(stream, "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n{own}{more}\r\n").unwrap();
        stream
    }

    /// Follows the events; the beginning of the answer was read.
    pub fn following(&self) -> Stream {
        let (mut stream, mut head) = (self.events(""), [0; 12]);
        stream.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
        stream
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"").unwrap()
    }

    #[track_caller]
    pub fn send(&self, method: &str, path: &str, key: &str, body: &Value) -> Answer {
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
        self.ask(method, path, &headers, body.to_string().as_bytes()).unwrap()
    }

    #[track_caller]
    pub fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.send("POST", path, key, body)
    }
}

/// Waits until a stream is over.
#[track_caller]
pub fn ends(mut stream: Stream) {
    let (began, mut buffer) = (Instant::now(), [0; 4096]);
    while stream.read(&mut buffer).is_ok_and(|read| read > 0) {
        assert!(began.elapsed() < Duration::from_secs(20), "it goes on");
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    pub bytes: usize,
}

impl Answer {
    #[track_caller]
    pub fn parse(bytes: &[u8]) -> Self {
        let end =
            bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or_else(|| panic!("no head: {:?}", String::from_utf8_lossy(bytes)));
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: BTreeMap<String, String> =
            lines.map(|l| l.split_once(": ").unwrap()).map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect();
        let body = &bytes[end + 4..];
        let body = if headers.get("transfer-encoding").is_some_and(|v| v == "chunked") { dechunk(body) } else { body.to_vec() };
        Self { status, headers, body, bytes: bytes.len() }
    }

    /// Holds the status to what it has to be.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        // Everything that is answered says how it is marked, and is kept by nobody unless it is public.
        assert!(
            self.headers.contains_key("countersign-marking") || self.headers.get("content-type").is_none_or(|t| t.contains("0.0.4")),
            "{self:?}"
        );
        self
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// A problem of this kind.
    #[track_caller]
    pub fn problem(self, status: u16, kind: &str) -> Value {
        let answer = self.is(status);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        let problem = answer.json();
        assert_eq!(problem["type"], format!("urn:countersign:problem:{kind}"), "{problem}");
        assert_eq!(problem["status"], status);
        problem
    }
}

/// The data of chunks, strictly.
pub fn dechunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let end = bytes.windows(2).position(|w| w == b"\r\n").expect("a chunk's length");
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        bytes = &bytes[end + 2..];
        if length == 0 {
            assert_eq!(bytes, b"\r\n");
            return out;
        }
        out.extend_from_slice(&bytes[..length]);
        assert_eq!(&bytes[length..length + 2], b"\r\n");
        bytes = &bytes[length + 2..];
    }
}
