//! Paths, file lists and bundles of C2SP tlog-tiles.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use countersign_log::tile::*;
use countersign_log::tree::{LeafHash, Tree, TreeSize, leaf_hash, node_hash};
use proptest::prelude::*;

type Decode = for<'a> fn(&'a [u8], Width) -> Result<Vec<Item<'a>>, BundleError>;

fn width(count: u16) -> Width {
    Width::new(count).unwrap()
}

#[test]
fn paths_as_the_specification_writes_them() {
    assert_eq!(tile_path(0, 1_234_067, Width::FULL), "tile/0/x001/x234/067");
    assert_eq!(tile_path(2, 0, width(1)), "tile/2/000.p/1");
    assert_eq!(entries_path(1000, width(255)), "tile/entries/x001/000.p/255");
    assert_eq!(sealed_path(999, Width::FULL), "sealed/999");
    assert_eq!(tile_path(0, u64::MAX, Width::FULL), "tile/0/x018/x446/x744/x073/x709/x551/615");
}

#[test]
fn loose_paths_are_refused() {
    use PathError as E;
    let cases = [
        ("checkpoint", E::Place),
        ("tile/000", E::Place),
        ("/tile/0/000", E::Place),
        ("tile//000", E::Level),
        ("tile/64/000", E::Level),
        ("tile/00/000", E::Level),
        ("tile/-1/000", E::Level),
        ("tile/Entries/000", E::Level),
        ("tile/0/", E::Index),
        ("tile/0/0", E::Index),
        ("tile/0/0000", E::Index),
        ("tile/0/x000", E::Index),
        ("tile/0/x000/001", E::Index),
        ("tile/0/001/002", E::Index),
        ("tile/0/x001/x002", E::Index),
        ("tile/0//000", E::Index),
        ("tile/0/000/", E::Index),
        ("tile/0/+01", E::Index),
        ("tile/0/../000", E::Index),
        ("tile/0/x018/x446/x744/x073/x709/x551/616", E::Index),
        ("tile/0/x001/x018/x446/x744/x073/x709/x551/615", E::Index),
        ("tile/0/000.p/0", E::Width),
        ("tile/0/000.p/256", E::Width),
        ("tile/0/000.p/01", E::Width),
        ("tile/0/000.p/", E::Width),
        ("tile/0/000.p", E::Index),
        ("tile/0/000.p/1.p/1", E::Width),
        ("sealed/000.p/65537", E::Width),
    ];
    for (path, error) in cases {
        assert_eq!(TileFile::parse(path), Err(error), "{path}");
    }
}

#[test]
fn the_file_list_of_the_specification() {
    // 70,000 leaves: 273 full and a partial of 112 at level 0, one full and 17 at level 1, 1 at level 2.
    let tiles: Vec<_> = hash_tiles(TreeSize(70_000)).collect();
    let level = |level: u8| tiles.iter().filter(|tile| tile.0 == level).map(|tile| (tile.1, tile.2)).collect::<Vec<_>>();
    assert_eq!(level(0).len(), 274);
    assert_eq!(level(0)[272], (272, Width::FULL));
    assert_eq!(level(0)[273], (273, width(112)));
    assert_eq!(level(1), [(0, Width::FULL), (1, width(17))]);
    assert_eq!(level(2), [(0, width(1))]);
    assert_eq!(tiles.len(), 277);
    assert_eq!(bundles(TreeSize(70_000)).count(), 274);

    assert_eq!(hash_tiles(TreeSize(256)).collect::<Vec<_>>(), [(0, 0, Width::FULL), (1, 0, width(1))]);
    assert_eq!(files(TreeSize(0)).count(), 0);
    // A size is a claim: listing it lazily must not cost memory, nor overflow.
    assert_eq!(hash_tiles(TreeSize(u64::MAX)).next(), Some((0, 0, Width::FULL)));
    assert_eq!(files(TreeSize(u64::MAX)).take(3).count(), 3);
}

#[test]
fn tiles_are_made_of_the_tree() {
    let leaves: Vec<LeafHash> = (0..600u32).map(|index| leaf_hash(&index.to_be_bytes())).collect();
    let tree: Tree = leaves.iter().copied().collect();
    let level_1 = decode_hash_tile(&hash_tile(&tree, 1, 0, width(2)).unwrap(), width(2)).unwrap();
    // The root of a full tile is the pairwise hash of its hashes, eight times over.
    let mut hashes = decode_hash_tile(&hash_tile(&tree, 0, 1, Width::FULL).unwrap(), Width::FULL).unwrap();
    assert_eq!(hashes[3].0, leaves[259].0);
    while hashes.len() > 1 {
        hashes = hashes.chunks(2).map(|pair| node_hash(pair[0], pair[1])).collect();
    }
    assert_eq!(hashes[0], level_1[1]);

    assert_eq!(hash_tile(&tree, 0, 2, width(89)), None);
    assert_eq!(hash_tile(&tree, 1, 0, width(3)), None);
    assert_eq!(hash_tile(&tree, 63, 0, width(1)), None);
    assert_eq!(hash_tile(&tree, 0, u64::MAX, width(1)), None);
    let error = decode_hash_tile(&[0; 63], width(2)).unwrap_err();
    assert_eq!((error.expected, error.found), (64, 63));
    assert!(decode_hash_tile(&[0; 65], width(2)).is_err());
    assert!(decode_hash_tile(&[0; 96], width(2)).is_err());
}

