//! Every CKR code at every call, and worse: how a signature comes about all the same, or does not.

use std::time::{Duration, Instant};

use countersign_ledger::{Access, AppendError};
use countersign_sign::pkcs11::{Algorithm, TokenSigner};
use countersign_sign::{SignError, Signer as _};
use countersign_testing::ledger::{access, record, stage_set, verified};

use crate::{Bench, KEY, alone_with_faults};

/// Codes as in the standard: general and token errors, sessions, handles, logins.
const CODES: [(&str, u64); 16] = [
    ("HOST_MEMORY", 0x02),
    ("GENERAL_ERROR", 0x05),
    ("FUNCTION_FAILED", 0x06),
    ("DEVICE_ERROR", 0x30),
    ("DEVICE_MEMORY", 0x31),
    ("DEVICE_REMOVED", 0x32),
    ("FUNCTION_CANCELED", 0x50),
    ("KEY_HANDLE_INVALID", 0x60),
    ("OBJECT_HANDLE_INVALID", 0x82),
    ("OPERATION_ACTIVE", 0x90),
    ("SESSION_CLOSED", 0xB0),
    ("SESSION_COUNT", 0xB1),
    ("SESSION_HANDLE_INVALID", 0xB3),
    ("TOKEN_NOT_PRESENT", 0xE0),
    ("USER_NOT_LOGGED_IN", 0x101),
    ("CRYPTOKI_NOT_INITIALIZED", 0x190),
];
/// The calls that a signature needs once a session is there, and those that a new session needs.
const SIGNING: [&str; 2] = ["C_SignInit", "C_Sign"];
const CONNECTING: [&str; 8] = [
    "C_GetSlotList",
    "C_GetTokenInfo",
    "C_OpenSession",
    "C_Login",
    "C_FindObjectsInit",
    "C_FindObjects",
    "C_GetAttributeValue",
    "C_Initialize",
];

/// The session is gone for every rung but the last.
const LOSE_SESSION: &str = "C_SignInit 179 5\n";

fn signer(bench: &Bench) -> (TokenSigner, countersign_log::vkey::VKey) {
    let vkey = bench.key(KEY, Algorithm::Ed25519);
    (TokenSigner::new(bench.token(), KEY, vkey.clone()), vkey)
}

#[test]
fn every_code_at_every_call() {
    alone_with_faults("faults::every_code_at_every_call", |bench| {
        let (mut signer, vkey) = signer(bench);
        // A ledger asks again after a pause; here at once.
        let mut sign = |what: &str| {
            let began = Instant::now();
            let mut asked = 1;
            let signature = loop {
                match signer.sign(b"text\n") {
                    Ok(signature) => break signature,
                    Err(SignError::KeyUnavailable(_)) if asked < 4 => asked += 1,
                    Err(e) => panic!("{what}: {e}"),
                }
            };
            vkey.public_key().verify(b"text\n", &signature).unwrap();
            (began.elapsed(), asked)
        };
        sign("at first");
        println!("call                code                       times  asked  recovered by                        milliseconds");
        for call in SIGNING.iter().chain(&CONNECTING) {
            for (name, code) in CODES {
                for times in [1, 3] {
                    let what = format!("{call} {name} x{times}");
                    // A new session is needed only once the old one is lost.
                    let lose_session = if CONNECTING.contains(call) { LOSE_SESSION } else { "" };
                    bench.plan(&format!("{lose_session}{call} {code} {times}\n# {what}\n"));
                    let (took, asked) = sign(&what);
                    bench.plan("");
                    let by = bench.token().last_climb().and_then(|c| c.rung).map_or("-".into(), |r| r.to_string());
                    println!("{call:<19} {name:<26} {times:<6} {asked:<6} {by:<35} {:.2}", took.as_secs_f64() * 1e3);
                }
            }
        }
        // Whatever happened, it is the same key.
        sign("at last");
    });
}

