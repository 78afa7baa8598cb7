//! A drive that can lose power: one file in a FUSE mount, in memory, that knows which writes were flushed.
//!
//! A loop device on the file, and a file system on that, write and flush as they would a real drive with a volatile cache. A [`Cut`] tells what
//! such a drive may hold after the power went: everything flushed, and of the writes since then any part. The kernel's FUSE protocol is
//! spoken directly (version 7.31, `fuse.h` of Linux), only as far as one file needs it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

const ROOT: u64 = 1;
const DISK: u64 = 2;
const HEADER_IN: usize = 40;
const WRITE_MAX: u32 = 1 << 20;

const LOOKUP: u32 = 1;
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const SETATTR: u32 = 4;
const OPEN: u32 = 14;
const READ: u32 = 15;
const WRITE: u32 = 16;
const STATFS: u32 = 17;
const RELEASE: u32 = 18;
const FSYNC: u32 = 20;
const FLUSH: u32 = 25;
const INIT: u32 = 26;
const OPENDIR: u32 = 27;
const RELEASEDIR: u32 = 29;
const BATCH_FORGET: u32 = 42;

const ENOENT: i32 = 2;
const ENOSYS: i32 = 38;
/// Writes and reads go straight through, without the kernel's page cache.
const FOPEN_DIRECT_IO: u32 = 1;
/// In the answer to INIT: writes of more than one page.
const FUSE_BIG_WRITES: u32 = 1 << 5;

/// One write the drive took.
#[derive(Clone)]
pub struct Write {
    pub offset: usize,
    pub bytes: Vec<u8>,
}

/// What a drive held at a moment, just after it took a write.
pub struct Cut {
    /// Everything that was flushed.
    pub flushed: Vec<u8>,
    /// Writes since then, in order: any of them may have reached the medium, in any order, and a sector of 512 bytes at a time.
    pub since: Vec<Write>,
    /// The lines that had come by then.
    pub lines: Vec<String>,
}

/// Lines as they come from a process.
pub type Lines = Arc<Mutex<Vec<String>>>;

#[derive(Default)]
struct Medium {
    /// As the host reads it: all writes.
    now: Vec<u8>,
    flushed: Vec<u8>,
    since: Vec<Write>,
    /// Writes until the power goes, and where to look for the lines.
    armed: Option<(u64, Lines)>,
    cut: Option<Cut>,
}

impl Medium {
    fn wrote(&mut self) {
        let Some((left, lines)) = &mut self.armed else { return };
        *left -= 1;
        if *left == 0 {
            // First the lines: whatever was acknowledged by now has to be in what the drive holds.
            let lines = lines.lock().unwrap().clone();
            self.cut = Some(Cut { flushed: self.flushed.clone(), since: self.since.clone(), lines });
            self.armed = None;
        }
    }
}

/// A drive, mounted.
pub struct Drive {
    medium: Arc<Mutex<Medium>>,
    mount: PathBuf,
}

impl Drive {
    /// Mounts a drive of this many bytes at `mount`, a directory; the file in it is `disk`.
    pub fn mount(mount: &Path, len: usize) -> std::io::Result<Self> {
        let fuse = File::options().read(true).write(true).open("/dev/fuse")?;
        // mount(8) makes the system call with the descriptor it inherits as its standard input.
        let done = Command::new("mount")
            .args(["-i", "-t", "fuse", "-o", "fd=0,rootmode=40000,user_id=0,group_id=0,max_read=131072", "drive"])
            .arg(mount)
            .stdin(Stdio::from(fuse.try_clone()?))
            .status()?;
        if !done.success() {
            return Err(std::io::Error::other("mount -t fuse was refused"));
        }
        let medium = Arc::new(Mutex::new(Medium { now: vec![0; len], flushed: vec![0; len], ..Medium::default() }));
        let serving = medium.clone();
        std::thread::spawn(move || serve(fuse, &serving));
        Ok(Self { medium, mount: mount.to_owned() })
    }

    /// The file that is the drive.
    pub fn disk(&self) -> PathBuf {
        self.mount.join("disk")
    }

    /// Cuts the power when so many more writes have come. The drive goes on; what it held is there to be [`Drive::taken`].
    pub fn arm(&self, writes: u64, lines: Lines) {
        self.medium.lock().unwrap().armed = Some((writes, lines));
    }

    /// What the drive held when the power went; nothing before.
    pub fn taken(&self) -> Option<Cut> {
        self.medium.lock().unwrap().cut.take()
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.mount).status());
    }
}

