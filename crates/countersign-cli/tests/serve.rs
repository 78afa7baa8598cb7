//! `countersign serve` as its operator runs it, and the command line beside it: commands record through the socket in the ledger's directory, and
//! whoever acts is still the operating system's user.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command};
use std::time::Duration;

use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::Value;
use support::{Scene, certificates, configured, is_root, served};

const STRANGER: u32 = 2003;
const INSPECTOR: u32 = 2004;

/// A ledger that is served, and an approver.
struct Served {
    scene: Scene,
    child: Child,
    operations: String,
    person: String,
    /// Where it says how far it is, as to systemd.
    systemd: UnixDatagram,
}

impl Served {
    fn start() -> Self {
        let scene = Scene::new();
        let person = scene.add(&[
            "person",
            "add",
            "DIR",
            "--name",
            "Bo Tester",
            "--status",
            "civilian",
            "--organization",
            organization(&scene).as_str(),
        ]);
        certificates(&scene);
        let config = configured(&scene);
        scene.run(&["config", "check", &config]).exits(0);
        let place = scene.path("notify");
        let systemd = UnixDatagram::bind(&place).unwrap();
        systemd.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut command = scene.command(&["serve", "DIR", "--config", &config, "--json"]);
        command.env("NOTIFY_SOCKET", &place);
        let (child, told) = served(command);
        let served = Self { scene, child, operations: told["operations"].as_str().unwrap().to_owned(), person, systemd };
        served.hears("READY=1");
        served
    }

    fn hears(&self, what: &str) {
        let mut bytes = [0; 64];
        let len = self.systemd.recv(&mut bytes).unwrap();
        assert_eq!(str::from_utf8(&bytes[..len]), Ok(what));
    }

    /// Asks it to stop, and waits.
    fn stop(mut self) -> Scene {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.hears("STOPPING=1");
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(self.child.wait().unwrap().success(), "{log}");
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).expect("every line of the log is JSON");
            assert!(line["level"].as_str() != Some("ERROR"), "{line}");
        }
        assert!(log.contains("\"stopped\""), "{log}");
        self.scene
    }
}

fn organization(scene: &Scene) -> String {
    scene.add(&["org", "add", "DIR", "--id", "nist", "--name", "NIST", "--kind", "agency"])
}

