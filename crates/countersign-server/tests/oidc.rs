//! Bearer tokens: real ones, signed by keys a provider gives over TLS or in a file, and everything that is not one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_entry::record::CredentialKind;
use countersign_ledger::Ledger;
use countersign_server::config::{Config, Oidc};
use countersign_server::oidc::Signing;
use countersign_testing::ledger::{START, record};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::{Authority, Client, House, linked};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::aws_lc_rs, version};

const ISSUER: &str = "https://login.example";
const AUDIENCE: &str = "countersign";
const NOW: u64 = START / 1_000_000;

/// A signing key of a provider.
struct Key {
    id: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
    public: Value,
}

impl Key {
    fn new(id: &'static str, algorithm: Algorithm) -> Self {
        let jwk = |key: &EncodingKey| serde_json::to_value(Jwk::from_encoding_key(key, algorithm).unwrap()).unwrap();
        let (key, mut public) = match algorithm {
            Algorithm::EdDSA => {
                let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
                let x = URL_SAFE_NO_PAD.encode(pair.public_key_raw());
                (EncodingKey::from_ed_der(&pair.serialize_der()), json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": x }))
            }
            Algorithm::ES256 => {
                let key = EncodingKey::from_ec_der(&KeyPair::generate().unwrap().serialize_der());
                let public = jwk(&key);
                (key, public)
            }
            _ => {
                let pair = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
                // The key in its own form, out of PKCS #8 (RFC 5208 section 5: version, algorithm, key).
                let whole = pair.serialize_der();
                let (_, parts) = x509_parser::der_parser::parse_der(&whole).unwrap();
                let key = EncodingKey::from_rsa_der(parts.as_sequence().unwrap()[2].as_slice().unwrap());
                let public = jwk(&key);
                (key, public)
            }
        };
        public["kid"] = json!(id);
        Self { id, algorithm, key, public }
    }

    fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.id.to_owned()), ..Header::new(self.algorithm) };
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}

fn set(keys: &[&Key]) -> String {
    json!({ "keys": keys.iter().map(|k| k.public.clone()).collect::<Vec<_>>() }).to_string()
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "subject-1", "exp": NOW + 600, "nbf": NOW - 10, "email": "officer@agency.example" })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

/// A provider that gives its keys over TLS.
struct Provider {
    files: tempfile::TempDir,
    url: String,
    keys: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Provider {
    fn start(keys: String) -> Self {
        let ca = Authority::new("Provider CA");
        let files = tempfile::tempdir().unwrap();
        std::fs::write(files.path().join("roots.pem"), &ca.pem).unwrap();
        let (certificate, key) = ca.server();
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap());
        let (config, listener) = (Arc::new(config.unwrap()), TcpListener::bind("127.0.0.1:0").unwrap());
        let url = format!("https://localhost:{}/keys?for=us", listener.local_addr().unwrap().port());
        let (keys, asked) = (Arc::new(Mutex::new(keys)), Arc::new(AtomicUsize::new(0)));
        let (given, counted) = (Arc::clone(&keys), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream.unwrap());
                let mut lines = BufReader::new(&mut stream).lines();
                let Some(Ok(first)) = lines.next() else { continue };
                assert_eq!(first, "GET /keys?for=us HTTP/1.1");
                while lines.next().is_some_and(|l| l.is_ok_and(|l| !l.is_empty())) {}
                counted.fetch_add(1, Ordering::SeqCst);
                let body = given.lock().unwrap().clone();
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).unwrap_or(());
                stream.conn.send_close_notify();
                stream.flush().unwrap_or(());
            }
        });
        Self { files, url, keys, asked }
    }

    fn config(&self) -> Oidc {
        oidc(None, Some(self.url.clone()), Some(self.files.path().join("roots.pem")))
    }
}

fn oidc(keys: Option<std::path::PathBuf>, keys_url: Option<String>, keys_roots: Option<std::path::PathBuf>) -> Oidc {
    Oidc {
        issuer: ISSUER.into(),
        audience: AUDIENCE.into(),
        keys,
        keys_url,
        keys_roots,
        algorithms: Signing::ALL.to_vec(),
        skew_seconds_max: 30,
        keys_age_hours_max: 24,
    }
}

fn house(oidc: Oidc) -> House {
    House::start_with(
        |config: &mut Config| config.oidc = vec![oidc],
        |ledger: &mut Ledger| {
            let login = linked("oidc-1", "officer", CredentialKind::Oidc, ISSUER, "subject-1");
            record(ledger, "founder", "link-oidc-1", login).unwrap();
        },
    )
}