fn serve(mut fuse: File, medium: &Mutex<Medium>) {
    let mut buffer = vec![0; HEADER_IN + 4_096 + WRITE_MAX as usize];
    loop {
        // The kernel gives one whole request to each read, and ENODEV when the mount is gone.
        let Ok(len) = fuse.read(&mut buffer) else { return };
        let request = &buffer[..len];
        let (opcode, unique, node) = (u32_at(request, 4), u64_at(request, 8), u64_at(request, 16));
        let Some(answer) = answer(opcode, node, &request[HEADER_IN..], &mut medium.lock().unwrap()) else { continue };
        let (error, body) = answer.map_or_else(|errno| (-errno, Vec::new()), |body| (0, body));
        let mut reply = Vec::with_capacity(16 + body.len());
        reply.extend(u32::try_from(16 + body.len()).unwrap().to_ne_bytes());
        reply.extend(error.to_ne_bytes());
        reply.extend(unique.to_ne_bytes());
        reply.extend(body);
        if fuse.write_all(&reply).is_err() {
            return;
        }
    }
}

/// `None` for a request that wants no answer.
fn answer(opcode: u32, node: u64, body: &[u8], medium: &mut Medium) -> Option<Result<Vec<u8>, i32>> {
    Some(match opcode {
        FORGET | BATCH_FORGET => return None,
        INIT => Ok(init()),
        LOOKUP if node == ROOT && body == b"disk\0" => {
            // Node, generation, how long entry and attributes hold.
            let mut entry = words(&[DISK, 0, 1, 1, 0]);
            entry.extend(attributes(DISK, medium));
            Ok(entry)
        }
        LOOKUP => Err(ENOENT),
        GETATTR | SETATTR => {
            let mut out = words(&[1, 0]);
            out.extend(attributes(node, medium));
            Ok(out)
        }
        OPEN | OPENDIR => Ok([words(&[0]), FOPEN_DIRECT_IO.to_ne_bytes().into(), vec![0; 4]].concat()),
        READ => {
            let (offset, size) = (usize::try_from(u64_at(body, 8)).unwrap(), u32_at(body, 16) as usize);
            let end = (offset + size).min(medium.now.len());
            Ok(medium.now.get(offset..end).unwrap_or_default().to_vec())
        }
        WRITE => {
            let (offset, size) = (usize::try_from(u64_at(body, 8)).unwrap(), u32_at(body, 16) as usize);
            let bytes = body[40..40 + size].to_vec();
            medium.now[offset..offset + size].copy_from_slice(&bytes);
            medium.since.push(Write { offset, bytes });
            medium.wrote();
            Ok([u32::try_from(size).unwrap().to_ne_bytes(), [0; 4]].concat())
        }
        FSYNC => {
            for write in std::mem::take(&mut medium.since) {
                medium.flushed[write.offset..write.offset + write.bytes.len()].copy_from_slice(&write.bytes);
            }
            Ok(Vec::new())
        }
        STATFS => Ok(words(&[0, 0, 0, 0, 0, u64::from(4_096u32) | 255 << 32, 4_096, 0, 0, 0])),
        FLUSH | RELEASE | RELEASEDIR => Ok(Vec::new()),
        _ => Err(ENOSYS),
    })
}

fn init() -> Vec<u8> {
    let mut out = Vec::new();
    // Version, read-ahead, flags, background and congestion limits, longest write, granularity of times, pages of a write.
    [7u32, 31, 0, FUSE_BIG_WRITES].iter().for_each(|n| out.extend(n.to_ne_bytes()));
    out.extend(12u16.to_ne_bytes());
    out.extend(9u16.to_ne_bytes());
    [WRITE_MAX, 1].iter().for_each(|n| out.extend(n.to_ne_bytes()));
    out.resize(64, 0);
    out
}

fn attributes(node: u64, medium: &Medium) -> Vec<u8> {
    let (mode, size) = if node == DISK { (0o100_600u32, medium.now.len() as u64) } else { (0o040_700, 0) };
    // Inode, size, blocks, three times; their nanoseconds; mode, links, owner, group, device, block size, flags.
    let mut out = words(&[node, size, size.div_ceil(512), 0, 0, 0]);
    [0, 0, 0, mode, 1, 0, 0, 0, 4_096, 0].iter().for_each(|n| out.extend(n.to_ne_bytes()));
    out
}

fn words(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_ne_bytes()).collect()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap())
}
