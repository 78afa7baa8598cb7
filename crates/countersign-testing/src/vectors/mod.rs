//! The invalid test ledgers: each wrong in one way, with the answer a verifier must give. `tests/vectors/README.md` describes the files.
//!
//! In scope: the bases ([`Bases`]), what is wrong with each vector, and the bytes of all files ([`files`]). One module for each part of the format.
//! Not in scope: writing the files (the `vectors` binary) and holding the verifier to them (the test of that name).

mod checkpoints;
mod contents;
mod control;
mod keys;
mod leaves;
mod officers;
mod redactions;
mod ruled;
mod sealed;
mod tiles;

use std::path::Path;

use countersign_verify::files::DirSource;
use countersign_verify::{Options, Source, VKey, Verdict};
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use crate::forge::{Files, Forge, Keys};

/// A ledger that verifies, from which vectors are made.
#[derive(Debug, Clone)]
pub struct Base {
    /// Its name under `tests/vectors/`: `ledger-7`, `ledger-300` under `valid/`, the others under `base/`.
    pub name: &'static str,
    /// In pieces.
    pub forge: Forge,
    /// As files.
    pub files: Files,
    /// The keys to give to a verifier.
    pub keys: Keys,
}

/// Every base.
#[derive(Debug)]
pub struct Bases {
    /// Seven entries by another implementation: genesis, two data keys, four accesses.
    pub seven: Base,
    /// Three hundred entries by another implementation.
    pub three_hundred: Base,
    /// `ledger-7`, and a redaction of entry 4.
    pub redacted: Base,
    /// `ledger-7`, and data key 1 destroyed.
    pub destroyed: Base,
    /// `ledger-7`, and a rotation of the log's key.
    pub rotated: Base,
    /// `ledger-7`, a rotation, and the old key revoked.
    pub revoked: Base,
    /// Under a policy: grants, approvals, accesses, suspensions, cases.
    pub ruled: Base,
}

/// One invalid ledger.
#[derive(Debug, Clone)]
pub struct Vector {
    /// Its name, and that of its files.
    pub name: String,
    /// What is wrong, in one sentence.
    pub wrong: String,
    /// The base it was made from, and how many of its entries.
    pub base: (&'static str, u64),
    /// Whether everything above the change was hashed and signed again, so that only a rule can tell.
    pub resigned: bool,
    /// The export.
    pub files: Files,
    /// The key to pin.
    pub vkey: String,
    /// The data keys to give, if any are to be given.
    pub keys: Option<Keys>,
    /// Kept heads to give.
    pub known: Vec<Vec<u8>>,
    /// What a verifier must say.
    pub expect: Expect,
}

/// What a verifier must say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// As in a report.
    pub verdict: String,
    /// As in section 10 of the format.
    pub exit_code: u8,
    /// The finding's code.
    pub code: String,
    /// Codes of other findings that the same fault must or may lead to. No others may be found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// The finding lies in one of these entries: a link has two ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<u64>,
    /// The finding lies in this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The finding lies in this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The finding lies in this line of a signed note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// What stands in `<name>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// As [`Vector::name`].
    pub name: String,
    /// As [`Vector::wrong`].
    pub wrong: String,
    /// As [`Vector::base`].
    pub base: String,
    /// As [`Vector::base`].
    pub base_size: u64,
    /// As [`Vector::resigned`].
    pub resigned: bool,
    /// As [`Vector::vkey`].
    pub vkey: String,
    /// As [`Vector::keys`], in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<std::collections::BTreeMap<u32, String>>,
    /// Files beside this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_checkpoints: Vec<String>,
    /// As [`Vector::expect`].
    pub expect: Expect,
}

/// What stands in the `.json` beside a base.
#[derive(Debug, Serialize, Deserialize)]
struct BaseDescription {
    origin: String,
    size: u64,
    vkey: String,
    signing_seed: String,
    keys: std::collections::BTreeMap<u32, String>,
}

impl Bases {
    /// Reads what others made out of `tests/vectors/valid`, and makes the rest.
    pub fn read(valid: &Path) -> Self {
        let seven = Base::read(valid, "ledger-7");
        Self {
            redacted: redactions::base(&seven),
            destroyed: redactions::destroyed(&seven),
            rotated: keys::rotated(&seven),
            revoked: keys::revoked(&seven),
            ruled: ruled::base(),
            three_hundred: Base::read(valid, "ledger-300"),
            seven,
        }
    }

    /// Every base.
    pub fn all(&self) -> [&Base; 7] {
        [&self.seven, &self.three_hundred, &self.redacted, &self.destroyed, &self.rotated, &self.revoked, &self.ruled]
    }

    /// The base with this name.
    pub fn named(&self, name: &str) -> &Base {
        self.all().into_iter().find(|b| b.name == name).unwrap()
    }
}

impl Base {
    fn read(valid: &Path, name: &'static str) -> Self {
        let json = std::fs::read(valid.join(format!("{name}.json"))).unwrap();
        let about: BaseDescription = serde_json::from_slice(&json).unwrap();
        let source = DirSource::new(valid.join(name));
        let files: Files = source.files().unwrap().into_iter().map(|f| (f.path.clone(), source.read(&f.path).unwrap())).collect();
        let keys: Keys = about.keys.iter().map(|(id, hex)| (*id, unhex(hex))).collect();
        let signing = SigningKey::from_bytes(&unhex(&about.signing_seed));
        let forge = Forge::take_apart(&files, &about.origin, signing, keys.clone(), about.size);
        Self { name, forge, files, keys }
    }

    fn made(name: &'static str, forge: Forge, files: Files) -> Self {
        Self { name, keys: forge.keys.clone(), forge, files }
    }

