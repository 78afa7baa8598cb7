//! The PIN of a token: from a file, read anew for each login and erased after it. Never from arguments or the environment, which others can read.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use cryptoki::types::AuthPin;
use thiserror::Error;
use zeroize::Zeroizing;

/// Longest PIN, in bytes.
pub const PIN_BYTES_MAX: usize = 255;

/// Permission bits that let anybody but owner and group in.
const OTHERS: u32 = 0o007;

/// Why there is no PIN.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PinError {
    /// The file cannot be read.
    #[error("PIN file {path}: {what}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        what: String,
    },
    /// Everybody on the machine can read it.
    #[error("PIN file {0} is open to everybody: chmod o-rwx it, and change the PIN if others use this machine")]
    Open(PathBuf),
    /// Nothing in it, too much, or no text.
    #[error("PIN file {0} does not hold one PIN of 1 to {PIN_BYTES_MAX} bytes of text")]
    Form(PathBuf),
}

/// Tells one state of a PIN file from another without keeping what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    modified: (i64, i64),
    len: u64,
}

/// Reads a PIN file: its text, one newline at its end cut.
pub(crate) fn read(path: &Path) -> Result<(AuthPin, Stamp), PinError> {
    let failed = |e: io::Error| PinError::File { path: path.to_owned(), what: e.to_string() };
    let mut file = File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    if meta.mode() & OTHERS != 0 {
        return Err(PinError::Open(path.to_owned()));
    }
    // A buffer of fixed place, so that growing leaves no copies behind.
    let mut buffer = Zeroizing::new([0; PIN_BYTES_MAX + 2]);
    let mut len = 0;
    while let Some(rest) = buffer.get_mut(len..).filter(|rest| !rest.is_empty()) {
        match file.read(rest).map_err(failed)? {
            0 => break,
            n => len += n,
        }
    }
    let bytes = buffer.get(..len).unwrap_or_default();
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).ok().filter(|text| (1..=PIN_BYTES_MAX).contains(&text.len()));
    let text = text.ok_or_else(|| PinError::Form(path.to_owned()))?;
    let stamp = Stamp { inode: meta.ino(), modified: (meta.mtime(), meta.mtime_nsec()), len: meta.len() };
    Ok((AuthPin::from(text), stamp))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn written(text: &[u8], mode: u32) -> Result<(AuthPin, Stamp), PinError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pin");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        read(&path)
    }

    #[test]
    fn only_a_closed_file_with_one_pin_will_do() {
        assert!(written(b"1234\n", 0o600).is_ok());
        assert!(written(b"1234", 0o400).is_ok());
        assert!(written(&[b'7'; PIN_BYTES_MAX], 0o600).is_ok());
        for (text, mode) in [(&b"1234"[..], 0o604), (b"", 0o600), (b"\n", 0o600), (&[b'7'; PIN_BYTES_MAX + 1], 0o600), (&[0xff], 0o600)] {
            let e = written(text, mode).unwrap_err();
            assert!(!e.to_string().contains("1234"));
        }
        assert!(matches!(read(Path::new("/nowhere")), Err(PinError::File { .. })));
    }
}
