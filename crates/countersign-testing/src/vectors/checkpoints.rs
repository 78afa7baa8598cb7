//! Sections 6 and 10: the checkpoint as a note, its signatures, and other heads of the same log.

use countersign_log::encoding::base64;
use countersign_log::note::KeyId;
use countersign_log::tree::empty_root;
use countersign_verify::Verdict;
use ed25519_dalek::{Signer as _, SigningKey};

use super::{Base, Vector};
use crate::forge::{Forge, note, signature_line, signing, text};

const FILE: &str = "checkpoint";
/// L, the order of Ed25519's group, little endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0x10,
];

pub(super) fn vectors(base: &Base) -> Vec<Vector> {
    let mut out = texts(base);
    out.extend(notes(base));
    out.extend(signatures(base));
    out.extend(published(base));
    out.extend(kept(base));
    out
}

fn signed(base: &Base, text: &str) -> Vec<u8> {
    note(text, &[(&base.forge.origin, &base.forge.signing)])
}

/// Texts that the key signed and never should have.
fn texts(base: &Base) -> Vec<Vector> {
    let good = base.forge.text(7);
    let lines: Vec<&str> = good.lines().collect();
    let (origin, root) = (lines[0], lines[2]);
    let case = |name: &str, wrong: &str, text: String| {
        base.vector(name, wrong, "checkpoint-text", base.forge.export_under(signed(base, &text)), true).file(FILE)
    };
    // The last digit before '=' carries two bits that must be zero.
    let loose = format!("{}{}=", &root[..42], next_digit(root.as_bytes()[42]));
    vec![
        case("checkpoint-extension", "The checkpoint has an extension line, and is signed.", format!("{good}more\n")),
        case("checkpoint-empty-extension", "The checkpoint has an empty fourth line, and is signed.", format!("{good}\n")),
        case("checkpoint-two-lines", "The checkpoint has no root, and is signed.", format!("{origin}\n7\n")),
        case("checkpoint-leading-zero", "The checkpoint states size 07, and is signed.", format!("{origin}\n07\n{root}\n")),
        case("checkpoint-plus", "The checkpoint states size +7, and is signed.", format!("{origin}\n+7\n{root}\n")),
        case(
            "checkpoint-loose-root",
            "The root in the checkpoint has stray bits in its base64, and is signed.",
            format!("{origin}\n7\n{loose}\n"),
        ),
        case(
            "checkpoint-short-root",
            "The root in the checkpoint has 31 bytes, and is signed.",
            format!("{origin}\n7\n{}\n", base64(&[7; 31])),
        ),
        sized(base),
        base.vector(
            "checkpoint-empty-log",
            "The checkpoint is that of an empty log.",
            "empty-ledger",
            base.forge.export_under(signed(base, &text(origin, 0, empty_root()))),
            true,
        )
        .verdict(Verdict::CouldNotCheck)
        .file(FILE)
        .line(2),
        other_root(base),
        base.vector(
            "checkpoint-older",
            "The checkpoint of size 5 stands over the files of size 7.",
            "file-missing",
            base.forge.export_under(base.forge.note(5)),
            false,
        )
        .entry(0)
        .file("tile/entries/000.p/5"),
    ]
}

/// A base64 digit that differs in its lowest bit alone.
fn next_digit(digit: u8) -> char {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value = DIGITS.iter().position(|d| *d == digit).unwrap();
    char::from(DIGITS[value ^ 1])
}

fn sized(base: &Base) -> Vector {
    let larger = base.forge.text(7).replace("\n7\n", "\n8\n");
    base.vector(
        "checkpoint-larger",
        "The checkpoint states size 8, the tree has 7 leaves.",
        "file-missing",
        base.forge.export_under(signed(base, &larger)),
        true,
    )
    .entry(0)
    .file("tile/entries/000.p/8")
}

fn other_root(base: &Base) -> Vector {
    let short = base.forge.cut(6);
    let root = base.forge.tree().root();
    let files = short.export_under(signed(base, &text(&base.forge.origin, 6, root)));
    base.vector(
        "checkpoint-smaller",
        "The checkpoint states size 6 and the root over 7 leaves; the files are those of size 6.",
        "root-mismatch",
        files,
        true,
    )
}

