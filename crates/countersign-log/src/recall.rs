//! Roots and proofs of a tree that [forgot](Tree::forget_before) what is inside its older tiles, with the help of whoever has the leaves.
//!
//! A tree over leaves is a tree over tiles of 256 of them, the last perhaps not full: every split of RFC 6962 past 256 leaves falls between tiles.

use std::ops::Range;

use crate::tree::{LeafHash, LeafIndex, NodeHash, OutOfRange, RootHash, Tree, TreeSize};

/// Leaves of a tile.
const TILE: u64 = 256;

/// Gives the hashes of the leaves in a range of at most 256, all of them; none where it has them not.
pub type Leaves<'a> = &'a mut dyn FnMut(Range<u64>) -> Option<Vec<LeafHash>>;

/// The root over the first `size` leaves; none if there are fewer, or the leaves are not to be had.
pub fn root_at(tree: &Tree, size: TreeSize, leaves: Leaves<'_>) -> Option<RootHash> {
    tree.root_at(size).or_else(|| Some(over_tiles(tree, size, leaves)?.root()))
}

/// The inclusion proof of a leaf, as [`Tree::inclusion_proof`].
///
/// # Errors
/// There is no such proof, or the leaves are not to be had.
pub fn inclusion_proof(tree: &Tree, index: LeafIndex, size: TreeSize, leaves: Leaves<'_>) -> Result<Vec<NodeHash>, OutOfRange> {
    tree.inclusion_proof(index, size).or_else(|refused| {
        if index.0 >= size.0 || size > tree.size() {
            return Err(refused);
        }
        through_tiles(tree, index, size, leaves).ok_or(refused)
    })
}

fn through_tiles(tree: &Tree, index: LeafIndex, size: TreeSize, leaves: Leaves<'_>) -> Option<Vec<NodeHash>> {
    let tile = index.0 / TILE;
    let inside = one_tile(tile * TILE..size.0.min((tile + 1) * TILE), leaves)?;
    let mut proof = inside.inclusion_proof(LeafIndex(index.0 % TILE), inside.size()).ok()?;
    let above = over_tiles(tree, size, leaves)?;
    proof.extend(above.inclusion_proof(LeafIndex(tile), above.size()).ok()?);
    Some(proof)
}

fn over_tiles(tree: &Tree, size: TreeSize, leaves: Leaves<'_>) -> Option<Tree> {
    let full = size.0 / TILE;
    let mut tiles: Tree = (0..full).map(|tile| Some(LeafHash(tree.subtree(TILE.trailing_zeros(), tile)?.0))).collect::<Option<_>>()?;
    if !size.0.is_multiple_of(TILE) {
        tiles.append(LeafHash(one_tile(full * TILE..size.0, leaves)?.root().0));
    }
    (size <= tree.size()).then_some(tiles)
}

fn one_tile(range: Range<u64>, leaves: Leaves<'_>) -> Option<Tree> {
    let tile: Tree = leaves(range.clone())?.into_iter().collect();
    (tile.size().0 == range.end - range.start).then_some(tile)
}
