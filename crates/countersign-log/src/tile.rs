//! Tiles and bundles: where each file of an export stands, and what its bytes are (C2SP tlog-tiles; ledger format, section 6).
//!
//! A *hash tile* holds up to 256 hashes, an *entry bundle* up to 256 leaves, a *sealed bundle* up to 256 sealed records.

use crate::encoding::decimal_strict;
use crate::hash::{NodeHash, TreeSize};
use crate::limits::{LEAF_BYTES_MAX, RECORD_BYTES_MAX, TILE_WIDTH};
use crate::tree::Tree;
use std::fmt;

const HASH_BYTES: usize = 32;
/// Levels of the tree between one tile level and the next.
const TILE_HEIGHT: u32 = 8;
/// The highest tile level that C2SP names.
const LEVEL_MAX: u64 = 63;

/// How many items a tile or bundle holds: 1 to 255 when partial, 256 when full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Width(u16);

/// One file of an export, by its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileFile {
    /// `tile/<L>/<N>[.p/<W>]`.
    Hashes {
        /// 0 holds leaf hashes; above, each hash is the root of a full tile below.
        level: u8,
        /// Position within the level, from 0.
        index: u64,
        /// Hashes in it.
        width: Width,
    },
    /// `tile/entries/<N>[.p/<W>]`.
    Entries {
        /// Position, from 0.
        index: u64,
        /// Leaves in it.
        width: Width,
    },
    /// `sealed/<N>[.p/<W>]`.
    Sealed {
        /// Position, from 0.
        index: u64,
        /// Records in it.
        width: Width,
    },
}

/// Why a path names no tile or bundle, or names it in a way that is not the one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Neither `tile/<L>/`, `tile/entries/` nor `sealed/` in front.
    #[error("not the path of a tile or bundle")]
    Place,
    /// The level is not a decimal number from 0 to 63.
    #[error("not a tile level")]
    Level,
    /// The index is not in groups of three digits, all but the last behind an `x`, or is longer than it must be, or beyond 64 bits.
    #[error("not a tile index")]
    Index,
    /// The width of a partial one is not a decimal number from 1 to 255.
    #[error("not the width of a partial tile")]
    Width,
}

/// Why bytes are not a hash tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tile of {width} hashes has {expected} bytes, not {found}")]
pub struct TileError {
    /// Hashes that belong in it.
    pub width: Width,
    /// Bytes that belong in it.
    pub expected: usize,
    /// Bytes found.
    pub found: usize,
}

/// Why bytes are not a bundle. Items count from 0 within the bundle; an offset is that of the item's length prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The file ends before or inside a length prefix.
    #[error("item {item} at offset {offset}: the file ends before its length")]
    ShortPrefix {
        /// Which item.
        item: u16,
        /// Where it begins.
        offset: usize,
    },
    /// The file ends inside an item.
    #[error("item {item} at offset {offset}: {length} bytes announced, {available} left")]
    ShortItem {
        /// Which item.
        item: u16,
        /// Where it begins.
        offset: usize,
        /// Bytes announced.
        length: u32,
        /// Bytes left in the file.
        available: usize,
    },
    /// A sealed record longer than [`RECORD_BYTES_MAX`].
    #[error("item {item} at offset {offset}: {length} bytes announced, beyond the limit")]
    TooLong {
        /// Which item.
        item: u16,
        /// Where it begins.
        offset: usize,
        /// Bytes announced.
        length: u32,
    },
    /// Bytes after the last item.
    #[error("{found} bytes too many from offset {offset} on")]
    Trailing {
        /// Where the surplus begins.
        offset: usize,
        /// Bytes in surplus.
        found: usize,
    },
}

/// Why items cannot be written as a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleEncodeError {
    /// None, or more than 256.
    #[error("a bundle has 1 to {TILE_WIDTH} items, not {found}")]
    Count {
        /// Items given.
        found: usize,
    },
    /// An item beyond its limit.
    #[error("item {item} has {length} bytes, beyond the limit")]
    TooLong {
        /// Which item, from 0.
        item: usize,
        /// Its bytes.
        length: usize,
    },
}