/// Files that are no signed notes, or no files at all.
fn notes(base: &Base) -> Vec<Vector> {
    let good = String::from_utf8(base.files[FILE].clone()).unwrap();
    let line = good.lines().last().unwrap().to_owned();
    let case = |name: &str, wrong: &str, bytes: String| {
        base.edited(name, wrong, "note-malformed", |f| drop(f.insert(FILE.into(), bytes.into_bytes())))
            .verdict(Verdict::CouldNotCheck)
            .file(FILE)
    };
    let crowd: String = (0..64u32).map(|n| signature_line("witness.example", KeyId(n.to_be_bytes()), &[4; 72])).collect();
    // 68 bytes end in one '=': two bits of the digit before it must be zero.
    let digit = line.len() - 2;
    let loose = format!("{}{}=", &line[..digit], next_digit(line.as_bytes()[digit]));
    vec![
        case("note-line-twice", "The checkpoint has the log's signature line twice.", format!("{good}{line}\n")).line(6),
        case("note-65-lines", "The checkpoint has 65 signature lines.", format!("{good}{crowd}")),
        case("note-crlf", "The lines of the checkpoint end in CR LF.", good.replace('\n', "\r\n")),
        case("note-no-newline", "The last newline of the checkpoint is missing.", good.trim_end().to_owned()),
        case("note-no-signature", "The checkpoint has no signature line.", base.forge.text(7) + "\n"),
        case("note-hyphen", "The signature line begins with a hyphen.", good.replace('\u{2014}', "-")).line(5),
        case("note-loose-signature", "The base64 of the signature line has stray bits.", good.replace(&line, &loose)).line(5),
        case("note-empty", "The checkpoint is an empty file.", String::new()),
        base.edited("checkpoint-missing", "There is no checkpoint.", "no-checkpoint", |f| drop(f.remove(FILE)))
            .verdict(Verdict::CouldNotCheck)
            .file(FILE),
    ]
}

fn signatures(base: &Base) -> Vec<Vector> {
    let (origin, good) = (&base.forge.origin, base.forge.text(7));
    let stranger = signing("stranger");
    let id = base.forge.vkey().key_id();
    let signature = base.forge.signing.sign(good.as_bytes()).to_bytes();
    let case = |name: &str, wrong: &str, code: &str, lines: &str| {
        base.edited(name, wrong, code, |f| drop(f.insert(FILE.into(), format!("{good}\n{lines}").into_bytes()))).file(FILE)
    };
    let bad = |name: &str, wrong: &str, signature: &[u8]| {
        case(name, wrong, "signature-bad", &signature_line(origin, id, signature)).also(&["no-trusted-signature"]).line(5)
    };
    let by = |name: &str, key: &SigningKey| {
        let id = countersign_log::vkey::key_id(name, 1, key.verifying_key().as_bytes());
        signature_line(name, id, &key.sign(good.as_bytes()).to_bytes())
    };
    let mut flipped = signature;
    flipped[3] ^= 1;
    vec![
        bad("signature-bad", "A bit of the log's signature is flipped.", &flipped),
        bad("signature-malleated", "S of the log's signature is raised by the group order.", &malleated(signature)),
        bad(
            "signature-by-another",
            "A stranger's signature stands under the log's name and key id.",
            &stranger.sign(good.as_bytes()).to_bytes(),
        ),
        bad(
            "signature-of-another-text",
            "The log's signature is one over size 6.",
            &base.forge.signing.sign(base.forge.text(6).as_bytes()).to_bytes(),
        ),
        bad("signature-short", "The log's signature has 63 bytes.", &signature[..63]),
        case(
            "signature-stranger",
            "A key of the log's name that nobody trusts signs the checkpoint.",
            "no-trusted-signature",
            &by(origin, &stranger),
        )
        .verdict(Verdict::Untrusted),
        case(
            "signature-other-name",
            "The pinned key signs under another name.",
            "no-trusted-signature",
            &by("ledger.example/another", &base.forge.signing),
        )
        .verdict(Verdict::Untrusted),
        root(base),
    ]
}

