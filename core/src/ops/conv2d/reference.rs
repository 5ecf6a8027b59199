//! The formula as it is written, one element at a time: what every other version is compared with.

use super::Conv2d;
use crate::ops::Sides;

/// Writes the output, NHWC, of input NHWC.
pub fn run(conv: &Conv2d<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8]) {
    let Some([_, oh, ow, oc]) = sides.output.nhwc() else { return };
    for (at, value) in output.iter_mut().enumerate() {
        let (o, x, y, n) = (at % oc, at / oc % ow, at / oc / ow % oh, at / oc / ow / oh);
        let Some(channel) = conv.weighted.channels.get(o) else { return };
        let sum = channel.bias.wrapping_add(products(conv, sides, input, [n, y, x, o]));
        *value = conv.weighted.finish(sum, channel, sides.output.zero_point());
    }
}

/// The sum over all taps for output element `n, y, x, o`.
fn products(conv: &Conv2d<'_>, sides: Sides<'_>, input: &[i8], [n, y, x, o]: [usize; 4]) -> i32 {
    let Some([_, h, w, c]) = sides.input.nhwc() else { return 0 };
    let (window, weighted, row, quads) = (&conv.window, &conv.weighted, conv.row(), conv.quads());
    let mut sum = 0i32;
    for ky in 0..window.kernel[0] {
        let iy = (y * window.stride[0] + ky * window.dilation[0]).checked_sub(window.padding[0]).filter(|i| *i < h);
        for i in 0..row {
            let column = x * window.stride[1] + i / c * window.dilation[1];
            let ix = column.checked_sub(window.padding[1]).filter(|i| *i < w);
            let inside = iy.zip(ix).and_then(|(iy, ix)| input.get(((n * h + iy) * w + ix) * c + i % c));
            let q = inside.map_or(sides.input.zero_point(), |q| i32::from(*q));
            let tap = weighted.layout.tap(window.kernel, c, ky * row + i);
            let weight = weighted.weight(quads, [o, tap / quads.row, tap % quads.row]);
            sum = sum.wrapping_add(q.wrapping_mul(weight));
        }
    }
    sum
}
