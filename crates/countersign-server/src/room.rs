//! Room on the ledger's disk. Before it is full nothing more is recorded, so that commits do not fail half way for want of room and leave it uncertain what
//! stands. What takes access away is recorded all the same, out of what is left for it; reading goes on. When there is room again, so does recording.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::app::Shared;
use crate::limits::ROOM_EVERY;

/// Whether there is any.
pub struct Room {
    /// The ledger's directory; none where it is on no disk.
    dir: Option<PathBuf>,
    bytes_min: u64,
    low: Arc<AtomicBool>,
}

impl Room {
    /// On the disk that a directory is on. It is looked at at once, and then whenever somebody [does](Self::look).
    pub fn new(dir: Option<PathBuf>, mib_min: u32) -> Self {
        let room = Self { dir, bytes_min: u64::from(mib_min) << 20, low: Arc::default() };
        room.look();
        room
    }

    /// Whether there is too little of it to record anything but what takes access away.
    pub fn is_low(&self) -> bool {
        self.low.load(Ordering::Relaxed)
    }

    /// The same, for the ledger.
    pub fn low(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.low)
    }

    /// Looks. A disk that cannot be asked has no room: recording on it would tell as little. Blocks as long as the file system does.
    fn look(&self) {
        let Some(dir) = self.dir.as_ref().filter(|_| self.bytes_min > 0) else { return };
        let free = free(dir);
        let low = free.as_ref().map_or(true, |free| *free < self.bytes_min);
        if self.low.swap(low, Ordering::Relaxed) != low {
            let mib = free.map_or(0, |free| free >> 20);
            if low {
                tracing::error!(target: "ledger", free_mib = mib, "hardly any room is left: nothing is recorded but what takes access away");
            } else {
                tracing::warn!(target: "ledger", free_mib = mib, "there is room again: recording goes on");
            }
        }
    }
}

/// Bytes of a disk that are free for us.
///
/// # Errors
/// It cannot be asked.
pub fn free(dir: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(dir)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Looks for as long as the service runs.
pub async fn watch_room(app: Shared) {
    let mut stopping = app.stopping.clone();
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(ROOM_EVERY) => {}
        }
        let app = app.clone();
        drop(tokio::task::spawn_blocking(move || app.door.room().look()).await);
    }
}
