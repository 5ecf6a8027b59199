//! Images of another size.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops;

use super::{Io, Operator, exactly, misfit};
use crate::Result;
use crate::graph::{Real, Shape};
use crate::quant::program::{Lowering, Scale};

/// `y[n, i, j, c] = x[n, rows[i], columns[j], c]`.
#[derive(Debug, Clone, PartialEq)]
pub struct ResizeNearest {
    /// Row of the image for each row of the result.
    pub rows: Vec<u16>,
    /// Column for each column.
    pub columns: Vec<u16>,
}

/// Each pixel interpolated between four.
#[derive(Debug, Clone, PartialEq)]
pub struct ResizeBilinear {
    /// Rows and columns of the result.
    pub size: [usize; 2],
    /// The corner pixels of both images lie upon each other.
    pub aligned: bool,
    /// Pixels are areas, whose centres correspond.
    pub half_pixel: bool,
}

/// Batch, height, width, channels.
fn image(x: &Shape) -> Result<[usize; 4]> {
    let found: Option<[usize; 4]> = x.dims().try_into().ok();
    found.filter(|shape| !shape.contains(&0)).ok_or_else(|| misfit(format!("takes images (NHWC), was given shape {x}")))
}

impl Operator for ResizeNearest {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        let [n, height, width, channels] = image(x)?;
        let inside = |places: &[u16], length: usize| places.iter().all(|at| usize::from(*at) < length);
        if inside(&self.rows, height) && inside(&self.columns, width) {
            Ok([n, self.rows.len(), self.columns.len(), channels].into())
        } else {
            Err(misfit(format!("picks pixels outside of an image {x}")))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let x = io.inputs[0];
        let Ok([_, height, width, channels]) = image(x.shape) else { return };
        let mut pixels = io.output.chunks_exact_mut(channels);
        for image in x.data.chunks_exact(height * width * channels) {
            for (row, column) in self.rows.iter().flat_map(|row| self.columns.iter().map(move |column| (row, column))) {
                let at = (usize::from(*row) * width + usize::from(*column)) * channels;
                let Some(pixel) = pixels.next() else { return };
                pixel.copy_from_slice(&image[at..at + channels]);
            }
        }
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let table = [&self.rows[..], &self.columns].concat();
        lowering.operator(Scale::OfInputs, move |_| Ok(OperatorKind::ResizeNearest { table: table.clone() }))
    }
}

impl ResizeBilinear {
    /// Neighbours of a position of the result on one axis, and the share of the second.
    fn place(&self, axis: usize, position: usize, length: usize) -> (usize, usize, f64) {
        let (from, to) = (length as f64, self.size[axis] as f64);
        let (from, to) = if self.aligned && to > 1.0 { (from - 1.0, to - 1.0) } else { (from, to) };
        let half = if self.half_pixel { 0.5 } else { 0.0 };
        let place = ((position as f64 + half) * (from / to) - half).clamp(0.0, (length - 1) as f64);
        let below = place.floor();
        (below as usize, (below as usize + 1).min(length - 1), place - below)
    }
}

impl Operator for ResizeBilinear {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [n, _, _, channels] = image(exactly::<1>(inputs)?[0])?;
        let [rows, columns] = self.size;
        if self.size.contains(&0) {
            Err(misfit("gives an empty image"))
        } else {
            Ok([n, rows, columns, channels].into())
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let x = io.inputs[0];
        let Ok([_, height, width, channels]) = image(x.shape) else { return };
        let mut pixels = io.output.chunks_exact_mut(channels);
        for image in x.data.chunks_exact(height * width * channels) {
            for position in 0..self.size[0] * self.size[1] {
                let (top, bottom, down) = self.place(0, position / self.size[1], height);
                let (left, right, across) = self.place(1, position % self.size[1], width);
                let Some(pixel) = pixels.next() else { return };
                for (c, y) in pixel.iter_mut().enumerate() {
                    let at = |row: usize, column: usize| image[(row * width + column) * channels + c].to_f64();
                    let line = |row: usize| at(row, left) * (1.0 - across) + at(row, right) * across;
                    *y = T::of(line(top) * (1.0 - down) + line(bottom) * down);
                }
            }
        }
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let [_, height, width, _] = image(lowering.input_shape())?;
        let [from, to] = [[height, width], self.size].map(|size| size.map(|d| u32::try_from(d).unwrap_or(u32::MAX)));
        let Some(resize) = ops::ResizeBilinear::for_sizes(from, to, self.aligned, self.half_pixel) else {
            return lowering.refuse(&format!("it resizes {from:?} to {to:?}, which is too much"));
        };
        lowering.operator(Scale::OfInputs, move |_| Ok(OperatorKind::ResizeBilinear(resize)))
    }
}
