//! The Merkle tree of RFC 6962 section 2.1 over SHA-256: building, roots, proofs, and the strict proof checks of RFC 9162.

pub use crate::hash::{LeafHash, LeafIndex, NodeHash, RootHash, TreeSize};
use sha2::{Digest as _, Sha256};

/// A proof was asked for a leaf or a size that this tree does not have, or for sizes in the wrong order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such proof: from {from} within size {size}, in a tree of size {tree}")]
pub struct OutOfRange {
    /// The leaf index or older size asked for.
    pub from: u64,
    /// The tree size asked for.
    pub size: u64,
    /// The size of the tree.
    pub tree: u64,
}

/// Why an inclusion proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InclusionError {
    /// The tree of that size has no such leaf.
    #[error("leaf {index} does not exist in a tree of size {size}")]
    IndexOutOfRange {
        /// The leaf index claimed.
        index: LeafIndex,
        /// The tree size claimed.
        size: TreeSize,
    },
    /// Hashes are missing.
    #[error("inclusion proof too short: {found} hashes")]
    TooShort {
        /// Hashes given.
        found: usize,
    },
    /// Hashes are left over.
    #[error("inclusion proof too long: {found} hashes")]
    TooLong {
        /// Hashes given.
        found: usize,
    },
    /// The leaf and the proof lead to another root.
    #[error("inclusion proof leads to root {computed}, not {expected}")]
    RootMismatch {
        /// The root that leaf and proof give.
        computed: RootHash,
        /// The root to be proven.
        expected: RootHash,
    },
}

/// Why a consistency proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsistencyError {
    /// The older tree is the larger one.
    #[error("older size {old} is greater than newer size {new}")]
    Order {
        /// The older size.
        old: TreeSize,
        /// The newer size.
        new: TreeSize,
    },
    /// Hashes are missing.
    #[error("consistency proof too short: {found} hashes")]
    TooShort {
        /// Hashes given.
        found: usize,
    },
    /// Hashes are left over. Between equal sizes, and from size 0, the only proof is the empty one.
    #[error("consistency proof too long: {found} hashes")]
    TooLong {
        /// Hashes given.
        found: usize,
    },
    /// The proof does not lead to the older root.
    #[error("consistency proof leads to older root {computed}, not {expected}")]
    OldRootMismatch {
        /// The root that the proof gives.
        computed: RootHash,
        /// The older root.
        expected: RootHash,
    },
    /// The proof does not lead to the newer root.
    #[error("consistency proof leads to newer root {computed}, not {expected}")]
    NewRootMismatch {
        /// The root that the proof gives.
        computed: RootHash,
        /// The newer root.
        expected: RootHash,
    },
}

/// `SHA-256(00 ‖ leaf)`.
#[must_use]
pub fn leaf_hash(leaf_bytes: &[u8]) -> LeafHash {
    LeafHash(Sha256::new().chain_update([0]).chain_update(leaf_bytes).finalize().into())
}

/// `SHA-256(01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: NodeHash, right: NodeHash) -> NodeHash {
    NodeHash(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// The root of a tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> RootHash {
    RootHash(Sha256::digest([]).into())
}

/// Height of the subtrees whose insides a tree can forget: 256 leaves, a tile.
const FORGETTABLE: usize = 8;

/// A tree in memory that grows at its right edge and answers for every size it ever had, as far as it did not [forget](Tree::forget_before).
///
/// `levels[k]` holds the hashes of the complete subtrees of 2ᵏ leaves, left to right, so `levels[k].len() == size >> k`; below [`FORGETTABLE`] the
/// hashes over the first `forgotten` leaves are gone, a whole number of tiles.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    levels: Vec<Vec<NodeHash>>,
    forgotten: u64,
}

/// The hash over the leaves of a range, as the splits of RFC 6962 give it.
pub(crate) type RangeHash<'a> = &'a mut dyn FnMut(u64, u64) -> Option<NodeHash>;

