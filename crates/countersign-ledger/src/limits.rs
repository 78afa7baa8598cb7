//! Every bound of this crate, in one place.

/// Requests a batch takes at most.
pub const BATCH_MAX: usize = 1_024;
/// Requests that may wait in the queue; one more is refused at once, before it is sequenced.
pub const QUEUE_MAX: usize = 8_192;
/// Bytes of a request's canonical form; leaves room in a sealed record for the assessment and the salts.
pub const REQUEST_BYTES_MAX: usize = 16_384;
/// Microseconds the clock may lie behind the newest entry before nothing is recorded any more.
pub const CLOCK_BEHIND_MAX: u64 = 2_000_000;
/// Data keys made at a time.
pub const KEY_POOL: u32 = 16;
/// Free data keys below which a new pool is made.
pub const KEY_POOL_LOW: usize = 4;
/// Leaves whose place inside their tile the tree keeps at least in memory; it forgets as many at a time.
pub const TREE_LEAVES: u64 = 65_536;
/// Entries after the newest snapshot from which on a start writes another: reading them again takes longer than reading a snapshot.
pub const SNAPSHOT_AFTER: u64 = 50_000;
