//! Resize of height and width by picking the nearest pixel.
//!
//! `output(n, y, x, c) = input(n, rows(y), columns(x), c)`. Which pixel is nearest is a matter of float arithmetic in TFLite
//! (half pixel centres, aligned corners), so the host tabulates it: the constant holds the rows, then the columns, as u16.
//! NHWC; scale and zero point stay. Source: TFLite `reference_ops::ResizeNearestNeighbor`.

use super::record::Record;
use super::walk::strides;
use super::{Kernels, Node, Sides, parts_mut};
use crate::LoadError;
use crate::session::{Memory, Open};

/// A resize, ready to run.
#[derive(Debug, Clone, Copy)]
pub struct ResizeNearest<'m> {
    /// Row of the input for each row of the output, then column for each column.
    pub table: &'m [u16],
}

/// The table for one axis, `input` to `output` positions, as TFLite computes it. For hosts.
#[cfg(any(test, feature = "writer"))]
pub fn nearest(input: u16, output: u16, align_corners: bool, half_pixel_centers: bool) -> std::vec::Vec<u16> {
    let aligned = align_corners && output > 1;
    let (from, to) = if aligned { (input - 1, output - 1) } else { (input, output) };
    let scale = f32::from(from) / f32::from(to);
    let offset = if half_pixel_centers { 0.5 } else { 0.0 };
    let pick = |at: u16| {
        let place = (f32::from(at) + offset) * scale;
        let place = if align_corners { place.round() } else { place.floor() };
        (place as u16).min(input - 1)
    };
    (0..output).map(pick).collect()
}

impl<'m> Node<'m> for ResizeNearest<'m> {
    fn decode(record: &Record<'_, 'm>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(1, 0)?;
        Ok(Self { table: record.constant(0)? })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let error = LoadError::ShapeMismatch { operator };
        let [[n, h, w, c], [on, oh, ow, oc]] = sides.images().ok_or(error)?;
        let bad = LoadError::BadConstant { operator };
        let (rows, columns) = self.table.split_at_checked(oh).ok_or(bad)?;
        let inside = |table: &[u16], length: usize| table.iter().all(|at| usize::from(*at) < length);
        if columns.len() != ow || !inside(rows, h) || !inside(columns, w) {
            return Err(bad);
        }
        if n == on && c == oc { sides.same_quantization(operator) } else { Err(error) }
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let Some(Open { inputs: [input], output, .. }) = memory.open([sides.input], sides.output) else { return };
        let [_, oh, ow, c] = sides.output.extended();
        let [image, line, pixel, _] = strides(sides.input.extended()).map(|step| step as usize);
        let Some((rows, columns)) = self.table.split_at_checked(oh) else { return };
        for (n, result) in parts_mut(output, oh * ow * c).enumerate() {
            for (y, line_out) in rows.iter().zip(parts_mut(result, ow * c)) {
                for (x, pixel_out) in columns.iter().zip(parts_mut(line_out, c)) {
                    let at = n * image + usize::from(*y) * line + usize::from(*x) * pixel;
                    let source = input.get(at..).unwrap_or(&[]);
                    pixel_out.iter_mut().zip(source).for_each(|(to, from)| *to = *from);
                }
            }
        }
    }
}
