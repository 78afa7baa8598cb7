//! Sections 6 and 10: tiles, bundles, and which of two that disagree is at fault.

use super::{Base, Bases, Vector};

const TILE: &str = "tile/0/000.p/7";
const ENTRIES: &str = "tile/entries/000.p/7";
const SEALED: &str = "sealed/000.p/7";

pub(super) fn vectors(bases: &Bases) -> Vec<Vector> {
    let mut out = disagreements(&bases.seven);
    out.extend(lengths(&bases.seven));
    out.extend(upper(&bases.three_hundred));
    out
}

fn file<'f>(files: &'f mut crate::forge::Files, path: &str) -> &'f mut Vec<u8> {
    files.get_mut(path).unwrap()
}

fn disagreements(base: &Base) -> Vec<Vector> {
    // The last byte of the bundle but 35: inside content_hash of the last leaf, which no link covers.
    let in_last_leaf = |f: &mut crate::forge::Files| {
        let at = file(f, ENTRIES).len() - 36;
        file(f, ENTRIES)[at] ^= 1;
    };
    vec![
        base.edited("tile-bit", "A bit of the hash of entry 5 in tile/0 is flipped; the leaves are right.", "tile-hash", |f| {
            file(f, TILE)[160] ^= 1
        })
        .entry(5)
        .file(TILE),
        base.edited(
            "entries-bit",
            "A bit of content_hash in the last leaf is flipped; tile/0 is right. No keys are given.",
            "leaf-hash",
            in_last_leaf,
        )
        .keys(None)
        .entry(6)
        .file(ENTRIES),
        base.edited(
            "entries-and-tile",
            "The last leaf is changed and tile/0 is damaged at another entry. No keys are given.",
            "leaf-and-tile",
            |f| {
                in_last_leaf(f);
                file(f, TILE)[0] ^= 1;
            },
        )
        .keys(None)
        .also(&["root-mismatch"])
        .entries(&[0, 6])
        .file(ENTRIES),
        base.edited(
            "entries-middle-bit",
            "A bit of content_hash in the leaf of entry 4 is flipped. No keys are given.",
            "leaf-hash",
            |f| {
                let at = 120 * 5 - 36;
                file(f, ENTRIES)[at] ^= 1;
            },
        )
        .keys(None)
        .also(&["chain-broken"])
        .entry(4)
        .file(ENTRIES),
    ]
}

fn lengths(base: &Base) -> Vec<Vector> {
    let missing =
        |name: &str, path: &str| base.edited(name, &format!("{path} is missing."), "file-missing", |f| drop(f.remove(path))).file(path);
    let short = |name: &str, path: &str, by: usize| {
        base.edited(name, &format!("{path} is short by {by} bytes."), "file-malformed", |f| {
            let len = file(f, path).len() - by;
            file(f, path).truncate(len);
        })
        .file(path)
    };
    let long = |name: &str, path: &str| {
        base.edited(name, &format!("A byte follows the last item of {path}."), "file-malformed", |f| file(f, path).push(0)).file(path)
    };
    let mut wide = base.files.clone();
    let tile = wide.remove(TILE).unwrap();
    wide.insert("tile/0/000.p/8".into(), [&tile[..], &[0; 32]].concat());
    vec![
        missing("tile-missing", TILE).entry(0),
        missing("entries-missing", ENTRIES).entry(0),
        short("tile-short-hash", TILE, 32),
        short("tile-short-byte", TILE, 1),
        short("entries-short", ENTRIES, 1).entry(6),
        short("sealed-short", SEALED, 1).entry(6),
        long("tile-trailing", TILE),
        long("entries-trailing", ENTRIES),
        long("sealed-trailing", SEALED),
        base.vector("tile-wide", "tile/0 is there for eight leaves, not for the seven of the checkpoint.", "file-missing", wide, false)
            .entry(0)
            .file(TILE),
        base.edited("sealed-missing", "Keys are given, and there is no sealed plane.", "sealed-missing", |f| {
            f.retain(|path, _| !path.starts_with("sealed/"))
        }),
        base.edited("sealed-count", "The bundle of records ends after six of seven.", "file-malformed", |f| {
            let at = 2052;
            file(f, SEALED).truncate(at);
        })
        .file(SEALED)
        .entry(6),
    ]
}

/// Three hundred entries: a second bundle, and a level 1. Public exports where the records do not matter.
fn upper(base: &Base) -> Vec<Vector> {
    const UPPER: &str = "tile/1/000.p/1";
    let public = |name: &str, wrong: &str, code: &str, change: &dyn Fn(&mut crate::forge::Files)| {
        base.edited(name, wrong, code, |f| {
            f.retain(|path, _| !path.starts_with("sealed/"));
            change(f);
        })
        .keys(None)
    };
    vec![
        base.edited("sealed-bundle-missing", "The second bundle of records is missing.", "file-missing", |f| {
            drop(f.remove("sealed/001.p/44"))
        })
        .entry(256)
        .file("sealed/001.p/44"),
        public("tile-level-1-bit", "A bit of the level 1 tile is flipped.", "tile-hash", &|f| file(f, UPPER)[9] ^= 1).file(UPPER),
        public("tile-level-1-missing", "The level 1 tile is missing.", "file-missing", &|f| drop(f.remove(UPPER))).file(UPPER),
        public("tile-level-1-long", "The level 1 tile has a hash too many.", "file-malformed", &|f| file(f, UPPER).extend([0; 32]))
            .file(UPPER),
        public("tile-full-bit", "A bit of the hash of entry 200 in a full tile is flipped.", "tile-hash", &|f| {
            file(f, "tile/0/000")[6400] ^= 1
        })
        .entry(200)
        .file("tile/0/000"),
        public("bundle-swapped", "The leaves of entries 10 and 11 have changed places.", "leaf-hash", &|f| {
            let leaf = |f: &crate::forge::Files, n: usize| {
                let items = countersign_log::tile::decode_entries(&f["tile/entries/000"], countersign_log::tile::Width::FULL).unwrap();
                (items[n].offset, items[n].bytes.to_vec())
            };
            let ((at, first), (_, second)) = (leaf(f, 10), leaf(f, 11));
            let prefixed = |l: &[u8]| [&u16::try_from(l.len()).unwrap().to_be_bytes()[..], l].concat();
            let both = [prefixed(&second), prefixed(&first)].concat();
            file(f, "tile/entries/000")[at..at + both.len()].copy_from_slice(&both);
        })
        .also(&["leaf-index", "chain-broken"])
        .entries(&[10, 11]),
    ]
}
