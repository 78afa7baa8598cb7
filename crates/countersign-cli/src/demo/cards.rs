//! Serving the demo on this machine: an authority of its own whose key is thrown away, a certificate for `localhost`, a card for each of the staff, and a
//! configuration that listens on loopback alone.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use countersign_entry::ids::{Line, RecordId};
use countersign_entry::record::{CredentialKind, CredentialLinked};
use countersign_entry::time::Micros;
use countersign_ledger::{Clock as _, SystemClock};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};

use super::DemoError;
use super::stage::Stage;

const AUTHORITY: &str = "Countersign demo CA";
/// Who gets a card.
const HOLDERS: [&str; 6] = ["founder", "officer", "approver1", "approver2", "ethics", "inspector"];
const DAYS: i64 = 365;

const CONFIG: &str = "# Made by `countersign demo`, for this machine alone.

[listen]
address = \"127.0.0.1:8443\"
operations = \"127.0.0.1:9443\"

[tls]
certificate = \"serve/server.pem\"
key = \"serve/server.key\"
client_roots = \"serve/roots.pem\"

[marking]
level = \"cui\"
categories = [\"PROPIN\"]
";

impl From<rcgen::Error> for DemoError {
    fn from(e: rcgen::Error) -> Self {
        Self(e.to_string())
    }
}

/// Writes certificates and configuration into the ledger's directory, and links each card to its principal.
pub(super) fn make(stage: &mut Stage, dir: &Path) -> Result<(), DemoError> {
    let place = dir.join("serve");
    fs::create_dir(&place)?;
    let mut params = params(AUTHORITY);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    fs::write(place.join("roots.pem"), params.self_signed(&key)?.pem())?;
    let authority = Issuer::new(params, key);
    let mut server = self::params("localhost");
    server.subject_alt_names = vec![SanType::DnsName("localhost".try_into()?), SanType::IpAddress([127, 0, 0, 1].into())];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    issue(&place, "server", &server, &authority)?;
    for holder in HOLDERS {
        let mut card = self::params(holder);
        card.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let pem = issue(&place, holder, &card, &authority)?;
        link(stage, holder, pem.as_bytes())?;
    }
    fs::write(dir.join("serve.toml"), CONFIG)?;
    Ok(())
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // By this machine's clock, not the story's.
    let epoch = jiff::civil::date(1970, 1, 1);
    let seconds = i64::try_from(SystemClock.now().value() / 1_000_000).unwrap_or_default();
    let day = |days: i64| {
        let date = epoch.saturating_add(jiff::Span::new().days(seconds / 86_400 + days));
        rcgen::date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    (params.not_before, params.not_after) = (day(-1), day(DAYS));
    params
}

fn issue(place: &Path, name: &str, params: &CertificateParams, authority: &Issuer<'_, KeyPair>) -> Result<String, DemoError> {
    let key = KeyPair::generate()?;
    let pem = params.signed_by(&key, authority)?.pem();
    fs::write(place.join(format!("{name}.pem")), &pem)?;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(place.join(format!("{name}.key")))?;
    file.write_all(key.serialize_pem().as_bytes())?;
    Ok(pem)
}

/// By its thumbprint: this certificate and no other.
fn link(stage: &mut Stage, holder: &str, pem: &[u8]) -> Result<(), DemoError> {
    let names = countersign_server::certificate::names_in_pem(pem).unwrap_or_default();
    let name = names.into_iter().find(|name| name.kind == CredentialKind::Certificate);
    let name = name.ok_or_else(|| DemoError("a certificate without a thumbprint".into()))?;
    let approver = stage.principal(if holder == "approver1" { "approver2" } else { "approver1" })?.clone();
    let linked = CredentialLinked {
        id: RecordId::new(format!("demo-{holder}"))?,
        principal: stage.principal(holder)?.clone(),
        kind: name.kind,
        issuer: Line::new(name.issuer)?,
        subject: Line::new(name.subject)?,
        secret_hash: None,
        valid_to: None,
        evidence: Line::new("made by the demo for this machine")?,
        approver,
    };
    stage.record("founder", linked)?;
    Ok(())
}

/// What to try with it.
pub(super) fn tell(dir: &Path, now: Micros, out: &mut dyn Write) -> Result<(), DemoError> {
    let d = dir.display();
    writeln!(out, "   countersign doctor {d}")?;
    writeln!(out, "   countersign serve {d}                # on this machine alone, until you stop it; then, beside it:")?;
    writeln!(
        out,
        "   curl --cacert {d}/serve/roots.pem --cert {d}/serve/officer.pem --key {d}/serve/officer.key https://localhost:8443/api/v1/grants"
    )?;
    writeln!(
        out,
        "   curl --cacert {d}/serve/roots.pem --cert {d}/serve/inspector.pem --key {d}/serve/inspector.key -H 'Countersign-Inquiry: 26-0117' https://localhost:8443/api/v1/cases"
    )?;
    let system = SystemClock.now();
    if system < now {
        writeln!(
            out,
            "   (This machine's clock, {system}, is behind the demo's story, {now}: what is served can be read, and takes nothing until then.)"
        )?;
    }
    Ok(())
}
