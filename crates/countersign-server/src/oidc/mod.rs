//! Bearer tokens of OpenID Connect providers: who signed, for whom, and that it is us who are meant. Whoever holds is known by issuer and subject alone,
//! never by an e-mail address (OpenID Connect Core 1.0 section 5.7: the two together are the only claims a subject may be recognized by), and
//! stands for a principal only where an entry links them.
//!
//! Fails closed: without keys, or with keys that were not heard of for longer than the configuration allows, nobody comes in by a token.

mod fetch;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_entry::time::Micros;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::fetch::KeysError;
use self::fetch::Source;
use crate::config::Oidc;

/// Longest token, in bytes: well under what a request's head may have.
const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Tokens remembered, so that a client that sends one with each request costs one signature check.
const SEEN_MAX: usize = 4_096;
/// How often keys are fetched again because a token names one that is not there: whoever makes up names of keys costs the provider no more than this.
const REFETCH_MIN: Duration = Duration::from_secs(10);
/// How often keys are fetched again anyhow, so that one that was taken away is gone.
const REFETCH: Duration = Duration::from_secs(300);

/// An algorithm a token may be signed by. None of them has a shared secret, and "none" is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signing {
    /// ECDSA over P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
    /// RSASSA-PKCS1-v1_5 with SHA-256, keys of 2,048 bits and more.
    RS256,
}

impl Signing {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ES256, Self::EdDSA, Self::RS256];

    fn algorithm(self) -> Algorithm {
        match self {
            Self::ES256 => Algorithm::ES256,
            Self::EdDSA => Algorithm::EdDSA,
            Self::RS256 => Algorithm::RS256,
        }
    }

    /// The one a key is for; none where it is for another, or for encryption.
    fn of(jwk: &Jwk) -> Option<Self> {
        let fits = match &jwk.algorithm {
            AlgorithmParameters::EllipticCurve(p) if p.curve == EllipticCurve::P256 => Self::ES256,
            AlgorithmParameters::OctetKeyPair(p) if p.curve == EllipticCurve::Ed25519 => Self::EdDSA,
            AlgorithmParameters::RSA(_) => Self::RS256,
            _ => return None,
        };
        let signs = jwk.common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature);
        let named = jwk.common.key_algorithm.is_none_or(|named| named.to_string() == format!("{:?}", fits.algorithm()));
        (signs && named).then_some(fits)
    }
}

/// An account at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
}

/// Why a token, or whatever else is shown, stands for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nobody {
    /// It does not hold, and no other key would change that.
    No,
    /// It is a certificate, and the revocation lists are not of now.
    Unchecked,
    /// It names a key that is not known: worth asking the provider, whose place this is.
    Key(usize),
}

/// Every provider of the configuration.
#[derive(Default)]
pub struct Providers(Vec<Provider>);

struct Provider {
    config: Oidc,
    source: Source,
    keys: RwLock<Keys>,
    /// When keys were last asked for because a token named one that was not there; held while they are asked for.
    asked: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Keys {
    by_id: HashMap<String, (Signing, DecodingKey)>,
    heard: Option<Instant>,
    /// Accounts of tokens whose signature held under these keys, and until when, in seconds since 1970.
    seen: Mutex<HashMap<[u8; 32], Read>>,
}

/// What is read of a token whose signature held.
type Read = (Account, Times, Bound);

/// SHA-256 of the certificate whose key goes with a token, where it is bound to one.
pub type Bound = Option<[u8; 32]>;

/// What a token says of time, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    expires: u64,
    begins: Option<u64>,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    /// What whoever reads must understand (RFC 7515 section 4.1.11): this understands nothing of the kind.
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Issuer {
    iss: String,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    nbf: Option<u64>,
    cnf: Option<Confirmation>,
}

/// Whose key goes with a token (RFC 7800): a certificate's (RFC 8705). One that is bound to anything else is taken from nobody, since it could not be held
/// against it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    #[serde(rename = "x5t#S256")]
    certificate: String,
}

impl Providers {
    /// Of a configuration. Keys are asked for by [`Providers::refresh_all`].
    ///
    /// # Errors
    /// A file of roots that cannot be read, or an address that is none.
    pub fn new(all: &[Oidc]) -> Result<Self, KeysError> {
        let provider = |config: &Oidc| {
            Ok(Provider {
                source: Source::new(config)?,
                config: config.clone(),
                keys: RwLock::default(),
                asked: tokio::sync::Mutex::new(None),
            })
        };
        all.iter().map(provider).collect::<Result<_, KeysError>>().map(Self)
    }

