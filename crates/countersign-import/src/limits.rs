//! Every bound of this crate, in one place.

/// Bytes of a file.
pub const FILE_BYTES_MAX: usize = 256 << 20;
/// Data rows of a file: what a spreadsheet can hold. A longer file is cut in two by whoever sends it.
pub const ROWS_MAX: usize = 1_048_576;
/// Columns of a file.
pub const COLUMNS_MAX: usize = 512;
/// Bytes of one cell; a spreadsheet's cell holds 32,767 characters.
pub const CELL_BYTES_MAX: usize = 65_536;
/// Bytes of all the cells of a spreadsheet together. Cells share strings, so a small file can hold much more text than it has bytes.
pub const SHEET_TEXT_BYTES_MAX: usize = 256 << 20;
/// Bytes of all the parts of a spreadsheet once decompressed.
pub const UNZIPPED_BYTES_MAX: u64 = 512 << 20;
/// Parts of a spreadsheet's zip archive.
pub const ZIP_PARTS_MAX: usize = 10_000;
/// Years a date may lie in; one outside is a slip of the pen.
pub const YEARS: core::ops::RangeInclusive<u16> = 1950..=2100;
/// Entries of a cell that lists several values.
pub const LIST_MAX: usize = 64;