    /// How to check it.
    pub fn options(&self) -> Options {
        Options { keys: Some(self.keys.clone()), ..Options::new(self.forge.vkey()) }
    }

    /// The first `size` entries of it.
    #[must_use]
    pub fn cut(&self, size: u64) -> Files {
        if size == self.forge.size() { self.files.clone() } else { self.forge.cut(usize::try_from(size).unwrap()).export() }
    }

    /// A vector whose files are as somebody with the signing key would have made them.
    fn forged(&self, name: &str, wrong: &str, code: &str, forge: &Forge) -> Vector {
        self.vector(name, wrong, code, forge.export(), true)
    }

    /// A vector whose files were changed and nothing else done.
    fn edited(&self, name: &str, wrong: &str, code: &str, change: impl FnOnce(&mut Files)) -> Vector {
        let mut files = self.files.clone();
        change(&mut files);
        self.vector(name, wrong, code, files, false)
    }

    fn vector(&self, name: &str, wrong: &str, code: &str, files: Files, resigned: bool) -> Vector {
        Vector {
            name: name.to_owned(),
            wrong: wrong.to_owned(),
            base: (self.name, self.forge.size()),
            resigned,
            files,
            vkey: self.forge.vkey().to_string(),
            keys: Some(self.keys.clone()),
            known: Vec::new(),
            expect: Expect {
                verdict: verdict_name(Verdict::Tampered),
                exit_code: Verdict::Tampered.exit_code(),
                code: code.to_owned(),
                also: Vec::new(),
                entries: Vec::new(),
                file: None,
                field: None,
                line: None,
            },
        }
    }
}

impl Vector {
    fn verdict(mut self, verdict: Verdict) -> Self {
        (self.expect.verdict, self.expect.exit_code) = (verdict_name(verdict), verdict.exit_code());
        self
    }

    fn also(mut self, codes: &[&str]) -> Self {
        self.expect.also = codes.iter().map(|c| (*c).to_owned()).collect();
        self
    }

    fn entry(self, index: usize) -> Self {
        self.entries(&[index])
    }

    fn entries(mut self, indexes: &[usize]) -> Self {
        self.expect.entries = indexes.iter().map(|i| *i as u64).collect();
        self
    }

    fn file(mut self, path: &str) -> Self {
        self.expect.file = Some(path.to_owned());
        self
    }

    fn field(mut self, name: &str) -> Self {
        self.expect.field = Some(name.to_owned());
        self
    }

    fn line(mut self, line: u32) -> Self {
        self.expect.line = Some(line);
        self
    }

    fn known(mut self, note: Vec<u8>) -> Self {
        self.known.push(note);
        self
    }

    fn keys(mut self, keys: Option<Keys>) -> Self {
        self.keys = keys;
        self
    }

    fn cut_from(mut self, size: usize) -> Self {
        self.base.1 = size as u64;
        self
    }

    /// How to check it.
    pub fn options(&self) -> Options {
        let vkey = VKey::parse(&self.vkey).unwrap();
        Options { keys: self.keys.clone(), known_checkpoints: self.known.clone(), ..Options::new(vkey) }
    }

    fn description(&self) -> Description {
        Description {
            name: self.name.clone(),
            wrong: self.wrong.clone(),
            base: self.base.0.to_owned(),
            base_size: self.base.1,
            resigned: self.resigned,
            vkey: self.vkey.clone(),
            keys: self.keys.as_ref().map(|keys| keys.iter().map(|(id, key)| (*id, hex::encode(key))).collect()),
            known_checkpoints: (1..=self.known.len()).map(|n| format!("{}.known-{n}", self.name)).collect(),
            expect: self.expect.clone(),
        }
    }
}

/// Every vector.
pub fn all(bases: &Bases) -> Vec<Vector> {
    let mut all = leaves::vectors(&bases.seven);
    all.extend(contents::vectors(bases));
    all.extend(sealed::vectors(&bases.seven));
    all.extend(redactions::vectors(bases));
    all.extend(control::vectors(&bases.seven));
    all.extend(checkpoints::vectors(&bases.seven));
    all.extend(tiles::vectors(bases));
    all.extend(keys::vectors(bases));
    all.extend(ruled::vectors(&bases.ruled));
    all
}

/// Every file to be written, by its path under `tests/vectors/`.
pub fn files(bases: &Bases) -> Files {
    let mut out = Files::new();
    for base in bases.all().into_iter().filter(|b| !b.name.starts_with("ledger-")) {
        let folder = format!("base/{}", base.name);
        let about = BaseDescription {
            origin: base.forge.origin.clone(),
            size: base.forge.size(),
            vkey: base.forge.vkey().to_string(),
            signing_seed: hex::encode(base.forge.signing.to_bytes()),
            keys: base.keys.iter().map(|(id, key)| (*id, hex::encode(key))).collect(),
        };
        out.insert(format!("{folder}.json"), json(&about));
        out.extend(base.files.iter().map(|(path, bytes)| (format!("{folder}/{path}"), bytes.clone())));
    }
    for vector in all(bases) {
        let folder = format!("invalid/{}", vector.name);
        let description = vector.description();
        out.extend(description.known_checkpoints.iter().zip(&vector.known).map(|(name, note)| (format!("invalid/{name}"), note.clone())));
        out.insert(format!("{folder}.json"), json(&description));
        out.extend(vector.files.into_iter().map(|(path, bytes)| (format!("{folder}/{path}"), bytes)));
    }
    out
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut out = serde_json::to_vec_pretty(value).unwrap();
    out.push(b'\n');
    out
}

fn verdict_name(verdict: Verdict) -> String {
    serde_json::to_value(verdict).unwrap().as_str().unwrap().to_owned()
}

fn unhex(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}