    /// Whose a token is, and which certificate has to come with it.
    ///
    /// # Errors
    /// [`Nobody`].
    pub fn account(&self, token: &str, now: Micros) -> Result<(Account, Bound), Nobody> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Nobody::No);
        }
        let mut parts = token.split('.');
        let (Some(head), Some(body), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(Nobody::No);
        };
        let head: Head = part(head)?;
        // Only which provider's keys it has to hold under is taken from it before it does.
        let issuer: Issuer = part(body)?;
        let (place, provider) = self.0.iter().enumerate().find(|(_, p)| p.config.issuer == issuer.iss).ok_or(Nobody::No)?;
        let id = head.kid.filter(|_| head.crit.is_none()).ok_or(Nobody::No)?;
        let seconds = now.value() / 1_000_000;
        provider.account(token, &head.alg, &id, seconds).map_err(|known| if known { Nobody::No } else { Nobody::Key(place) })
    }

    /// Asks a provider for its keys, unless somebody just did.
    pub async fn refresh(&self, place: usize) {
        if let Some(provider) = self.0.get(place) {
            let mut asked = provider.asked.lock().await;
            if asked.is_none_or(|at| at.elapsed() >= REFETCH_MIN) {
                let first = provider.age().is_none();
                provider.refresh().await;
                // Keys heard for the first time were not asked for because somebody made up a name.
                *asked = Some(Instant::now()).filter(|_| !first || provider.age().is_none());
            }
        }
    }

    /// Asks every provider whose keys are due.
    pub async fn refresh_all(&self) {
        for provider in &self.0 {
            if provider.source.is_file() || provider.age().is_none_or(|age| age >= REFETCH) {
                provider.refresh().await;
            }
        }
    }
}

impl Provider {
    /// Whose a token is; else whether its key is known.
    fn account(&self, token: &str, algorithm: &str, id: &str, now: u64) -> Result<(Account, Bound), bool> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let age = keys.heard.map(|heard| heard.elapsed().as_secs() / 3_600);
        if age.is_none_or(|hours| hours >= u64::from(self.config.keys_age_hours_max)) {
            return Err(false);
        }
        let (signing, key) = keys.by_id.get(id).ok_or(false)?;
        // The key says by which algorithm; a token that says another is none.
        if format!("{signing:?}") != algorithm || !self.config.algorithms.contains(signing) {
            return Err(true);
        }
        let digest: [u8; 32] = Sha256::digest(token).into();
        let seen = || keys.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = seen().get(&digest).cloned();
        let (account, times, bound) = match known {
            Some(known) => known,
            None => {
                let read = self.verified(token, *signing, key).ok_or(true)?;
                let mut seen = seen();
                if seen.len() >= SEEN_MAX {
                    seen.clear();
                }
                seen.insert(digest, read.clone());
                read
            }
        };
        let skew = u64::from(self.config.skew_seconds_max);
        let holds = now < times.expires.saturating_add(skew) && times.begins.is_none_or(|begins| begins <= now.saturating_add(skew));
        if holds { Ok((account, bound)) } else { Err(true) }
    }

    /// What a token says whose signature, issuer and audience hold.
    fn verified(&self, token: &str, signing: Signing, key: &DecodingKey) -> Option<Read> {
        let mut rules = Validation::new(signing.algorithm());
        rules.set_issuer(&[&self.config.issuer]);
        rules.set_audience(&[&self.config.audience]);
        rules.required_spec_claims = HashSet::from(["exp", "iss", "aud", "sub"].map(str::to_owned));
        // Times are held against the ledger's clock, each time the token is shown.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &rules).ok()?.claims;
        if claims.sub.is_empty() {
            return None;
        }
        let account = Account { issuer: self.config.issuer.clone(), subject: claims.sub };
        let bound = match claims.cnf {
            Some(cnf) => Some(URL_SAFE_NO_PAD.decode(cnf.certificate).ok()?.try_into().ok()?),
            None => None,
        };
        Some((account, Times { expires: claims.exp, begins: claims.nbf }, bound))
    }

    /// How long ago keys were heard.
    fn age(&self) -> Option<Duration> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).heard.map(|heard| heard.elapsed())
    }

    async fn refresh(&self) {
        match self.source.keys().await {
            Ok(bytes) => match keys(&bytes) {
                Some(by_id) => {
                    let heard = Some(Instant::now());
                    *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Keys { by_id, heard, seen: Mutex::default() };
                }
                None => tracing::warn!(target: "oidc", "what a provider of tokens gives as its keys is no set of keys"),
            },
            // What was heard before goes on to hold until it is too old.
            Err(why) => tracing::warn!(target: "oidc", "the keys of a provider of tokens cannot be had: {why}"),
        }
    }
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Nobody> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Nobody::No)?;
    serde_json::from_slice(&bytes).map_err(|_| Nobody::No)
}

/// The keys of a set (RFC 7517 section 5) that have a name and sign by an algorithm that is taken; others are passed over, as is a name that two have.
fn keys(bytes: &[u8]) -> Option<HashMap<String, (Signing, DecodingKey)>> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    let set: Set = serde_json::from_slice(bytes).ok()?;
    let mut found = HashMap::new();
    let mut twice = HashSet::new();
    for jwk in set.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok()) {
        let (Some(signing), Ok(key), Some(id)) = (Signing::of(&jwk), DecodingKey::from_jwk(&jwk), jwk.common.key_id) else { continue };
        if found.insert(id.clone(), (signing, key)).is_some() {
            twice.insert(id);
        }
    }
    found.retain(|id, _| !twice.contains(id));
    Some(found)
}