/// One leaf or record within a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// Where its length prefix begins in the file.
    pub offset: usize,
    /// Without the prefix. An empty sealed record is a missing one, which is for the caller to judge.
    pub bytes: &'a [u8],
}

impl Width {
    /// A full tile or bundle.
    pub const FULL: Self = Self(TILE_WIDTH);

    /// Nothing for 0 and for more than 256.
    #[must_use]
    pub const fn new(width: u16) -> Option<Self> {
        if width >= 1 && width <= TILE_WIDTH { Some(Self(width)) } else { None }
    }

    /// The number of items.
    #[must_use]
    pub const fn count(self) -> u16 {
        self.0
    }

    /// Whether it can grow no more.
    #[must_use]
    pub const fn is_full(self) -> bool {
        self.0 == TILE_WIDTH
    }
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `tile/<L>/<N>[.p/<W>]`.
#[must_use]
pub fn tile_path(level: u8, index: u64, width: Width) -> String {
    format!("tile/{level}/{}", index_path(index, width))
}

/// `tile/entries/<N>[.p/<W>]`.
#[must_use]
pub fn entries_path(index: u64, width: Width) -> String {
    format!("tile/entries/{}", index_path(index, width))
}

/// `sealed/<N>[.p/<W>]`.
#[must_use]
pub fn sealed_path(index: u64, width: Width) -> String {
    format!("sealed/{}", index_path(index, width))
}

impl TileFile {
    /// Its path within the export, with `/` between the parts.
    #[must_use]
    pub fn path(&self) -> String {
        match *self {
            Self::Hashes { level, index, width } => tile_path(level, index, width),
            Self::Entries { index, width } => entries_path(index, width),
            Self::Sealed { index, width } => sealed_path(index, width),
        }
    }

