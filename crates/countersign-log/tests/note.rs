//! Signed notes, signed checkpoints and proof files: published examples, and one negative case for each rule.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use countersign_log::checkpoint::{Checkpoint, CheckpointError, CheckpointTextError};
use countersign_log::ed25519::SignatureError;
use countersign_log::encoding::base64;
use countersign_log::limits;
use countersign_log::note::{KeyId, Note, NoteError, NoteVerifyError, VKey, format_note};
use countersign_log::proof::{ProofError, ProofFormError, TlogProof};
use countersign_log::tree::{LeafIndex, NodeHash, Tree, leaf_hash};
use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;

/// The example of C2SP signed-note.
const EXAMPLE_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE: &str = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

const SIGNATURE: &str = "AAAAAAA=";

fn log_key(seed: u8, name: &str) -> (SigningKey, VKey) {
    let signing = SigningKey::from_bytes(&[seed; 32]);
    let key = VKey::new(name, signing.verifying_key().as_bytes()).unwrap();
    (signing, key)
}

fn signed(signing: &SigningKey, key: &VKey, text: &str) -> String {
    let signature = signing.sign(text.as_bytes()).to_bytes();
    format_note(text, &[(key.name(), key.key_id(), &signature)]).unwrap()
}

fn refused(note: &str) -> NoteError {
    Note::parse(note.as_bytes()).unwrap_err()
}

