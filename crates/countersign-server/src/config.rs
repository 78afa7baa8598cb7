//! The configuration: one TOML file. A key nobody knows is an error; secrets stand in files of their own, and only their paths here.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign_entry::ids::Line;
use countersign_entry::record::{Marking, MarkingLevel};
use serde::{Deserialize, Serialize};

use crate::oidc::Signing;
use crate::publish::Publish;
use crate::webhook::Webhook;

/// Name of the file in the ledger's directory, where no other is named.
pub const CONFIG_FILE: &str = "serve.toml";

/// How a ledger is served.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where it listens.
    pub listen: Listen,
    /// Who it is, and whose certificates it takes.
    pub tls: Tls,
    /// Bounds.
    #[serde(default)]
    pub limits: Limits,
    /// The store's highest marking, for answers that name no submission.
    #[serde(default = "unmarked", deserialize_with = "marking")]
    pub marking: Marking,
    /// Providers whose bearer tokens are taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub oidc: Vec<Oidc>,
    /// When checkpoints are published. Without it every committed one is, at once.
    pub publish: Option<Publish>,
    /// Where exports are made and kept until they are fetched; a start empties it. Without it: `serve-exports` in the ledger's directory.
    pub exports: Option<PathBuf>,
    /// Who is told of what is recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhook: Vec<Webhook>,
    /// Where it is kept how far each of them was told. Without it: `serve-webhooks` in the ledger's directory.
    pub webhook_state: Option<PathBuf>,
    /// Whether whoever shows nothing may read the public plane: checkpoints, tiles, proofs. Its size tells how much is recorded.
    #[serde(default)]
    pub anonymous: bool,
}

/// Addresses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// Of the interface, over TLS.
    pub address: SocketAddr,
    /// Of health and metrics, without TLS: for this machine, or a network of its own.
    pub operations: SocketAddr,
}

/// Certificates. Paths are relative to the file's own directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The server's certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// Roots whose client certificates are taken, PEM.
    pub client_roots: PathBuf,
    /// Revocation lists of those roots and everything below them, PEM. Without one, certificates are not held against any.
    pub revocation_lists: Option<PathBuf>,
    /// Hours after its own time (`thisUpdate`) at which a revocation list is no longer believed, whatever it says of its next update. Then no client
    /// certificate is taken; keys and tokens are.
    #[serde(default = "revocation_age_hours_max")]
    pub revocation_age_hours_max: u32,
}

/// An OpenID Connect provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// Its name, as its tokens say in `iss`, to the letter.
    pub issuer: String,
    /// Who we are to it: what its tokens say in `aud`.
    pub audience: String,
    /// A file with its keys (a JWK set), read again every 30 seconds.
    pub keys: Option<PathBuf>,
    /// Or the https address it gives its keys at. TLS 1.3 alone.
    pub keys_url: Option<String>,
    /// The roots that address is held against, PEM.
    pub keys_roots: Option<PathBuf>,
    /// The algorithms its tokens may be signed by.
    #[serde(default = "algorithms")]
    pub algorithms: Vec<Signing>,
    /// Seconds its clock may be off from ours.
    #[serde(default = "skew_seconds_max")]
    pub skew_seconds_max: u32,
    /// Hours after which keys that could not be had again are no longer believed. Then none of its tokens is taken.
    #[serde(default = "keys_age_hours_max")]
    pub keys_age_hours_max: u32,
}

/// Bounds an operator may want others of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at once; one more is closed at once.
    pub connections_max: usize,
    /// Seconds a request's head may take to come, and a connection may stay idle.
    pub head_seconds_max: u32,
    /// Seconds a request may take, from its head to its answer; of a stream, from line to line.
    pub request_seconds_max: u32,
    /// Seconds a connection may last. Then it is closed after the answer in hand, however long that takes: a stream of lines, an archive, events.
    pub connection_seconds_max: u32,
    /// Requests a second of one principal, in the long run.
    pub requests_per_second_max: u32,
    /// Requests of one principal at once beyond that.
    pub requests_burst_max: u32,
    /// MiB of the ledger's disk below which nothing is recorded but what takes access away; 0 where somebody else looks after that.
    pub disk_free_mib_min: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 16_384,
            head_seconds_max: 15,
            request_seconds_max: 30,
            connection_seconds_max: 900,
            requests_per_second_max: 20_000,
            requests_burst_max: 40_000,
            disk_free_mib_min: 256,
        }
    }
}

impl Limits {
    pub(crate) fn head(&self) -> Duration {
        Duration::from_secs(self.head_seconds_max.into())
    }

    pub(crate) fn request(&self) -> Duration {
        Duration::from_secs(self.request_seconds_max.into())
    }

