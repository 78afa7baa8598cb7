//! Section 3: the form of a leaf, order, and the chain.

use countersign_entry::leaf::Kind;

use super::{Base, Vector};
use crate::forge::{Plan, texts};

/// Where the keys of entry 4's leaf begin: `a7`, `01 01`, `02 04`, `03 01`, `04 1a ....`, then three hashes of 35 bytes.
const INDEX: usize = 3;
const KIND: usize = 5;
const MINUTE: usize = 7;
const PREV: usize = 13;

pub(super) fn vectors(base: &Base) -> Vec<Vector> {
    let mut out = encodings(base);
    out.extend(order(base));
    out.extend(chain(base));
    out
}

/// Entry 4 with other leaf bytes, everything else re-done.
fn encodings(base: &Base) -> Vec<Vector> {
    let leaf = base.forge.parts[4].leaf.clone();
    let swap = |from: usize, to: usize, with: &[u8]| [&leaf[..from], with, &leaf[to..]].concat();
    let cases: [(&str, &str, Vec<u8>); 15] = [
        ("leaf-version", "The leaf of entry 4 states version 2.", swap(2, 3, &[2])),
        ("leaf-kind-undefined", "The leaf of entry 4 states kind 5, which is not defined.", swap(KIND + 1, KIND + 2, &[5])),
        ("leaf-minute-odd", "The minute of entry 4 is not a multiple of 60.", swap(MINUTE + 5, MINUTE + 6, &[leaf[MINUTE + 5] + 1])),
        ("leaf-non-minimal", "The index in the leaf of entry 4 takes a byte more than it needs.", swap(INDEX + 1, INDEX + 2, &[0x18, 4])),
        ("leaf-unordered", "Keys 1 and 2 in the leaf of entry 4 stand in the wrong order.", swap(1, 5, &[2, 4, 1, 1])),
        ("leaf-duplicate", "The leaf of entry 4 has key 2 twice.", [&[0xa8], &leaf[1..KIND], &[2, 4], &leaf[KIND..]].concat()),
        ("leaf-trailing", "A byte follows the leaf of entry 4 inside its length.", [&leaf[..], &[0]].concat()),
        ("leaf-tag", "The minute of entry 4 carries a CBOR tag.", swap(MINUTE + 1, MINUTE + 1, &[0xc1])),
        ("leaf-float", "The kind of entry 4 is the floating-point number 1.0.", swap(KIND + 1, KIND + 2, &[0xf9, 0x3c, 0])),
        ("leaf-extra-key", "The leaf of entry 4 has a key 8.", [&[0xa8], &leaf[1..], &[8, 0]].concat()),
        ("leaf-missing-key", "The leaf of entry 4 has no key 7.", [&[0xa6], &leaf[1..PREV + 70]].concat()),
        ("leaf-indefinite", "The leaf of entry 4 is a map of indefinite length.", [&[0xbf], &leaf[1..], &[0xff]].concat()),
        ("leaf-short-hash", "prev in the leaf of entry 4 has 31 bytes.", swap(PREV + 1, PREV + 4, &[0x58, 31])),
        ("leaf-text-key", "Key 7 in the leaf of entry 4 is the text \"7\".", swap(PREV + 70, PREV + 71, &[0x61, b'7'])),
        ("leaf-negative-kind", "The kind of entry 4 is -1.", swap(KIND + 1, KIND + 2, &[0x20])),
    ];
    cases
        .into_iter()
        .map(|(name, wrong, bytes)| {
            let mut forge = base.forge.clone();
            forge.set_leaf(4, bytes);
            base.forged(name, wrong, "leaf-malformed", &forge).entry(4).file("tile/entries/000.p/7")
        })
        .collect()
}

fn order(base: &Base) -> Vec<Vector> {
    let with = |change: &dyn Fn(&mut crate::forge::Forge)| {
        let mut forge = base.forge.clone();
        change(&mut forge);
        forge
    };
    let skips = with(&|f| f.edit_leaf(4, |l| l.index = 5));
    let repeats = with(&|f| f.edit_leaf(4, |l| l.index = 3));
    let second = with(&|f| {
        let vkey = f.vkey().to_string();
        let fields = [("origin", f.origin.clone().into()), ("format", 1.into()), ("keys", texts(&[&vkey]))];
        f.push(Plan::new(Kind::Genesis, "genesis", fields));
    });
    let none = with(&|f| {
        let created = f.content(1);
        f.parts.clear();
        let at = created.meta().unwrap().at;
        f.push_content(Kind::Maintenance, &created, at, None);
    });
    let back = with(&|f| {
        let earlier = f.content(2).meta().unwrap().at + 1;
        f.set_field(6, "at", earlier.into());
        f.edit_leaf(6, |l| l.minute = earlier / 60_000_000 * 60);
    });
    let ahead = with(&|f| f.edit_leaf(6, |l| l.minute += 60));
    vec![
        base.forged("leaf-index-skips", "The leaf at position 4 states index 5.", "leaf-index", &skips).entry(4),
        base.forged("leaf-index-repeats", "The leaf at position 4 states index 3.", "leaf-index", &repeats).entry(4),
        base.forged("genesis-second", "Entry 7 is a second genesis.", "leaf-kind", &second).entry(7),
        base.forged("genesis-none", "The first entry is the creation of a data key, and there is no genesis.", "leaf-kind", &none).entry(0),
        base.forged("leaf-minute-back", "Entry 6 was recorded a minute before entry 5.", "leaf-minute", &back)
            .also(&["content-time"])
            .entry(6),
        base.forged("leaf-minute-not-at", "The minute of entry 6 is one more than its content's at.", "content-minute", &ahead).entry(6),
    ]
}

fn chain(base: &Base) -> Vec<Vector> {
    let mut middle = base.forge.clone();
    middle.edit_leaf(4, |l| l.prev[0] ^= 1);
    let mut first = base.forge.clone();
    first.edit_leaf(0, |l| l.prev = [0; 32]);
    let mut last = base.forge.clone();
    last.edit_leaf(6, |l| l.prev[31] ^= 0x80);
    vec![
        base.forged(
            "chain-middle",
            "prev of entry 4 is not the chain hash of entry 3; every later link is right.",
            "chain-broken",
            &middle,
        )
        .entries(&[3, 4]),
        base.forged("chain-last", "prev of the last entry is not the chain hash of the one before.", "chain-broken", &last)
            .entries(&[5, 6]),
        base.forged("chain-origin", "prev of entry 0 is not the hash of the origin.", "origin-hash", &first).entry(0),
    ]
}