    /// Reads a path, strictly: [`TileFile::path`] gives it back. Whether a tree has such a file is another question.
    pub fn parse(path: &str) -> Result<Self, PathError> {
        if let Some(rest) = path.strip_prefix("sealed/") {
            return parse_index_path(rest).map(|(index, width)| Self::Sealed { index, width });
        }
        let rest = path.strip_prefix("tile/").ok_or(PathError::Place)?;
        let (level, rest) = rest.split_once('/').ok_or(PathError::Place)?;
        if level == "entries" {
            return parse_index_path(rest).map(|(index, width)| Self::Entries { index, width });
        }
        let level = decimal_strict(level).ok().filter(|level| *level <= LEVEL_MAX).ok_or(PathError::Level)?;
        let level = u8::try_from(level).map_err(|_| PathError::Level)?;
        parse_index_path(rest).map(|(index, width)| Self::Hashes { level, index, width })
    }
}

/// Every hash tile of a tree of this size, level by level; for size 0, none. Lazily, since a size is only a claim.
pub fn hash_tiles(size: TreeSize) -> impl Iterator<Item = (u8, u64, Width)> {
    let levels = (0u8..).map_while(move |level| {
        let hashes = size.0.checked_shr(TILE_HEIGHT * u32::from(level)).unwrap_or(0);
        (hashes > 0).then_some((level, hashes))
    });
    levels.flat_map(|(level, hashes)| spans(hashes).map(move |(index, width)| (level, index, width)))
}

/// Every entry bundle (and likewise every sealed bundle) of a tree of this size, in order.
pub fn bundles(size: TreeSize) -> impl Iterator<Item = (u64, Width)> {
    spans(size.0)
}

/// All tiles, entry bundles and sealed bundles that an export of this size has, and no others may stand beside them.
pub fn files(size: TreeSize) -> impl Iterator<Item = TileFile> {
    let hashes = hash_tiles(size).map(|(level, index, width)| TileFile::Hashes { level, index, width });
    let entries = bundles(size).map(|(index, width)| TileFile::Entries { index, width });
    hashes.chain(entries).chain(bundles(size).map(|(index, width)| TileFile::Sealed { index, width }))
}

/// The bytes of a hash tile; nothing if the tree does not reach so far.
#[must_use]
pub fn hash_tile(tree: &Tree, level: u8, index: u64, width: Width) -> Option<Vec<u8>> {
    let first = index.checked_mul(u64::from(TILE_WIDTH))?;
    let mut bytes = Vec::with_capacity(HASH_BYTES * usize::from(width.0));
    for position in 0..u64::from(width.0) {
        let node = tree.subtree(TILE_HEIGHT * u32::from(level), first.checked_add(position)?)?;
        bytes.extend_from_slice(node.as_bytes());
    }
    Some(bytes)
}

/// The hashes of a tile, which must be exactly as long as its width says.
pub fn decode_hash_tile(bytes: &[u8], width: Width) -> Result<Vec<NodeHash>, TileError> {
    let expected = HASH_BYTES * usize::from(width.0);
    let (hashes, _) = bytes.as_chunks::<HASH_BYTES>();
    if bytes.len() != expected {
        return Err(TileError { width, expected, found: bytes.len() });
    }
    Ok(hashes.iter().copied().map(NodeHash).collect())
}

/// Writes leaves as an entry bundle: for each, its length in 16 bits big-endian, then its bytes.
pub fn encode_entries<T: AsRef<[u8]>>(leaves: &[T]) -> Result<Vec<u8>, BundleEncodeError> {
    encode(leaves, LEAF_BYTES_MAX, |bytes, length| {
        bytes.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
    })
}

/// Writes sealed records as a sealed bundle: for each, its length in 32 bits big-endian, then its bytes.
pub fn encode_sealed<T: AsRef<[u8]>>(records: &[T]) -> Result<Vec<u8>, BundleEncodeError> {
    encode(records, RECORD_BYTES_MAX, |bytes, length| {
        bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    })
}

/// The leaves of an entry bundle.
pub fn decode_entries(bytes: &[u8], width: Width) -> Result<Vec<Item<'_>>, BundleError> {
    BundleReader::entries(bytes, width).collect()
}

/// The records of a sealed bundle.
pub fn decode_sealed(bytes: &[u8], width: Width) -> Result<Vec<Item<'_>>, BundleError> {
    BundleReader::sealed(bytes, width).collect()
}

/// Reads a bundle item by item, so that what stands before a fault can still be checked. After an error it ends.
#[derive(Debug, Clone)]
pub struct BundleReader<'a> {
    rest: &'a [u8],
    offset: usize,
    item: u16,
    width: Width,
    prefix: Prefix,
    done: bool,
}

#[derive(Debug, Clone, Copy)]
enum Prefix {
    Sixteen,
    ThirtyTwo,
}

impl<'a> BundleReader<'a> {
    /// Over an entry bundle.
    #[must_use]
    pub fn entries(bytes: &'a [u8], width: Width) -> Self {
        Self { rest: bytes, offset: 0, item: 0, width, prefix: Prefix::Sixteen, done: false }
    }

    /// Over a sealed bundle.
    #[must_use]
    pub fn sealed(bytes: &'a [u8], width: Width) -> Self {
        Self { prefix: Prefix::ThirtyTwo, ..Self::entries(bytes, width) }
    }

