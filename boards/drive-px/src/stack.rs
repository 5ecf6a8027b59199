//! How deep the stack went: start-up painted it, and what is still painted was never used.

use core::ptr::addr_of;

/// What start-up fills the stack with.
pub const PAINT: u64 = 0xcccc_cccc_cccc_cccc;

unsafe extern "C" {
    static _stack_start: u64;
    static _stack_end: u64;
}

/// Deepest stack so far, bytes.
pub fn high_water() -> u32 {
    let top = addr_of!(_stack_start) as usize;
    let mut word = addr_of!(_stack_end);
    // SAFETY: from `_stack_end` up to `_stack_start` is RAM that only the stack uses; the scan stays below `top`.
    while (word as usize) < top && unsafe { word.read_volatile() } == PAINT {
        // SAFETY: `word` is below `top`, so one further is at most the end of the same memory.
        word = unsafe { word.add(1) };
    }
    (top - word as usize) as u32
}
