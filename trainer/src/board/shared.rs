//! The host's end of a link in shared memory: the file behind an emulated board's RAM, read and written like any file.
//!
//! `docs/link.md` says where everything is.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use ackermann_firmware::link::Transport;

use crate::{Error, Result};

const READY: u64 = 0x00;
const READY_MAGIC: [u8; 4] = *b"ACKL";
const IN_HEAD: u64 = 0x10;
const IN_TAIL: u64 = 0x18;
const OUT_HEAD: u64 = 0x20;
const OUT_TAIL: u64 = 0x28;
const DUTIES: u64 = 0x30;
const IN_RING: u64 = 0x0010_0000;
const OUT_RING: u64 = 0x0020_0000;
const RING_BYTES: u64 = 0x0010_0000;

/// The rings, from the host's side. Reading and writing the file cannot fail unless the machine does; then nothing arrives any more,
/// and the link's time-out says so.
#[derive(Debug)]
pub struct SharedMemory {
    file: File,
    written: u32,
    read: u32,
    /// Polls in a row that found nothing: first be quick, then be modest.
    idle: u32,
}

impl SharedMemory {
    /// Makes the file at `path`, `bytes` zeros that take no room until they are written.
    pub fn create(path: &Path, bytes: u64) -> Result<Self> {
        let open = || {
            let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
            file.set_len(bytes)?;
            Ok(file)
        };
        let file = open().map_err(|error| Error::writing(path, &error))?;
        Ok(Self { file, written: 0, read: 0, idle: 0 })
    }

    /// The file at `path` as another has made it; nothing was sent or read yet.
    pub fn open(path: &Path) -> Result<Self> {
        let file =
            OpenOptions::new().read(true).write(true).open(path).map_err(|error| Error::reading(path, &error))?;
        Ok(Self { file, written: 0, read: 0, idle: 0 })
    }

    /// Whether the board has said that it is ready.
    pub fn is_ready(&self) -> bool {
        let mut magic = [0; 4];
        self.file.read_exact_at(&mut magic, READY).is_ok() && magic == READY_MAGIC
    }

    /// Duty cycles of steering servo and throttle as they stand in the board's PWM registers.
    pub fn duties(&self) -> Option<(u32, u32)> {
        let mut pair = [0; 8];
        self.file.read_exact_at(&mut pair, DUTIES).ok()?;
        let [a, b, c, d, e, f, g, h] = pair;
        Some((u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])))
    }

    /// An index beside its complement; `None` while it is half-written.
    fn index(&self, at: u64) -> Option<u32> {
        let mut pair = [0; 8];
        self.file.read_exact_at(&mut pair, at).ok()?;
        let [a, b, c, d, e, f, g, h] = pair;
        let value = u32::from_le_bytes([a, b, c, d]);
        (u32::from_le_bytes([e, f, g, h]) == !value).then_some(value)
    }

    fn set_index(&self, at: u64, value: u32) -> Option<()> {
        let mut pair = [0; 8];
        pair[..4].copy_from_slice(&value.to_le_bytes());
        pair[4..].copy_from_slice(&(!value).to_le_bytes());
        self.file.write_all_at(&pair, at).ok()
    }

    fn try_read(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let waiting = u64::from(self.index(OUT_HEAD)?.wrapping_sub(self.read)).min(RING_BYTES);
        let length = (buffer.len() as u64).min(waiting);
        let offset = u64::from(self.read) % RING_BYTES;
        let first = length.min(RING_BYTES - offset) as usize;
        let (near, far) = buffer.get_mut(..length as usize)?.split_at_mut(first);
        self.file.read_exact_at(near, OUT_RING + offset).ok()?;
        self.file.read_exact_at(far, OUT_RING).ok()?;
        if length > 0 {
            self.read = self.read.wrapping_add(length as u32);
            self.set_index(OUT_TAIL, self.read)?;
            self.idle = 0;
        }
        Some(length as usize)
    }

    fn try_write(&mut self, bytes: &[u8]) -> Option<usize> {
        let tail = self.index(IN_TAIL)?;
        let room = RING_BYTES.saturating_sub(u64::from(self.written.wrapping_sub(tail)));
        let length = (bytes.len() as u64).min(room);
        let offset = u64::from(self.written) % RING_BYTES;
        let first = length.min(RING_BYTES - offset) as usize;
        let (near, far) = bytes.get(..length as usize)?.split_at(first);
        self.file.write_all_at(near, IN_RING + offset).ok()?;
        self.file.write_all_at(far, IN_RING).ok()?;
        if length > 0 {
            self.written = self.written.wrapping_add(length as u32);
            self.set_index(IN_HEAD, self.written)?;
        }
        Some(length as usize)
    }
}

impl Transport for SharedMemory {
    fn read(&mut self, buffer: &mut [u8]) -> usize {
        self.try_read(buffer).unwrap_or(0)
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        self.try_write(bytes).unwrap_or(0)
    }

    fn idle(&mut self) {
        self.idle = self.idle.saturating_add(1);
        let pause = if self.idle < 100 { 20 } else { 500 };
        std::thread::sleep(Duration::from_micros(pause));
    }
}