    fn read_item(&mut self) -> Result<Item<'a>, BundleError> {
        let (item, offset) = (self.item, self.offset);
        let (length, body) = self.prefix.split(self.rest).ok_or(BundleError::ShortPrefix { item, offset })?;
        let bytes_expected = length as usize;
        if bytes_expected > RECORD_BYTES_MAX {
            return Err(BundleError::TooLong { item, offset, length });
        }
        let short = BundleError::ShortItem { item, offset, length, available: body.len() };
        let (bytes, rest) = body.split_at_checked(bytes_expected).ok_or(short)?;
        self.offset += self.rest.len() - rest.len();
        self.rest = rest;
        self.item += 1;
        Ok(Item { offset, bytes })
    }

    fn read_end(&self) -> Option<BundleError> {
        let found = self.rest.len();
        (found > 0).then_some(BundleError::Trailing { offset: self.offset, found })
    }
}

impl<'a> Iterator for BundleReader<'a> {
    type Item = Result<Item<'a>, BundleError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        if self.item < self.width.0 {
            let read = self.read_item();
            self.done = read.is_err();
            return Some(read);
        }
        self.done = true;
        self.read_end().map(Err)
    }
}

impl Prefix {
    fn split(self, bytes: &[u8]) -> Option<(u32, &[u8])> {
        match self {
            Self::Sixteen => bytes.split_first_chunk().map(|(prefix, rest)| (u16::from_be_bytes(*prefix).into(), rest)),
            Self::ThirtyTwo => bytes.split_first_chunk().map(|(prefix, rest)| (u32::from_be_bytes(*prefix), rest)),
        }
    }
}

fn encode<T: AsRef<[u8]>>(items: &[T], bytes_max: usize, write_prefix: impl Fn(&mut Vec<u8>, usize)) -> Result<Vec<u8>, BundleEncodeError> {
    if items.is_empty() || items.len() > usize::from(TILE_WIDTH) {
        return Err(BundleEncodeError::Count { found: items.len() });
    }
    let mut bytes = Vec::new();
    for (item, content) in items.iter().map(AsRef::as_ref).enumerate() {
        if content.len() > bytes_max {
            return Err(BundleEncodeError::TooLong { item, length: content.len() });
        }
        write_prefix(&mut bytes, content.len());
        bytes.extend_from_slice(content);
    }
    Ok(bytes)
}

/// How `count` items lie in tiles: all full but the last.
fn spans(count: u64) -> impl Iterator<Item = (u64, Width)> {
    let per_tile = u64::from(TILE_WIDTH);
    let partial = u16::try_from(count % per_tile).ok().and_then(Width::new);
    let full = count / per_tile;
    (0..full).map(|index| (index, Width::FULL)).chain(partial.map(|width| (full, width)))
}

/// `x001/x234/067`, with `.p/<W>` behind it when partial.
fn index_path(index: u64, width: Width) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    if !width.is_full() {
        path.push_str(&format!(".p/{width}"));
    }
    path
}

fn parse_index_path(path: &str) -> Result<(u64, Width), PathError> {
    let (digits, width) = match path.split_once(".p/") {
        Some((digits, width)) => (digits, parse_partial_width(width)?),
        None => (path, Width::FULL),
    };
    let (groups, last) = digits.rsplit_once('/').map_or((None, digits), |(groups, last)| (Some(groups), last));
    let mut index = 0u64;
    for group in groups.into_iter().flat_map(|groups| groups.split('/')) {
        index = push_group(index, group.strip_prefix('x').ok_or(PathError::Index)?)?;
    }
    index = push_group(index, last)?;
    // A first group of zeros would be a second name for the same tile.
    if index_path(index, width) == path { Ok((index, width)) } else { Err(PathError::Index) }
}

fn parse_partial_width(text: &str) -> Result<Width, PathError> {
    let number = decimal_strict(text).ok().and_then(|number| u16::try_from(number).ok());
    number.and_then(Width::new).filter(|width| !width.is_full()).ok_or(PathError::Width)
}

fn push_group(index: u64, group: &str) -> Result<u64, PathError> {
    if group.len() != 3 || !group.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PathError::Index);
    }
    let value: u64 = group.parse().map_err(|_| PathError::Index)?;
    index.checked_mul(1000).and_then(|index| index.checked_add(value)).ok_or(PathError::Index)
}
