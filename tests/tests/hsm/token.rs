//! Keys and a ledger in a token that behaves.

use ciborium::Value;
use countersign_ledger::export::{Planes, export};
use countersign_ledger::{Access, Ledger};
use countersign_log::tree::{LeafIndex, TreeSize, leaf_hash, root_from_inclusion};
use countersign_log::vkey::VKey;
use countersign_sign::officer::{OfficerKey, OfficerKeyError};
use countersign_sign::pkcs11::{Algorithm, Class, TokenError, TokenSigner};
use countersign_sign::{SignError, Signer as _};
use countersign_testing::ledger::{access, active_grant, record, stage_set, verified};
use countersign_verify::files::DirSource;
use countersign_verify::{Options, Verdict, verify};

use crate::{Bench, KEY, ORIGIN, alone, alone_with_faults};

#[test]
fn a_ledger_under_ed25519_verifies_with_its_vkey_alone() {
    alone("token::a_ledger_under_ed25519_verifies_with_its_vkey_alone", |bench| ledger_verifies(bench, Algorithm::Ed25519));
}

#[test]
fn a_ledger_under_p256_verifies_with_its_vkey_alone() {
    alone("token::a_ledger_under_p256_verifies_with_its_vkey_alone", |bench| ledger_verifies(bench, Algorithm::P256));
}

fn ledger_verifies(bench: &Bench, algorithm: Algorithm) {
    let mut ledger = bench.ledger(algorithm);
    let submission = stage_set(&mut ledger);
    let grant = active_grant(&mut ledger, "ada1", &submission);
    let now = ledger.now();
    record(&mut ledger, "gateway", "one", access("ada1", &submission, Some(grant), now)).unwrap();
    drop(ledger);
    // Opened again: data keys come back out of the token, the store's heads hold.
    let mut ledger = bench.open(Access::Write);
    assert_eq!(ledger.read_only(), None);
    let now = ledger.now();
    record(&mut ledger, "gateway", "two", access("ada1", &submission, Some(grant), now)).unwrap();
    verified(&ledger);
    receipt_of_rfc_9942(&mut ledger, algorithm);
    // Nothing but the vkey, as text: neither PKCS#11 nor data keys.
    let vkey = VKey::parse(&ledger.vkey().to_string()).unwrap();
    let public = bench.dir.join("public");
    export(&ledger, &public, Planes::Public, &mut |_| {}).unwrap();
    let report = verify(&DirSource::new(&public), &Options::new(vkey.clone()), &mut |_| {});
    assert_eq!(report.verdict, Verdict::Verified, "{report}");
    let mut options = Options::new(vkey);
    options.key_files = Some(countersign_sign::keyfile::check_any);
    let report = verify(&DirSource::new(bench.ledger_dir()), &options, &mut |_| {});
    assert_eq!(report.verdict, Verdict::Verified, "{report}");
    // The file names no secret.
    let file = std::fs::read_to_string(bench.ledger_dir().join("keys/token.json")).unwrap();
    assert!(file.contains(KEY) && !file.contains(crate::PIN));
}

/// The newest entry's COSE receipt, read by a CBOR library and checked by the key alone.
fn receipt_of_rfc_9942(ledger: &mut Ledger, algorithm: Algorithm) {
    let index = ledger.size() - 1;
    let (size, path) = (ledger.size(), ledger.inclusion(index, ledger.size()).unwrap());
    let receipt = ledger.cose_root(size).unwrap().receipt(index, &path);
    let Ok(Value::Tag(18, sign1)) = ciborium::from_reader::<Value, _>(&receipt[..]) else { panic!("a COSE_Sign1") };
    let parts = sign1.into_array().unwrap();
    let (header, signature) = (parts[0].as_bytes().unwrap(), parts[3].as_bytes().unwrap());
    let root = root_from_inclusion(leaf_hash(&ledger.leaf(index).unwrap()), LeafIndex(index), TreeSize(size), &path).unwrap();
    let signed = Value::Array(vec!["Signature1".into(), Value::Bytes(header.clone()), Value::Bytes(vec![]), Value::Bytes(root.0.to_vec())]);
    let mut message = Vec::new();
    ciborium::into_writer(&signed, &mut message).unwrap();
    ledger.vkey().public_key().verify_fixed(&message, signature).unwrap();
    let Ok(Value::Map(header)) = ciborium::from_reader::<Value, _>(&header[..]) else { panic!("a header") };
    // RFC 9053: EdDSA, or ES256 with 64 bytes of r and s.
    let named = match algorithm {
        Algorithm::Ed25519 => -8,
        Algorithm::P256 => -7,
    };
    assert_eq!((header[0].clone(), signature.len()), ((Value::from(1), Value::from(named)), 64));
}

#[test]
fn a_second_key_is_never_made() {
    alone("token::a_second_key_is_never_made", |bench| {
        let vkey = bench.key(KEY, Algorithm::Ed25519);
        let exists = |e: Result<_, TokenError>| assert!(matches!(e, Err(TokenError::Exists { .. })), "{e:?}");
        exists(bench.token().make_signing_key(KEY, Algorithm::Ed25519).map(drop));
        exists(bench.token().make_signing_key(KEY, Algorithm::P256).map(drop));
        exists(bench.token().make_wrapping_key(KEY));
        assert_eq!(bench.token().public_key(KEY).unwrap().1, vkey.public_key().as_bytes());
        let key = bench.token().attributes(Class::Signing, KEY).unwrap();
        assert_eq!((key.sensitive, key.always_sensitive), (Some(true), Some(true)));
        assert_eq!((key.extractable, key.never_extractable, key.local), (Some(false), Some(true), Some(true)));
    });
}

