//! AArch64 vector instructions (NEON).
//!
//! Products of columns run over the Helium layout: they are what the blocks of [`super::mve`] are made of here. On other machines
//! [`depthwise`] is the same arithmetic in plain Rust, so that whatever is built on top is tested on any machine.
//!
//! Loads and stores are spelled in assembly: bare-metal targets are compiled for memory that must be read at multiples
//! of the size read, and there intrinsics read byte by byte. Memory of inference is normal memory with alignment checks
//! off (`SCTLR_EL1.A` = 0; operating systems have it so), where vectors may lie anywhere.

#[cfg(target_arch = "aarch64")]
pub mod copy;
#[cfg(target_arch = "aarch64")]
mod cpu;
pub mod depthwise;
#[cfg(target_arch = "aarch64")]
mod depthwise_asm;
#[cfg(target_arch = "aarch64")]
pub mod product;
