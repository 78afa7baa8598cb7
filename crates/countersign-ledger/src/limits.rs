//! Every bound of this crate, in one place.

use std::time::Duration;

/// Requests a batch takes at most: enough that waiting for the disk costs each little, few enough that under load one batch is decided while
/// another is made durable.
pub const BATCH_MAX: usize = 1_024;
/// Drafts from which on sealing them is worth handing over to another thread.
pub const SEAL_ASIDE_MIN: usize = 64;
/// Requests waiting at once from which on the next batch is decided while the last one is made durable.
pub const OVERLAP_MIN: usize = 256;
/// Requests in the queue from which on whoever hands one in hashes it.
pub const HASHED_AHEAD_MIN: usize = 64;
/// Batches smaller than that, one after another, after which it is no longer worth it.
pub const OVERLAP_SMALL_MAX: usize = 16;
/// Requests that may wait in the queue; one more is refused at once, before it is sequenced.
pub const QUEUE_MAX: usize = 8_192;
/// Bytes of a request's canonical form; leaves room in a sealed record for the assessment and the salts.
pub const REQUEST_BYTES_MAX: usize = 16_384;
/// Microseconds the clock may lie behind the newest entry before nothing is recorded any more.
pub const CLOCK_BEHIND_MAX: u64 = 2_000_000;
/// Data keys made at a time, at least.
pub const KEY_POOL: u32 = 16;
/// Data keys made at a time, at most. In between it is an eighth of those there are, since each time the whole file is written.
pub const KEY_POOL_MAX: u32 = 16_384;
/// Free data keys below which a new pool is made.
pub const KEY_POOL_LOW: usize = 4;
/// Leaves whose place inside their tile the tree keeps at least in memory; it forgets as many at a time.
pub const TREE_LEAVES: u64 = 65_536;
/// Entries after the newest snapshot from which on a start writes another: reading them again takes longer than reading a snapshot.
pub const SNAPSHOT_AFTER: u64 = 50_000;
/// How many times as many entries a running ledger waits for, which holds up its commits while it writes one; and how far those lie apart that a replay
/// of everything leaves behind.
pub const RUNNING_TIMES: u64 = 20;
/// How many times as many entries lie between older snapshots that are kept, at least.
pub const OLDER_TIMES: u64 = 10;
/// Snapshots that are tried, the nearest first, before everything is read.
pub const SNAPSHOTS_TRIED: usize = 3;
/// Entries read at a time to know what was known then; half of them are opened on another thread.
pub const RECALLED_AT_ONCE: usize = 2_048;
/// How long a batch waits for a key that is away before its requests are told that it is unknown.
pub const SEAL_PATIENCE: Duration = Duration::from_secs(10);
/// The first pause before a key that is away is asked again.
pub const KEY_RETRY_MIN: Duration = Duration::from_millis(20);
/// The longest such pause.
pub const KEY_RETRY_MAX: Duration = Duration::from_millis(500);
/// Years after its own for which a submission's compartment is kept: insider lists are, five years after the last of them (Regulation (EU) 596/2014
/// article 18(5)).
pub const ERASE_AFTER_YEARS: u32 = 5;
/// The same for what the ethics office keeps: reports, advice and determinations, six years (5 CFR 2634.603(g)(1); GRS 2.8 item 010).
pub const ERASE_ETHICS_AFTER_YEARS: u32 = 6;
