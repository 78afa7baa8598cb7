//! Every bound of this crate, in one place; `schemas/` and the tests cite them.

/// Arrays and maps inside one another, the outermost counted (ledger-format section 2).
pub const NESTING_MAX: usize = 16;
/// Bytes of a stored record, scheme byte included (ledger-format section 5).
pub const SEALED_BYTES_MAX: usize = 65_535;
/// A plaintext is padded to a multiple of this many bytes.
pub const PAD_BLOCK: usize = 128;
/// Bytes of one leaf. A leaf is about 120 bytes; the largest the format can express is 130.
pub const LEAF_BYTES_MAX: usize = 1_024;
/// Bytes of a [`crate::ids::Line`].
pub const LINE_BYTES_MAX: usize = 1_024;
/// Bytes of a [`crate::ids::RawText`].
pub const RAW_TEXT_BYTES_MAX: usize = 4_096;
/// Characters of an identifier, its prefix included.
pub const ID_CHARS_MAX: usize = 96;
/// Characters of an idempotency key as a client sends it; the ledger may add a part number.
pub const REQUEST_CHARS_MAX: usize = 80;
/// Days a submission's window may last: "up to 30 days" before release to other trusted partners (EO 14409, secondary sources).
pub const WINDOW_DAYS_MAX: u64 = 30;
/// The latest time a record can hold: 9999-12-31T23:59:59.999999Z in microseconds since the Unix epoch.
pub const MICROS_MAX: u64 = 253_402_300_799_999_999;