#[test]
fn bundle_faults_name_their_offset() {
    let bytes = encode_sealed(&[b"ab".as_slice(), b"", b"cde"]).unwrap();
    assert_eq!(bytes, b"\0\0\0\x02ab\0\0\0\0\0\0\0\x03cde");
    let items = decode_sealed(&bytes, width(3)).unwrap();
    assert_eq!(items.iter().map(|item| (item.offset, item.bytes)).collect::<Vec<_>>(), [(0, b"ab".as_slice()), (6, b""), (10, b"cde")]);
    assert_eq!(decode_sealed(&bytes, width(2)), Err(BundleError::Trailing { offset: 10, found: 7 }));
    assert_eq!(decode_sealed(&bytes, width(4)), Err(BundleError::ShortPrefix { item: 3, offset: 17 }));
    let short = BundleError::ShortItem { item: 2, offset: 10, length: 3, available: 2 };
    assert_eq!(decode_sealed(&bytes[..16], width(3)), Err(short));
    assert_eq!(decode_sealed(&bytes[..13], width(3)), Err(BundleError::ShortPrefix { item: 2, offset: 10 }));
    let long = BundleError::TooLong { item: 0, offset: 0, length: 65_536 };
    assert_eq!(decode_sealed(&[0, 1, 0, 0], width(1)), Err(long));
    let one_more = [bytes.as_slice(), b"\0"].concat();
    assert_eq!(decode_sealed(&one_more, width(3)), Err(BundleError::Trailing { offset: 17, found: 1 }));
    // What stands before the fault can still be read, and after it nothing comes.
    let read: Vec<_> = BundleReader::sealed(&bytes[..16], width(3)).collect();
    assert_eq!(read.len(), 3);
    assert!(read[0].is_ok() && read[1].is_ok() && read[2] == Err(short));
}

#[test]
fn only_what_can_be_read_is_written() {
    assert_eq!(encode_entries::<&[u8]>(&[]), Err(BundleEncodeError::Count { found: 0 }));
    assert_eq!(encode_entries(&vec![[0u8]; 257]), Err(BundleEncodeError::Count { found: 257 }));
    assert!(encode_entries(&[vec![0; 65_535]]).is_ok());
    assert_eq!(encode_entries(&[vec![0; 65_536]]), Err(BundleEncodeError::TooLong { item: 0, length: 65_536 }));
    assert_eq!(encode_sealed(&[vec![], vec![0; 65_536]]), Err(BundleEncodeError::TooLong { item: 1, length: 65_536 }));
}

proptest! {
    #[test]
    fn paths_and_files_are_one_to_one(level in 0u8..64, index: u64, count in 1u16..=256, role in 0..3) {
        let width = width(count);
        let file = match role {
            0 => TileFile::Hashes { level, index, width },
            1 => TileFile::Entries { index, width },
            _ => TileFile::Sealed { index, width },
        };
        prop_assert_eq!(TileFile::parse(&file.path()), Ok(file));
    }

    #[test]
    fn what_parses_has_no_other_path(path in "(tile|sealed)/(entries/|[0-9]{1,2}/)?(x?[0-9]{3}/){0,2}x?[0-9]{3}(.p/[0-9]{1,3})?") {
        if let Ok(file) = TileFile::parse(&path) {
            prop_assert_eq!(file.path(), path);
        }
    }

    #[test]
    fn bundles_round_trip_and_every_cut_is_refused(items in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..20), cut: prop::sample::Index) {
        let width = width(items.len() as u16);
        for (bytes, decode) in [
            (encode_entries(&items).unwrap(), decode_entries as Decode),
            (encode_sealed(&items).unwrap(), decode_sealed as Decode),
        ] {
            let read: Vec<Item<'_>> = decode(&bytes, width).unwrap();
            prop_assert_eq!(read.iter().map(|item| item.bytes.to_vec()).collect::<Vec<_>>(), items.clone());
            prop_assert!(decode(&bytes[..cut.index(bytes.len())], width).is_err());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused_without_panic(bytes: Vec<u8>, count in 1u16..=256) {
        let width = width(count);
        if let Ok(items) = decode_entries(&bytes, width) {
            let contents: Vec<_> = items.iter().map(|item| item.bytes).collect();
            prop_assert_eq!(encode_entries(&contents).unwrap(), bytes.clone());
        }
        if let Ok(items) = decode_sealed(&bytes, width) {
            let contents: Vec<_> = items.iter().map(|item| item.bytes).collect();
            prop_assert_eq!(encode_sealed(&contents).unwrap(), bytes);
        }
    }
}
