//! Instructions that Rust cannot spell on stable, each beside its exact arithmetic for every other machine.
//!
//! The only place with `unsafe`. What is chosen is known at compile time (`build.rs` asks the assembler).

pub mod dsp;
pub mod mve;
pub mod neon;
#[cfg(target_arch = "x86_64")]
pub mod x86;
