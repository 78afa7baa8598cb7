//! Hash tiles against leaves: two witnesses of one tree. The signed root decides which of them is at fault (ledger-format section 10).

use countersign_log::tile::{TileFile, Width, decode_hash_tile, tile_path};
use countersign_log::tree::{CompactRange, LeafHash, NodeHash, RootHash, node_hash};

use crate::codes;
use crate::report::{Finding, Outcome};

/// Disagreements kept; beyond, each counts but is not told apart.
const DIFFERING_MAX: usize = 4_096;

/// One hash tile, as it must be.
pub(crate) struct Tile {
    pub level: u8,
    pub index: u64,
    pub hashes: Vec<NodeHash>,
}

/// Builds the tiles above the bundles from one series of leaf hashes.
#[derive(Clone, Default)]
struct Builder {
    range: CompactRange,
    /// From level 1 up: the tile under construction and its index.
    levels: Vec<(u64, Vec<NodeHash>)>,
}

impl Builder {
    /// Takes one bundle's hashes; gives the tiles above that are full now.
    fn bundle(&mut self, hashes: &[NodeHash]) -> Vec<Tile> {
        hashes.iter().for_each(|h| self.range.append(LeafHash(h.0)));
        let mut full = Vec::new();
        let mut carry = tile_root(hashes);
        let mut level = 0;
        while let Some(root) = carry.take() {
            if self.levels.len() == level {
                self.levels.push((0, Vec::new()));
            }
            let Some((index, tile)) = self.levels.get_mut(level) else { break };
            tile.push(root);
            level += 1;
            if let Some(root) = tile_root(tile) {
                full.push(Tile { level: u8::try_from(level).unwrap_or(u8::MAX), index: *index, hashes: std::mem::take(tile) });
                *index += 1;
                carry = Some(root);
            }
        }
        full
    }

    /// The partial tiles at the right edge.
    fn rest(&self) -> Vec<Tile> {
        let numbered = (1u8..).zip(&self.levels);
        numbered
            .filter(|(_, (_, hashes))| !hashes.is_empty())
            .map(|(level, (index, hashes))| Tile { level, index: *index, hashes: hashes.clone() })
            .collect()
    }
}

/// The hash of a full tile; nothing for a partial one.
fn tile_root(hashes: &[NodeHash]) -> Option<NodeHash> {
    if hashes.len() != usize::from(Width::FULL.count()) {
        return None;
    }
    let mut layer = hashes.to_vec();
    while layer.len() > 1 {
        layer = layer
            .chunks_exact(2)
            .filter_map(|pair| match pair {
                [l, r] => Some(node_hash(*l, *r)),
                _ => None,
            })
            .collect();
    }
    layer.first().copied()
}

struct Differing {
    entry: u64,
    tile: String,
    offset: u64,
    entries_file: String,
    entries_offset: u64,
}

/// Follows leaves and tiles side by side.
#[derive(Default)]
pub(crate) struct TileCheck {
    leaves: Builder,
    /// Only once the two have parted.
    tiles: Option<Builder>,
    differing: Vec<Differing>,
    /// Tiles above level 0 that differ from what the leaves give, and from what the level 0 tiles give.
    upper_not_leaves: Vec<Finding>,
    upper_not_tiles: Vec<Finding>,
}

/// One bundle's leaf hashes and where they came from.
pub(crate) struct Bundle<'a> {
    pub file: TileFile,
    pub first: u64,
    /// Leaf hash and offset in the file, in order.
    pub leaves: &'a [(LeafHash, u64)],
}

impl TileCheck {
    /// Takes one bundle and its level 0 tile (none if that is missing or of the wrong length) and says which leaves disagree.
    pub fn bundle(
        &mut self,
        bundle: &Bundle<'_>,
        stored: Option<Vec<NodeHash>>,
        read: &mut dyn FnMut(&str) -> Option<Vec<u8>>,
    ) -> Vec<bool> {
        let computed: Vec<NodeHash> = bundle.leaves.iter().map(|(h, _)| NodeHash::from(*h)).collect();
        let stored = stored.unwrap_or_else(|| computed.clone());
        let accused: Vec<bool> = computed.iter().zip(&stored).map(|(a, b)| a != b).collect();
        if computed != stored && self.tiles.is_none() {
            self.tiles = Some(self.leaves.clone());
        }
        for (position, _) in accused.iter().enumerate().filter(|(_, a)| **a) {
            self.note_difference(bundle, position);
        }
        let full = self.leaves.bundle(&computed);
        let parted = self.tiles.as_mut().map(|t| t.bundle(&stored));
        hold(&full, read, &mut self.upper_not_leaves);
        hold(parted.as_ref().unwrap_or(&full), read, &mut self.upper_not_tiles);
        accused
    }

