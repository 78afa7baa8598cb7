//! The tree and its proofs against the recursive definitions of RFC 6962, written down as they stand there.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use countersign_log::recall;
use countersign_log::tree::*;
use proptest::prelude::*;

fn leaves(count: u64) -> Vec<LeafHash> {
    (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect()
}

fn tree(leaves: &[LeafHash]) -> Tree {
    let mut tree = Tree::new();
    for (index, leaf) in leaves.iter().enumerate() {
        assert_eq!(tree.append(*leaf), LeafIndex(index as u64));
    }
    tree
}

fn split(count: usize) -> usize {
    let mut k = 1;
    while k * 2 < count {
        k *= 2;
    }
    k
}

fn oracle_root(leaves: &[LeafHash]) -> NodeHash {
    match leaves {
        [] => NodeHash(empty_root().0),
        [leaf] => NodeHash(leaf.0),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(oracle_root(left), oracle_root(right))
        }
    }
}

fn oracle_path(index: usize, leaves: &[LeafHash]) -> Vec<NodeHash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) =
        if index < k { (oracle_path(index, left), oracle_root(right)) } else { (oracle_path(index - k, right), oracle_root(left)) };
    path.push(sibling);
    path
}

fn oracle_subproof(old: usize, leaves: &[LeafHash], known: bool) -> Vec<NodeHash> {
    if old == leaves.len() {
        return if known { Vec::new() } else { vec![oracle_root(leaves)] };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, other) = if old <= k {
        (oracle_subproof(old, left, known), oracle_root(right))
    } else {
        (oracle_subproof(old - k, right, false), oracle_root(left))
    };
    proof.push(other);
    proof
}

fn root_of(leaves: &[LeafHash]) -> RootHash {
    oracle_root(leaves).into()
}

