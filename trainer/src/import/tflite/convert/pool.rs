//! Pools, and the windows that convolutions share with them.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::blob::{Activation, Window};

use super::{Conversion, place_of};
use crate::Result;
use crate::import::tflite::schema::{Operator, unusable};

/// `Pool2DOptions`.
pub fn max_pool<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    pool(c, operator, |window, activation| OperatorKind::MaxPool { window, activation })
}

/// `Pool2DOptions`.
pub fn average_pool<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    pool(c, operator, |window, activation| OperatorKind::AveragePool { window, activation })
}

/// `Pool2DOptions`: padding, stride_w, stride_h, filter_width, filter_height, activation.
fn pool<'f>(
    c: &mut Conversion<'_, 'f>,
    operator: &Operator<'f>,
    kind: fn(Window, Activation) -> OperatorKind,
) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let (stride, kernel) = (sizes(operator, [2, 1])?, sizes(operator, [4, 3])?);
    let window = Window { kernel, stride, dilation: [1, 1], padding: [0, 0] };
    let window = padded(c, window, operator.option_i8(0)?, input, output)?;
    let code = operator.option_i8(5)?;
    let activation = c.activation(code, output)?;
    c.push_activated(&[input], output, kind(window, activation), code)
}

/// REDUCE_MAX over height and width: the largest value of one large window. Input 1: the dimensions.
pub fn reduce_max<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let &[n, h, w, depth] = c.shape(input) else {
        return Err(unusable(String::from("needs an input of four dimensions")));
    };
    let mut axes = c.integers(operator, 1)?.iter().map(|axis| place_of(*axis, 4)).collect::<Result<Vec<_>>>()?;
    axes.sort_unstable();
    if axes != [1, 2] {
        return Err(unusable(format!("is over dimensions {axes:?}; over height and width is supported")));
    }
    let window = Window { kernel: [h as usize, w as usize], stride: [1, 1], dilation: [1, 1], padding: [0, 0] };
    let whole = c.between(output, &[n, 1, 1, depth])?;
    c.push(&[input], whole, OperatorKind::MaxPool { window, activation: Activation::NONE })?;
    c.push(&[whole], output, OperatorKind::Reshape)
}

/// `window` with TFLite's padding: code 0 is SAME, 1 is VALID.
pub fn padded(c: &Conversion<'_, '_>, mut window: Window, code: i8, input: u16, output: u16) -> Result<Window> {
    let (&[_, h, w, _], &[_, oh, ow, _]) = (c.shape(input), c.shape(output)) else {
        return Err(unusable(String::from("needs an input and an output of four dimensions")));
    };
    if code != 0 {
        return Ok(window);
    }
    for (axis, (length, positions)) in [(h, oh), (w, ow)].into_iter().enumerate() {
        let (kernel, stride, dilation) = (window.kernel[axis], window.stride[axis], window.dilation[axis]);
        if positions as usize != (length as usize).div_ceil(stride) {
            return Err(unusable(format!("has {positions} outputs on {length} inputs with SAME padding")));
        }
        let extent = (kernel - 1).saturating_mul(dilation).saturating_add(1);
        let covered = (positions as usize - 1).saturating_mul(stride).saturating_add(extent);
        window.padding[axis] = covered.saturating_sub(length as usize) / 2;
    }
    Ok(window)
}

/// Two positive int options, height and width.
pub fn sizes(operator: &Operator<'_>, fields: [usize; 2]) -> Result<[usize; 2]> {
    let read = |field| {
        let value = operator.option_i32(field, 1)?;
        let positive = usize::try_from(value).ok().filter(|v| *v > 0);
        positive.ok_or_else(|| unusable(format!("has a kernel, stride or dilation of {value}")))
    };
    Ok([read(fields[0])?, read(fields[1])?])
}