    fn note_difference(&mut self, bundle: &Bundle<'_>, position: usize) {
        let TileFile::Entries { index, width } = bundle.file else { return };
        if self.differing.len() < DIFFERING_MAX {
            self.differing.push(Differing {
                entry: bundle.first + position as u64,
                tile: tile_path(0, index, width),
                offset: 32 * position as u64,
                entries_file: bundle.file.path(),
                entries_offset: bundle.leaves.get(position).map_or(0, |(_, offset)| *offset),
            });
        }
    }

    /// Holds both series against the root in the checkpoint. `whole` is false where leaves are missing, so that nothing can be decided.
    pub fn finish(mut self, root: RootHash, whole: bool, read: &mut dyn FnMut(&str) -> Option<Vec<u8>>, out: &mut Outcome) {
        if !whole {
            return self.accuse_both(out);
        }
        hold(&self.leaves.rest(), read, &mut self.upper_not_leaves);
        let by_leaves = self.leaves.range.root();
        let by_tiles = self.tiles.as_ref().map_or(by_leaves, |t| t.range.root());
        if let Some(tiles) = &self.tiles {
            hold(&tiles.rest(), read, &mut self.upper_not_tiles);
        }
        out.count("roots");
        if by_leaves == root {
            self.upper_not_leaves.into_iter().for_each(|f| out.find(f));
            for d in self.differing {
                let detail = "the leaves give the signed root and this hash is not that of its leaf";
                out.find(Finding { offset: Some(d.offset), ..Finding::new(codes::TILE_HASH, detail).entry(d.entry).file(&d.tile) });
            }
        } else if by_tiles == root {
            self.upper_not_tiles.into_iter().for_each(|f| out.find(f));
            for d in self.differing {
                let detail = "the tiles give the signed root and this leaf does not hash to its place in them";
                let finding = Finding::new(codes::LEAF_HASH, detail).entry(d.entry).file(&d.entries_file);
                out.find(Finding { offset: Some(d.entries_offset), ..finding });
            }
        } else {
            let detail = format!("the checkpoint states root {root}, the leaves give {by_leaves}, the tiles {by_tiles}");
            out.find(Finding::new(codes::ROOT_MISMATCH, detail));
            self.accuse_both(out);
        }
    }

    fn accuse_both(self, out: &mut Outcome) {
        self.upper_not_leaves.into_iter().for_each(|f| out.find(f));
        for d in self.differing {
            let detail = format!("leaf and {} (offset {}) disagree, and neither is vouched for by the root", d.tile, d.offset);
            let finding = Finding::new(codes::LEAF_AND_TILE, detail).entry(d.entry).file(&d.entries_file);
            out.find(Finding { offset: Some(d.entries_offset), ..finding });
        }
    }
}

fn hold(tiles: &[Tile], read: &mut dyn FnMut(&str) -> Option<Vec<u8>>, findings: &mut Vec<Finding>) {
    for tile in tiles {
        let Some(width) = u16::try_from(tile.hashes.len()).ok().and_then(Width::new) else { continue };
        let path = tile_path(tile.level, tile.index, width);
        // A missing or ill-formed file is reported where all files are held against the size.
        let Some(stored) = read(&path).and_then(|bytes| decode_hash_tile(&bytes, width).ok()) else { continue };
        let Some(position) = stored.iter().zip(&tile.hashes).position(|(a, b)| a != b) else { continue };
        if findings.len() < DIFFERING_MAX {
            let detail = "this hash is not that of the tile below it";
            let finding = Finding::new(codes::TILE_HASH, detail).file(&path);
            findings.push(Finding { offset: Some(32 * position as u64), ..finding });
        }
    }
}