#[test]
fn the_roots_of_rfc_6962_test_data() {
    // SHA-256 of nothing, and the hash of an empty leaf: the two values every implementation publishes.
    assert_eq!(empty_root().to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(leaf_hash(b"").to_string(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    assert_eq!(Tree::new().root(), empty_root());
    assert_eq!(CompactRange::new().root(), empty_root());
}

/// Every size to 70, every older size, every leaf: what we give is what the RFC defines, and it holds.
#[test]
fn small_trees_exhaustively() {
    let all = leaves(70);
    let tree = tree(&all);
    let mut range = CompactRange::new();
    for size in 0..=70usize {
        let root = root_of(&all[..size]);
        assert_eq!(tree.root_at(TreeSize(size as u64)), Some(root));
        assert_eq!(range.root(), root);
        assert_eq!(range.size(), TreeSize(size as u64));
        for index in 0..size {
            let (at, n) = (LeafIndex(index as u64), TreeSize(size as u64));
            let proof = tree.inclusion_proof(at, n).unwrap();
            assert_eq!(proof, oracle_path(index, &all[..size]));
            assert_eq!(verify_inclusion(all[index], at, n, &proof, root), Ok(()));
        }
        for old in 0..=size {
            let (m, n) = (TreeSize(old as u64), TreeSize(size as u64));
            let proof = tree.consistency_proof(m, n).unwrap();
            let expected = if old == 0 { Vec::new() } else { oracle_subproof(old, &all[..size], true) };
            assert_eq!(proof, expected, "{old} in {size}");
            assert_eq!(verify_consistency(m, n, &proof, root_of(&all[..old]), root), Ok(()), "{old} in {size}");
        }
        if let Some(leaf) = all.get(size) {
            range.append(*leaf);
        }
    }
}

/// For each small size, a proof for one leaf holds at no other index, in no other tree size of another shape, and for no other leaf.
#[test]
fn an_inclusion_proof_holds_for_its_own_claim_only() {
    let all = leaves(20);
    let tree = tree(&all);
    for size in 1..=20u64 {
        let root = tree.root_at(TreeSize(size)).unwrap();
        for index in 0..size {
            let proof = tree.inclusion_proof(LeafIndex(index), TreeSize(size)).unwrap();
            for other in (0..size + 3).filter(|other| *other != index) {
                let leaf = all[index as usize];
                assert!(verify_inclusion(leaf, LeafIndex(other), TreeSize(size), &proof, root).is_err());
            }
            for other in all.iter().filter(|other| **other != all[index as usize]) {
                assert!(verify_inclusion(*other, LeafIndex(index), TreeSize(size), &proof, root).is_err());
            }
        }
    }
}

#[test]
fn refusals_say_what_is_wrong() {
    let all = leaves(11);
    let tree = tree(&all);
    let (n, root) = (TreeSize(11), tree.root());
    let proof = tree.inclusion_proof(LeafIndex(4), n).unwrap();
    let check = |proof: &[NodeHash]| verify_inclusion(all[4], LeafIndex(4), n, proof, root);
    let found = proof.len();
    assert_eq!(check(&proof[..found - 1]), Err(InclusionError::TooShort { found: found - 1 }));
    let long = [proof.as_slice(), &[NodeHash([0; 32])]].concat();
    assert_eq!(check(&long), Err(InclusionError::TooLong { found: found + 1 }));
    assert!(matches!(verify_inclusion(all[4], LeafIndex(11), n, &proof, root), Err(InclusionError::IndexOutOfRange { .. })));
    assert!(matches!(verify_inclusion(all[0], LeafIndex(0), TreeSize(0), &[], empty_root()), Err(InclusionError::IndexOutOfRange { .. })));
    assert!(matches!(verify_inclusion(all[5], LeafIndex(4), n, &proof, root), Err(InclusionError::RootMismatch { .. })));

    let (m, old_root) = (TreeSize(7), tree.root_at(TreeSize(7)).unwrap());
    let proof = tree.consistency_proof(m, n).unwrap();
    let check = |proof: &[NodeHash]| verify_consistency(m, n, proof, old_root, root);
    let found = proof.len();
    assert_eq!(check(&proof[..found - 1]), Err(ConsistencyError::TooShort { found: found - 1 }));
    assert_eq!(check(&[]), Err(ConsistencyError::TooShort { found: 0 }));
    let long = [proof.as_slice(), &[NodeHash([0; 32])]].concat();
    assert_eq!(check(&long), Err(ConsistencyError::TooLong { found: found + 1 }));
    assert!(matches!(verify_consistency(m, n, &proof, root, root), Err(ConsistencyError::OldRootMismatch { .. })));
    assert!(matches!(verify_consistency(m, n, &proof, old_root, old_root), Err(ConsistencyError::NewRootMismatch { .. })));
    assert!(matches!(verify_consistency(n, m, &proof, root, old_root), Err(ConsistencyError::Order { .. })));
    assert!(matches!(verify_consistency(n, n, &[], root, old_root), Err(ConsistencyError::NewRootMismatch { .. })));
    assert!(matches!(verify_consistency(n, n, &proof, root, root), Err(ConsistencyError::TooLong { .. })));
    assert!(matches!(verify_consistency(TreeSize(0), n, &proof, empty_root(), root), Err(ConsistencyError::TooLong { .. })));
    assert!(matches!(verify_consistency(TreeSize(0), n, &[], root, root), Err(ConsistencyError::OldRootMismatch { .. })));
    // A power of two: the older root is itself the first hash of the proof, so both roots must be looked at.
    let proof = tree.consistency_proof(TreeSize(8), n).unwrap();
    assert!(verify_consistency(TreeSize(8), n, &proof, old_root, root).is_err());
}

#[test]
fn a_tree_answers_for_what_it_has() {
    let tree = tree(&leaves(5));
    assert_eq!(tree.root_at(TreeSize(6)), None);
    assert_eq!(tree.root_at(TreeSize(u64::MAX)), None);
    assert_eq!(tree.leaf(LeafIndex(5)), None);
    assert_eq!(tree.subtree(2, 1), None);
    assert_eq!(tree.subtree(63, 0), None);
    assert!(tree.inclusion_proof(LeafIndex(5), TreeSize(5)).is_err());
    assert!(tree.inclusion_proof(LeafIndex(0), TreeSize(6)).is_err());
    assert!(tree.consistency_proof(TreeSize(3), TreeSize(6)).is_err());
    assert!(tree.consistency_proof(TreeSize(4), TreeSize(3)).is_err());
    // Sizes at the edge of 64 bits must end in a refusal, not in an overflow.
    let (leaf, proof) = (leaf_hash(b""), vec![NodeHash([0; 32]); 65]);
    assert!(verify_inclusion(leaf, LeafIndex(u64::MAX - 1), TreeSize(u64::MAX), &proof, empty_root()).is_err());
    assert!(verify_consistency(TreeSize(u64::MAX - 1), TreeSize(u64::MAX), &proof, empty_root(), empty_root()).is_err());
    assert!(verify_consistency(TreeSize(1 << 63), TreeSize(u64::MAX), &proof, empty_root(), empty_root()).is_err());
}

/// Changes a proof: a bit flipped, a hash dropped, doubled or added, two swapped.
fn mutate(proof: &[NodeHash], how: u8, at: usize, bit: usize) -> Vec<NodeHash> {
    let mut bent = proof.to_vec();
    if bent.is_empty() {
        return vec![NodeHash([how; 32])];
    }
    let at = at % bent.len();
    match how % 5 {
        0 => bent[at].0[bit / 8] ^= 1 << (bit % 8),
        1 => drop(bent.remove(at)),
        2 => bent.insert(at, bent[at]),
        3 => bent.push(NodeHash([how; 32])),
        _ => bent.swap(at, 0),
    }
    bent
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn larger_trees_agree_with_the_definitions(size in 1usize..1200, at: prop::sample::Index, old: prop::sample::Index) {
        let all = leaves(1200);
        let tree = tree(&all);
        let (index, old) = (at.index(size), old.index(size) + 1);
        let n = TreeSize(size as u64);
        let mut range = CompactRange::new();
        all[..size].iter().for_each(|leaf| range.append(*leaf));
        prop_assert_eq!(tree.root_at(n), Some(root_of(&all[..size])));
        prop_assert_eq!(range.root(), root_of(&all[..size]));
        prop_assert_eq!(tree.inclusion_proof(LeafIndex(index as u64), n).unwrap(), oracle_path(index, &all[..size]));
        prop_assert_eq!(tree.consistency_proof(TreeSize(old as u64), n).unwrap(), oracle_subproof(old, &all[..size], true));
    }

    #[test]
    fn a_tree_that_forgot_grows_and_proves_as_one_that_remembers(
        start in 0usize..1200, grown in 0usize..600, keep: prop::sample::Index, at: prop::sample::Index, of: prop::sample::Index
    ) {
        let all = leaves(1800);
        let whole = tree(&all[..start + grown]);
        let mut forgetful = tree(&all[..start]);
        forgetful.forget_before(LeafIndex(keep.index(start + 1) as u64));
        let (tiles, tail) = forgetful.tiles();
        prop_assert_eq!((tiles.len(), tail.len()), (start / 256, start % 256));
        let mut restored = Tree::from_tiles(tiles.to_vec(), tail.iter().map(|node| LeafHash(node.0)));
        let size = TreeSize(of.index(start + grown + 1) as u64);
        for pruned in [&mut forgetful, &mut restored] {
            prop_assert_eq!(pruned.size().0, start as u64);
            pruned.extend(all[start..start + grown].iter().copied());
            prop_assert_eq!((pruned.size(), pruned.root()), (whole.size(), whole.root()));
            let mut given = |range: std::ops::Range<u64>| all.get(range.start as usize..range.end as usize).map(<[_]>::to_vec);
            prop_assert_eq!(recall::root_at(pruned, size, &mut given), whole.root_at(size));
            if size.0 > 0 {
                let index = LeafIndex(at.index(size.0 as usize) as u64);
                prop_assert_eq!(recall::inclusion_proof(pruned, index, size, &mut given), whole.inclusion_proof(index, size));
            }
            prop_assert!(recall::inclusion_proof(pruned, LeafIndex(0), TreeSize(whole.size().0 + 1), &mut given).is_err());
            for old in [TreeSize(0), TreeSize(size.0 / 2), TreeSize(size.0.saturating_sub(1)), size] {
                let proof = recall::consistency_proof(pruned, old, size, &mut given);
                prop_assert_eq!(proof, whole.consistency_proof(old, size));
            }
            prop_assert!(recall::consistency_proof(pruned, size, TreeSize(whole.size().0 + 1), &mut given).is_err());
        }
        if start + grown > 256 {
            restored.forget_before(LeafIndex(u64::MAX));
            prop_assert!(restored.leaf(LeafIndex(0)).is_none() && restored.inclusion_proof(LeafIndex(0), restored.size()).is_err());
            prop_assert!(recall::inclusion_proof(&restored, LeafIndex(0), restored.size(), &mut |_| None).is_err());
        }
    }

    #[test]
    fn no_changed_proof_holds(size in 1usize..300, at: prop::sample::Index, how: u8, place: usize, bit in 0usize..256) {
        let all = leaves(300);
        let tree = tree(&all);
        let n = TreeSize(size as u64);
        let root = tree.root_at(n).unwrap();
        let index = LeafIndex(at.index(size) as u64);
        let proof = tree.inclusion_proof(index, n).unwrap();
        let bent = mutate(&proof, how, place, bit);
        let leaf = all[at.index(size)];
        prop_assert_eq!(verify_inclusion(leaf, index, n, &proof, root), Ok(()));
        prop_assert_eq!(verify_inclusion(leaf, index, n, &bent, root).is_ok(), bent == proof);

        let old = TreeSize(at.index(size) as u64 + 1);
        let old_root = tree.root_at(old).unwrap();
        let proof = tree.consistency_proof(old, n).unwrap();
        let bent = mutate(&proof, how, place, bit);
        prop_assert_eq!(verify_consistency(old, n, &proof, old_root, root), Ok(()));
        prop_assert_eq!(verify_consistency(old, n, &bent, old_root, root).is_ok(), bent == proof);
    }
}
