//! The hash chain through the leaves (ledger format, sections 2 and 3): BLAKE3 in derive-key mode, one context for each use.

use std::sync::LazyLock;

use blake3::Hasher;
use blake3::hazmat::{ContextKey, HasherExt as _, hash_derive_key_context};

pub use crate::hash::ChainHash;

const ORIGIN_CONTEXT: &str = "countersign v1 origin";
const CHAIN_CONTEXT: &str = "countersign v1 chain";

/// What the first leaf's `prev` holds: the hash of the origin as UTF-8, without a newline. Also part of a sealed record's associated data.
#[must_use]
pub fn origin_hash(origin: &str) -> ChainHash {
    ChainHash(blake3::derive_key(ORIGIN_CONTEXT, origin.as_bytes()))
}

/// What the next leaf's `prev` holds. `leaf_bytes` come without the bundle's length prefix.
#[must_use]
pub fn link(leaf_bytes: &[u8]) -> ChainHash {
    // The context is hashed once and not again for each leaf.
    static CONTEXT_KEY: LazyLock<ContextKey> = LazyLock::new(|| hash_derive_key_context(CHAIN_CONTEXT));
    ChainHash(Hasher::new_from_context_key(&CONTEXT_KEY).update(leaf_bytes).finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_blake3_in_derive_key_mode() {
        for leaf in [&b""[..], b"x", &[7; 122], &[9; 5_000]] {
            assert_eq!(link(leaf).0, blake3::derive_key(CHAIN_CONTEXT, leaf));
        }
    }

    #[test]
    fn the_two_contexts_are_apart() {
        assert_ne!(origin_hash("x").0, link(b"x").0);
        assert_ne!(origin_hash("x"), origin_hash("x\n"));
    }
}