fn root(base: &Base) -> Vector {
    let mut root = base.forge.tree().root();
    root.0[0] ^= 1;
    let note = signed(base, &text(&base.forge.origin, 7, root));
    base.vector(
        "checkpoint-root",
        "The checkpoint states another root than leaves and tiles give, and is signed.",
        "root-mismatch",
        base.forge.export_under(note),
        true,
    )
}

fn malleated(mut signature: [u8; 64]) -> [u8; 64] {
    let mut carry = 0u16;
    for (byte, add) in signature[32..].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    signature
}

/// The same log with another past from entry 4 on.
fn other_past(base: &Base) -> Forge {
    let mut forge = base.forge.clone();
    forge.set_field(4, "person", "P-9999".into());
    forge
}

fn published(base: &Base) -> Vec<Vector> {
    let with = |name: &str, wrong: &str, code: &str, size: u64, note: Vec<u8>| {
        let mut files = base.files.clone();
        files.insert(format!("checkpoints/{size}"), note);
        base.vector(name, wrong, code, files, true).file(&format!("checkpoints/{size}"))
    };
    let other = other_past(base);
    let mut longer = base.forge.clone();
    longer.push(crate::forge::Plan::new(countersign_entry::leaf::Kind::Entry, "padding", []));
    vec![
        with("published-other-past", "checkpoints/5 signs another past.", "checkpoint-root", 5, other.note(5)),
        with("published-other-present", "checkpoints/7 signs another root than the checkpoint.", "checkpoint-root", 7, other.note(7)),
        with("published-other-size", "checkpoints/4 holds the checkpoint of size 5.", "checkpoint-name", 4, base.forge.note(5)),
        with("published-longer", "checkpoints/8 is a checkpoint of eight entries.", "shorter-than-known-head", 8, longer.note(8))
            .verdict(Verdict::Stale),
        with(
            "published-stranger",
            "checkpoints/5 is signed by a stranger.",
            "no-trusted-signature",
            5,
            note(&base.forge.text(5), &[(&base.forge.origin, &signing("stranger"))]),
        )
        .verdict(Verdict::Untrusted),
        with("published-not-a-note", "checkpoints/5 is not a signed note.", "note-malformed", 5, b"nothing\n".to_vec())
            .verdict(Verdict::CouldNotCheck),
    ]
}

fn kept(base: &Base) -> Vec<Vector> {
    let other = other_past(base);
    let mut longer = base.forge.clone();
    longer.push(crate::forge::Plan::new(countersign_entry::leaf::Kind::Entry, "padding", []));
    let rewritten = |name: &str, wrong: &str, forge: &Forge, size: u64| {
        base.vector(name, wrong, "known-head-diverges", forge.export(), true).known(base.forge.note(size)).file("known checkpoint 1")
    };
    let mut past_and_more = other.clone();
    past_and_more.push(crate::forge::Plan::new(countersign_entry::leaf::Kind::Entry, "padding", []));
    vec![
        rewritten("known-rewritten", "Entry 4 was rewritten and everything after it re-done; a head of the whole is kept.", &other, 7),
        rewritten(
            "known-rewritten-longer",
            "Entry 4 was rewritten, everything after it re-done, and an entry added; an older head is kept.",
            &past_and_more,
            6,
        ),
        base.vector("known-newer", "The ledger is shorter than a kept head.", "shorter-than-known-head", base.files.clone(), false)
            .known(longer.note(8))
            .verdict(Verdict::Stale)
            .file("known checkpoint 1"),
        base.vector(
            "known-newer-and-rewritten",
            "The ledger is shorter than one kept head and another past than an older one.",
            "known-head-diverges",
            other.export(),
            true,
        )
        .known(longer.note(8))
        .known(base.forge.note(5))
        .also(&["shorter-than-known-head"])
        .file("known checkpoint 2"),
        base.vector("known-stranger", "The kept head is signed by a stranger.", "no-trusted-signature", base.files.clone(), false)
            .known(note(&other.text(5), &[(&base.forge.origin, &signing("stranger"))]))
            .verdict(Verdict::Untrusted)
            .file("known checkpoint 1"),
    ]
}
