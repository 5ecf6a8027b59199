//! Dropout (Srivastava et al. 2014) whose mask is computed, not stored.

use rayon::prelude::*;

use super::{Io, Operator, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;

/// Elements of one parallel piece.
const PIECE: usize = 4096;

/// Each element is zeroed with probability `rate`, the others are divided by `1 - rate`. Whether it is depends on
/// (seed, step, index) alone, so the gradient draws the same mask again.
#[derive(Debug, Clone, PartialEq)]
pub struct Dropout {
    /// Probability of zero, 0 up to but not 1.
    pub rate: f64,
    /// Distinguishes layers and runs.
    pub seed: u64,
}

impl Operator for Dropout {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        if (0.0..1.0).contains(&self.rate) {
            Ok(x.clone())
        } else {
            Err(misfit(format!("dropout rate {} is not in [0, 1)", self.rate)))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let keep = T::of(1.0 / (1.0 - self.rate));
        let threshold = (self.rate * 2f64.powi(32)) as u64;
        let key = mix(self.seed ^ mix(io.step));
        io.output.par_chunks_mut(PIECE).zip(io.inputs[0].data.par_chunks(PIECE)).enumerate().for_each(
            |(p, (out, x))| {
                for (i, (y, &x)) in out.iter_mut().zip(x).enumerate() {
                    let draw = mix(key ^ (p * PIECE + i) as u64) >> 32;
                    *y = if draw < threshold { T::ZERO } else { x * keep };
                }
            },
        );
    }

    fn gradient(&self, graph: &mut Graph, _node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(vec![Some(graph.push(self.clone(), &[upstream])?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.identity()
    }
}

/// The finalizer of SplitMix64 (Steele et al. 2014): 64 well-mixed bits from a counter.
fn mix(counter: u64) -> u64 {
    let mut z = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
