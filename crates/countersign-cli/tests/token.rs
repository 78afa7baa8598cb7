//! The program with its keys in a token (SoftHSM 2), and where its secrets are not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stderr, clippy::print_stdout, clippy::panic, reason = "tests")]

mod support;

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Ran, Scene, certificates, configured, finish, served};

const PIN: &str = "pin-Xq7rW2mK9-nowhere-else";
const ORIGIN: &str = "agency.example/access";
const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
];

/// A ledger's place and a token of its own.
struct Bench {
    scene: Scene,
    module: PathBuf,
    said: std::cell::RefCell<String>,
}

impl Bench {
    /// `None`, and it says so, where SoftHSM is not installed.
    fn new(test: &str) -> Option<Self> {
        let Some(module) = MODULES.iter().map(PathBuf::from).find(|path| path.exists()) else {
            eprintln!("SKIPPED {test}: SoftHSM 2 is not installed (Debian: apt-get install softhsm2)");
            return None;
        };
        let scene = Scene::empty();
        fs::create_dir(scene.path("tokens")).unwrap();
        let tokens = scene.path("tokens").display().to_string();
        scene.write("softhsm2.conf", format!("directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"));
        let bench = Self { scene, module, said: String::new().into() };
        bench.write_pin(PIN);
        let made = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", "agency", "--so-pin", "so-Xq7rW2mK9", "--pin", PIN])
            .env("SOFTHSM2_CONF", bench.scene.path("softhsm2.conf"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        Some(bench)
    }

    /// The same with kryoptic, where a build of it is named. It takes some minutes, so nothing here makes one:
    /// `cargo build --no-default-features --features kryoptic-lib/dynamic,kryoptic-lib/sqlitedb,kryoptic-lib/ecc_min,kryoptic-lib/hash_all,kryoptic-lib/kdf_all`
    /// in a clone of github.com/latchset/kryoptic, with libssl-dev, libsqlite3-dev and libclang at hand. Its Ed25519 needs OpenSSL 3.2.
    fn kryoptic(test: &str) -> Option<Self> {
        let Some(module) = std::env::var_os("COUNTERSIGN_KRYOPTIC").map(PathBuf::from) else {
            eprintln!("SKIPPED {test}: COUNTERSIGN_KRYOPTIC does not name a libkryoptic_pkcs11.so");
            return None;
        };
        let bench = Self { scene: Scene::empty(), module, said: String::new().into() };
        bench.write_pin(PIN);
        let tool = |args: &[&str]| {
            let mut tool = Command::new("pkcs11-tool");
            tool.arg("--module").arg(&bench.module).args(args).env("KRYOPTIC_CONF", bench.scene.path("kryoptic.sql"));
            let made = tool.output().unwrap();
            assert!(made.status.success(), "{made:?}");
        };
        tool(&["--init-token", "--label", "agency", "--so-pin", "so-Xq7rW2mK9"]);
        tool(&["--login", "--login-type", "so", "--so-pin", "so-Xq7rW2mK9", "--init-pin", "--new-pin", PIN]);
        Some(bench)
    }

    fn write_pin(&self, pin: &str) {
        let file = self.scene.write("pin", format!("{pin}\n"));
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.scene.command(args);
        command.env("SOFTHSM2_CONF", self.scene.path("softhsm2.conf")).env("KRYOPTIC_CONF", self.scene.path("kryoptic.sql"));
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        let ran = finish(self.command(args), args);
        self.said.borrow_mut().push_str(&ran.out);
        self.said.borrow_mut().push_str(&ran.err);
        ran
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        self.run(&args).exits(0).json()
    }

    /// With the token named.
    fn on_token(&self, args: &[&str]) -> Ran {
        let (module, pin) = (self.module.display().to_string(), self.scene.path("pin").display().to_string());
        let token = ["--module", &module, "--token", "agency", "--pin-file", &pin];
        let args: Vec<&str> = args.iter().copied().chain(token).collect();
        self.run(&args)
    }

    fn init(&self) -> String {
        self.on_token(&["key", "init", "--key", "k1", "--origin", ORIGIN]).exits(0);
        let told = self.on_token(&["init", "DIR", "--origin", ORIGIN, "--signer", "pkcs11", "--key", "k1", "--json"]).exits(0).json();
        told["vkey"].as_str().unwrap().to_owned()
    }

    fn approver(&self, uid: u32) -> String {
        let name = format!("Approver {uid}");
        let person = self.json(&["person", "add", "DIR", "--name", &name, "--status", "civilian"])["id"].as_str().unwrap().to_owned();
        let user = format!("uid:{uid}");
        let told = self.json(&["principal", "add", "DIR", "--person", &person, "--os-user", &user, "--role", "approver"]);
        told["id"].as_str().unwrap().to_owned()
    }

    fn file(&self, name: &str) -> String {
        self.scene.path(name).display().to_string()
    }

    /// Enrols an officer's public key, on the operator's word.
    fn enroll(&self, principal: &str, key: &str, approvers: &[&str]) -> Ran {
        let mut args = vec!["officer", "enroll", "DIR", "--principal", principal, "--key", key, "--reason", "hired"];
        approvers.iter().for_each(|a| args.extend(["--approver", a]));
        self.run(&args)
    }

    /// Two approvers with keys in files of their own.
    fn officers(&self) -> [String; 2] {
        let approvers = [self.approver(4001), self.approver(4002)];
        let both: Vec<&str> = approvers.iter().map(String::as_str).collect();
        for who in &approvers {
            self.run(&["officer", "keygen", "--output", &self.file(who)]).exits(0);
            self.enroll(who, &self.file(&format!("{who}.pub")), &both).exits(0);
        }
        approvers
    }

    /// Runs a command to its draft, has each of these sign that, and records it.
    fn signed(&self, args: &[&str], approvers: &[String]) -> Ran {
        let draft = self.file(&format!("draft-{}", fs::read_dir(self.scene.tmp.path()).unwrap().count()));
        self.run(&[args, &["--draft", &draft]].concat()).exits(0);
        let mut record = vec!["record".to_owned(), "signed".into(), "DIR".into(), draft.clone()];
        for who in approvers {
            let signature = format!("{draft}-{who}");
            self.run(&["officer", "sign", &draft, "--key", &self.file(who), "--yes", "--output", &signature]).exits(0);
            record.extend(["--approval".into(), signature]);
        }
        self.run(&record.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

#[test]
fn a_key_from_making_to_destroying() {
    let Some(b) = Bench::new("a_key_from_making_to_destroying") else { return };
    let transcript = b.scene.path("ceremony").display().to_string();
    let made = ["key", "init", "--key", "k1", "--origin", ORIGIN, "--transcript", &transcript, "--present", "Ada Example"];
    let shown = b.on_token(&made).exits(0).out;
    assert!(shown.contains("never_extractable yes") && shown.contains("SoftHSM"), "{shown}");
    let written = fs::read_to_string(&transcript).unwrap();
    assert!(written.contains("present            Ada Example") && written.contains("module SHA-256"), "{written}");
    assert!(b.on_token(&["key", "init", "--key", "k1", "--origin", ORIGIN]).exits(5).err.contains("no second one is made"));
    b.on_token(&["init", "DIR", "--origin", ORIGIN, "--signer", "pkcs11", "--key", "absent"]).exits(3);
    b.on_token(&["init", "DIR", "--origin", "agency.example/software", "--signer", "pkcs11", "--key", "k1"]).exits(5);
    b.run(&["init", "DIR", "--origin", ORIGIN, "--signer", "pkcs11"]).exits(2);
    let vkey = b.on_token(&["init", "DIR", "--origin", ORIGIN, "--signer", "pkcs11", "--key", "k1", "--json"]).exits(0).json();
    let vkey = vkey["vkey"].as_str().unwrap().to_owned();
    assert!(written.contains(&vkey));
    let officers = b.officers();
    let [one, two] = officers.clone();

    // One key follows another; what is pinned stays.
    b.on_token(&["key", "init", "--key", "k2", "--origin", ORIGIN, "--algorithm", "p256"]).exits(0);
    let rotation = ["key", "rotate", "DIR", "--key", "k2", "--reason", "yearly", "--both-for", "2", "--approver", &one];
    assert!(b.run(&rotation).exits(5).err.contains("two approvers are needed"));
    assert!(b.run(&[&rotation[..], &["--approver", &one]].concat()).exits(5).err.contains("different people"));
    let rotation = [&rotation[..], &["--approver", &two]].concat();
    assert!(b.run(&rotation).exits(5).err.contains("sign this with their own keys"));
    b.signed(&rotation, &officers).exits(0);
    assert!(b.run(&rotation).exits(5).err.contains("is a key of this log already"));
    assert!(b.run(&["key", "destroy", "DIR", "--key", "k1"]).exits(5).err.contains("signs for this ledger"));
    b.run(&["key", "attest", "DIR"]).exits(0);
    b.approver(4003);
    let size = b.json(&["status", "DIR"])["size"].as_u64().unwrap().to_string();
    let revoke = ["key", "revoke", "DIR", "--vkey", &vkey, "--last-size", &size, "--reason", "left the building", "--approver", &one];
    assert!(b.run(&revoke).exits(5).err.contains("two approvers are needed"));
    b.signed(&[&revoke[..], &["--approver", &two]].concat(), &officers).exits(0);
    let gone = b.json(&["key", "destroy", "DIR", "--key", "k1"])["entry"].to_string();
    let listed = b.on_token(&["key", "list"]).exits(0).out;
    assert!(!listed.contains("k1 ") && listed.contains("k2 ") && listed.contains("k1-wrap-"), "{listed}");
    b.approver(4004);

    // Data keys under a new key: the file from before opens no more.
    let file = b.scene.dir.join("keys/data.keys");
    let old = fs::read(&file).unwrap();
    let rewrapped = b.json(&["key", "rewrap", "DIR"])["entry"].to_string();
    b.approver(4005);
    let new = fs::read(&file).unwrap();
    fs::write(&file, old).unwrap();
    b.run(&["status", "DIR"]).exits(3);
    fs::write(&file, new).unwrap();
    let status = b.json(&["status", "DIR"]);
    assert_eq!(status["vkey"], vkey);
    assert_ne!(status["signing_key"], status["vkey"]);

    // Nothing but the vkey pinned at first, and no token.
    let export = b.scene.path("export").display().to_string();
    b.run(&["export", "DIR", &export, "--public-only"]).exits(0);
    let shown = b.scene.run(&["verify", "DIR", "--vkey", &vkey]).exits(0).out;
    assert!(shown.contains("told by the operator's program"), "{shown}");
    // What was done in the token stands in the ledger, on the operator's word.
    let told = |entry: &str, what: &str| shown.lines().any(|line| line.contains(&format!("entry {entry}: ")) && line.contains(what));
    assert!(told(&gone, "destroyed true") && told(&rewrapped, "wrapping_key_destroyed k1-wrap-"), "{shown}");
    // Two enrolments before anybody could sign, then two approvals of a rotation and two of a revocation.
    assert!(shown.contains("who approved 2 entries: approvals asserted by the operator"), "{shown}");
    assert!(shown.contains("        4  approvals checked against officers' enrolled keys"), "{shown}");
    let keys = b.scene.path("keys.json").display().to_string();
    b.run(&["export-keys", "DIR", "--output", &keys]).exits(0);
    b.scene.run(&["verify", "DIR", "--vkey", &vkey, "--keys", &keys]).exits(0);
}

/// A P-256 key and its certificate, as a smart card's or an agency's authority would give them.
fn certificate(b: &Bench, name: &str, key: &[&str]) -> (String, String) {
    let (private, certificate) = (b.file(&format!("{name}.key")), b.file(&format!("{name}.pem")));
    let fixed = ["req", "-x509", "-nodes", "-subj", "/CN=An Officer", "-keyout", &private, "-out", &certificate, "-newkey"];
    let made = Command::new("openssl").args(fixed).args(key).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).unwrap();
    (private, certificate)
}

#[test]
fn a_list_changes_by_two_people_of_the_ethics_office() {
    let Some(b) = Bench::new("a_list_changes_by_two_people_of_the_ethics_office") else { return };
    let vkey = b.init();
    let officers = b.officers();
    let [one, two] = officers.clone();
    let person = b.json(&["person", "add", "DIR", "--name", "Second", "--status", "civilian"])["id"].as_str().unwrap().to_owned();
    let second = b.json(&["principal", "add", "DIR", "--person", &person, "--os-user", "uid:4010", "--role", "ethics_officer"]);
    let second = second["id"].as_str().unwrap().to_owned();
    b.run(&["officer", "keygen", "--output", &b.file(&second)]).exits(0);
    let key = b.file(&format!("{second}.pub"));
    let enroll = ["officer", "enroll", "DIR", "--principal", &second, "--key", &key, "--reason", "hired"];
    b.signed(&[&enroll[..], &["--approver", &one, "--approver", &two]].concat(), &officers).exits(0);
    fs::write(b.scene.path("policy.json"), r#"{"signatures_required": ["list.approval"]}"#).unwrap();
    b.run(&["policy", "set", "DIR", "--file", &b.file("policy.json")]).exits(0);

    let add = ["list", "add", "DIR", "--id", "l-1", "--kind", "restricted", "--name", "A list"];
    assert!(b.run(&add).exits(5).err.contains("the signature of a second person of the ethics office"));
    assert!(b.signed(&add, &officers[..1]).exits(5).err.contains("another person of the ethics office"), "an approver is none");
    b.signed(&add, std::slice::from_ref(&second)).exits(0);
    let keys = b.scene.path("keys.json").display().to_string();
    b.run(&["export-keys", "DIR", "--output", &keys]).exits(0);
    let shown = b.scene.run(&["verify", "DIR", "--vkey", &vkey, "--keys", &keys]).exits(0).out;
    // Two of the enrolment, one of the list.
    assert!(shown.contains("        3  approvals checked against officers' enrolled keys"), "{shown}");
}

#[test]
fn a_name_is_redacted_by_two_officers_signatures() {
    let Some(b) = Bench::new("a_name_is_redacted_by_two_officers_signatures") else { return };
    let vkey = b.init();
    let officers = b.officers();
    let [one, two] = officers.clone();
    let entry = (0..b.json(&["status", "DIR"])["size"].as_u64().unwrap()).map(|i| i.to_string()).find(|i| {
        let shown = b.run(&["record", "show", "DIR", i]);
        shown.out.contains("Approver 4001")
    });
    let entry = entry.unwrap();
    let redact = ["record", "redact", "DIR", &entry, "--field", "name", "--authority", "5 U.S.C. 552a(d)", "--approver", &one];
    assert!(b.run(&redact).exits(5).err.contains("two approvers are needed"));
    let redact = [&redact[..], &["--approver", &two]].concat();
    assert!(b.run(&redact).exits(5).err.contains("sign this with their own keys"));
    let told = b.signed(&redact, &officers).exits(0).out;
    assert!(told.contains("can be read no more"), "{told}");
    let shown = b.run(&["record", "show", "DIR", &entry]).exits(0).out;
    assert!(shown.contains("[redacted]") && !shown.contains("Approver 4001"), "{shown}");
    assert!(b.run(&redact).exits(5).err.contains("redacted already"));
    b.approver(4003);
    let keys = b.scene.path("keys.json").display().to_string();
    b.run(&["export-keys", "DIR", "--output", &keys]).exits(0);
    let shown = b.scene.run(&["verify", "DIR", "--vkey", &vkey, "--keys", &keys]).exits(0).out;
    assert!(shown.contains("        1  redactions held against the stored record"), "{shown}");
    assert!(shown.contains("        2  approvals checked against officers' enrolled keys"), "{shown}");
}

#[test]
fn officers_sign_with_a_card_and_with_a_certificates_key() {
    let test = "officers_sign_with_a_card_and_with_a_certificates_key";
    let Some(b) = Bench::new(test) else { return };
    if Command::new("openssl").arg("version").output().is_err() {
        return eprintln!("SKIPPED {test}: openssl is not installed");
    }
    let vkey = b.init();
    let [one, two, three] = [4001, 4002, 4003].map(|uid| b.approver(uid));
    // One officer's key never leaves a token, the other's belongs to a certificate.
    b.on_token(&["key", "init", "--key", "card", "--origin", "officer", "--algorithm", "p256"]).exits(0);
    let card = b.file("card.pub");
    b.on_token(&["officer", "public", "--key", "card", "--output", &card]).exits(0);
    let (private, pem) = certificate(&b, "officer", &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    let rsa = certificate(&b, "rsa", &["rsa:2048"]).1;
    let both = [one.as_str(), two.as_str()];
    assert!(b.enroll(&one, &rsa, &both).exits(5).err.contains("an RSA key is not taken"));
    assert!(b.enroll("pr-nobody", &card, &both).exits(3).err.contains("is not recorded"));
    b.enroll(&one, &card, &both).exits(0);
    assert!(b.enroll(&two, &card, &both).exits(5).err.contains("one officer's for ever"));
    b.enroll(&two, &pem, &both).exits(0);
    let (third, third_pem) = certificate(&b, "third", &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    assert!(b.enroll(&three, &third_pem, &both).exits(5).err.contains("sign this with their own keys"));
    let keys = b.json(&["officer", "list", "DIR"]);
    assert_eq!(keys["rows"].as_array().unwrap().len(), 2);
    assert_eq!((&keys["rows"][1]["principal"], &keys["rows"][1]["kind"]), (&two.as_str().into(), &"p256".into()));

    // A certificate that is no longer in force brings no key in.
    let mut lapsed = rcgen::CertificateParams::new(Vec::new()).unwrap();
    (lapsed.not_before, lapsed.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2021, 1, 1));
    let lapsed = lapsed.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
    fs::write(b.scene.path("lapsed.pem"), lapsed.pem()).unwrap();
    assert!(b.enroll(&two, &b.file("lapsed.pem"), &both).exits(5).err.contains("and not now"));

    // The request is written, read, signed by each where they are, and recorded.
    b.on_token(&["key", "init", "--key", "k2", "--origin", ORIGIN]).exits(0);
    let draft = b.file("rotation");
    let rotate = |key: &str, draft: &str| {
        let args = ["key", "rotate", "DIR", "--key", key, "--reason", "yearly", "--approver", &one, "--approver", &two, "--draft", draft];
        b.run(&args).exits(0)
    };
    let size = b.json(&["status", "DIR"])["size"].clone();
    assert!(rotate("k2", &draft).out.contains("Nothing is recorded yet"));
    assert_eq!(b.json(&["status", "DIR"])["size"], size);
    let shown = b.run(&["officer", "sign", &draft, "--key", &private]).exits(0).out;
    assert!(
        shown.contains("signing key") && shown.contains(ORIGIN) && shown.contains("yearly") && shown.contains("Nothing is signed yet"),
        "{shown}"
    );
    let signatures = ["one", "two", "three"].map(|name| b.file(name));
    let [by_card, by_file, by_third] = &signatures;
    b.on_token(&["officer", "sign", &draft, "--key", "card", "--yes", "--output", by_card]).exits(0);
    fs::set_permissions(&private, fs::Permissions::from_mode(0o644)).unwrap();
    let sign = ["officer", "sign", &draft, "--key", &private, "--yes", "--output", by_file];
    assert!(b.run(&sign).exits(5).err.contains("open to others"));
    fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).unwrap();
    b.run(&sign).exits(0);
    b.run(&["officer", "sign", &draft, "--key", &third, "--yes", "--output", by_third]).exits(0);
    let record = |files: &[&str]| {
        let mut args = vec!["record", "signed", "DIR", &draft];
        files.iter().for_each(|file| args.extend(["--approval", file]));
        b.run(&args)
    };
    assert!(record(&[]).exits(5).err.contains("sign this with their own keys"));
    assert!(record(&[by_card]).exits(5).err.contains(&format!("{two} has not signed")));
    assert!(record(&[by_card, by_third]).exits(5).err.contains("not enrolled here"));
    assert_eq!(b.json(&["status", "DIR"])["size"], size);
    record(&[by_file, by_card]).exits(0);

    // Stolen, the approvals are good for no other rotation.
    b.on_token(&["key", "init", "--key", "k3", "--origin", ORIGIN]).exits(0);
    let other = b.file("rotation-2");
    rotate("k3", &other);
    let stolen = b.run(&["record", "signed", "DIR", &other, "--approval", by_card, "--approval", by_file]).exits(5);
    assert!(stolen.err.contains("over another request"), "{}", stolen.err);

    let export = b.file("export");
    b.run(&["export", "DIR", &export, "--public-only"]).exits(0);
    for ledger in ["DIR", &export] {
        let shown = b.scene.run(&["verify", ledger, "--vkey", &vkey]).exits(0).out;
        assert!(shown.contains("        2  approvals checked against officers' enrolled keys"), "{shown}");
    }
    let keys = b.file("keys.json");
    b.run(&["export-keys", "DIR", "--output", &keys]).exits(0);
    b.scene.run(&["verify", "DIR", "--vkey", &vkey, "--keys", &keys]).exits(0);
}

#[test]
fn what_is_said_when_the_token_does_not_open() {
    let Some(b) = Bench::new("what_is_said_when_the_token_does_not_open") else { return };
    let vkey = b.init();
    b.write_pin("pin-wrong");
    assert!(b.run(&["status", "DIR"]).exits(4).err.contains("refused the PIN"));
    b.write_pin(PIN);
    fs::set_permissions(b.scene.path("pin"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(b.run(&["status", "DIR"]).exits(5).err.contains("open to everybody"));
    fs::set_permissions(b.scene.path("pin"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(b.scene.path("tokens"), b.scene.path("away")).unwrap();
    assert!(b.run(&["status", "DIR"]).exits(1).err.contains("plugged in"));
    // Verifying needs no token.
    b.scene.run(&["verify", "DIR", "--vkey", &vkey]).exits(0);
    fs::rename(b.scene.path("away"), b.scene.path("tokens")).unwrap();
    b.run(&["status", "DIR"]).exits(0);
    // A PIN from systemd, without any flag.
    fs::rename(b.scene.path("pin"), b.scene.path("countersign-pin")).unwrap();
    b.run(&["status", "DIR"]).exits(3);
    let mut command = b.command(&["status", "DIR"]);
    command.env("CREDENTIALS_DIRECTORY", b.scene.tmp.path());
    finish(command, &["status"]).exits(0);
}

#[test]
fn over_the_network_reading_goes_on_while_the_token_is_away() {
    let test = "over_the_network_reading_goes_on_while_the_token_is_away";
    let Some(b) = Bench::new(test) else { return };
    if Command::new("curl").arg("--version").output().is_err() {
        return eprintln!("SKIPPED {test}: curl is not installed");
    }
    let vkey = b.init();
    let approver = b.approver(4001);
    let person = b.json(&["person", "add", "DIR", "--name", "Cy Tester", "--status", "civilian"])["id"].as_str().unwrap().to_owned();
    let officer = b.json(&["principal", "add", "DIR", "--person", &person, "--role", "access-officer"])["id"].as_str().unwrap().to_owned();
    let authority = certificates(&b.scene);
    let (mut card, key) = (rcgen::CertificateParams::default(), rcgen::KeyPair::generate().unwrap());
    card.distinguished_name.push(rcgen::DnType::CommonName, "TESTER.CY.1234567890");
    let certificate = b.scene.write("card.pem", card.signed_by(&key, &authority).unwrap().pem());
    b.scene.write("card.key", key.serialize_pem());
    let link = ["login", "link", "DIR", "--principal", &officer, "--certificate", &certificate, "--by", "edipi", "--evidence", "seen"];
    b.run(&[&link[..], &["--approver", &approver]].concat()).exits(0);
    let config = configured(&b.scene);
    let (mut child, told) = served(b.command(&["serve", "DIR", "--config", &config, "--json"]));
    let mut log = child.stderr.take().unwrap();
    let logged = std::thread::spawn(move || log.read_to_end(&mut Vec::new()).unwrap());
    let port = told["address"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let ask = |path: &str, more: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--cacert", &b.file("roots.pem"), "--cert", &certificate, "--key", &b.file("card.key"), "-w", "\n%{http_code}"]);
        let output = curl.args(more).arg(format!("https://localhost:{port}{path}")).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.to_owned(), body.to_owned())
    };
    let put = |id: &str| {
        let (key, body) = (format!("Idempotency-Key: provider-number-{id}"), format!(r#"{{"id":"{id}","name":"A lab"}}"#));
        ask("/api/v1/providers", &["-H", "Content-Type: application/json", "-H", &key, "-d", &body])
    };
    let rows = || {
        let (status, body) = ask("/api/v1/providers", &[]);
        assert_eq!(status, "200", "{body}");
        serde_json::from_str::<Value>(&body).unwrap()["rows"].as_array().unwrap().len()
    };
    let (status, told) = put("lab1");
    assert_eq!((status.as_str(), rows()), ("201", 1), "{told}");
    fs::rename(b.scene.path("tokens"), b.scene.path("away")).unwrap();
    assert_eq!(put("lab2").0, "503");
    for _ in 0..3 {
        assert_eq!((ask("/checkpoint", &[]).0.as_str(), rows()), ("200", 1));
    }
    assert_eq!(put("lab3").0, "503", "the token is not away any more");
    fs::rename(b.scene.path("away"), b.scene.path("tokens")).unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while !["200", "201"].contains(&put("lab2").0.as_str()) {
        assert!(Instant::now() < patience, "{:?}", put("lab2"));
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(rows(), 2);
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    assert!(logged.join().unwrap() > 0);
    let keys = b.file("keys.json");
    b.run(&["export-keys", "DIR", "--output", &keys]).exits(0);
    b.scene.run(&["verify", "DIR", "--vkey", &vkey, "--keys", &keys]).exits(0);
}

#[test]
fn secrets_are_not_where_they_can_be_found() {
    let Some(b) = Bench::new("secrets_are_not_where_they_can_be_found") else { return };
    b.init();
    let keys = b.json(&["export-keys", "DIR", "--output", &b.scene.path("keys.json").display().to_string()]);
    assert!(keys["keys"].as_u64().unwrap() > 0);
    let keys: Value = serde_json::from_slice(&fs::read(b.scene.path("keys.json")).unwrap()).unwrap();
    let key = hex::decode(keys.as_object().unwrap().values().next().unwrap().as_str().unwrap()).unwrap();

    // A program in the middle of its work: it has logged in and waits for lines.
    let mut command = b.command(&["access", "log", "DIR", "--file", "-"]);
    let cwd = b.scene.path("cwd");
    fs::create_dir(&cwd).unwrap();
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).current_dir(&cwd).spawn().unwrap();
    wait_until_logged_in(&running, &b.module);
    for file in ["environ", "cmdline"] {
        let bytes = fs::read(format!("/proc/{}/{file}", running.id())).unwrap();
        assert_eq!(occurrences(&bytes, PIN.as_bytes()), 0, "{file}");
        println!("/proc/PID/{file}: {} bytes, the PIN 0 times", bytes.len());
    }
    match memory(&running) {
        Ok((bytes, pin)) => {
            println!("memory: {bytes} bytes searched, the PIN {pin} times");
            assert_eq!(pin, 0);
        }
        Err(e) => println!("memory: not to be read even by its own user ({e})"),
    }
    // An abort leaves no core file, where one of another program does.
    let control = Command::new("sh").args(["-c", "ulimit -c unlimited; kill -ABRT $$"]).current_dir(&cwd).status().unwrap();
    assert_eq!(control.signal(), Some(6));
    let cores = |when: &str| {
        let found: Vec<_> = fs::read_dir(&cwd).unwrap().map(|e| e.unwrap().path()).collect();
        println!("core files {when}: {}", found.len());
        found
    };
    let control = cores("of a shell that was aborted");
    control.iter().for_each(|core| fs::remove_file(core).unwrap());
    rustix::process::kill_process(rustix::process::Pid::from_child(&running), rustix::process::Signal::ABORT).unwrap();
    assert_eq!(running.wait().unwrap().signal(), Some(6));
    assert!(cores("of countersign that was aborted").is_empty());
    if control.is_empty() {
        eprintln!("SKIPPED: this machine writes no core files into the working directory, so that none was written says nothing");
    }

    // Nothing that was ever said, and no file but the one it is in.
    let said = b.said.borrow().clone();
    assert_eq!(occurrences(said.as_bytes(), PIN.as_bytes()), 0);
    assert_eq!(occurrences(said.as_bytes(), hex::encode(&key).as_bytes()), 0);
    println!("everything the commands said: {} bytes, PIN and data key 0 times", said.len());
    let (mut files, mut found) = (0, 0);
    for (path, bytes) in b.scene.bytes() {
        files += 1;
        found += occurrences(&bytes, PIN.as_bytes()) + occurrences(&bytes, &key) + occurrences(&bytes, hex::encode(&key).as_bytes());
        assert_eq!(found, 0, "{}", path.display());
    }
    println!("the ledger's {files} files: PIN and data key {found} times");
}

#[test]
fn a_second_module_signs_a_ledger() {
    let Some(b) = Bench::kryoptic("a_second_module_signs_a_ledger") else { return };
    b.on_token(&["key", "init", "--key", "k1", "--origin", ORIGIN, "--algorithm", "p256"]).exits(0);
    let told = b.on_token(&["init", "DIR", "--origin", ORIGIN, "--signer", "pkcs11", "--key", "k1", "--json"]).exits(0).json();
    let vkey = told["vkey"].as_str().unwrap().to_owned();
    let officers = b.officers();
    b.on_token(&["key", "init", "--key", "k2", "--origin", ORIGIN, "--algorithm", "p256"]).exits(0);
    let [one, two] = &officers;
    b.signed(&["key", "rotate", "DIR", "--key", "k2", "--reason", "yearly", "--approver", one, "--approver", two], &officers).exits(0);
    b.run(&["key", "rewrap", "DIR"]).exits(0);
    b.run(&["key", "destroy", "DIR", "--key", "k1"]).exits(0);
    b.approver(4003);
    let keys = b.file("keys.json");
    b.run(&["export-keys", "DIR", "--output", &keys]).exits(0);
    let shown = b.scene.run(&["verify", "DIR", "--vkey", &vkey, "--keys", &keys]).exits(0).out;
    assert!(shown.contains("Kryoptic") && shown.contains("        2  approvals checked"), "{shown}");
}

#[test]
fn memory_is_locked_where_the_system_sets_no_bound() {
    let test = "memory_is_locked_where_the_system_sets_no_bound";
    let Some(b) = Bench::new(test) else { return };
    b.init();
    let locked = |limit: &str| {
        let program = b.command(&["access", "log", "DIR", "--file", "-"]);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -l {limit} && exec \"$0\" \"$@\"")]).arg(program.get_program()).args(program.get_args());
        shell.env("SOFTHSM2_CONF", b.scene.path("softhsm2.conf")).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut running = shell.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        if running.try_wait().unwrap().is_some() {
            return None;
        }
        wait_until_logged_in(&running, &b.module);
        let status = fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap();
        drop(running.stdin.take());
        running.wait().unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
        Some(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap())
    };
    assert_eq!(locked("8192"), Some(0), "under a bound nothing is locked");
    match locked("unlimited") {
        Some(kilobytes) => {
            println!("locked: {kilobytes} kB");
            assert!(kilobytes > 1_000);
        }
        None => eprintln!("SKIPPED {test}: this user may not lift the limit on locked memory"),
    }
}

/// The module is mapped, and the program waits.
fn wait_until_logged_in(running: &Child, module: &Path) {
    let name = module.file_name().unwrap().to_str().unwrap();
    let patience = Instant::now() + Duration::from_secs(20);
    let proc = PathBuf::from(format!("/proc/{}", running.id()));
    let read = |file: &str| fs::read_to_string(proc.join(file)).unwrap_or_default();
    while !(read("maps").contains(name) && read("wchan").contains("pipe")) && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(read("maps").contains(name), "the module was not loaded");
    std::thread::sleep(Duration::from_millis(500));
}

/// Bytes of the process that could be read, and how often the PIN is among them.
fn memory(running: &Child) -> std::io::Result<(usize, usize)> {
    let maps = fs::read_to_string(format!("/proc/{}/maps", running.id()))?;
    let mem = File::open(format!("/proc/{}/mem", running.id()))?;
    let (mut searched, mut found) = (0, 0);
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|rights| rights.starts_with("rw"))) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        if mem.read_exact_at(&mut bytes, from).is_ok() {
            searched += bytes.len();
            found += occurrences(&bytes, PIN.as_bytes());
        }
    }
    assert!(searched > 0);
    Ok((searched, found))
}

fn occurrences(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes.windows(wanted.len()).filter(|window| *window == wanted).count()
}

#[test]
fn the_search_finds_what_is_there() {
    // The memory of a program that does hold these bytes.
    let Some(b) = Bench::new("the_search_finds_what_is_there") else { return };
    let mut holds = Command::new("sh").args(["-c", "read held; read never"]).stdin(Stdio::piped()).spawn().unwrap();
    writeln!(holds.stdin.as_mut().unwrap(), "{PIN}").unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let (searched, found) = memory(&holds).unwrap();
    println!("a shell that was given the PIN: {searched} bytes searched, the PIN {found} times");
    assert!(found > 0);
    holds.kill().unwrap();
    holds.wait().unwrap();
    drop(b);
}
