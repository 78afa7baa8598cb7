//! Webhooks against real receivers over TLS: in order and at least once, over a restart, signed so that anybody with the public key can check, and
//! nothing for whoever may not know.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_entry::record::Role;
use countersign_server::webhook::Webhook;
use ed25519_dalek::{Signature, VerifyingKey};
use rcgen::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::{Authority, House, ORIGIN};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::aws_lc_rs, version};

/// One request as a receiver got it.
#[derive(Debug, Clone)]
struct Got {
    headers: std::collections::BTreeMap<String, String>,
    body: Vec<u8>,
    answered: u16,
}

/// Somebody who is told: answers what it is given to answer, then 204.
struct Receiver {
    url: String,
    roots: PathBuf,
    got: Arc<Mutex<Vec<Got>>>,
    answers: Arc<Mutex<Vec<u16>>>,
    _files: tempfile::TempDir,
}

impl Receiver {
    fn start(answers: &[u16]) -> Self {
        let (ca, files) = (Authority::new("Receiver CA"), tempfile::tempdir().unwrap());
        let roots = files.path().join("roots.pem");
        std::fs::write(&roots, &ca.pem).unwrap();
        let (certificate, key) = ca.server();
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap());
        let (config, listener) = (Arc::new(config.unwrap()), TcpListener::bind("127.0.0.1:0").unwrap());
        let url = format!("https://localhost:{}/hooks/siem?for=us", listener.local_addr().unwrap().port());
        let got: Arc<Mutex<Vec<Got>>> = Arc::default();
        let answers = Arc::new(Mutex::new(answers.iter().rev().copied().collect::<Vec<_>>()));
        let (keep, next) = (Arc::clone(&got), Arc::clone(&answers));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream.unwrap());
                let mut reader = BufReader::new(&mut stream);
                let mut lines = Vec::new();
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap_or(0) < 3 {
                        break;
                    }
                    lines.push(line.trim_end().to_owned());
                }
                // A handshake that came to nothing.
                let Some(first) = lines.first() else { continue };
                assert_eq!(first, "POST /hooks/siem?for=us HTTP/1.1");
                let headers: std::collections::BTreeMap<String, String> =
                    lines[1..].iter().map(|l| l.split_once(": ").unwrap()).map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect();
                let mut body = vec![0; headers["content-length"].parse().unwrap()];
                reader.read_exact(&mut body).unwrap();
                let answered = next.lock().unwrap().pop().unwrap_or(204);
                keep.lock().unwrap().push(Got { headers, body, answered });
                stream.write_all(format!("HTTP/1.1 {answered} X\r\nContent-Length: 0\r\n\r\n").as_bytes()).unwrap_or(());
                stream.conn.send_close_notify();
                stream.flush().unwrap_or(());
            }
        });
        Self { url, roots, got, answers, _files: files }
    }

    fn hook(&self, name: &str, role: Role, key: PathBuf) -> Webhook {
        Webhook { name: name.into(), url: self.url.clone(), roots: Some(self.roots.clone()), role, key }
    }

    /// What it got, once it was told of an entry and said so; a minute is for a machine that does much else.
    fn until(&self, entry: u64) -> Vec<Got> {
        let began = Instant::now();
        loop {
            let got = self.got.lock().unwrap().clone();
            if got.iter().any(|g| g.answered == 204 && event(g)["data"]["entry"] == entry) {
                return got;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "entry {entry} never came: {got:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn event(got: &Got) -> Value {
    serde_json::from_slice(&got.body).unwrap()
}

/// The signature as RFC 9421 has it, put together from the message alone.
fn check(got: &Got, url: &str, key: &VerifyingKey) {
    let header = |name: &str| got.headers[name].as_str();
    assert_eq!(header("content-digest"), format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(&got.body))));
    let params = header("signature-input").strip_prefix("countersign=").unwrap();
    let (covered, _) = params[1..].split_once(')').unwrap();
    let line = |name: &str| match name {
        "\"@method\"" => format!("{name}: POST"),
        "\"@target-uri\"" => format!("{name}: {url}"),
        other => format!("{other}: {}", header(other.trim_matches('"'))),
    };
    let mut base: Vec<String> = covered.split(' ').map(line).collect();
    assert_eq!(base.len(), 4);
    base.push(format!("\"@signature-params\": {params}"));
    let signature = header("signature").strip_prefix("countersign=:").unwrap().strip_suffix(':').unwrap();
    let signature = Signature::from_slice(&STANDARD.decode(signature).unwrap()).unwrap();
    key.verify_strict(base.join("\n").as_bytes(), &signature).unwrap();
    base[0] = "\"@method\": PUT".into();
    assert!(key.verify_strict(base.join("\n").as_bytes(), &signature).is_err());
}

/// Holds a value to a schema of the few words `schemas/asyncapi.json` uses.
fn fits(value: &Value, schema: &Value, at: &str) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object).filter(|_| schema["additionalProperties"] == false) {
        let fields = value.as_object().unwrap_or_else(|| panic!("{at}: {value}"));
        assert!(fields.keys().all(|name| properties.contains_key(name)), "{at}: {value}");
        assert!(schema["required"].as_array().unwrap().iter().all(|name| fields.contains_key(name.as_str().unwrap())), "{at}: {value}");
        fields.iter().for_each(|(name, value)| fits(value, &properties[name], &format!("{at}/{name}")));
    }
    assert!(schema.get("const").is_none_or(|c| c == value), "{at}: {value}");
    assert!(schema.get("enum").is_none_or(|all| all.as_array().unwrap().contains(value)), "{at}: {value}");
    let is = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64(),
        Some("object") => value.is_object(),
        Some(other) => panic!("{at}: {other}"),
        None => true,
    };
    assert!(is, "{at}: {value}");
}

