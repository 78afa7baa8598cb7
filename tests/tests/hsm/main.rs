//! Keys in a real PKCS#11 module: SoftHSM 2, and a module that forwards to it and goes wrong where it is told to.
//!
//! Each test runs in a process of its own, with a token of its own: a module is initialised once for each process, and SoftHSM finds its tokens by
//! an environment variable.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests"
)]

mod faults;
mod outage;
mod rotation;
mod token;

use std::path::{Path, PathBuf};
use std::process::Command;

use countersign_ledger::{Access, Directory, InToken, Ledger, Opening, SystemClock};
use countersign_log::vkey::VKey;
use countersign_sign::pkcs11::{Algorithm, Place, Token};
use countersign_testing::ledger::{cast, principal};

const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
];
const CASE: &str = "COUNTERSIGN_HSM_CASE";
const DIR: &str = "COUNTERSIGN_HSM_DIR";
/// No digits alone, so that a search for it finds nothing else.
pub(crate) const PIN: &str = "pin-Xq7rW2mK9";
pub(crate) const ORIGIN: &str = "ledger.example/hsm";
pub(crate) const KEY: &str = "ledger-key";

/// A token of its own for one test.
pub(crate) struct Bench {
    pub(crate) dir: PathBuf,
    module: PathBuf,
}

/// Runs a test in a process of its own, against SoftHSM.
pub(crate) fn alone(case: &str, test: fn(&Bench)) {
    run(case, false, test);
}

/// Runs a test in a process of its own, against the module that goes wrong.
pub(crate) fn alone_with_faults(case: &str, test: fn(&Bench)) {
    run(case, true, test);
}

fn run(case: &str, faults: bool, test: fn(&Bench)) {
    let Some(softhsm) = MODULES.iter().map(Path::new).find(|path| path.exists()) else {
        eprintln!("SKIPPED {case}: SoftHSM 2 is not installed (Debian: apt-get install softhsm2)");
        return;
    };
    let module = if faults { fake_module() } else { softhsm.to_owned() };
    if std::env::var(CASE).is_ok_and(|running| running == case) {
        return test(&Bench { dir: std::env::var_os(DIR).unwrap().into(), module });
    }
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("softhsm2.conf");
    let tokens = dir.path().join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    std::fs::write(&config, format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", tokens.display()))
        .unwrap();
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "ledger", "--so-pin", "so-Xq7rW2mK9", "--pin", PIN])
        .env("SOFTHSM2_CONF", &config)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    write_pin(dir.path(), PIN);
    let output = Command::new(std::env::current_exe().unwrap())
        .args([case, "--exact", "--nocapture", "--test-threads=1"])
        .env(CASE, case)
        .env(DIR, dir.path())
        .env("SOFTHSM2_CONF", &config)
        .env("FAKE_PKCS11_REAL", softhsm)
        .env("FAKE_PKCS11_PLAN", dir.path().join("plan"))
        .env("FAKE_PKCS11_LOG", dir.path().join("calls"))
        .output()
        .unwrap();
    // Set in, so that whoever adds up what test programs say counts the case once.
    for line in [output.stdout, output.stderr].iter().flat_map(|bytes| bytes.split(|b| *b == b'\n')) {
        println!("    {}", String::from_utf8_lossy(line));
    }
    assert!(output.status.success(), "{case}: {}", output.status);
}

/// Built beside this test, as one of its dependencies.
fn fake_module() -> PathBuf {
    let path = std::env::current_exe().unwrap().with_file_name("libfake_pkcs11.so");
    assert!(path.exists(), "{} is missing", path.display());
    path
}

fn write_pin(dir: &Path, pin: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = dir.join("pin");
    std::fs::write(&path, format!("{pin}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

impl Bench {
    pub(crate) fn place(&self) -> Place {
        Place { module: self.module.clone(), token: "ledger".into(), pin_file: self.dir.join("pin") }
    }

    pub(crate) fn token(&self) -> Token {
        Token::at(self.place())
    }

    /// Writes the PIN file anew.
    pub(crate) fn set_pin(&self, pin: &str) {
        write_pin(&self.dir, pin);
    }

    /// What the module does wrong from now on.
    pub(crate) fn plan(&self, plan: &str) {
        // At once, so that no call reads half of it.
        std::fs::write(self.dir.join("plan.new"), plan).unwrap();
        std::fs::rename(self.dir.join("plan.new"), self.dir.join("plan")).unwrap();
    }

    /// How often a call was made so far.
    pub(crate) fn calls(&self, name: &str) -> usize {
        let calls = std::fs::read_to_string(self.dir.join("calls")).unwrap_or_default();
        calls.lines().filter(|line| *line == name).count()
    }

    /// Makes a signing key and names it.
    pub(crate) fn key(&self, label: &str, algorithm: Algorithm) -> VKey {
        let key = self.token().make_signing_key(label, algorithm).unwrap();
        match algorithm {
            Algorithm::Ed25519 => VKey::new(ORIGIN, &key).unwrap(),
            Algorithm::P256 => VKey::ecdsa(ORIGIN, &key).unwrap(),
        }
    }

    pub(crate) fn ledger_dir(&self) -> PathBuf {
        self.dir.join("ledger")
    }

    /// Makes a ledger whose key is in the token.
    pub(crate) fn ledger(&self, algorithm: Algorithm) -> Ledger {
        let vkey = self.key(KEY, algorithm);
        let (place, register) = (self.place(), Path::new("register/head"));
        let key = InToken { place: &place, label: KEY, vkey: &vkey };
        let (founder, sequencer) = (principal("founder"), principal("sequencer"));
        Directory::create_in_token(&self.ledger_dir(), key, register, opening(), &founder, &sequencer, cast()).unwrap()
    }

    pub(crate) fn open(&self, access: Access) -> Ledger {
        Directory::find(&self.ledger_dir()).unwrap().open(access, opening()).unwrap()
    }
}

fn opening() -> Opening {
    Opening { passphrase_file: None, pin_file: None, clock: Box::new(SystemClock), told: Box::new(|_| {}) }
}
