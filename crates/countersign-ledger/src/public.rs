//! The public plane as a client asks for it: tiles and bundles from the growing edge, the newest checkpoint, proofs by index, key events. It says nothing
//! about people, models or issuers.

use std::ops::ControlFlow;

use countersign_entry::leaf::{Kind, Leaf};
use countersign_log::recall;
use countersign_log::tile::{self, TileFile, Width};
use countersign_log::tree::{LeafIndex, NodeHash, RootHash, TreeSize};
use countersign_store::{Head, StoreError};

use crate::open::{Ledger, OpenError, damaged};

impl Ledger {
    /// A tile or an entry bundle, full or as far as the ledger goes; `None` where it does not go so far, and for sealed bundles, which are not public.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn tile(&self, file: TileFile) -> Result<Option<Vec<u8>>, OpenError> {
        match file {
            TileFile::Sealed { .. } => Ok(None),
            TileFile::Entries { index, width } => {
                let Some(leaves) = self.leaves(index, width)? else { return Ok(None) };
                tile::encode_entries(&leaves).map(Some).map_err(|e| damaged(index, e))
            }
            TileFile::Hashes { level: 0, index, width } => {
                let Some(leaves) = self.leaves(index, width)? else { return Ok(None) };
                Ok(Some(leaves.iter().flat_map(|leaf| countersign_log::tree::leaf_hash(leaf).0).collect()))
            }
            // Above the lowest level nothing is forgotten.
            TileFile::Hashes { level, index, width } => Ok(tile::hash_tile(&self.state.tree, level, index, width)),
        }
    }

    fn leaves(&self, tile: u64, width: Width) -> Result<Option<Vec<Vec<u8>>>, OpenError> {
        let Some(first) = tile.checked_mul(u64::from(Width::FULL.count())) else { return Ok(None) };
        let end = first.saturating_add(u64::from(width.count()));
        if end > self.size() {
            return Ok(None);
        }
        let mut leaves = Vec::with_capacity(usize::from(width.count()));
        self.store.scan(first, &mut |index, leaf, _| {
            if index >= end {
                return ControlFlow::Break(());
            }
            leaves.push(leaf.to_vec());
            ControlFlow::Continue(())
        })?;
        Ok((leaves.len() == usize::from(width.count())).then_some(leaves))
    }

    /// The way from a leaf to the root of a size; `None` where there is no such proof.
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<NodeHash>> {
        recall::inclusion_proof(&self.state.tree, LeafIndex(index), TreeSize(size), &mut |range| self.leaf_hashes(range)).ok()
    }

    /// That a size's tree is the beginning of a later one's; `None` where there is no such proof.
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<NodeHash>> {
        recall::consistency_proof(&self.state.tree, TreeSize(old), TreeSize(new), &mut |range| self.leaf_hashes(range)).ok()
    }

    /// The root at a size the ledger had.
    pub fn root_of(&self, size: TreeSize) -> Option<RootHash> {
        self.root_at(size)
    }

    /// The record of genesis or of a key event, which is public, as `control/` holds it; `None` for every other entry.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn control(&self, index: u64) -> Result<Option<Vec<u8>>, OpenError> {
        if index >= self.size() {
            return Ok(None);
        }
        let stored = self.store.read(index)?;
        let leaf = Leaf::decode(&stored.leaf).map_err(|e| damaged(index, e))?;
        Ok(matches!(leaf.kind, Kind::Genesis | Kind::KeyEvent).then_some(stored.sealed))
    }

    /// The checkpoint of the commit that has exactly this size; `None` where no commit has.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn checkpoint_at(&self, size: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let mut found = None;
        self.store.seals(size, &mut |at, note| {
            found = (at == size).then(|| Head { size: at, note: note.to_vec() });
            ControlFlow::Break(())
        })?;
        Ok(found.map(|head| head.note))
    }
}
