//! `countersign doctor`: each thing that can be wrong is found, told with what to do, and anything else is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::Value;
use support::Scene;

const CONFIG: &str = "[listen]\naddress = \"127.0.0.1:0\"\noperations = \"127.0.0.1:0\"\n[tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\nclient_roots = \"roots.pem\"\nrevocation_lists = \"crl.pem\"\n";

/// Certificates and a list that hold until these years.
fn issue(scene: &Scene, until: i32, next_update: i32) {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name.push(DnType::CommonName, "Example CA");
    let key = KeyPair::generate().unwrap();
    scene.write("roots.pem", ca.self_signed(&key).unwrap().pem());
    let issuer = Issuer::new(ca, key);
    let server = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    scene.write("server.pem", params.signed_by(&server, &issuer).unwrap().pem());
    let path = scene.write("server.key", server.serialize_pem());
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    // A list of an hour ago, or of before its next update where that is over.
    let before = rcgen::date_time_ymd(next_update - 1, 1, 1);
    let now = rcgen::date_time_ymd(1970, 1, 1) + SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let list = CertificateRevocationListParams {
        this_update: before.min(now - Duration::from_secs(3_600)),
        next_update: rcgen::date_time_ymd(next_update, 1, 1),
        crl_number: 1_u64.into(),
        issuing_distribution_point: None,
        revoked_certs: vec![],
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    scene.write("crl.pem", list.signed_by(&issuer).unwrap().pem().unwrap());
}

fn doctor(scene: &Scene, code: i32) -> Value {
    let config = scene.path("serve.toml");
    let mut args = vec!["doctor", "DIR", "--json"];
    if config.exists() {
        args.extend(["--config", config.to_str().unwrap()]);
    }
    scene.run(&args).exits(code).json()
}

/// Checks of this health.
fn of(told: &Value, health: &str) -> Vec<String> {
    let found = told["found"].as_array().unwrap().iter().filter(|f| f["health"] == health);
    found.map(|f| f["check"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_ledger_that_is_well_is_said_to_be_and_what_ails_it_is_found() {
    let s = Scene::new();
    let before = s.bytes();
    let told = doctor(&s, 0);
    assert_eq!(of(&told, "fail"), Vec::<String>::new(), "{told}");
    let ok = of(&told, "ok");
    for check in
        ["version", "directory", "permissions", "key file", "keys", "signing key", "ledger", "head", "clock", "service", "configuration"]
    {
        assert!(ok.iter().any(|c| c == check), "{check}: {told}");
    }
    assert_eq!(s.bytes(), before, "a doctor that changes something");
    let words = s.run(&["doctor", "DIR"]).exits(0).out;
    assert!(words.contains("ok    directory") && words.lines().last().unwrap().ends_with(" 0 fail"), "{words}");
    // A key that others can read, and a directory that others can write.
    let key = s.dir.join("keys/signing.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(&s.dir, fs::Permissions::from_mode(0o777)).unwrap();
    let told = doctor(&s, 1);
    assert_eq!(of(&told, "fail"), ["permissions", "key file"], "{told}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&s.dir, fs::Permissions::from_mode(0o700)).unwrap();
    // A head register that is gone, and keys that are.
    fs::rename(s.dir.join("register"), s.path("register")).unwrap();
    assert_eq!(of(&doctor(&s, 1), "fail"), ["keys"]);
    fs::rename(s.path("register"), s.dir.join("register")).unwrap();
    fs::rename(&key, s.path("signing.key")).unwrap();
    assert_eq!(of(&doctor(&s, 1), "fail"), ["keys"]);
    fs::rename(s.path("signing.key"), &key).unwrap();
    doctor(&s, 0);
    s.run(&["doctor", "/nowhere/at/all"]).exits(1);
}

#[test]
fn a_configuration_is_looked_through_to_its_certificates_and_lists() {
    let s = Scene::new();
    s.write("serve.toml", CONFIG);
    issue(&s, 2096, 2096);
    let told = doctor(&s, 0);
    for check in ["configuration", "listen", "tls", "certificate", "client roots", "revocation lists"] {
        assert!(of(&told, "ok").iter().any(|c| c == check), "{check}: {told}");
    }
    issue(&s, 2020, 2020);
    let told = doctor(&s, 1);
    assert_eq!(of(&told, "fail"), ["certificate", "revocation lists"], "{told}");
    issue(&s, 2096, 2096);
    fs::set_permissions(s.path("server.key"), fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(of(&doctor(&s, 1), "fail"), ["key file"]);
    fs::remove_file(s.path("crl.pem")).unwrap();
    fs::set_permissions(s.path("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(of(&doctor(&s, 1), "fail"), ["tls", "revocation lists"]);
    s.write("serve.toml", format!("{CONFIG}unheard_of = 1\n"));
    assert_eq!(of(&doctor(&s, 1), "fail"), ["configuration"]);
}