    pub(crate) fn connection(&self) -> Duration {
        Duration::from_secs(self.connection_seconds_max.into())
    }
}

fn revocation_age_hours_max() -> u32 {
    24
}

fn algorithms() -> Vec<Signing> {
    Signing::ALL.to_vec()
}

fn skew_seconds_max() -> u32 {
    30
}

fn keys_age_hours_max() -> u32 {
    24
}

/// A marking of which only the level has to be said.
fn marking<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Marking, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Told {
        level: MarkingLevel,
        #[serde(default)]
        categories: Vec<Line>,
        #[serde(default)]
        dissemination: Vec<Line>,
    }
    let Told { level, categories, dissemination } = Told::deserialize(d)?;
    Ok(Marking { level, categories, dissemination })
}

fn unmarked() -> Marking {
    MarkingLevel::Cui.into()
}

/// Why a configuration is none.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// It does not read.
    #[error("{path}: {what}")]
    Content {
        /// The file.
        path: PathBuf,
        /// Where and why.
        what: String,
    },
}

impl Oidc {
    fn check(&self, all: &[Oidc]) -> Result<(), &'static str> {
        let from = (self.keys.is_some(), self.keys_url.is_some(), self.keys_roots.is_some());
        if !matches!(from, (true, false, false) | (false, true, true)) {
            return Err("oidc: name either keys, a file, or keys_url and keys_roots");
        }
        if self.keys_url.as_ref().is_some_and(|url| !url.starts_with("https://")) {
            return Err("oidc: keys_url is https");
        }
        if self.issuer.is_empty() || self.audience.is_empty() || self.algorithms.is_empty() || self.keys_age_hours_max == 0 {
            return Err("oidc: issuer, audience and algorithms must not be empty, nor keys_age_hours_max 0: nobody could come in");
        }
        if self.skew_seconds_max > 300 {
            return Err("oidc: skew_seconds_max is at most 300; a clock that is further off has to be set right");
        }
        if all.iter().filter(|o| o.issuer == self.issuer).count() > 1 {
            return Err("oidc: an issuer stands twice");
        }
        Ok(())
    }
}

impl Config {
    /// Reads a file, and takes relative paths in it from its own directory.
    ///
    /// # Errors
    /// It cannot be read, has a key nobody knows, or a value that makes no sense.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
        let bad = |what: String| ConfigError::Content { path: path.to_owned(), what };
        let mut config: Self = toml::from_str(&text).map_err(|e| bad(e.to_string()))?;
        config.check().map_err(|what| bad(what.to_owned()))?;
        let base = path.parent().unwrap_or(Path::new("."));
        let tls = &mut config.tls;
        let place = |file: &mut PathBuf| placed(base, file).map(|placed| *file = placed).map_err(bad);
        for file in [&mut tls.certificate, &mut tls.key, &mut tls.client_roots].into_iter().chain(tls.revocation_lists.as_mut()) {
            place(file)?;
        }
        let keys = config.oidc.iter_mut().flat_map(|o| [o.keys.as_mut(), o.keys_roots.as_mut()]).flatten();
        let hooks = config.webhook.iter_mut().flat_map(|w| [w.roots.as_mut(), Some(&mut w.key)]).flatten();
        for file in keys.chain(hooks).chain(config.exports.as_mut()).chain(config.webhook_state.as_mut()) {
            place(file)?;
        }
        Ok(config)
    }

    fn check(&self) -> Result<(), &'static str> {
        let l = &self.limits;
        let zero = [l.head_seconds_max, l.request_seconds_max, l.connection_seconds_max, l.requests_per_second_max, l.requests_burst_max]
            .contains(&0);
        if zero || l.connections_max == 0 || self.tls.revocation_age_hours_max == 0 {
            return Err("a limit of 0 lets nobody in");
        }
        if self.listen.address == self.listen.operations && self.listen.address.port() != 0 {
            return Err("listen.operations needs an address of its own: what is asked there is not for whoever uses the interface");
        }
        self.publish.map_or(Ok(()), Publish::check)?;
        self.webhook.iter().try_for_each(|receiver| receiver.check(&self.webhook))?;
        self.oidc.iter().try_for_each(|provider| provider.check(&self.oidc))
    }

    /// As TOML, every value filled in. It holds no secrets, only where they are.
    ///
    /// # Errors
    /// A path that is not UTF-8.
    pub fn render(&self) -> Result<String, String> {
        toml::to_string(self).map_err(|e| e.to_string())
    }
}

/// Where systemd gives a service its credentials, in a path of the configuration.
const CREDENTIALS: &str = "$CREDENTIALS_DIRECTORY";

