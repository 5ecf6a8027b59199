//! Rounding to int8 with a derivative: straight-through estimator (Bengio et al. 2013) and learned ranges.

use rayon::prelude::*;

use super::{Io, Operator, chunks, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::Quantization;
use crate::quant::sources::Source;

/// Inputs `y`, the factors of the ranges `[rows, 2]`, and perhaps the exact int8 result: that, or `y` on the grid of int8.
///
/// For `y` the derivative is 1 inside the range and 0 outside. The ends of a range are `low 2^f0` and `high 2^f1`: factors in the domain of
/// logarithms are learned at one rate whatever the range (TQT, Jain et al. 2019). Inside, a wider range moves the result by its share of the rounding,
/// `(result - y) / (high - low)`; outside, the result is the end (LSQ, Esser et al. 2019; LSQ+, Bhalgat et al. 2020).
#[derive(Debug, Clone, PartialEq)]
pub struct FakeQuant {
    /// The range.
    pub source: Source,
}

/// What a derivative is with respect to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum By {
    /// Inputs `y`, factors, upstream.
    Value,
    /// Inputs `y`, factors, upstream, result: of all factors, zero but for one row.
    Range,
}

/// Derivative of [`FakeQuant`].
#[derive(Debug, Clone, PartialEq)]
pub struct FakeQuantGrad {
    /// Of which.
    pub of: FakeQuant,
    /// With respect to what.
    pub by: By,
}

impl FakeQuant {
    fn quantization<T: Real>(&self, factors: &[T]) -> Quantization {
        let factors: Vec<f32> = factors.iter().map(|factor| factor.to_f64() as f32).collect();
        self.source.at(&factors)
    }
}

/// The real numbers at the ends of int8.
fn ends(quantization: Quantization) -> (f64, f64) {
    (f64::from(quantization.dequantize(i8::MIN)), f64::from(quantization.dequantize(i8::MAX)))
}

/// What moving the ends of a range does, summed over some values: those outside stand at an end, those inside move by their share.
fn end_slopes<T: Real>([y, upstream, result]: [&[T]; 3], (low, high): (f64, f64)) -> [f64; 2] {
    let (mut of_low, mut of_high) = (0.0, 0.0);
    for ((y, upstream), result) in y.iter().zip(upstream).zip(result) {
        let (y, upstream) = (y.to_f64(), upstream.to_f64());
        if y < low {
            of_low += upstream;
        } else if y > high {
            of_high += upstream;
        } else {
            let share = (result.to_f64() - y) / (high - low);
            (of_low, of_high) = (of_low - upstream * share, of_high + upstream * share);
        }
    }
    [of_low, of_high]
}

impl Operator for FakeQuant {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        match inputs {
            [y, _] => Ok((*y).clone()),
            [y, _, exact] if y == exact => Ok((*y).clone()),
            _ => Err(misfit("takes a tensor, factors of ranges and perhaps its int8 result")),
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        if let Some(exact) = io.inputs.get(2) {
            return io.output.copy_from_slice(exact.data);
        }
        let grid = self.quantization(io.inputs[1].data);
        let round = |y: T| T::of(f64::from(grid.dequantize(grid.quantize(y.to_f64() as f32))));
        chunks::map(io.inputs[0].data, io.output, round);
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let inputs = graph.node(node).inputs.clone();
        let (y, factors) = (inputs[0], inputs[1]);
        let value = graph.push(FakeQuantGrad { of: self.clone(), by: By::Value }, &[y, factors, upstream])?;
        let range = match self.source {
            Source::Range { .. } => {
                let op = FakeQuantGrad { of: self.clone(), by: By::Range };
                Some(graph.push(op, &[y, factors, upstream, node])?)
            }
            _ => None,
        };
        Ok([Some(value), range, None].into_iter().take(inputs.len()).collect())
    }
}

impl Operator for FakeQuantGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        match (self.by, inputs) {
            (By::Value, [y, _, _]) => Ok((*y).clone()),
            (By::Range, [_, factors, _, _]) => Ok((*factors).clone()),
            _ => Err(misfit("takes what its forward had, and the derivative of what follows")),
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [y, factors, upstream] = [0, 1, 2].map(|at| io.inputs[at].data);
        let (low, high) = ends(self.of.quantization(factors));
        if self.by == By::Value {
            let inside = |y: T| (low..=high).contains(&y.to_f64());
            return chunks::map2(y, upstream, io.output, |y, upstream| if inside(y) { upstream } else { T::ZERO });
        }
        io.output.fill(T::ZERO);
        let Source::Range { row, low: least, high: most } = self.of.source else { return };
        let piece = chunks::per_chunk(y.len());
        let sides = y.par_chunks(piece).zip(upstream.par_chunks(piece)).zip(io.inputs[3].data.par_chunks(piece));
        let parts: Vec<[f64; 2]> =
            sides.map(|((y, upstream), result)| end_slopes([y, upstream, result], (low, high))).collect();
        let [of_low, of_high] = parts.iter().fold([0.0; 2], |sum, part| [sum[0] + part[0], sum[1] + part[1]]);
        // d (e 2^f) / df = e 2^f ln 2; 0 belongs to every range, so an end on the wrong side of it has no say.
        let slope =
            |end: f32, at: usize| f64::from(end) * factors[2 * row + at].to_f64().exp2() * std::f64::consts::LN_2;
        io.output[2 * row] = T::of(of_low * slope(least.min(0.0), 0));
        io.output[2 * row + 1] = T::of(of_high * slope(most.max(0.0), 1));
    }
}