#[test]
fn the_published_example_verifies() {
    let key = VKey::parse(EXAMPLE_KEY).unwrap();
    let note = Note::parse(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(note.verify(&key), Ok(3));
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(note.to_string(), EXAMPLE);
    let bent = Note::parse(EXAMPLE.replace("This", "this").as_bytes()).unwrap();
    let bad = NoteVerifyError::BadSignature {
        name: key.name().to_owned(),
        key_id: key.key_id(),
        line: 3,
        source: SignatureError::Mismatch.into(),
    };
    assert_eq!(bent.verify(&key), Err(bad));
}

#[test]
fn a_missing_line_is_not_a_bad_signature() {
    let (signing, key) = log_key(1, "log");
    let note = Note::parse(signed(&signing, &key, "text\n").as_bytes()).unwrap();
    // The same key under another name, and another key under the same name: strangers both.
    let (_, renamed) = log_key(1, "gol");
    let (_, other) = log_key(2, "log");
    for stranger in [renamed, other] {
        assert!(matches!(note.verify(&stranger), Err(NoteVerifyError::NoLine { .. })));
    }
    // A wrong signature under the right name and key id, of the wrong length even, is a bad one.
    for signature in [&[0u8; 64][..], &[0; 63], &[0; 65], &[0; 1]] {
        let bad = format_note("text\n", &[(key.name(), key.key_id(), signature)]).unwrap();
        assert!(matches!(Note::parse(bad.as_bytes()).unwrap().verify(&key), Err(NoteVerifyError::BadSignature { line: 3, .. })));
    }
}

#[test]
fn each_fault_of_form_has_its_name() {
    let good = format!("a\n\n— k {SIGNATURE}\n");
    assert!(Note::parse(good.as_bytes()).is_ok());
    assert_eq!(refused(&good.replace('\n', "\r\n")), NoteError::ControlCharacter { offset: 1 });
    assert_eq!(refused(&good.replace('a', "\t")), NoteError::ControlCharacter { offset: 0 });
    assert_eq!(refused(&good.replace('a', "\0")), NoteError::ControlCharacter { offset: 0 });
    assert_eq!(Note::parse(b"a\xff\n\n"), Err(NoteError::NotUtf8 { offset: 1 }));
    assert_eq!(refused(good.trim_end()), NoteError::NoFinalNewline);
    assert_eq!(refused(""), NoteError::NoFinalNewline);
    assert_eq!(refused(&good.replace("\n\n", "\n")), NoteError::NoSeparator);
    assert_eq!(refused("a\n\n"), NoteError::NoSignature);
    assert_eq!(refused(&format!("{good}\n")), NoteError::NoSignature);
    for line in ["k AAAAAAA=", "- k AAAAAAA=", "—k AAAAAAA=", "— k", "—\u{a0}k AAAAAAA="] {
        assert_eq!(refused(&format!("a\n\n{line}\n")), NoteError::SignatureLine { line: 3 }, "{line}");
    }
    for name in ["", "k+k", "k\u{a0}k", "k\u{2003}"] {
        assert_eq!(refused(&format!("a\n\n— {name} {SIGNATURE}\n")), NoteError::KeyName { line: 3 }, "{name}");
    }
    // Stray trailing bits, no padding, the URL alphabet, a space before, behind, a second word, nothing.
    for encoded in ["AAAAAAB=", "AAAAAAA", "AAAA_AA=", " AAAAAAA=", "AAAAAAA= ", "AAAAAAA= x"] {
        assert!(matches!(refused(&format!("a\n\n— k {encoded}\n")), NoteError::Base64 { line: 3, .. }), "{encoded}");
    }
    for encoded in ["AAAAAA==", "AAAA", ""] {
        assert_eq!(refused(&format!("a\n\n— k {encoded}\n")), NoteError::SignatureTooShort { line: 3 }, "{encoded}");
    }
    let huge = format!("{}\n\n— k {SIGNATURE}\n", "a".repeat(limits::NOTE_BYTES_MAX));
    assert!(matches!(refused(&huge), NoteError::TooLong { .. }));
}

#[test]
fn one_line_for_each_key_and_no_more_than_64() {
    let lines = |count: usize| (0..count).map(|i| format!("— k{i} {SIGNATURE}\n")).collect::<String>();
    assert_eq!(Note::parse(format!("a\n\n{}", lines(64)).as_bytes()).unwrap().signatures().len(), 64);
    assert_eq!(refused(&format!("a\n\n{}", lines(65))), NoteError::TooManySignatures { found: 65 });
    assert_eq!(refused(&format!("a\n\n{}— k1 AAAAAAE=\n", lines(3))), NoteError::Duplicate { first: 4, line: 6 });
    // One name with two key ids, and one key id with two names, are two keys each.
    assert!(Note::parse(format!("a\n\n— k {SIGNATURE}\n— k AAAAAQA=\n— l {SIGNATURE}\n").as_bytes()).is_ok());
}

#[test]
fn the_text_ends_at_the_last_empty_line() {
    let note = Note::parse(format!("a\n\nb\n\n\n— k {SIGNATURE}\n").as_bytes()).unwrap();
    assert_eq!(note.text(), "a\n\nb\n\n");
    assert_eq!(note.signatures()[0].line, 6);
    // Signature lines followed by another empty line belong to the text.
    let note = Note::parse(format!("a\n\n— k {SIGNATURE}\n\n— l {SIGNATURE}\n").as_bytes()).unwrap();
    assert_eq!(note.signatures().len(), 1);
    assert_eq!(note.signatures()[0].name, "l");
}

#[test]
fn nothing_is_written_that_cannot_be_read() {
    let id = KeyId([0; 4]);
    assert!(format_note("a", &[("k", id, &[0])]).is_err());
    assert_eq!(format_note("a\n", &[]), Err(NoteError::NoSignature));
    assert!(format_note("a\n", &[("k k", id, &[0])]).is_err());
    assert!(format_note("a\n", &[("k", id, &[])]).is_err());
    assert!(format_note("a\r\n", &[("k", id, &[0])]).is_err());
    assert!(format_note("a\n", &[("k\n\n— l", id, &[0])]).is_err());
    assert!(matches!(format_note("a\n", &[("k", id, &[0]), ("k", id, &[1])]), Err(NoteError::Duplicate { .. })));
}

#[test]
fn a_checkpoint_is_believed_under_its_own_key_only() {
    let (signing, key) = log_key(1, "log");
    let checkpoint = |origin: &str| Checkpoint { origin: origin.to_owned(), size: LEAF_COUNT, root: tree().root() };
    let text = checkpoint("log").to_text();
    let note = signed(&signing, &key, &text);
    let verified = Checkpoint::verify(note.as_bytes(), &key).unwrap();
    assert_eq!(verified.checkpoint(), &checkpoint("log"));
    assert_eq!((verified.line(), verified.key()), (5, &key));

    let (_, other) = log_key(2, "log");
    let error = Checkpoint::verify(note.as_bytes(), &other).unwrap_err();
    assert!(matches!(error, CheckpointError::Signature(NoteVerifyError::NoLine { .. })));
    let bent = note.replace("log\n11\n", "log\n12\n");
    let error = Checkpoint::verify(bent.as_bytes(), &key).unwrap_err();
    assert!(matches!(error, CheckpointError::Signature(NoteVerifyError::BadSignature { .. })));
    let elsewhere = signed(&signing, &key, &checkpoint("gol").to_text());
    let error = Checkpoint::verify(elsewhere.as_bytes(), &key).unwrap_err();
    assert!(matches!(error, CheckpointError::WrongOrigin { .. }));
    let extended = signed(&signing, &key, &format!("{text}more\n"));
    let error = Checkpoint::verify(extended.as_bytes(), &key).unwrap_err();
    assert_eq!(error, CheckpointError::Text(CheckpointTextError::ExtensionLines { found: 1 }));
    assert!(matches!(Checkpoint::verify(b"log\n", &key), Err(CheckpointError::Note(_))));

    // A witness's line beside the log's changes nothing, good or bad.
    let cosigned = Note::parse(note.as_bytes()).unwrap().with_signature("w", KeyId([9; 4]), &[0; 72]).unwrap();
    assert!(Checkpoint::verify(cosigned.to_string().as_bytes(), &key).is_ok());
}

const LEAF_COUNT: countersign_log::tree::TreeSize = countersign_log::tree::TreeSize(11);

fn tree() -> Tree {
    (0..LEAF_COUNT.0 as u8).map(|leaf| leaf_hash(&[leaf])).collect()
}

fn proof(index: u64, extra: Option<Vec<u8>>) -> (TlogProof, VKey) {
    let (signing, key) = log_key(1, "log");
    let tree = tree();
    let checkpoint = Checkpoint { origin: "log".to_owned(), size: LEAF_COUNT, root: tree.root() };
    let note = Note::parse(signed(&signing, &key, &checkpoint.to_text()).as_bytes()).unwrap();
    let hashes = tree.inclusion_proof(LeafIndex(index), LEAF_COUNT).unwrap();
    (TlogProof { extra, index: LeafIndex(index), hashes, note }, key)
}

#[test]
fn a_proof_file_says_what_it_proved() {
    for index in 0..LEAF_COUNT.0 {
        let (proof, key) = proof(index, (index % 2 == 0).then(|| vec![7; 3]));
        let read = TlogProof::parse(proof.encode().as_bytes()).unwrap();
        assert_eq!(read, proof);
        let verified = read.verify(&[index as u8], &key).unwrap();
        assert_eq!((verified.origin(), verified.index()), ("log", LeafIndex(index)));
        assert_eq!((verified.size(), verified.root()), (LEAF_COUNT, tree().root()));
        assert!(matches!(read.verify(&[index as u8 + 1], &key), Err(ProofError::Inclusion(_))));
        assert!(matches!(read.verify(&[index as u8], &log_key(2, "log").1), Err(ProofError::Checkpoint(_))));
    }
}

#[test]
fn each_fault_of_a_proof_file_has_its_name() {
    use ProofFormError as E;
    let good = proof(0, Some(vec![7; 3])).0.encode();
    let hash = base64(&[0; 32]);
    let refused = |file: String| TlogProof::parse(file.as_bytes()).unwrap_err();
    assert!(good.starts_with("c2sp.org/tlog-proof@v1\nextra BwcH\nindex 0\n"));
    assert_eq!(refused(good.replace("@v1", "@v2")), E::Header);
    assert_eq!(refused(format!("\u{feff}{good}")), E::Header);
    assert_eq!(refused(good.replace("c2sp", "\n\nc2sp")), E::Header);
    assert!(matches!(refused(good.replace("BwcH", "BwcI=")), E::Extra { line: 2, .. }));
    assert!(matches!(refused(good.replace("BwcH", "")), E::ExtraSize { line: 2, found: 0 }));
    assert_eq!(refused(good.replace("extra BwcH", "extra BwcH\nextra BwcH")), E::NoIndex { line: 3 });
    assert_eq!(refused(good.replace("extra", "Extra")), E::NoIndex { line: 2 });
    assert_eq!(refused(good.replace("index 0\n", "")), E::NoIndex { line: 3 });
    assert!(matches!(refused(good.replace("index 0", "index 00")), E::Index { line: 3, .. }));
    assert!(matches!(refused(good.replace("index 0", "index 0\r")), E::Index { line: 3, .. }));
    assert!(matches!(refused(good.replace("index 0", "index 0\nAAE=")), E::Hash { line: 4, .. }));
    assert!(matches!(refused(good.replace("— log", "- log")), E::Note(_)));
    // Hashes behind an empty line belong to the note, and nobody signed that.
    let moved = good.replace("index 0", "index 0\n");
    let error = TlogProof::parse(moved.as_bytes()).unwrap().verify(&[0], &log_key(1, "log").1);
    assert!(matches!(error, Err(ProofError::Checkpoint(_))));
    let many = format!("index 0{}", format!("\n{hash}").repeat(65));
    assert!(matches!(refused(good.replace("index 0", &many)), E::TooManyHashes { .. }));
    assert_eq!(refused("c2sp.org/tlog-proof@v1\nindex 0\n".to_owned()), E::NoSeparator);
    assert_eq!(TlogProof::parse(b"\xff\n\n"), Err(E::NotUtf8 { offset: 0 }));
    assert!(matches!(refused("\n".repeat(limits::PROOF_BYTES_MAX + 1)), E::TooLong { .. }));

    let (mut longer, key) = proof(0, None);
    longer.hashes.push(NodeHash([0; 32]));
    assert!(matches!(longer.verify(&[0], &key), Err(ProofError::Inclusion(_))));
}

proptest! {
    #[test]
    fn what_parses_is_written_the_same(note in "[a\n]{0,4}\n\n(— [kl+]{1,2} AAAA(AAA=|AA==|AAAA|AAB=)\n){0,3}") {
        if let Ok(parsed) = Note::parse(note.as_bytes()) {
            prop_assert_eq!(parsed.to_string(), note);
        }
    }

    #[test]
    fn every_single_byte_counts(at: prop::sample::Index, value: u8) {
        let (signing, key) = log_key(1, "log");
        let text = Checkpoint { origin: "log".to_owned(), size: LEAF_COUNT, root: tree().root() }.to_text();
        let mut bytes = signed(&signing, &key, &text).into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != value);
        bytes[at] = value;
        prop_assert!(Checkpoint::verify(&bytes, &key).is_err());
    }

    #[test]
    fn every_single_byte_of_a_proof_counts(at: prop::sample::Index, value: u8) {
        let (proof, key) = proof(4, None);
        let mut bytes = proof.encode().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != value);
        bytes[at] = value;
        prop_assert!(TlogProof::parse(&bytes).map_err(drop).and_then(|read| read.verify(&[4], &key).map_err(drop)).is_err());
    }
}