fn bearer(house: &House, token: &str) -> Client {
    let mut client = house.nobody();
    client.headers.push(("Authorization".into(), format!("Bearer {token}")));
    client
}

/// Asks with a token, who one is then; the keys may still be on their way at first.
fn who(house: &House, token: &str) -> Option<String> {
    let answer = bearer(house, token).get("/api/v1/whoami");
    match answer.status {
        200 => Some(answer.json()["principal"].as_str().unwrap().to_owned()),
        _ => {
            answer.problem(401, "unauthenticated");
            None
        }
    }
}

#[test]
fn a_token_stands_for_whom_an_entry_links_and_nothing_else_is_a_token() {
    let key = Key::new("key-1", Algorithm::ES256);
    let provider = Provider::start(set(&[&key]));
    let house = house(provider.config());
    let good = key.sign(&claims());
    assert_eq!(who(&house, &good).as_deref(), Some("pr-officer"));
    // As any credential: what it may do is the table's to say.
    bearer(&house, &good).get("/api/v1/grants").is(200);
    bearer(&house, &good).get("/api/v1/holdings").problem(403, "forbidden-role");
    assert_eq!(who(&house, &key.sign(&with("aud", json!(["another", AUDIENCE])))).as_deref(), Some("pr-officer"));
    assert_eq!(who(&house, &key.sign(&with("exp", json!(NOW - 29)))).as_deref(), Some("pr-officer"), "a clock may be off a little");
    let stranger = Key::new("key-1", Algorithm::ES256);
    let public = serde_json::to_vec(&key.public).unwrap();
    let confused = jsonwebtoken::encode(
        &Header { kid: Some("key-1".into()), ..Header::new(Algorithm::HS256) },
        &claims(),
        &EncodingKey::from_secret(&public),
    );
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let none = format!("{}.{}.", part(json!({ "alg": "none", "kid": "key-1" })), part(claims()));
    let (head, rest) = good.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let other_body = format!("{head}.{}.{signature}", part(with("sub", json!("subject-2"))));
    let critical = format!("{}.{rest}", part(json!({ "alg": "ES256", "kid": "key-1", "crit": ["exp"], "exp": NOW })));
    let nameless = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims(), &key.key).unwrap();
    let bad = [
        ("another audience", key.sign(&with("aud", json!("another")))),
        ("no audience", key.sign(&with("aud", Value::Null))),
        ("another issuer", key.sign(&with("iss", json!("https://other.example")))),
        ("over", key.sign(&with("exp", json!(NOW - 31)))),
        ("no end", key.sign(&with("exp", Value::Null))),
        ("not begun", key.sign(&with("nbf", json!(NOW + 31)))),
        ("nobody's", key.sign(&with("sub", json!("subject-2")))),
        ("an e-mail address", key.sign(&with("sub", json!("officer@agency.example")))),
        ("no subject", key.sign(&with("sub", json!("")))),
        ("another key of the same name", stranger.sign(&claims())),
        ("signed with the public key as a secret", confused.unwrap()),
        ("not signed", none),
        ("another body", other_body),
        ("something critical", critical),
        ("no name of a key", nameless),
        ("too long", "x".repeat(9_000)),
        ("no token", "x.y.z".into()),
        ("nothing", String::new()),
    ];
    let bound = |to: &[u8]| with("cnf", json!({ "x5t#S256": URL_SAFE_NO_PAD.encode(to) }));
    let (certificate, card_key) = house.ca.card("officer@agency.example", 2);
    let der = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let mine = key.sign(&bound(&Sha256::digest(&der)));
    let bad = bad.into_iter().chain([
        ("bound to a certificate that is not shown", mine.clone()),
        ("bound to another key", key.sign(&with("cnf", json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" })))),
        ("bound to two", key.sign(&with("cnf", json!({ "jkt": "x", "x5t#S256": URL_SAFE_NO_PAD.encode(Sha256::digest(&der)) })))),
        ("bound to nothing that reads", key.sign(&with("cnf", json!({ "x5t#S256": "x" })))),
    ]);
    for (what, token) in bad {
        assert_eq!(who(&house, &token), None, "{what}");
    }
    // With the certificate it is bound to, and with no other.
    let beside = |mut client: Client, token: &str| {
        client.headers.push(("Authorization".into(), format!("Bearer {token}")));
        client.get("/api/v1/whoami")
    };
    let shows = house.with_card((certificate, card_key));
    assert_eq!(beside(shows.clone(), &mine).is(200).json()["principal"], "pr-officer");
    beside(shows, &key.sign(&bound(&[7; 32]))).problem(401, "unauthenticated");
    // A certificate of somebody else and the token: two people are nobody.
    let mut both = house.client("founder");
    both.headers.push(("Authorization".into(), format!("Bearer {good}")));
    both.get("/api/v1/whoami").problem(401, "unauthenticated");
    // It holds no longer than it says, however often it was shown before.
    let follows = bearer(&house, &good).following();
    house.world.clock.advance(700 * 1_000_000);
    assert_eq!(who(&house, &good), None);
    support::ends(follows);
    house.verified();
}

#[test]
fn keys_are_asked_for_again_when_a_new_one_signs_and_not_more_often() {
    let (first, second, third) = (Key::new("a", Algorithm::ES256), Key::new("b", Algorithm::EdDSA), Key::new("c", Algorithm::ES256));
    let provider = Provider::start(set(&[&first]));
    let house = house(provider.config());
    assert!(who(&house, &first.sign(&claims())).is_some());
    let before = provider.asked.load(Ordering::SeqCst);
    *provider.keys.lock().unwrap() = set(&[&second]);
    assert!(who(&house, &second.sign(&claims())).is_some(), "the new key is not asked for");
    assert!(who(&house, &first.sign(&claims())).is_none(), "a key that is gone still holds, or what was remembered of it does");
    let after = provider.asked.load(Ordering::SeqCst);
    assert!(after <= before + 2, "{before} {after}");
    // Whoever makes up names of keys does not make us ask each time.
    *provider.keys.lock().unwrap() = set(&[&third]);
    for n in 0..40 {
        let token = jsonwebtoken::encode(&Header { kid: Some(format!("k{n}")), ..Header::new(Algorithm::ES256) }, &claims(), &first.key);
        assert!(who(&house, &token.unwrap()).is_none());
    }
    assert!(provider.asked.load(Ordering::SeqCst) <= after + 1);
    // What it gives is no set of keys any more: what was heard goes on.
    *provider.keys.lock().unwrap() = "<html>".into();
    assert!(who(&house, &second.sign(&claims())).is_some() || who(&house, &third.sign(&claims())).is_some());
    house.verified();
}

#[test]
fn keys_in_a_file_and_every_algorithm_that_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.json");
    let (rsa, ed, weak) = (Key::new("rsa", Algorithm::RS256), Key::new("ed", Algorithm::EdDSA), Key::new("weak", Algorithm::ES256));
    let mut keys: Value = serde_json::from_str(&set(&[&rsa, &ed, &weak])).unwrap();
    let all = keys["keys"].as_array_mut().unwrap();
    // Keys of other kinds, for other ends, and one name for two keys, are passed over.
    all[2]["use"] = json!("enc");
    all.push(json!({ "kty": "oct", "kid": "secret", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0" }));
    all.push(json!({ "kty": "unheard-of", "kid": "x" }));
    all.push(json!(7));
    std::fs::write(&path, keys.to_string()).unwrap();
    let mut config = oidc(Some(path.clone()), None, None);
    let house = house(config.clone());
    assert!(who(&house, &rsa.sign(&claims())).is_some() && who(&house, &ed.sign(&claims())).is_some());
    assert!(who(&house, &weak.sign(&claims())).is_none(), "a key for encryption");
    let secret = EncodingKey::from_base64_secret("c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0").unwrap();
    let shared = jsonwebtoken::encode(&Header { kid: Some("secret".into()), ..Header::new(Algorithm::HS256) }, &claims(), &secret);
    assert!(who(&house, &shared.unwrap()).is_none());
    house.verified();
    config.algorithms = vec![Signing::ES256];
    let house = self::house(config.clone());
    assert!(who(&house, &rsa.sign(&claims())).is_none(), "an algorithm that is not taken");
    house.verified();
    // Without keys nobody comes in by a token, and everybody else does.
    std::fs::remove_file(&path).unwrap();
    let house = self::house(config);
    assert!(who(&house, &rsa.sign(&claims())).is_none());
    house.client("officer").get("/api/v1/whoami").is(200);
    house.verified();
}
