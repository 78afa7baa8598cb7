//! Running the real program against ledgers in throw-away directories.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests, each of which uses a part"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::Value;
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign");
pub const ORIGIN: &str = "agency.example/access/software";

/// What a run of the program came to.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
    what: String,
}

impl Ran {
    /// Holds the exit code to what it has to be.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\nstdout: {}\nstderr: {}", self.what, self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        assert!(!self.out.contains('\u{1b}') && !self.err.contains('\u{1b}'), "escape sequences without a terminal: {}", self.what);
        self
    }

    /// The one JSON object on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.out.lines().count(), 1, "{}: {}", self.what, self.out);
        let value: Value = serde_json::from_str(&self.out).unwrap();
        assert!(value["schema"].as_str().unwrap().starts_with("countersign/"), "{}", self.out);
        value
    }
}

/// A ledger of its own, with its program.
pub struct Scene {
    pub tmp: TempDir,
    pub dir: PathBuf,
}

impl Scene {
    /// An empty directory to make a ledger in.
    pub fn empty() -> Self {
        let tmp = TempDir::new().unwrap();
        fs::set_permissions(tmp.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let dir = tmp.path().join("led");
        Self { tmp, dir }
    }

    /// A new ledger.
    pub fn new() -> Self {
        let scene = Self::empty();
        scene.run(&["init", "DIR", "--origin", ORIGIN, "--name", "Ada Example"]).exits(0);
        scene
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.tmp.path().join(name)
    }

    /// The program with these arguments; `DIR` stands for the ledger's directory.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir("/").stdin(Stdio::null()).env_remove("CREDENTIALS_DIRECTORY");
        for arg in args {
            if *arg == "DIR" {
                command.arg(&self.dir)
            } else {
                command.arg(arg)
            };
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        finish(self.command(args), args)
    }

    /// The program run by another user of the operating system. Files are opened up before, since the program makes them for their owner alone.
    pub fn run_as(&self, uid: u32, args: &[&str]) -> Ran {
        open_up(&self.dir);
        let mut command = self.command(args);
        command.uid(uid).gid(uid);
        finish(command, args)
    }

    /// Runs something that has to work and answers in JSON.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        let mut args = args.to_vec();
        args.push("--json");
        self.run(&args).exits(0).json()
    }

    /// Runs an `add` and gives the id of what was recorded.
    #[track_caller]
    pub fn add(&self, args: &[&str]) -> String {
        let told = self.json(args);
        assert_eq!(told["recorded"], true);
        assert!(told["entry"].as_u64().unwrap() < told["size"].as_u64().unwrap());
        told["id"].as_str().unwrap().to_owned()
    }

    pub fn vkey(&self) -> String {
        self.json(&["status", "DIR"])["vkey"].as_str().unwrap().to_owned()
    }

    /// The verifier with the data keys finds nothing wrong, and made every decision again.
    #[track_caller]
    pub fn verified(&self) {
        let keys = self.path("inspector.json");
        fs::remove_file(&keys).unwrap_or_default();
        let keys = keys.to_str().unwrap();
        self.run(&["export-keys", "DIR", "-o", keys]).exits(0);
        let told = self.json(&["verify", "DIR", "--vkey", &self.vkey(), "--keys", keys]);
        let replayed = told["checks"].as_array().unwrap().iter().find(|c| c["name"] == "replayed");
        let entries = replayed.map_or(0, |c| c["count"].as_u64().unwrap());
        assert!(told["verdict"] == "verified" && entries > 10, "{told}");
    }

    pub fn size(&self) -> u64 {
        self.json(&["status", "DIR"])["size"].as_u64().unwrap()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Every file of the ledger with its bytes, to see that nothing changed.
    pub fn bytes(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(&self.dir).into_iter().map(|p| (p.clone(), fs::read(&p).unwrap())).collect()
    }
}

pub fn finish(mut command: Command, args: &[&str]) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr), what: args.join(" ") }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { out.extend(files(&path)) } else { out.push(path) }
    }
    out
}

fn open_up(path: &Path) {
    let mode = if path.is_dir() { 0o777 } else { 0o666 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            open_up(&entry.unwrap().path());
        }
    }
}

/// Whether other users can be played. Says so where they cannot.
pub fn is_root(test: &str) -> bool {
    let root = rustix::process::getuid().is_root();
    if !root {
        eprintln!("SKIPPED: {test} plays several users of the operating system, and only root can");
    }
    root
}

/// A time some days from now, midnight UTC not asked for.
pub fn days_from_now(days: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    jiff::Timestamp::from_second(i64::try_from(now).unwrap() + days * 86_400).unwrap().to_string()
}

/// An authority, and by it the certificate of a service.
pub fn certificates(scene: &Scene) -> Issuer<'static, KeyPair> {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(DnType::CommonName, "Example CA");
    let key = KeyPair::generate().unwrap();
    scene.write("roots.pem", ca.self_signed(&key).unwrap().pem());
    let issuer = Issuer::new(ca, key);
    let server = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&server, &issuer).unwrap();
    scene.write("server.pem", certificate.pem());
    scene.write("server.key", server.serialize_pem());
    issuer
}

/// A configuration to serve with, under those certificates.
pub fn configured(scene: &Scene) -> String {
    scene.write(
        "serve.toml",
        "[listen]\naddress = \"127.0.0.1:0\"\noperations = \"127.0.0.1:0\"\n[tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\nclient_roots = \"roots.pem\"\n",
    )
}

/// Starts `serve --json`, and what it says when it listens.
pub fn served(mut command: Command) -> (Child, Value) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let told = serde_json::from_str(&first).unwrap_or_else(|e| {
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        panic!("{e}: {first}{err}")
    });
    (child, told)
}