#[test]
fn a_token_that_fails_for_good_is_away_and_comes_back() {
    alone_with_faults("faults::a_token_that_fails_for_good_is_away_and_comes_back", |bench| {
        let (mut signer, vkey) = signer(bench);
        for call in ["C_Sign", "C_SignInit", "C_GetSlotList", "C_OpenSession", "C_Login", "C_Initialize"] {
            bench.plan(&format!("{LOSE_SESSION}{call} 48 1000000\n"));
            for _ in 0..3 {
                let e = signer.sign(b"text\n").unwrap_err();
                assert!(matches!(&e, SignError::KeyUnavailable(why) if why.contains("DeviceError")), "{call}: {e}");
            }
            bench.plan("");
            let signature = signer.sign(b"text\n").unwrap_or_else(|e| panic!("{call}: {e}"));
            vkey.public_key().verify(b"text\n", &signature).unwrap();
        }
    });
}

#[test]
fn somebody_else_logs_out() {
    alone_with_faults("faults::somebody_else_logs_out", |bench| {
        let (mut signer, _) = signer(bench);
        signer.sign(b"text\n").unwrap();
        bench.plan("C_SignInit logout 1\n");
        signer.sign(b"text\n").unwrap();
        println!("logged out elsewhere: {:?}", bench.token().last_climb().unwrap());
    });
}

#[test]
fn garbage_is_never_sealed_and_a_lost_reply_is_signed_again() {
    alone_with_faults("faults::garbage_is_never_sealed_and_a_lost_reply_is_signed_again", |bench| {
        let mut ledger = bench.ledger(Algorithm::Ed25519);
        let submission = stage_set(&mut ledger);
        for (n, what) in ["garbage 1", "garbage 4", "lose 1", "lose 5"].iter().enumerate() {
            bench.plan(&format!("C_Sign {what}\n"));
            let now = ledger.now();
            record(&mut ledger, "gateway", &format!("event-{n}"), access("ada1", &submission, None, now)).unwrap();
            println!("C_Sign {what}: {:?}", bench.token().last_climb().unwrap());
        }
        // For good: nothing is acknowledged, and the batch is sealed when the token signs again.
        bench.plan("C_Sign garbage 1000000\n");
        let size = ledger.size();
        let now = ledger.now();
        let event = access("ada1", &submission, None, now);
        let unknown = record(&mut ledger, "gateway", "bad", event.clone());
        assert!(matches!(unknown, Err(AppendError::Unknown(_))), "{unknown:?}");
        assert!(ledger.key_is_away() && ledger.read_only().is_some_and(|why| why.contains("does not hold")), "{:?}", ledger.read_only());
        let refused = record(&mut ledger, "gateway", "later", event.clone());
        assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
        assert_eq!(bench.open(Access::Read).size(), size);
        bench.plan("");
        std::thread::sleep(Duration::from_millis(600));
        let again = record(&mut ledger, "gateway", "bad", event).unwrap();
        assert!(again.repeated && again.index == size);
        verified(&ledger);
    });
}

#[test]
fn a_call_that_hangs_costs_its_deadline_and_no_more() {
    alone_with_faults("faults::a_call_that_hangs_costs_its_deadline_and_no_more", |bench| {
        let (mut signer, vkey) = signer(bench);
        signer.sign(b"text\n").unwrap();
        bench.plan("C_Sign hang:60000 1\n");
        let began = Instant::now();
        let hung = signer.sign(b"text\n").unwrap_err();
        println!("a call that hangs for a minute: {hung}, after {:.2} s", began.elapsed().as_secs_f64());
        assert!(matches!(&hung, SignError::KeyUnavailable(why) if why.contains("hangs")), "{hung}");
        assert!(began.elapsed() < Duration::from_secs(50), "it waited for the call that hangs for a minute");
        // On another thread, in a session of its own.
        let began = Instant::now();
        let signature = signer.sign(b"text\n").unwrap();
        println!("the next signature, on another thread: {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
        vkey.public_key().verify(b"text\n", &signature).unwrap();
        // Threads are not spent without end, and the message says what to do.
        bench.plan("C_Sign hang:60000 1000000\n");
        let told = (0..4).map(|_| signer.sign(b"text\n").unwrap_err().to_string()).last().unwrap();
        assert!(told.contains("restart the program"), "{told}");
        std::process::exit(0);
    });
}
