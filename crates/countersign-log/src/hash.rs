//! The 32-byte hashes and the two counts, each a type of its own, so that a root is never taken for a leaf hash.

use std::fmt;

macro_rules! hash_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The 32 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            /// 64 lower-case hex digits.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

macro_rules! count_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

hash_type!(
    /// BLAKE3 hash of a leaf (or, before the first, of the origin): what the next leaf's `prev` holds.
    ChainHash
);
hash_type!(
    /// `SHA-256(00 ‖ leaf)`, RFC 6962 section 2.1.
    LeafHash
);
hash_type!(
    /// The hash of a subtree of one leaf or more.
    NodeHash
);
hash_type!(
    /// The hash of a whole tree, as a checkpoint carries it.
    RootHash
);
count_type!(
    /// Position of a leaf, from 0.
    LeafIndex
);
count_type!(
    /// Number of leaves in a tree.
    TreeSize
);

impl From<LeafHash> for NodeHash {
    fn from(leaf: LeafHash) -> Self {
        Self(leaf.0)
    }
}

impl From<NodeHash> for RootHash {
    fn from(node: NodeHash) -> Self {
        Self(node.0)
    }
}
