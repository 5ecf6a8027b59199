//! Armv8.1-M vector instructions (MVE, "Helium"; Cortex-M55), as blocks: vector registers cannot cross the border of `asm!`.
//!
//! On a target without them each block is the same arithmetic in plain Rust, so that whatever is built on top (packing,
//! tails, layout) is tested on any machine.

#[cfg(simd_mve)]
mod cpu;
pub mod depthwise;
#[cfg(simd_mve)]
mod depthwise_asm;
pub mod elementwise;
#[cfg(simd_mve)]
mod elementwise_asm;
pub mod gather;
#[cfg(simd_mve)]
mod gather_asm;
pub mod product;
#[cfg(simd_mve)]
mod product_asm;
pub mod rows;
#[cfg(simd_mve)]
mod rows_asm;