impl Tree {
    /// A tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a leaf and says where it stands.
    pub fn append(&mut self, leaf: LeafHash) -> LeafIndex {
        let index = LeafIndex(self.size().0);
        let mut node = NodeHash::from(leaf);
        for level in &mut self.levels {
            level.push(node);
            match level.as_slice() {
                [.., left, right] if level.len() % 2 == 0 => node = node_hash(*left, *right),
                _ => return index,
            }
        }
        self.levels.push(vec![node]);
        index
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> TreeSize {
        TreeSize(self.forgotten + self.levels.first().map_or(0, |leaves| leaves.len() as u64))
    }

    /// The tree whose complete tiles of 256 leaves have these hashes, and after them these leaves, fewer than 256. What is inside the tiles is
    /// forgotten.
    #[must_use]
    pub fn from_tiles(tiles: Vec<NodeHash>, tail: impl IntoIterator<Item = LeafHash>) -> Self {
        let mut tree = Self::new();
        if !tiles.is_empty() {
            tree.forgotten = (tiles.len() as u64) << FORGETTABLE;
            tree.levels = vec![Vec::new(); FORGETTABLE];
            let mut level = tiles;
            while !level.is_empty() {
                let above = level.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(*left, *right)).collect();
                tree.levels.push(std::mem::replace(&mut level, above));
            }
        }
        tree.extend(tail);
        tree
    }

    /// Hashes of the complete tiles, and the leaves after them: what [`Tree::from_tiles`] takes.
    #[must_use]
    pub fn tiles(&self) -> (&[NodeHash], &[NodeHash]) {
        let tiles = self.levels.get(FORGETTABLE).map(Vec::as_slice).unwrap_or_default();
        let after = ((tiles.len() as u64) << FORGETTABLE).saturating_sub(self.forgotten);
        let tail = self.levels.first().and_then(|leaves| leaves.get(usize::try_from(after).ok()?..)).unwrap_or_default();
        (tiles, tail)
    }

    /// Forgets what is inside the complete tiles before a leaf: of ten million leaves 640 MB become 3. Roots and proofs that need the inside of a
    /// forgotten tile are then none; whoever has its leaves can make them.
    pub fn forget_before(&mut self, leaf: LeafIndex) {
        let forget = (leaf.0.min(self.size().0) >> FORGETTABLE) << FORGETTABLE;
        if forget <= self.forgotten {
            return;
        }
        for (level, nodes) in self.levels.iter_mut().enumerate().take(FORGETTABLE) {
            let count = usize::try_from((forget - self.forgotten) >> level).unwrap_or(usize::MAX).min(nodes.len());
            nodes.drain(..count);
            nodes.shrink_to(nodes.len().saturating_mul(2));
        }
        self.forgotten = forget;
    }

    /// The root over all leaves.
    #[must_use]
    pub fn root(&self) -> RootHash {
        let odd = self.levels.iter().filter(|level| level.len() % 2 == 1);
        fold_peaks(odd.filter_map(|level| level.last().copied())).map_or_else(empty_root, RootHash::from)
    }

    /// The root over the first `size` leaves; nothing if there are fewer.
    #[must_use]
    pub fn root_at(&self, size: TreeSize) -> Option<RootHash> {
        if size.0 == 0 {
            return Some(empty_root());
        }
        self.range_hash(0, size.0).map(RootHash::from)
    }

    /// The hash of one leaf; none past the end, and none that is forgotten.
    #[must_use]
    pub fn leaf(&self, index: LeafIndex) -> Option<LeafHash> {
        self.subtree(0, index.0).map(|node| LeafHash(node.0))
    }

    /// The hash of the complete subtree over the leaves `[index << level, (index + 1) << level)`.
    #[must_use]
    pub fn subtree(&self, level: u32, index: u64) -> Option<NodeHash> {
        let height = usize::try_from(level).ok()?;
        let index = if height < FORGETTABLE { index.checked_sub(self.forgotten >> level)? } else { index };
        self.levels.get(height)?.get(usize::try_from(index).ok()?).copied()
    }

    /// The inclusion proof of RFC 6962 section 2.1.1, from the leaf's sibling upwards.
    pub fn inclusion_proof(&self, index: LeafIndex, size: TreeSize) -> Result<Vec<NodeHash>, OutOfRange> {
        self.inclusion_by(index, size, &mut |start, end| self.range_hash(start, end))
    }

    /// As [`Tree::inclusion_proof`], each hash over a range of leaves from `range`.
    pub(crate) fn inclusion_by(&self, index: LeafIndex, size: TreeSize, range: RangeHash<'_>) -> Result<Vec<NodeHash>, OutOfRange> {
        let refused = OutOfRange { from: index.0, size: size.0, tree: self.size().0 };
        if index.0 >= size.0 || size > self.size() {
            return Err(refused);
        }
        let (mut start, mut end) = (0, size.0);
        let mut proof = Vec::with_capacity(32);
        while end - start > 1 {
            let middle = start + left_width(end - start);
            let sibling = if index.0 < middle {
                let right = range(middle, end);
                end = middle;
                right
            } else {
                let left = range(start, middle);
                start = middle;
                left
            };
            proof.push(sibling.ok_or(refused)?);
        }
        proof.reverse();
        Ok(proof)
    }

