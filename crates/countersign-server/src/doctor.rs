//! What an operator would want to know of a configuration before it is served, or while it is: who may read its keys, how long its certificates and
//! lists hold, and what is open to whom.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::Serialize;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use x509_parser::der_parser::asn1_rs::FromDer as _;
use x509_parser::prelude::X509Certificate;

use crate::config::{Config, Tls};
use crate::oidc::Providers;
use crate::tls::{Keeper, believed};

/// Days before its end at which a certificate is told of.
const DAYS_LEFT: i64 = 30;
/// Hours before its end at which a revocation list is told of, or the last quarter of how long one is believed.
const HOURS_LEFT: i64 = 24;
const DAY: i64 = 86_400;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warn,
    /// It does not work, or must not be so.
    Fail,
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Of what.
    pub check: &'static str,
    /// How it is.
    pub health: Health,
    /// In words, and what to do.
    pub text: String,
}

impl Found {
    /// Something that is as it should be.
    pub fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, health: Health::Ok, text: text.into() }
    }

    /// Something somebody should look at.
    pub fn warn(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, health: Health::Warn, text: text.into() }
    }

    /// Something that must not be so.
    pub fn fail(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, health: Health::Fail, text: text.into() }
    }
}

/// Who may read the keys of a configuration.
pub fn keys(config: &Config) -> Vec<Found> {
    std::iter::once(&config.tls.key).chain(config.webhook.iter().map(|receiver| &receiver.key)).map(|key| private(key)).collect()
}

/// Everything there is to find of a configuration. `now` is in seconds since 1970.
pub fn look(config: &Config, now: i64) -> Vec<Found> {
    let mut all = vec![open_to(config)];
    all.extend(keys(config));
    all.push(match Keeper::start(config.tls.clone()) {
        Ok(_) => Found::ok("tls", "certificate, key, roots and revocation lists go together"),
        Err(e) => Found::fail("tls", format!("{e}: put it right; the service does not start so")),
    });
    all.extend(certificates("certificate", &config.tls.certificate, now));
    all.extend(certificates("client roots", &config.tls.client_roots, now));
    all.extend(lists(&config.tls, now));
    match Providers::new(&config.oidc) {
        Ok(_) if config.oidc.is_empty() => {}
        Ok(_) => all
            .push(Found::ok("oidc", format!("{} providers of tokens; whether their keys can be had is not asked here", config.oidc.len()))),
        Err(e) => all.push(Found::fail("oidc", e.to_string())),
    }
    all
}

fn open_to(config: &Config) -> Found {
    let operations = config.listen.operations;
    if !operations.ip().is_loopback() {
        let what = "health and metrics are told without TLS: listen.operations belongs on 127.0.0.1 or a network of its own";
        return Found::warn("listen", format!("{operations}: {what}"));
    }
    if config.anonymous {
        return Found::warn("listen", "anonymous: whoever shows nothing reads the public plane, and by its size how much is recorded");
    }
    Found::ok("listen", format!("{}, and {operations} for health and metrics", config.listen.address))
}

/// That nobody but its owner reads a file.
pub fn private(path: &Path) -> Found {
    match std::fs::metadata(path) {
        Ok(of) if of.mode() & 0o077 == 0 => Found::ok("key file", format!("{}: its owner alone reads it", path.display())),
        Ok(of) => {
            Found::fail("key file", format!("{}: mode {:o}; chmod 600 it: others can read the key", path.display(), of.mode() & 0o777))
        }
        Err(e) => Found::fail("key file", format!("{}: {e}", path.display())),
    }
}

fn certificates(check: &'static str, path: &Path, now: i64) -> Vec<Found> {
    let Ok(all) = CertificateDer::pem_file_iter(path) else {
        return vec![Found::fail(check, format!("{}: cannot be read", path.display()))];
    };
    let ends: Vec<i64> = all
        .filter_map(Result::ok)
        .filter_map(|der| X509Certificate::from_der(&der).ok().map(|(_, of)| of.validity().not_after.timestamp()))
        .collect();
    let Some(first) = ends.into_iter().min() else { return vec![Found::fail(check, format!("{}: holds no certificate", path.display()))] };
    let days = (first - now).div_euclid(DAY);
    let path = path.display();
    vec![match days {
        ..0 => Found::fail(check, format!("{path}: ended {} days ago: replace it; it is read again every 30 seconds", -days)),
        0..DAYS_LEFT => Found::warn(check, format!("{path}: ends in {days} days: replace it; it is read again every 30 seconds")),
        _ => Found::ok(check, format!("{path}: {days} days left")),
    }]
}

fn lists(tls: &Tls, now: i64) -> Vec<Found> {
    const CHECK: &str = "revocation lists";
    let Some(path) = &tls.revocation_lists else {
        return vec![Found::warn(CHECK, "tls.revocation_lists is not set: a lost card goes on to be taken until its login is revoked")];
    };
    let max = tls.revocation_age_hours_max;
    let until = match believed(path, max, now) {
        Ok((_, until)) => until,
        Err(e) => return vec![Found::fail(CHECK, e.to_string())],
    };
    let (path, hours) = (path.display(), (until - now).div_euclid(3_600));
    vec![if hours < HOURS_LEFT.min(i64::from(max) / 4) {
        Found::warn(CHECK, format!("{path}: not believed any more in {hours} hours: see that a newer one comes"))
    } else {
        Found::ok(CHECK, format!("{path}: believed for {hours} hours yet"))
    }]
}
