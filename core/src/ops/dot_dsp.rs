//! The Armv7E-M DSP inner loop: columns of quads times the weights of every output channel, two channels at a time.

use super::{Weighted, parts_mut};
use crate::arch::dsp::blocks::{self, Pairs, Product4, Quad1, Quad4};
use crate::blob::{Activation, Channel, Layout};

/// The weights of an operator in a DSP layout; those of another are none.
fn pairs_of<'m>(weighted: &Weighted<'m>) -> Pairs<'m> {
    match weighted.layout.built() {
        Some(Layout::DspWide) => Pairs::Wide(bytemuck::try_cast_slice(weighted.weights).unwrap_or(&[]).as_chunks().0),
        Some(Layout::Dsp) => Pairs::Narrow(weighted.weights.as_chunks().0),
        _ => Pairs::Wide(&[]),
    }
}

/// All channels of four pixels at a time.
pub(crate) struct FourPixels<'m> {
    weighted: Weighted<'m>,
    zero_point: i32,
    /// The pairs of channels that go fast: all of a bounded operator but an odd last channel.
    product: Option<Product4<'m>>,
    done: usize,
}

impl<'m> FourPixels<'m> {
    /// Over columns of `quads` quads, with the output's `zero_point`.
    pub fn new(weighted: &Weighted<'m>, quads: usize, zero_point: i32) -> Self {
        let pairs = weighted.channels.as_chunks::<2>().0;
        let product = Product4::new(pairs_of(weighted), pairs, quads, weighted.channels.len());
        let product = product.filter(|_| weighted.is_bounded());
        Self { weighted: *weighted, zero_point, done: if product.is_some() { pairs.len() } else { 0 }, product }
    }

    /// Outputs of four pixels, one after the other. Clamped to int8 only.
    #[inline(always)]
    pub fn run(&self, columns: &[Quad4], output: &mut [i8]) {
        if let Some(product) = &self.product {
            product.run(columns, output);
        }
        if self.done * 2 < self.weighted.channels.len() {
            self.rest(columns, output);
        }
    }

    /// The other channels, pair by pair.
    fn rest(&self, columns: &[Quad4], output: &mut [i8]) {
        let weighted = &self.weighted;
        for (pair, channels) in weighted.channels.chunks(2).enumerate().skip(self.done) {
            let weights = pairs_of(weighted).pair(pair, columns.len());
            let mut values = [0; 8];
            if weighted.is_bounded() {
                let both = [both(channels)];
                if let Some(product) = Product4::new(weights, &both, columns.len(), 2) {
                    product.run(columns, &mut values);
                }
            } else {
                let [a, b] = blocks::sums_4x2(columns, weights);
                let sums = [a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3]];
                for ((value, sum), channel) in values.iter_mut().zip(sums).zip(channels.iter().cycle()) {
                    *value = weighted.finish(sum.wrapping_add(channel.bias), channel, self.zero_point);
                }
            }
            for (pixel, values) in parts_mut(output, weighted.channels.len()).zip(values.as_chunks::<2>().0) {
                pixel.iter_mut().skip(pair * 2).zip(values).for_each(|(to, from)| *to = *from);
            }
        }
    }
}

/// All channels of one pixel.
pub(crate) fn one_pixel(weighted: &Weighted<'_>, column: &[Quad1], zero_point: i32, output: &mut [i8]) {
    let (channels, weights) = (weighted.channels, pairs_of(weighted));
    let mut done = 0;
    if weighted.is_bounded() {
        let (whole, _) = channels.as_chunks::<2>();
        blocks::requantized_1x2(column, weights, whole, output);
        done = whole.len();
    }
    let rest = channels.chunks(2).zip(output.chunks_mut(2)).enumerate().skip(done);
    for (pair, (channels, output)) in rest {
        let weights = weights.pair(pair, column.len());
        let mut values = [0; 2];
        if weighted.is_bounded() {
            blocks::requantized_1x2(column, weights, &[both(channels)], &mut values);
        } else {
            let sums = blocks::sums_1x2(column, weights);
            for ((value, sum), channel) in values.iter_mut().zip(sums).zip(channels) {
                *value = weighted.finish(sum.wrapping_add(channel.bias), channel, zero_point);
            }
        }
        output.iter_mut().zip(values).for_each(|(to, from)| *to = from);
    }
}

/// A pair of which the second may be missing.
fn both(channels: &[Channel]) -> [Channel; 2] {
    let at = |i: usize| channels.get(i).copied().unwrap_or_default();
    [at(0), at(1)]
}

/// The blocks clamp to int8 only; a narrower activation is applied here.
#[inline(never)]
pub(crate) fn clamp(activation: Activation, output: &mut [i8]) {
    if activation != Activation::NONE {
        crate::arch::dsp::bytes::clamp(activation, output);
    }
}