    /// The consistency proof of RFC 6962 section 2.1.2; empty for `old == new` and for `old == 0`.
    pub fn consistency_proof(&self, old: TreeSize, new: TreeSize) -> Result<Vec<NodeHash>, OutOfRange> {
        self.consistency_by(old, new, &mut |start, end| self.range_hash(start, end))
    }

    /// As [`Tree::consistency_proof`], each hash over a range of leaves from `range`.
    pub(crate) fn consistency_by(&self, old: TreeSize, new: TreeSize, range: RangeHash<'_>) -> Result<Vec<NodeHash>, OutOfRange> {
        let refused = OutOfRange { from: old.0, size: new.0, tree: self.size().0 };
        if old > new || new > self.size() {
            return Err(refused);
        }
        let mut proof = Vec::new();
        if old.0 == 0 {
            return Ok(proof);
        }
        let (mut start, mut end) = (0, new.0);
        while old.0 != end {
            let middle = start + left_width(end - start);
            let other = if old.0 <= middle {
                let right = range(middle, end);
                end = middle;
                right
            } else {
                let left = range(start, middle);
                start = middle;
                left
            };
            proof.push(other.ok_or(refused)?);
        }
        // If we never went right, the subtree reached is the older tree itself, whose root the reader has already.
        if start != 0 {
            proof.push(range(start, end).ok_or(refused)?);
        }
        proof.reverse();
        Ok(proof)
    }

    /// The hash over leaves `[start, end)`, not empty, where `start` is a multiple of the largest power of two within `end - start`
    /// (as every split of RFC 6962 gives), so that the complete subtrees we hold tile the range.
    pub(crate) fn range_hash(&self, start: u64, end: u64) -> Option<NodeHash> {
        let width = end - start;
        let mut hash = None;
        for level in (width.trailing_zeros()..u64::BITS - width.leading_zeros()).filter(|level| (width >> level) & 1 == 1) {
            let peak = self.subtree(level, (start >> level) + (width >> level) - 1)?;
            hash = Some(hash.map_or(peak, |right| node_hash(peak, right)));
        }
        hash
    }
}

impl Extend<LeafHash> for Tree {
    fn extend<I: IntoIterator<Item = LeafHash>>(&mut self, leaves: I) {
        for leaf in leaves {
            self.append(leaf);
        }
    }
}

impl FromIterator<LeafHash> for Tree {
    fn from_iter<I: IntoIterator<Item = LeafHash>>(leaves: I) -> Self {
        let mut tree = Self::new();
        tree.extend(leaves);
        tree
    }
}

/// The root of a growing tree in O(log n) memory: the hashes of the complete subtrees at its right edge.
#[derive(Debug, Clone, Default)]
pub struct CompactRange {
    size: u64,
    /// Widest subtree first: one for each bit set in `size`.
    peaks: Vec<NodeHash>,
}

