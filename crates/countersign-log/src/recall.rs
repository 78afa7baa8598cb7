//! Roots and proofs of a tree that [forgot](Tree::forget_before) what is inside its older tiles, with the help of whoever has the leaves.
//!
//! A tree over leaves is a tree over tiles of 256 of them, the last perhaps not full: every split of RFC 6962 past 256 leaves falls between tiles. So what
//! was forgotten is inside one tile, wherever a root or proof needs it, and its leaves are enough to make it again.

use std::ops::Range;

use crate::tree::{LeafHash, LeafIndex, NodeHash, OutOfRange, RootHash, Tree, TreeSize, left_width, node_hash};

/// Leaves of a tile.
const TILE: u64 = 256;

/// Gives the hashes of the leaves in a range of at most 256, all of them; none where it has them not.
pub type Leaves<'a> = &'a mut dyn FnMut(Range<u64>) -> Option<Vec<LeafHash>>;

/// The root over the first `size` leaves; none if there are fewer, or the leaves are not to be had.
pub fn root_at(tree: &Tree, size: TreeSize, leaves: Leaves<'_>) -> Option<RootHash> {
    if size.0 == 0 || size > tree.size() {
        return tree.root_at(size);
    }
    range(tree, 0, size.0, leaves).map(RootHash::from)
}

/// The inclusion proof of a leaf, as [`Tree::inclusion_proof`].
///
/// # Errors
/// There is no such proof, or the leaves are not to be had.
pub fn inclusion_proof(tree: &Tree, index: LeafIndex, size: TreeSize, leaves: Leaves<'_>) -> Result<Vec<NodeHash>, OutOfRange> {
    tree.inclusion_by(index, size, &mut |start, end| range(tree, start, end, leaves))
}

/// The consistency proof between two sizes, as [`Tree::consistency_proof`].
///
/// # Errors
/// There is no such proof, or the leaves are not to be had.
pub fn consistency_proof(tree: &Tree, old: TreeSize, new: TreeSize, leaves: Leaves<'_>) -> Result<Vec<NodeHash>, OutOfRange> {
    tree.consistency_by(old, new, &mut |start, end| range(tree, start, end, leaves))
}

/// The hash over a range as RFC 6962 splits give it, which never begins inside a tile and ends in another.
fn range(tree: &Tree, start: u64, end: u64, leaves: Leaves<'_>) -> Option<NodeHash> {
    if let Some(hash) = tree.range_hash(start, end) {
        return Some(hash);
    }
    if end - start <= TILE {
        let inside: Tree = leaves(start..end)?.into_iter().collect();
        return (inside.size().0 == end - start).then(|| NodeHash(inside.root().0));
    }
    let middle = start + left_width(end - start);
    Some(node_hash(range(tree, start, middle, leaves)?, range(tree, middle, end, leaves)?))
}
