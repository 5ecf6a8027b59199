//! x86-64 hosts: what evaluation, simulation and `--board host` run on. AVX-512 VNNI (`Isa::Vnni`) where the CPU has it,
//! AVX2 (`Isa::Avx2`) where it has that.
//!
//! Unlike a board's, a host's CPU is not known when the program is built, so the choice is made at run time:
//! `docs/decisions/0008-host-kernels-at-run-time.md`.

pub mod add;
mod avx2;
pub mod depthwise;
pub mod product;
mod vnni;

/// An instruction set that this CPU has: the proof that its functions may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Isa(Level);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Avx2,
    Vnni,
}

/// Whether the CPU has all of these features. Programs with `std` (the writer is for hosts) ask it, once: the answer is
/// kept in an atomic. Others know what they were compiled for.
macro_rules! has {
    ($($feature:tt),*) => {{
        #[cfg(feature = "writer")]
        let all = true $(&& std::arch::is_x86_feature_detected!($feature))*;
        #[cfg(not(feature = "writer"))]
        let all = true $(&& cfg!(target_feature = $feature))*;
        all
    }};
}

impl Isa {
    /// AVX2, if the CPU has it.
    #[inline]
    pub fn avx2() -> Option<Self> {
        has!("avx2").then_some(Self(Level::Avx2))
    }

    /// AVX-512 with byte, vector-length and VNNI instructions, if the CPU has all of them.
    #[inline]
    pub fn vnni() -> Option<Self> {
        has!("avx512f", "avx512bw", "avx512vl", "avx512vnni").then_some(Self(Level::Vnni))
    }

    /// What activations are XORed with when they are copied for this instruction set: the sign of all its bytes, or nothing.
    #[inline]
    pub fn flip(self) -> i8 {
        if self.0 == Level::Vnni { i8::MIN } else { 0 }
    }

    /// The fastest that there is.
    #[inline]
    pub fn best() -> Option<Self> {
        Self::vnni().or_else(Self::avx2)
    }
}