impl CompactRange {
    /// A tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a leaf.
    pub fn append(&mut self, leaf: LeafHash) {
        let mut node = NodeHash::from(leaf);
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(left, node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> TreeSize {
        TreeSize(self.size)
    }

    /// The root over all leaves so far.
    #[must_use]
    pub fn root(&self) -> RootHash {
        fold_peaks(self.peaks.iter().rev().copied()).map_or_else(empty_root, RootHash::from)
    }
}

/// Checks that the leaf stands at `index` in the tree of `size` leaves with this root (RFC 9162 section 2.1.3.2).
pub fn verify_inclusion(
    leaf: LeafHash,
    index: LeafIndex,
    size: TreeSize,
    proof: &[NodeHash],
    root: RootHash,
) -> Result<(), InclusionError> {
    let computed = root_from_inclusion(leaf, index, size, proof)?;
    if computed == root { Ok(()) } else { Err(InclusionError::RootMismatch { computed, expected: root }) }
}

/// The root to which a leaf and its inclusion proof lead: what a receipt signs without carrying it (RFC 9942).
pub fn root_from_inclusion(leaf: LeafHash, index: LeafIndex, size: TreeSize, proof: &[NodeHash]) -> Result<RootHash, InclusionError> {
    if index.0 >= size.0 {
        return Err(InclusionError::IndexOutOfRange { index, size });
    }
    let found = proof.len();
    // Both are positions on the level reached so far: of the subtree that holds the leaf, and of the last subtree.
    let (mut node, mut last) = (index.0, size.0 - 1);
    let mut hash = NodeHash::from(leaf);
    for sibling in proof {
        if last == 0 {
            return Err(InclusionError::TooLong { found });
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(*sibling, hash);
            skip_lone_levels(&mut node, &mut last);
        } else {
            hash = node_hash(hash, *sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 { Ok(hash.into()) } else { Err(InclusionError::TooShort { found }) }
}

/// Checks that the tree of `old` leaves is a prefix of the tree of `new` leaves (RFC 9162 section 2.1.4.2).
///
/// From size 0 there is nothing to prove: the proof must be empty and `old_root` the empty root; `new_root` stays unchecked.
pub fn verify_consistency(
    old: TreeSize,
    new: TreeSize,
    proof: &[NodeHash],
    old_root: RootHash,
    new_root: RootHash,
) -> Result<(), ConsistencyError> {
    if old > new {
        return Err(ConsistencyError::Order { old, new });
    }
    if old.0 == 0 {
        require_empty(proof)?;
        return require_old(empty_root(), old_root);
    }
    if old == new {
        require_empty(proof)?;
        return require_new(old_root, new_root);
    }
    let (computed_old, computed_new) = roots_from_consistency(old, new, proof, old_root)?;
    require_old(computed_old, old_root)?;
    require_new(computed_new, new_root)
}

/// Both roots that a proof between different sizes, neither of them 0, leads to.
fn roots_from_consistency(
    old: TreeSize,
    new: TreeSize,
    proof: &[NodeHash],
    old_root: RootHash,
) -> Result<(RootHash, RootHash), ConsistencyError> {
    let found = proof.len();
    let too_short = ConsistencyError::TooShort { found };
    // An older tree that is one complete subtree is its own first hash, and the proof leaves it out.
    let (first, rest) = if old.0.is_power_of_two() {
        (NodeHash(old_root.0), proof)
    } else {
        proof.split_first().map(|(first, rest)| (*first, rest)).ok_or(too_short)?
    };
    let (mut node, mut last) = (old.0 - 1, new.0 - 1);
    let complete = node.trailing_ones();
    node >>= complete;
    last >>= complete;
    let (mut old_hash, mut new_hash) = (first, first);
    for hash in rest {
        if last == 0 {
            return Err(ConsistencyError::TooLong { found });
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(*hash, old_hash);
            new_hash = node_hash(*hash, new_hash);
            skip_lone_levels(&mut node, &mut last);
        } else {
            new_hash = node_hash(new_hash, *hash);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 { Ok((old_hash.into(), new_hash.into())) } else { Err(too_short) }
}

/// Climbs the levels on which the last subtree has no sibling and therefore no hash in the proof.
fn skip_lone_levels(node: &mut u64, last: &mut u64) {
    while *node & 1 == 0 && *node != 0 {
        *node >>= 1;
        *last >>= 1;
    }
}

fn require_empty(proof: &[NodeHash]) -> Result<(), ConsistencyError> {
    if proof.is_empty() { Ok(()) } else { Err(ConsistencyError::TooLong { found: proof.len() }) }
}

fn require_old(computed: RootHash, expected: RootHash) -> Result<(), ConsistencyError> {
    if computed == expected { Ok(()) } else { Err(ConsistencyError::OldRootMismatch { computed, expected }) }
}

fn require_new(computed: RootHash, expected: RootHash) -> Result<(), ConsistencyError> {
    if computed == expected { Ok(()) } else { Err(ConsistencyError::NewRootMismatch { computed, expected }) }
}

/// Joins complete subtrees, given from the right (narrowest) to the left (widest), into one hash.
fn fold_peaks(peaks: impl IntoIterator<Item = NodeHash>) -> Option<NodeHash> {
    peaks.into_iter().reduce(|right, left| node_hash(left, right))
}

/// The largest power of two smaller than `width`, which is 2 or more: RFC 6962's `k`.
pub(crate) fn left_width(width: u64) -> u64 {
    1 << (u64::BITS - 1 - (width - 1).leading_zeros())
}