/// A path of the configuration: from its own directory, or where systemd put a credential.
fn placed(base: &Path, file: &Path) -> Result<PathBuf, String> {
    let Ok(credential) = file.strip_prefix(CREDENTIALS) else { return Ok(base.join(file)) };
    let given = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| format!("{}: systemd gave no credentials", file.display()))?;
    Ok(Path::new(&given).join(credential))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[listen]\naddress = \"127.0.0.1:8443\"\noperations = \"127.0.0.1:9443\"\n\
                        [tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\nclient_roots = \"roots.pem\"\n";

    fn read(text: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(CONFIG_FILE);
        std::fs::write(&path, text).unwrap();
        let config = Config::read(&path).map_err(|e| e.to_string())?;
        assert_eq!(config.tls.key, dir.path().join("server.key"));
        Ok(config)
    }

    #[test]
    fn what_is_left_out_has_a_default_and_what_nobody_knows_is_an_error() {
        let config = read(GOOD).unwrap();
        assert!(!config.anonymous && config.limits == Limits::default());
        assert!(toml::from_str::<Config>(&config.render().unwrap()).unwrap() == config);
        assert!(read(&format!("{GOOD}verify = false\n")).unwrap_err().contains("verify"));
        assert!(read(&format!("{GOOD}[limits]\nconections_max = 3\n")).unwrap_err().contains("conections_max"));
        assert!(read(&format!("{GOOD}[limits]\nconnections_max = 0\n")).is_err());
        assert!(read(&GOOD.replace("9443", "8443")).is_err());
        assert!(read("").is_err());
        assert_eq!(read(&format!("{GOOD}[publish]\nevery_seconds = 60\n")).unwrap().publish.unwrap().size_multiple, 1);
        assert!(read(&format!("{GOOD}[publish]\nevery_seconds = 0\n")).is_err());
    }

    #[test]
    fn a_webhook_has_a_name_that_is_a_file_and_a_role() {
        let with = |name: &str, more: &str| {
            read(&format!(
                "{GOOD}[[webhook]]\nname = \"{name}\"\nurl = \"https://siem.example/x\"\nroots = \"r.pem\"\nkey = \"w.key\"\n{more}"
            ))
        };
        let config = with("siem", "role = \"inspector_general\"\n").unwrap();
        assert!(config.webhook[0].key.is_absolute() && config.webhook[0].roots.as_ref().unwrap().is_absolute());
        assert!(toml::from_str::<Config>(&config.render().unwrap()).unwrap() == config);
        for bad in ["", "../x", "Siem", "a b"] {
            assert!(with(bad, "role = \"operator\"\n").is_err(), "{bad}");
        }
        assert!(with("siem", "").is_err() && with("siem", "role = \"king\"\n").is_err());
        assert!(
            with("siem", "role = \"operator\"\n[[webhook]]\nname = \"siem\"\nurl = \"x\"\nkey = \"k\"\nrole = \"operator\"\n").is_err()
        );
    }

    #[test]
    fn only_the_level_of_a_marking_has_to_be_said() {
        let config = read(&format!("{GOOD}[marking]\nlevel = \"secret\"\n")).unwrap();
        assert_eq!((config.marking.level, config.marking.categories.len()), (MarkingLevel::Secret, 0));
        assert!(read(&format!("{GOOD}[marking]\ncategories = []\n")).is_err());
        assert!(read(&format!("{GOOD}[marking]\nlevel = \"cui\"\ncontrols = []\n")).is_err());
    }

    #[test]
    fn a_provider_of_tokens_says_where_its_keys_come_from_and_by_what_it_signs() {
        let with = |more: &str| read(&format!("{GOOD}[[oidc]]\nissuer = \"https://login.example\"\naudience = \"countersign\"\n{more}"));
        let config = with("keys = \"keys.json\"\n").unwrap();
        assert_eq!(config.oidc[0].algorithms, Signing::ALL);
        assert!(config.oidc[0].keys.as_ref().unwrap().is_absolute());
        assert!(with("keys_url = \"https://login.example/keys\"\nkeys_roots = \"roots.pem\"\n").is_ok());
        for bad in [
            "",
            "keys_url = \"https://login.example/keys\"\n",
            "keys_url = \"http://login.example/keys\"\nkeys_roots = \"roots.pem\"\n",
            "keys = \"k\"\nkeys_url = \"https://login.example/keys\"\nkeys_roots = \"roots.pem\"\n",
            "keys = \"k\"\nalgorithms = []\n",
            "keys = \"k\"\nalgorithms = [\"HS256\"]\n",
            "keys = \"k\"\nalgorithms = [\"none\"]\n",
            "keys = \"k\"\nskew_seconds_max = 3600\n",
            "keys = \"k\"\n[[oidc]]\nissuer = \"https://login.example\"\naudience = \"x\"\nkeys = \"k\"\n",
        ] {
            assert!(with(bad).is_err(), "{bad}");
        }
    }
}
