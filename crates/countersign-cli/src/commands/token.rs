//! What the commands that deal with a token share: how one is named on the command line, what it says of a key, the transcript of a ceremony.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ciborium::Value;
use clap::Args;
use countersign_entry::ids::Hash32;
use countersign_ledger::{Clock as _, SystemClock};
use countersign_log::vkey::VKey;
use countersign_sign::pkcs11::{Algorithm, Class, KeyAttributes, Place, Token, TokenIdentity};
use sha2::{Digest, Sha256};

use super::write_new;
use crate::failure::Failure;

/// A token.
#[derive(Debug, Clone, Args)]
pub(crate) struct TokenArgs {
    /// The PKCS#11 module: a shared library of the token's maker.
    #[arg(long, value_name = "PATH")]
    pub(crate) module: Option<PathBuf>,
    /// The token's label.
    #[arg(long, value_name = "LABEL")]
    pub(crate) token: Option<String>,
    /// File that holds the token's PIN, for its owner alone. Without it: $CREDENTIALS_DIRECTORY/countersign-pin.
    #[arg(long, value_name = "FILE")]
    pub(crate) pin_file: Option<PathBuf>,
}

impl TokenArgs {
    /// The token named, all of it.
    pub(crate) fn place(&self) -> Result<Place, Failure> {
        let missing = |what: &str| Failure::Usage(format!("{what} is needed: a token is named by --module, --token and --pin-file"));
        let pin_file = self.pin_file.clone().or_else(pin_credential).ok_or_else(|| missing("--pin-file"))?;
        Ok(Place {
            module: absolute(self.module.as_deref().ok_or_else(|| missing("--module"))?)?,
            token: self.token.clone().ok_or_else(|| missing("--token"))?,
            pin_file: absolute(&pin_file)?,
        })
    }
}

/// The PIN's file where systemd hands it over.
pub(crate) fn pin_credential() -> Option<PathBuf> {
    let file = Path::new(&std::env::var_os("CREDENTIALS_DIRECTORY")?).join("countersign-pin");
    file.exists().then_some(file)
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(Failure::file(path))
}

/// Names a public key of a token.
pub(crate) fn named(origin: &str, algorithm: Algorithm, key: &[u8]) -> Result<VKey, Failure> {
    let vkey = match algorithm {
        Algorithm::Ed25519 => VKey::new(origin, key),
        Algorithm::P256 => VKey::ecdsa(origin, key),
    };
    vkey.map_err(|e| Failure::Invalid(format!("--origin {origin}: {e}")))
}

/// What a token says of itself and of one of its signing keys.
pub(crate) struct Said {
    identity: TokenIdentity,
    key: KeyAttributes,
}

impl Said {
    pub(crate) fn of(token: &Token, label: &str) -> Result<Self, Failure> {
        Ok(Self { identity: token.identity()?, key: token.attributes(Class::Signing, label)? })
    }

    /// Names and values, in the order in which they are shown.
    fn rows(&self) -> Vec<(&'static str, Value)> {
        let (token, key) = (&self.identity, &self.key);
        let text = |text: &str| Value::Text(text.to_owned());
        let flag = |is: Option<bool>| is.map_or(Value::Null, Value::Bool);
        vec![
            ("manufacturer", text(&token.manufacturer)),
            ("model", text(&token.model)),
            ("serial", text(&token.serial)),
            ("firmware", text(&token.firmware)),
            ("hardware", text(&token.hardware)),
            ("library", text(&token.library)),
            ("label", text(&key.label)),
            ("sensitive", flag(key.sensitive)),
            ("always_sensitive", flag(key.always_sensitive)),
            ("extractable", flag(key.extractable)),
            ("never_extractable", flag(key.never_extractable)),
            ("local", flag(key.local)),
            ("mechanism", key.mechanism.as_deref().map_or(Value::Null, text)),
        ]
    }

    /// As it goes into the ledger.
    pub(crate) fn value(&self) -> Value {
        self.value_and(&[])
    }

    /// The same, and what was done then.
    pub(crate) fn value_and(&self, done: &[(&str, Value)]) -> Value {
        let pair = |(name, value): (&str, Value)| (Value::Text(name.to_owned()), value);
        Value::Map(self.rows().into_iter().chain(done.iter().cloned()).map(pair).collect())
    }

    /// As people read it.
    pub(crate) fn lines(&self) -> Vec<(&'static str, String)> {
        let words = |value: Value| match value {
            Value::Text(text) => text,
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            _ => "the token does not say".to_owned(),
        };
        self.rows().into_iter().map(|(name, value)| (name, words(value))).collect()
    }
}

/// What was done with keys, in front of whom, for the file that those present sign.
pub(crate) struct Transcript {
    text: String,
}

impl Transcript {
    pub(crate) fn begin(what: &str, present: &[String]) -> Self {
        let mut text = format!("countersign key ceremony: {what}\n");
        let mut line = |name: &str, value: &dyn std::fmt::Display| writeln!(text, "{name:<18} {value}").unwrap_or(());
        line("time", &SystemClock.now());
        line("program", &format_args!("countersign {}", env!("CARGO_PKG_VERSION")));
        for name in present {
            line("present", name);
        }
        Self { text }
    }

    pub(crate) fn line(&mut self, name: &str, value: impl std::fmt::Display) {
        writeln!(self.text, "{name:<18} {value}").unwrap_or(());
    }

    /// The module's file, so that another one can be told from it later.
    pub(crate) fn module(&mut self, place: &Place) -> Result<(), Failure> {
        let bytes = std::fs::read(&place.module).map_err(Failure::file(&place.module))?;
        self.line("module", place.module.display());
        self.line("module SHA-256", hex::encode(Sha256::digest(bytes)));
        self.line("token", &place.token);
        Ok(())
    }

    pub(crate) fn said(&mut self, said: &Said) {
        for (name, value) in said.lines() {
            self.line(name, value);
        }
    }

    /// Writes it where one is wanted, and gives its hash.
    pub(crate) fn keep(mut self, file: Option<&Path>) -> Result<Option<Hash32>, Failure> {
        let Some(file) = file else { return Ok(None) };
        self.text.push_str("\nSigned by those present:\n\n");
        write_new(file, self.text.as_bytes(), 0o644)?;
        Ok(Some(Hash32(Sha256::digest(&self.text).into())))
    }
}
