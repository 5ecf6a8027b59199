//! For any machine, and the reference too: each output pixel's input is gathered into int16 columns, one for each group, which
//! meet that group's weights in dot products of 64 bits.

use super::GeneralConv2d;
use crate::blob::{Element, Scaling, WideChannel};
use crate::ops::{Sides, parts, parts_mut};
use crate::quantized::wide::multiply_by_reduced_multiplier;
use crate::quantized::{multiply_by_quantized_multiplier, multiply_by_quantized_multiplier_single};

/// Writes the output, NHWC, of input NHWC; `scratch` holds the columns.
pub fn run(conv: &GeneralConv2d<'_>, sides: &Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
    let Some([[_, h, w, c], [_, oh, ow, oc]]) = conv.images(sides) else { return };
    let Some(columns) = scratch.get_mut(..conv.area().saturating_mul(c)) else { return };
    let unit = sides.input.element().bytes();
    for (image, result) in parts(input, h * w * c * unit).zip(parts_mut(output, oh * ow * oc * unit)) {
        for (y, line) in parts_mut(result, ow * oc * unit).enumerate() {
            for (x, pixel) in parts_mut(line, oc * unit).enumerate() {
                gather(conv, sides, image, [y, x], columns);
                products(conv, sides, columns, pixel);
            }
        }
    }
}

/// What output pixel `y, x` reads: group x kernel row x kernel column x channel of the group.
fn gather(conv: &GeneralConv2d<'_>, sides: &Sides<'_>, image: &[i8], [y, x]: [usize; 2], columns: &mut [i16]) {
    let Some([[_, h, w, c], _]) = conv.images(sides) else { return };
    let (unit, zero_point) = (sides.input.element().bytes(), sides.input.zero_point() as i16);
    let (area, channels) = (conv.area(), conv.group_channels());
    let mut tap = 0;
    for ky in 0..conv.window.kernel[0] {
        let iy = conv.source(0, y, ky, h);
        for kx in 0..conv.window.kernel[1] {
            let inside = iy.zip(conv.source(1, x, kx, w));
            let pixel = inside.and_then(|(iy, ix)| image.get((iy * w + ix) * c * unit..)?.get(..c * unit));
            let places = parts_mut(columns, area * channels);
            let places = places.filter_map(|column| column.get_mut(tap..)?.get_mut(..channels));
            match pixel {
                Some(pixel) => places.zip(parts(pixel, channels * unit)).for_each(|(to, from)| widen(from, unit, to)),
                None => places.for_each(|to| to.fill(zero_point)),
            }
            tap += channels;
        }
    }
}

impl GeneralConv2d<'_> {
    /// The row or column of an input of `length` that tap `k` of output `position` reads, if that is inside.
    fn source(&self, axis: usize, position: usize, k: usize, length: usize) -> Option<usize> {
        let window = &self.window;
        let [stride, dilation, padding] =
            [window.stride, window.dilation, window.padding].map(|pair| pair.get(axis).copied());
        let (stride, dilation, padding) = (stride?, dilation?, padding?);
        let source = match self.transposed {
            false => (position * stride + k * dilation).checked_sub(padding)?,
            true => {
                let place = (position + padding).checked_sub(k * dilation)?;
                Some(place.checked_div(stride)?).filter(|source| source * stride == place)?
            }
        };
        (source < length).then_some(source)
    }
}

/// Elements of `unit` bytes as int16.
fn widen(from: &[i8], unit: usize, to: &mut [i16]) {
    match bytemuck::try_cast_slice::<i8, i16>(from) {
        Ok(from) if unit == 2 => to.iter_mut().zip(from).for_each(|(wide, q)| *wide = *q),
        _ => to.iter_mut().zip(from).for_each(|(wide, q)| *wide = i16::from(*q)),
    }
}

/// All channels of one output pixel.
fn products(conv: &GeneralConv2d<'_>, sides: &Sides<'_>, columns: &[i16], pixel: &mut [i8]) {
    let (unit, taps) = (sides.output.element().bytes(), conv.taps());
    let outputs = conv.channels.len().checked_div(conv.groups).unwrap_or(0);
    let mut first = 0;
    let groups = parts(columns, taps).zip(parts(conv.channels, outputs)).zip(parts_mut(pixel, outputs * unit));
    for ((column, channels), values) in groups {
        for (channel, value) in channels.iter().zip(parts_mut(values, unit)) {
            let sum = channel.bias.wrapping_add(dot(conv, first, column));
            store(conv.finish(sum, channel, sides.output.zero_point()), sides.output.element(), value);
            first += taps;
        }
    }
}

/// `column` times the weights from number `first` on.
fn dot(conv: &GeneralConv2d<'_>, first: usize, column: &[i16]) -> i64 {
    let sum = |sum: i64, (x, w): (&i16, i32)| sum.wrapping_add(i64::from(i32::from(*x).wrapping_mul(w)));
    if conv.int4 {
        let weights = (first..).map(|at| half(conv.weights.get(at / 2).copied().unwrap_or(0), at % 2));
        return column.iter().zip(weights).fold(0, sum);
    }
    let weights = conv.weights.get(first..).unwrap_or(&[]).iter().map(|w| i32::from(*w));
    column.iter().zip(weights).fold(0, sum)
}

/// The lower (0) or upper (1) int4 of a byte.
fn half(byte: i8, upper: usize) -> i32 {
    // The wanted half moves to the top, then down with its sign.
    i32::from(byte).wrapping_shl(28 - 4 * upper as u32) >> 28
}

impl GeneralConv2d<'_> {
    /// A sum to the output, within its range.
    fn finish(&self, sum: i64, channel: &WideChannel, zero_point: i32) -> i32 {
        let WideChannel { multiplier, shift, .. } = *channel;
        let scaled = match self.scaling {
            Scaling::Double => multiply_by_quantized_multiplier(sum as i32, multiplier, shift),
            Scaling::Single => multiply_by_quantized_multiplier_single(sum as i32, multiplier, shift),
            Scaling::Wide => multiply_by_reduced_multiplier(sum, multiplier, shift),
        };
        let [low, high] = self.range;
        scaled.saturating_add(zero_point).min(i32::from(high)).max(i32::from(low))
    }
}

/// Writes a value that fits its element.
fn store(value: i32, element: Element, bytes: &mut [i8]) {
    match (element, bytes) {
        (Element::Int16, [low, high]) => [*low, *high] = (value as i16).to_le_bytes().map(|byte| byte as i8),
        (_, [byte, ..]) => *byte = value as i8,
        _ => {}
    }
}
