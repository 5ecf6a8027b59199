//! Which version of the kernels runs. Chosen at compile time: a board's image holds only its own.

use super::pool::{self, LANES};
use super::recurrent::{self, Matrix};
use super::{Add, Conv2d, DepthwiseConv2d, FullyConnected, Sides, add, conv2d, depthwise_conv2d, fully_connected};
use crate::Pair;
use crate::arch::dsp::bytes::{self, Taps};
use crate::blob::Layout;
use crate::session::InOut;

/// The operators that have more than one version, all on int8. A method serves the operators whose [`super::Opcode::kernel`] has
/// its name.
pub trait Kernels {
    /// The methods of its own, by name: `kernels!` writes the list from the methods themselves.
    const OWN: &'static [&'static str];

    /// Convolution; `scratch` has at least the operator's scratch bytes.
    fn conv2d(conv: &Conv2d<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]);

    /// Fully connected; `scratch` likewise.
    fn fully_connected(
        dense: &FullyConnected<'_>,
        sides: Sides<'_>,
        input: &[i8],
        output: &mut [i8],
        scratch: &mut [i16],
    );

    /// Depthwise convolution, perhaps in place; `scratch` likewise.
    fn depthwise_conv2d(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>, data: InOut<'_>, scratch: &mut [i16]) {
        depthwise_conv2d::portable::run(conv, sides, data, scratch);
    }

    /// Requantized sums of one step of a recurrent operator: `rows` holds as many as the matrix; `column` at least its columns,
    /// padded to a multiple of four.
    fn matrix(matrix: &Matrix<'_>, x: &[i8], column: &mut [i16], rows: &mut [[i16; 4]]) {
        match matrix.layout.built() {
            Some(Layout::Dsp) => recurrent::reference::matrix(matrix, x, rows),
            Some(_) => recurrent::portable::matrix(matrix, x, column, rows),
            None => {}
        }
    }

    /// Whether cells of recurrent operators use their short forms.
    const SHORT: bool = true;

    /// Sum (or difference) of two tensors of the output's shape, perhaps in place; [`add::tables`] may have scratch.
    fn add(add: &Add, minus: bool, sides: Sides<'_>, data: Pair<'_>, scratch: &mut [i16]) {
        add::portable::run(add, minus, sides, data, scratch);
    }

    /// Sums of neighbouring channels over one window of `source`.
    fn window_sums(source: &[i8], taps: &Taps) -> [i32; LANES] {
        pool::fold(source, taps, 0, |sum, q| sum + q)
    }

    /// Largest values of neighbouring channels in one window of `source`.
    fn window_maxima(source: &[i8], taps: &Taps) -> [i32; LANES] {
        pool::fold(source, taps, i32::from(i8::MIN), i32::max)
    }
}

