//! The public plane, leaf by leaf: form, order, every link of the chain, and the tree's root at the sizes somebody asked for.

use std::collections::BTreeMap;

use countersign_entry::leaf::{Kind, Leaf};
use countersign_log::chain::{ChainHash, link, origin_hash};
use countersign_log::tree::{CompactRange, RootHash, leaf_hash};

use crate::codes;
use crate::report::{Finding, Outcome};
use crate::source::At;

/// State after the leaves seen so far: a few dozen hashes, whatever the size.
pub(crate) struct Leaves {
    next: u64,
    /// What the next leaf's `prev` must be; unknown after a gap.
    prev: Option<ChainHash>,
    /// Whether the leaf before stands accused by its tile.
    prev_accused: bool,
    minute: u64,
    /// Unknown after a gap.
    range: Option<CompactRange>,
    wanted: BTreeMap<u64, Option<RootHash>>,
}

impl Leaves {
    /// `wanted` are the sizes at which the root will be asked for.
    pub fn new(origin: &str, wanted: impl IntoIterator<Item = u64>) -> Self {
        let wanted = wanted.into_iter().map(|size| (size, None)).collect();
        Self { next: 0, prev: Some(origin_hash(origin)), prev_accused: false, minute: 0, range: Some(CompactRange::new()), wanted }
    }

    /// The index the next leaf must have.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The tree so far, unless leaves are missing.
    pub fn range(&self) -> Option<&CompactRange> {
        self.range.as_ref()
    }

    /// The root over the first `size` leaves, if that size was wanted and reached without a gap.
    pub fn root_at(&self, size: u64) -> Option<RootHash> {
        match &self.range {
            Some(range) if range.size().0 == size => Some(range.root()),
            _ => self.wanted.get(&size).copied().flatten(),
        }
    }

    /// Leaves up to `index` are missing: the chain and the tree cannot be followed across.
    pub fn skip_to(&mut self, index: u64) {
        if index != self.next {
            self.next = index;
            self.prev = None;
            self.range = None;
        }
    }

    /// Takes the next leaf. `accused` says that its hash tile disagrees with it.
    pub fn leaf(&mut self, bytes: &[u8], at: At<'_>, accused: bool, out: &mut Outcome) -> Option<Leaf> {
        let index = self.next;
        let leaf = match Leaf::decode(bytes) {
            Ok(leaf) => {
                self.follow(&leaf, at, accused, out);
                Some(leaf)
            }
            Err(e) => {
                out.find(Finding::new(codes::LEAF_MALFORMED, e.to_string()).entry(index).at(at));
                None
            }
        };
        self.grow(bytes, accused);
        out.count("leaves");
        leaf
    }

    fn grow(&mut self, bytes: &[u8], accused: bool) {
        self.next = self.next.saturating_add(1);
        self.prev = Some(link(bytes));
        self.prev_accused = accused;
        if let Some(range) = &mut self.range {
            range.append(leaf_hash(bytes));
            if let Some(slot) = self.wanted.get_mut(&self.next) {
                *slot = Some(range.root());
            }
        }
    }

    fn follow(&mut self, leaf: &Leaf, at: At<'_>, accused: bool, out: &mut Outcome) {
        let index = self.next;
        let mut find = |code, detail: String| out.find(Finding::new(code, detail).entry(index).at(at));
        if leaf.index != index {
            find(codes::LEAF_INDEX, format!("the leaf at position {index} states index {}", leaf.index));
        }
        if (leaf.kind == Kind::Genesis) != (index == 0) {
            find(codes::LEAF_KIND, format!("kind {} at index {index}", leaf.kind as u8));
        }
        if leaf.minute < self.minute {
            find(codes::LEAF_MINUTE, format!("minute {} follows minute {}", leaf.minute, self.minute));
        }
        self.minute = leaf.minute;
        self.link(leaf, at, accused, out);
    }

    fn link(&self, leaf: &Leaf, at: At<'_>, accused: bool, out: &mut Outcome) {
        let index = self.next;
        let Some(expected) = self.prev else { return };
        out.count("chain");
        if leaf.prev == expected.0 {
            return;
        }
        let stated = ChainHash(leaf.prev);
        if index == 0 {
            let detail = format!("prev is {stated}, the origin hashes to {expected}");
            return out.find(Finding::new(codes::ORIGIN_HASH, detail).entry(0).field("prev").at(at));
        }
        // A link has two ends. The tile tells which leaf changed; without one, it is the leaf whose bytes no longer hash to what was written down.
        let before = index - 1;
        let at_fault = if accused && !self.prev_accused { index } else { before };
        let detail = format!("entry {before} hashes to {expected}, prev of entry {index} states {stated}");
        out.find(Finding::new(codes::CHAIN_BROKEN, detail).entry(at_fault).at(at));
    }
}