/// As a PIV card's key for digital signatures does (9C).
#[test]
fn a_key_that_asks_with_every_signature_is_refused_by_name() {
    use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
    use cryptoki::mechanism::Mechanism;
    use cryptoki::object::Attribute;
    use cryptoki::session::UserType;
    use cryptoki::types::AuthPin;

    alone("token::a_key_that_asks_with_every_signature_is_refused_by_name", |bench| {
        let library = Pkcs11::new(&bench.place().module).unwrap();
        library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
        let slot = library.get_slots_with_initialized_token().unwrap()[0];
        let session = library.open_rw_session(slot).unwrap();
        session.login(UserType::User, Some(&AuthPin::new(crate::PIN.into()))).unwrap();
        let p256 = vec![0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        let make = |label: &str, asks: bool| {
            let label = || [Attribute::Token(true), Attribute::Label(label.into()), Attribute::Id(label.into())];
            let public = label().into_iter().chain([Attribute::Verify(true), Attribute::EcParams(p256.clone())]).collect::<Vec<_>>();
            let own = [Attribute::Private(true), Attribute::Sign(true), Attribute::AlwaysAuthenticate(asks)];
            let private = label().into_iter().chain(own).collect::<Vec<_>>();
            session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private).unwrap();
        };
        make("9C", true);
        make("9A", false);
        assert_eq!(bench.token().attributes(Class::Signing, "9C").unwrap().always_authenticate, Some(true));
        assert!(matches!(OfficerKey::in_token(bench.token(), "9C"), Err(OfficerKeyError::AsksEachTime(label)) if label == "9C"));
        OfficerKey::in_token(bench.token(), "9A").unwrap();
    });
}

#[test]
fn another_key_under_the_label_signs_nothing() {
    alone("token::another_key_under_the_label_signs_nothing", |bench| {
        bench.key(KEY, Algorithm::Ed25519);
        let other = bench.key("other", Algorithm::Ed25519);
        let mut signer = TokenSigner::new(bench.token(), KEY, other.clone());
        assert!(matches!(signer.sign(b"text\n"), Err(SignError::KeyUnavailable(why)) if why.contains("another than the pinned one")));
        let mut signer = TokenSigner::new(bench.token(), "absent", other.clone());
        assert!(matches!(signer.sign(b"text\n"), Err(SignError::KeyUnavailable(why)) if why.contains("0 signing keys")));
        let signature = TokenSigner::new(bench.token(), "other", other.clone()).sign(b"text\n").unwrap();
        other.public_key().verify(b"text\n", &signature).unwrap();
        // Destroyed is gone.
        bench.token().destroy(Class::Signing, "other").unwrap();
        assert!(matches!(bench.token().public_key("other"), Err(TokenError::Keys { count: 0, .. })));
    });
}

#[test]
fn a_wrapped_key_opens_under_its_own_name_only() {
    alone("token::a_wrapped_key_opens_under_its_own_name_only", |bench| {
        let token = bench.token();
        token.make_wrapping_key("wrap").unwrap();
        token.make_wrapping_key("other").unwrap();
        let key = zeroize::Zeroizing::new([7; 32]);
        let wrapped = token.wrap("wrap", b"name", &key).unwrap();
        assert_eq!(token.unwrap("wrap", b"name", &wrapped).unwrap(), key);
        assert_ne!(token.wrap("wrap", b"name", &key).unwrap(), wrapped);
        assert!(token.unwrap("wrap", b"eman", &wrapped).is_err());
        assert!(token.unwrap("other", b"name", &wrapped).is_err());
        let mut bent = wrapped;
        bent.sealed[0] ^= 1;
        assert!(token.unwrap("wrap", b"name", &bent).is_err());
        assert_eq!(token.unwrap("wrap", b"name", &wrapped).unwrap(), key);
    });
}

#[test]
fn a_wrong_pin_is_given_once() {
    alone_with_faults("token::a_wrong_pin_is_given_once", |bench| {
        let vkey = bench.key(KEY, Algorithm::Ed25519);
        // As another process would start: nothing of the login is left.
        bench.set_pin("pin-wrong");
        bench.plan("C_SignInit 257 1\n");
        let before = bench.calls("C_Login");
        let mut signer = TokenSigner::new(bench.token(), KEY, vkey.clone());
        bench.plan("C_SignInit logout 1\n");
        for _ in 0..5 {
            let refused = signer.sign(b"text\n").unwrap_err();
            assert!(matches!(&refused, SignError::KeyUnavailable(why) if why.contains("refused the PIN")), "{refused}");
        }
        assert_eq!(bench.calls("C_Login") - before, 1);
        bench.set_pin(crate::PIN);
        let signature = signer.sign(b"text\n").unwrap();
        vkey.public_key().verify(b"text\n", &signature).unwrap();
    });
}

#[test]
fn an_origin_for_software_keys_is_refused() {
    alone("token::an_origin_for_software_keys_is_refused", |bench| {
        let key = bench.token().make_signing_key(KEY, Algorithm::Ed25519).unwrap();
        let vkey = VKey::new(&format!("{ORIGIN}/software"), &key).unwrap();
        let (place, register) = (bench.place(), std::path::Path::new("register/head"));
        let key = countersign_ledger::InToken { place: &place, label: KEY, vkey: &vkey };
        let who = countersign_testing::ledger::principal("founder");
        let made =
            countersign_ledger::Directory::create_in_token(&bench.ledger_dir(), key, register, crate::opening(), &who, &who, Vec::new());
        assert!(matches!(made, Err(countersign_ledger::DirectoryError::SoftwareOrigin(_))));
        assert!(!bench.ledger_dir().exists());
    });
}