/// `impl Kernels`, listing its methods in [`Kernels::OWN`].
macro_rules! kernels {
    (
        $set:ty $(, $any:ident: $bound:ident)?;
        $(const $constant:ident: $type:ty = $value:expr;)*
        $($(#[$note:meta])* fn $name:ident $arguments:tt $(-> $result:ty)? $body:block)*
    ) => {
        impl $(<$any: $bound>)? Kernels for $set {
            const OWN: &'static [&'static str] = &[$(stringify!($name)),*];
            $(const $constant: $type = $value;)*
            $($(#[$note])* fn $name $arguments $(-> $result)? $body)*
        }
    };
}
#[cfg(target_arch = "x86_64")]
pub(super) use kernels;

/// The formulas as they are written; any layout.
#[derive(Debug, Clone, Copy)]
pub struct Reference;

/// Dot products for any machine; the reference where the layout is another machine's.
#[derive(Debug, Clone, Copy)]
pub struct Portable;

/// Armv7E-M DSP instructions (exactly emulated on other machines) for the DSP layouts, else portable.
#[derive(Debug, Clone, Copy)]
pub struct Dsp;

/// Armv8.1-M vector instructions (exactly emulated on other machines) for the Helium layout, else portable.
#[derive(Debug, Clone, Copy)]
pub struct Mve;

/// NEON instructions (exactly emulated on other machines) for the Helium layout and for depthwise convolution, else portable.
#[derive(Debug, Clone, Copy)]
pub struct Neon;

kernels! { Reference;
    const SHORT: bool = false;

    fn matrix(matrix: &Matrix<'_>, x: &[i8], _: &mut [i16], rows: &mut [[i16; 4]]) {
        recurrent::reference::matrix(matrix, x, rows);
    }

    fn conv2d(conv: &Conv2d<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], _: &mut [i16]) {
        conv2d::reference::run(conv, sides, input, output);
    }

    fn fully_connected(dense: &FullyConnected<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], _: &mut [i16]) {
        fully_connected::reference::run(dense, sides, input, output);
    }

    fn depthwise_conv2d(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>, data: InOut<'_>, scratch: &mut [i16]) {
        depthwise_conv2d::reference::run(conv, sides, data, scratch);
    }

    fn add(add: &Add, minus: bool, sides: Sides<'_>, data: Pair<'_>, _: &mut [i16]) {
        add::reference::run(add, minus, sides, data);
    }
}

kernels! { Portable;
    fn conv2d(conv: &Conv2d<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
        match conv.weighted.layout.built() {
            Some(Layout::Natural) => conv2d::portable::run(conv, sides, input, output, scratch),
            Some(_) => conv2d::reference::run(conv, sides, input, output),
            None => {}
        }
    }

    fn fully_connected(
        dense: &FullyConnected<'_>,
        sides: Sides<'_>,
        input: &[i8],
        output: &mut [i8],
        scratch: &mut [i16],
    ) {
        match dense.weighted.layout.built() {
            Some(Layout::Natural) => fully_connected::portable::run(dense, sides, input, output, scratch),
            Some(_) => fully_connected::reference::run(dense, sides, input, output),
            None => {}
        }
    }
}

kernels! { Dsp;
    fn matrix(matrix: &Matrix<'_>, x: &[i8], column: &mut [i16], rows: &mut [[i16; 4]]) {
        match matrix.layout.built() {
            Some(Layout::Dsp) => recurrent::dsp::matrix(matrix, x, column, rows),
            Some(_) => recurrent::portable::matrix(matrix, x, column, rows),
            None => {}
        }
    }

    fn conv2d(conv: &Conv2d<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
        match conv.weighted.layout.built() {
            Some(Layout::Natural) => conv2d::portable::run(conv, sides, input, output, scratch),
            Some(Layout::Dsp | Layout::DspWide) => conv2d::dsp::run(conv, sides, input, output, scratch),
            Some(_) => conv2d::reference::run(conv, sides, input, output),
            None => {}
        }
    }

    fn fully_connected(
        dense: &FullyConnected<'_>,
        sides: Sides<'_>,
        input: &[i8],
        output: &mut [i8],
        scratch: &mut [i16],
    ) {
        match dense.weighted.layout.built() {
            Some(Layout::Natural) => fully_connected::portable::run(dense, sides, input, output, scratch),
            Some(Layout::Dsp | Layout::DspWide) => fully_connected::dsp::run(dense, sides, input, output, scratch),
            Some(_) => fully_connected::reference::run(dense, sides, input, output),
            None => {}
        }
    }

    fn depthwise_conv2d(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>, data: InOut<'_>, scratch: &mut [i16]) {
        match conv.machine.built() {
            Some(Layout::Dsp | Layout::DspWide) => depthwise_conv2d::dsp::run(conv, sides, data, scratch),
            Some(_) => depthwise_conv2d::portable::run(conv, sides, data, scratch),
            None => {}
        }
    }

    fn add(add: &Add, minus: bool, sides: Sides<'_>, data: Pair<'_>, scratch: &mut [i16]) {
        add::dsp::run(add, minus, sides, data, scratch);
    }

    fn window_sums(source: &[i8], taps: &Taps) -> [i32; LANES] {
        pool::by_fours(source, |source| bytes::sums(source, taps))
    }

    fn window_maxima(source: &[i8], taps: &Taps) -> [i32; LANES] {
        pool::by_fours(source, |source| bytes::maxima(source, taps).map(i32::from))
    }
}

kernels! { Mve;
    fn matrix(matrix: &Matrix<'_>, x: &[i8], column: &mut [i16], rows: &mut [[i16; 4]]) {
        match matrix.layout.built() {
            Some(Layout::Natural) if matrix.bounded => recurrent::mve::matrix(matrix, x, rows),
            _ => Portable::matrix(matrix, x, column, rows),
        }
    }

    fn conv2d(conv: &Conv2d<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
        match conv.weighted.layout.built() {
            Some(Layout::Helium) => conv2d::mve::run(conv, sides, input, output, scratch),
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
        match dense.weighted.layout.built() {
            Some(Layout::Helium) => fully_connected::mve::run(dense, sides, input, output, scratch),
            _ => Portable::fully_connected(dense, sides, input, output, scratch),
        }
    }

    fn depthwise_conv2d(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>, data: InOut<'_>, scratch: &mut [i16]) {
        match conv.machine.built() {
            Some(Layout::Helium) if depthwise_conv2d::mve::suits(conv, sides) => {
                depthwise_conv2d::mve::run(conv, sides, data, scratch);
            }
            Some(_) => depthwise_conv2d::portable::run(conv, sides, data, scratch),
            None => {}
        }
    }

    fn add(add: &Add, minus: bool, sides: Sides<'_>, data: Pair<'_>, scratch: &mut [i16]) {
        add::mve::run(add, minus, sides, data, scratch);
    }

    fn window_sums(source: &[i8], taps: &Taps) -> [i32; LANES] {
        Dsp::window_sums(source, taps)
    }

    fn window_maxima(source: &[i8], taps: &Taps) -> [i32; LANES] {
        Dsp::window_maxima(source, taps)
    }
}

kernels! { Neon;
    fn conv2d(conv: &Conv2d<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
        // The blocks of these kernels are NEON's where there is NEON.
        Mve::conv2d(conv, sides, input, output, scratch);
    }

    fn fully_connected(
        dense: &FullyConnected<'_>,
        sides: Sides<'_>,
        input: &[i8],
        output: &mut [i8],
        scratch: &mut [i16],
    ) {
        Mve::fully_connected(dense, sides, input, output, scratch);
    }

    fn depthwise_conv2d(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>, data: InOut<'_>, scratch: &mut [i16]) {
        depthwise_conv2d::neon::run(conv, sides, data, scratch);
    }
}

/// What [`crate::Session::run`] uses on this target.
#[cfg(all(simd_dsp, not(simd_mve)))]
pub use self::Dsp as Selected;
/// What [`crate::Session::run`] uses on this target.
#[cfg(simd_mve)]
pub use self::Mve as Selected;
/// What [`crate::Session::run`] uses on this target.
#[cfg(target_arch = "aarch64")]
pub use self::Neon as Selected;
/// What [`crate::Session::run`] uses on this target.
#[cfg(not(any(simd_dsp, simd_mve, target_arch = "aarch64", target_arch = "x86_64")))]
pub use self::Portable as Selected;
/// What [`crate::Session::run`] uses on this target.
#[cfg(target_arch = "x86_64")]
pub use super::x86::Host as Selected;
