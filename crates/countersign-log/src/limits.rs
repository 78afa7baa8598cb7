//! Every bound on what this crate reads. Beyond one of them is an error with a name, never a guess.

/// A signed note, in bytes. Wide enough for [`SIGNATURE_LINES_MAX`] lines of the longest signatures in use (ML-DSA, about 7 kB in base64).
pub const NOTE_BYTES_MAX: usize = 1 << 20;

/// Signature lines in one note (ledger format, section 6).
pub const SIGNATURE_LINES_MAX: usize = 64;

/// The extra data of a `.tlog-proof`, in bytes once decoded.
pub const PROOF_EXTRA_BYTES_MAX: usize = 64 * 1024;

/// Hashes in an inclusion proof: the height of a tree of 2⁶⁴ leaves.
pub const PROOF_HASHES_MAX: usize = 64;

/// A `.tlog-proof` file, in bytes: its note, its extra data in base64, and room for the hashes.
pub const PROOF_BYTES_MAX: usize = NOTE_BYTES_MAX + 2 * PROOF_EXTRA_BYTES_MAX;

/// Hashes in a full tile, leaves in a full bundle (C2SP tlog-tiles).
pub const TILE_WIDTH: u16 = 256;

/// One leaf in an entry bundle, in bytes: its length prefix is 16 bits.
pub const LEAF_BYTES_MAX: usize = 65_535;

/// One sealed record, in bytes (ledger format, section 5), although its length prefix has 32 bits.
pub const RECORD_BYTES_MAX: usize = 65_535;

/// The latest time a cosignature may carry, in seconds since the Unix epoch (C2SP tlog-cosignature).
pub const COSIGNATURE_TIME_MAX: u64 = (1 << 63) - 1;
