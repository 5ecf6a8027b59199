//! Which kernels an x86-64 host runs: known only when it runs.

use super::kernels::{Kernels, Portable, kernels};
use super::{Add, Conv2d, DepthwiseConv2d, FullyConnected, Sides, conv2d, depthwise_conv2d, fully_connected};
use crate::arch::x86::Isa;
use crate::blob::Layout;
use crate::{InOut, Pair};

/// The fastest instruction set that the CPU has for the X86 layout, else portable.
#[derive(Debug, Clone, Copy)]
pub struct Host;

/// AVX-512 VNNI, else portable: to compare, and to test.
#[derive(Debug, Clone, Copy)]
pub struct Vnni;

/// AVX2, else portable: to compare, and to test.
#[derive(Debug, Clone, Copy)]
pub struct Avx2;

/// Kernels of an instruction set that the CPU may lack.
trait Optional {
    fn isa() -> Option<Isa>;
}

impl Optional for Host {
    #[inline]
    fn isa() -> Option<Isa> {
        Isa::best()
    }
}

impl Optional for Vnni {
    #[inline]
    fn isa() -> Option<Isa> {
        Isa::vnni()
    }
}

impl Optional for Avx2 {
    #[inline]
    fn isa() -> Option<Isa> {
        Isa::avx2()
    }
}

kernels! { T, T: Optional;
    fn conv2d(conv: &Conv2d<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
        match Self::isa() {
            Some(isa) if conv.weighted.layout == Layout::X86 => {
                // `None` cannot be: the loader has checked shapes and scratch.
                let _ = conv2d::x86::run(isa, conv, sides, input, output, scratch);
            }
            _ => Portable::conv2d(conv, sides, input, output, scratch),
        }
    }

    fn fully_connected(
        dense: &FullyConnected<'_>,
        sides: Sides<'_>,
        input: &[i8],
        output: &mut [i8],
        scratch: &mut [i16],
    ) {
        match Self::isa() {
            Some(isa) if dense.weighted.layout == Layout::X86 => {
                let _ = fully_connected::x86::run(isa, dense, sides, input, output, scratch);
            }
            _ => Portable::fully_connected(dense, sides, input, output, scratch),
        }
    }

    fn depthwise_conv2d(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>, data: InOut<'_>, scratch: &mut [i16]) {
        match Self::isa() {
            Some(isa) if conv.machine == Layout::X86 => {
                let _ = depthwise_conv2d::x86::run(isa, conv, sides, data, scratch);
            }
            _ => Portable::depthwise_conv2d(conv, sides, data, scratch),
        }
    }

    fn add(add: &Add, minus: bool, sides: Sides<'_>, mut data: Pair<'_>, scratch: &mut [i16]) {
        let Some((isa, second)) = Self::isa().zip(sides.others[0]).filter(|_| !minus) else {
            return Portable::add(add, minus, sides, data, scratch);
        };
        let zero_points = [sides.input, second, sides.output].map(|tensor| tensor.zero_point());
        data.pieces(|inputs, output| crate::arch::x86::add::run(isa, add, zero_points, inputs, output));
    }
}