fn asyncapi() -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas/asyncapi.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn provider(house: &House, n: usize) -> u64 {
    let told = json!({ "id": format!("lab-{n}"), "name": "CANARY7XQ" });
    house.client("founder").post("/api/v1/providers", &format!("a-provider-told-{n}"), &told).is(201).json()["entry"].as_u64().unwrap()
}

#[test]
fn events_are_delivered_in_order_at_least_once_over_a_restart_and_signed() {
    let (good, picky) = (Receiver::start(&[500, 503]), Receiver::start(&[]));
    let stranger = Receiver::start(&[]);
    let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let key = VerifyingKey::from_bytes(pair.public_key_raw().try_into().unwrap()).unwrap();
    let mut house = House::start_with(
        |config| {
            let file = config.exports.as_ref().unwrap().with_file_name("webhook.key");
            std::fs::write(&file, pair.serialize_pem()).unwrap();
            let mut wrong = stranger.hook("wrong-roots", Role::InspectorGeneral, file.clone());
            wrong.roots = Some(good.roots.clone());
            config.webhook =
                vec![good.hook("siem", Role::InspectorGeneral, file.clone()), picky.hook("ethics", Role::EthicsOfficer, file), wrong];
            config.webhook_state = Some(config.exports.as_ref().unwrap().with_file_name("webhooks"));
        },
        |_| {},
    );
    // Each begins with what is recorded after it was first served.
    let begun = |name: &str| house.path("webhooks").join(name).exists();
    let began = Instant::now();
    while !(begun("siem") && begun("ethics")) {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(10));
    }
    let first = provider(&house, 1);
    let list = json!({ "id": "quiet", "kind": "watch", "name": "Quiet" });
    let hidden = house.client("ethics").post("/api/v1/lists", "a-watch-list-000001", &list).is(201).json()["entry"].as_u64().unwrap();
    let second = provider(&house, 2);
    good.until(second);
    picky.until(second);
    house.running.take().unwrap().stop();
    // What is recorded while it was away comes too.
    house.run();
    let third = provider(&house, 3);
    let got = good.until(third);

    let schema = asyncapi().pointer("/components/messages/cloudevent/payload").unwrap().clone();
    for got in &got {
        check(got, &good.url, &key);
        let told = event(got);
        fits(&told, &schema, "");
        assert_eq!(
            (told["source"].as_str(), &told["id"]),
            (Some(format!("urn:countersign:ledger:{ORIGIN}").as_str()), &json!(told["data"]["entry"].to_string()))
        );
        assert!(!String::from_utf8_lossy(&got.body).contains("CANARY7XQ"), "an event says nothing of what is recorded");
    }
    let entries = |got: &[Got]| got.iter().map(|g| event(g)["data"]["entry"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!((got[0].answered, got[1].answered, &entries(&got)[..3]), (500, 503, &[first; 3][..]), "until it was taken");
    let taken: Vec<u64> = entries(&got.iter().filter(|g| g.answered == 204).cloned().collect::<Vec<_>>());
    assert!(taken.windows(2).all(|pair| pair[0] < pair[1]), "in order, and once where each was answered: {taken:?}");
    assert!([first, second, third].iter().all(|n| taken.contains(n)) && !taken.contains(&hidden), "{taken:?}");
    assert!(entries(&picky.until(third)).contains(&hidden), "the ethics officer is told of a watch list");
    assert!(stranger.got.lock().unwrap().is_empty(), "another's certificate");
    assert!(good.answers.lock().unwrap().is_empty());
    let metrics = house.operations("/metrics").text();
    assert!(!metrics.contains("countersign_webhook_undelivered_total 0\n"), "{metrics}");
    house.verified();
}

#[test]
fn a_disk_that_fails_for_a_while_ends_no_deliveries() {
    let good = Receiver::start(&[]);
    let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let house = House::start_with(
        |config| {
            let file = config.exports.as_ref().unwrap().with_file_name("webhook.key");
            std::fs::write(&file, pair.serialize_pem()).unwrap();
            config.webhook = vec![good.hook("siem", Role::InspectorGeneral, file)];
            config.webhook_state = Some(config.exports.as_ref().unwrap().with_file_name("webhooks"));
        },
        |_| {},
    );
    let (kept, away) = (house.path("webhooks"), house.path("away"));
    let began = Instant::now();
    while !kept.join("siem").exists() {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(10));
    }
    std::fs::rename(&kept, &away).unwrap();
    good.until(provider(&house, 1));
    let next = provider(&house, 2);
    let began = Instant::now();
    while house.operations("/metrics").text().contains("countersign_webhook_undelivered_total 0\n") {
        assert!(began.elapsed() < Duration::from_secs(60), "nobody says that it is not kept");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::fs::rename(&away, &kept).unwrap();
    good.until(next);
    house.verified();
}

#[test]
fn what_is_sent_as_it_happens_is_what_the_description_says() {
    let house = House::start();
    let stream = house.client("inspector").events("Last-Event-ID: 0\r\n");
    let schema = asyncapi().pointer("/components/messages/recorded/payload").unwrap().clone();
    let mut seen = 0;
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap();
        let Some(data) = line.strip_prefix("data: ") else { continue };
        fits(&serde_json::from_str(data).unwrap(), &schema, "");
        seen += 1;
        if seen == 20 {
            break;
        }
    }
    assert_eq!(seen, 20);
    house.verified();
}
