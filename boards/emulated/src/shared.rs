//! The link of an emulated board: two byte rings in memory that QEMU shares with a file of the host.
//!
//! `docs/link.md` says where everything is. Indices count bytes since start-up and wrap at 2^32; each stands beside its complement,
//! because the host writes files, not words: a pair that does not match is half-written and is read again later.

use core::ptr;
use core::sync::atomic::{Ordering, fence};

use ackermann_firmware::link::Transport;

/// Written last, when the board is ready.
pub const READY: usize = 0x00;
/// The value of [`READY`]: `ACKL`.
pub const READY_MAGIC: u32 = u32::from_le_bytes(*b"ACKL");
/// Bytes that the host has written to the board's ring.
const IN_HEAD: usize = 0x10;
/// Bytes that the board has read from it.
const IN_TAIL: usize = 0x18;
/// Bytes that the board has written to the host's ring.
const OUT_HEAD: usize = 0x20;
/// Bytes that the host has read from it.
const OUT_TAIL: usize = 0x28;
/// Duty of the steering servo.
pub const SERVO_DUTY: usize = 0x30;
/// Duty of the throttle.
pub const THROTTLE_DUTY: usize = 0x34;
/// The ring from the host to the board.
const IN_RING: usize = 0x0010_0000;
/// The ring from the board to the host.
const OUT_RING: usize = 0x0020_0000;
/// Bytes of each ring, a power of two.
const RING_BYTES: usize = 0x0010_0000;

/// The shared memory.
#[derive(Debug, Clone, Copy)]
pub struct Registers {
    base: usize,
}

impl Registers {
    /// The memory at `base`: at least 4 MiB that nothing else uses, at an address that is a multiple of 4.
    pub const fn new(base: usize) -> Self {
        Self { base }
    }

    fn load(self, offset: usize) -> u32 {
        // SAFETY: the constants of this module are multiples of 4 inside of the memory that `new` was promised.
        unsafe { ptr::read_volatile((self.base + offset) as *const u32) }
    }

    /// Writes a register.
    pub(crate) fn store(self, offset: usize, value: u32) {
        // SAFETY: as in `load`.
        unsafe { ptr::write_volatile((self.base + offset) as *mut u32, value) }
    }

    /// An index, if it is not half-written.
    fn index(self, offset: usize) -> Option<u32> {
        let value = self.load(offset);
        (self.load(offset + 4) == !value).then_some(value)
    }

    fn set_index(self, offset: usize, value: u32) {
        // The bytes must be there before the index says so.
        fence(Ordering::SeqCst);
        self.store(offset, value);
        self.store(offset + 4, !value);
    }
}

/// The rings.
#[derive(Debug)]
pub struct Rings {
    registers: Registers,
    read: u32,
    written: u32,
}

impl Rings {
    /// Empties both rings and tells the host that the board is ready.
    pub fn new(registers: Registers) -> Self {
        for index in [IN_HEAD, IN_TAIL, OUT_HEAD, OUT_TAIL] {
            registers.set_index(index, 0);
        }
        fence(Ordering::SeqCst);
        registers.store(READY, READY_MAGIC);
        Self { registers, read: 0, written: 0 }
    }
}

/// Splits `length` bytes from index `start` where the ring wraps: offset and length of the first part; the second begins at 0.
fn first_part(start: u32, length: usize) -> (usize, usize) {
    let offset = start as usize % RING_BYTES;
    (offset, length.min(RING_BYTES - offset))
}

impl Transport for Rings {
    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let Some(head) = self.registers.index(IN_HEAD) else { return 0 };
        let length = (head.wrapping_sub(self.read) as usize).min(RING_BYTES).min(buffer.len());
        let (offset, first) = first_part(self.read, length);
        let (near, far) = buffer.split_at_mut(first);
        let ring = self.registers.base + IN_RING;
        let second = length - first;
        // SAFETY: `offset + first <= RING_BYTES`, `second <= far.len()` and `second <= RING_BYTES`; the ring lies inside of the
        // shared memory, apart from `buffer`, and the host does not write below its head.
        unsafe {
            ptr::copy_nonoverlapping((ring + offset) as *const u8, near.as_mut_ptr(), first);
            ptr::copy_nonoverlapping(ring as *const u8, far.as_mut_ptr(), second);
        }
        if length > 0 {
            self.read = self.read.wrapping_add(length as u32);
            self.registers.set_index(IN_TAIL, self.read);
        }
        length
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let Some(tail) = self.registers.index(OUT_TAIL) else { return 0 };
        let room = RING_BYTES.saturating_sub(self.written.wrapping_sub(tail) as usize);
        let length = room.min(bytes.len());
        let (offset, first) = first_part(self.written, length);
        let (near, far) = bytes.split_at(first);
        let ring = self.registers.base + OUT_RING;
        let second = length - first;
        // SAFETY: `offset + first <= RING_BYTES`, `second <= far.len()` and `second <= RING_BYTES`; the ring lies inside of the
        // shared memory, apart from `bytes`, and the host does not read beyond its head.
        unsafe {
            ptr::copy_nonoverlapping(near.as_ptr(), (ring + offset) as *mut u8, first);
            ptr::copy_nonoverlapping(far.as_ptr(), ring as *mut u8, second);
        }
        if length > 0 {
            self.written = self.written.wrapping_add(length as u32);
            self.registers.set_index(OUT_HEAD, self.written);
        }
        length
    }
}
