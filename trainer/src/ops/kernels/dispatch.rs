//! Runs a kernel on the widest vectors the machine has.

use pulp::{Simd, WithSimd};

/// Code that is compiled for each instruction set.
pub trait Kernel {
    /// Runs on vectors of `S`; `H` has vectors half as wide, if the machine has two widths, for what does not fill one of `S`.
    fn run<S: Simd, H: Simd>(self, simd: S, half: H);
}

/// Runs `kernel`.
pub fn dispatch(kernel: impl Kernel) {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V4::try_new() {
        return simd.vectorize(
            #[inline(always)]
            || kernel.run(simd, *simd),
        );
    }
    pulp::Arch::new().dispatch(OneWidth(kernel));
}

struct OneWidth<K>(K);

impl<K: Kernel> WithSimd for OneWidth<K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.run(simd, simd);
    }
}
