//! What all boards in QEMU have in common; a board adds its name, its addresses, its clock and its start-up.
//!
//! There is no camera and no servo: frames come over a link in shared memory, and the PWM's duty cycles are registers in the same
//! memory, where the host can read them. Logs leave by semihosting.
#![cfg_attr(target_os = "none", no_std)]
#![cfg(target_os = "none")]
// The shared memory is reached here; each access carries its argument.
#![allow(unsafe_code)]

pub mod pwm;
pub mod shared;

pub use ackermann_core::blob::arena_bytes;
use ackermann_firmware::control::Board;
use ackermann_firmware::link::MAX_BODY;
use ackermann_firmware::{Clock, Config, ControlLoop, serve};
use defmt_semihosting as _;

/// Bytes of the longest message: a frame of 320 x 240 pixels fits.
pub const INBOX_BYTES: usize = 256 * 1024;
/// Bytes of the model slot.
pub const SLOT_BYTES: usize = 1024 * 1024;
/// Bytes of arena even if the built-in model needs less, so that other models can be loaded.
pub const MIN_ARENA_BYTES: usize = 128 * 1024;

const _: () = assert!(INBOX_BYTES > MAX_BODY);

/// Memory that starts at a 16-byte boundary, as blobs and arenas must.
#[derive(Debug)]
#[repr(C, align(16))]
pub struct Aligned<B: ?Sized>(pub B);

/// Bytes of arena to set aside for `blob`.
pub const fn arena_room(blob: &[u8]) -> usize {
    let needed = arena_bytes(blob);
    if needed > MIN_ARENA_BYTES { needed } else { MIN_ARENA_BYTES }
}

/// The large memory of a board.
#[derive(Debug)]
pub struct Memory {
    /// The built-in model.
    pub model: &'static [u8],
    /// Where tensors live.
    pub arena: &'static mut [u8],
    /// Where messages are put together.
    pub inbox: &'static mut [u8],
    /// Where loaded models live.
    pub slot: &'static mut [u8],
}

/// The model that the build script embedded and the rest of a board's [`Memory`], as one expression.
///
/// Its statics are handed out by `&mut`: to be used once, in a function that runs once.
#[macro_export]
macro_rules! memory {
    () => {{
        static MODEL: &$crate::Aligned<[u8]> =
            &$crate::Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/model.ackm")));
        const ARENA_BYTES: usize = $crate::arena_room(&MODEL.0);
        static mut ARENA: $crate::Aligned<[u8; ARENA_BYTES]> = $crate::Aligned([0; ARENA_BYTES]);
        static mut INBOX: [u8; $crate::INBOX_BYTES] = [0; $crate::INBOX_BYTES];
        static mut SLOT: $crate::Aligned<[u8; $crate::SLOT_BYTES]> = $crate::Aligned([0; $crate::SLOT_BYTES]);
        // SAFETY: named only here, and this runs once, so each of these is the only reference.
        #[allow(unsafe_code)]
        unsafe {
            $crate::Memory {
                model: &MODEL.0,
                arena: &mut (*(&raw mut ARENA)).0,
                inbox: &mut *(&raw mut INBOX),
                slot: &mut (*(&raw mut SLOT)).0,
            }
        }
    }};
}

/// Runs the firmware over shared memory at `shared` for ever; `stack_bytes` tells the deepest stack.
pub fn run<C: Clock>(name: &'static str, shared: usize, clock: C, stack_bytes: fn() -> u32, memory: Memory) -> ! {
    defmt::info!("{=str}: model of {=usize} bytes, arena {=usize}", name, memory.model.len(), memory.arena.len());
    let registers = shared::Registers::new(shared);
    let board = Board {
        name,
        transport: shared::Rings::new(registers),
        servo: pwm::Pwm::new(registers, shared::SERVO_DUTY),
        throttle: pwm::Pwm::new(registers, shared::THROTTLE_DUTY),
        clock,
        stack_bytes,
        slot_bytes: memory.slot.len() as u32,
        arena_room: memory.arena.len() as u32,
    };
    let mut control = ControlLoop::new(Config::default(), board, memory.inbox);
    loop {
        serve(&mut control, memory.model, memory.slot, memory.arena);
    }
}