#[test]
fn commands_work_while_the_ledger_is_served_and_the_user_is_still_who_acts() {
    let served = Served::start();
    let (s, person) = (&served.scene, served.person.as_str());
    let socket = s.dir.join("serve.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let before = s.size();
    // One that records and says what came of it, one that is recorded once under its key, one that is refused, and one that asks.
    let provider = ["provider", "add", "DIR", "--id", "acme", "--name", "Acme Models", "--idempotency-key", "only-once-1"];
    s.add(&provider);
    let again = s.json(&provider);
    assert_eq!((again["repeated"].as_bool(), again["recorded"].as_bool()), (Some(true), Some(true)));
    s.run(&["provider", "add", "DIR", "--id", "acme", "--name", "Other Models"]).exits(5);
    s.run(&["grant", "request", "DIR", "--person", person, "--submission", "S-none1", "--duty", "review"]).exits(3);
    let asked = s.json(&["query", "person", "DIR", person]);
    assert!(asked["read_entry"].as_u64().is_some(), "the question is recorded through the socket: {asked}");
    assert_eq!(s.size(), before + 2);
    // Many at a time go the same way, in order: a file of accesses, each line with its result, and an import.
    let event = |n: usize| {
        let who = if n == 7 { "nobody" } else { person };
        format!("{{\"person\":\"{who}\",\"submission\":\"S-0001\",\"action\":\"view\",\"occurred_at\":\"2026-01-01T00:00:00Z\"}}\n")
    };
    let file = s.write("events.ndjson", (0..300).map(event).collect::<String>());
    let args = ["access", "log", "DIR", "--file", &file, "--idempotency-key", "a-file-1", "--json"];
    let told = s.run(&args).exits(6).json();
    assert_eq!((told["recorded"].as_u64(), told["failed"].as_u64(), s.size()), (Some(299), Some(1), before + 301));
    let entries: Vec<u64> = told["lines"].as_array().unwrap().iter().filter_map(|line| line["entry"].as_u64()).collect();
    assert!(entries.len() == 299 && entries.is_sorted(), "{told}");
    assert_eq!(s.run(&args).exits(6).json()["lines"], told["lines"], "the same file under the same key is recorded once");
    let rows = (0..150).map(|n| format!("org-{n},Office {n},agency\n")).collect::<String>();
    let file = s.write("organizations.csv", format!("id,name,kind\n{rows}"));
    let told = s.run(&["import", "DIR", "--source", "organizations", "--file", &file, "--commit", "--json"]).exits(0).json();
    assert_eq!((told["recorded"].as_bool(), told["results"].as_array().unwrap().len(), s.size()), (Some(true), 150, before + 452));
    let again = s.run(&["import", "DIR", "--source", "organizations", "--file", &file, "--commit"]).exits(0).out;
    assert!(again.contains("imported before"), "{again}");
    // What needs the ledger itself says that somebody else has it.
    let tick = s.run(&["tick", "DIR"]).exits(1);
    assert!(tick.err.contains("another writer holds"), "{}", tick.err);
    if is_root("commands_work_while_the_ledger_is_served") {
        s.run_as(STRANGER, &["provider", "add", "DIR", "--id", "beta", "--name", "Beta"]).exits(4);
    }
    let mut stream = TcpStream::connect(&served.operations).unwrap();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut ready = String::new();
    stream.read_to_string(&mut ready).unwrap();
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    let scene = served.stop();
    assert!(!socket.exists());
    // What the service kept for itself is anybody's again.
    scene.add(&["provider", "add", "DIR", "--id", "gamma", "--name", "Gamma"]);
    scene.verified();
}

#[test]
fn an_inquiry_goes_through_the_socket_with_the_question() {
    if !is_root("an_inquiry_goes_through_the_socket_with_the_question") {
        return;
    }
    let served = Served::start();
    let (s, person) = (&served.scene, served.person.as_str());
    s.add(&["principal", "add", "DIR", "--person", person, "--os-user", "uid:2004", "--role", "inspector_general"]);
    let size = s.size();
    let refused = s.run_as(INSPECTOR, &["query", "person", "DIR", person]).exits(4);
    assert!(refused.out.is_empty() && refused.err.contains("name the inquiry"), "{}", refused.err);
    assert_eq!(s.size(), size);
    let told = s.run_as(INSPECTOR, &["query", "person", "DIR", person, "--inquiry", "26-0117", "--json"]).exits(0).json();
    let read = s.json(&["record", "show", "DIR", &told["read_entry"].to_string()]);
    assert_eq!((&read["record"]["inquiry"], &read["record"]["subject"]), (&Value::from("26-0117"), &Value::from(person)), "{read}");
    // With the service stopped it is recorded in the directory itself.
    let scene = served.stop();
    let told = scene.run_as(INSPECTOR, &["access", "list", "DIR", "--inquiry", "26-0118", "--json"]).exits(0).json();
    let read = scene.json(&["record", "show", "DIR", &told["read_entry"].to_string()]);
    assert_eq!(read["record"]["inquiry"], "26-0118", "{read}");
    scene.verified();
}

#[test]
fn a_certificate_and_a_key_are_linked_under_two_pairs_of_eyes() {
    let s = Scene::new();
    organization(&s);
    let person = |name: &str| s.add(&["person", "add", "DIR", "--name", name, "--status", "civilian", "--organization", "nist"]);
    let (bo, cy) = (person("Bo Tester"), person("Cy Tester"));
    let principal = |more: &[&str]| s.add(&[&["principal", "add", "DIR"], more].concat());
    let approver = principal(&["--person", &bo, "--role", "approver"]);
    let officer = principal(&["--person", &cy, "--role", "access-officer"]);
    let gateway = principal(&["--role", "gateway"]);
    let issuer = certificates(&s);
    let mut card = CertificateParams::default();
    card.distinguished_name.push(DnType::CommonName, "TESTER.CY.1234567890");
    let certificate = s.write("card.pem", card.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().pem());
    let link = |principal: &str, approver: &str, by: &str| {
        s.run(&[
            "login",
            "link",
            "DIR",
            "--principal",
            principal,
            "--certificate",
            &certificate,
            "--by",
            by,
            "--evidence",
            "seen",
            "--approver",
            approver,
        ])
    };
    link(&officer, &approver, "upn").exits(5);
    link(&officer, &officer, "edipi").exits(5);
    link(&officer, &approver, "edipi").exits(0);
    link(&gateway, &approver, "edipi").exits(5);
    let account = |more: &[&str]| {
        s.run(&[&["login", "link", "DIR", "--principal", &officer, "--evidence", "seen", "--approver", &approver], more].concat())
    };
    account(&["--oidc-issuer", "https://login.example", "--oidc-subject", "subject-1"]).exits(0);
    account(&["--oidc-issuer", "https://login.example"]).exits(2);
    account(&[]).exits(2);
    let file = s.path("gateway.key");
    let key =
        ["login", "key", "DIR", "--principal", &gateway, "--evidence", "ordered", "--approver", &approver, "-o", file.to_str().unwrap()];
    let id = s.json(&key)["id"].as_str().unwrap().to_owned();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("csk_") && text.trim_end().ends_with(&id));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    s.run(&["login", "revoke", "DIR", &id, "--reason", "replaced"]).exits(0);
    let rows = s.json(&["login", "list", "DIR"])["rows"].as_array().unwrap().clone();
    let stands: Vec<(&str, bool)> = rows.iter().map(|r| (r["kind"].as_str().unwrap(), r["stands"].as_bool().unwrap())).collect();
    assert!(stands.contains(&("cac", true)) && stands.contains(&("oidc", true)) && stands.contains(&("api_key", false)), "{stands:?}");
    s.verified();
}

#[test]
fn a_configuration_with_a_key_nobody_knows_is_none() {
    let s = Scene::empty();
    let good = "[listen]\naddress = \"127.0.0.1:8443\"\noperations = \"127.0.0.1:9443\"\n[tls]\ncertificate = \"a\"\nkey = \"b\"\nclient_roots = \"c\"\n";
    let (good, bad) = (s.write("good.toml", good), s.write("bad.toml", format!("{good}insecure = true\n")));
    s.run(&["config", "check", &good]).exits(0);
    assert!(s.run(&["config", "show", &good]).exits(0).out.contains("connections_max"));
    assert!(s.run(&["config", "check", &bad]).exits(5).err.contains("insecure"));
    s.run(&["config", "check", "nowhere.toml"]).exits(3);
}
