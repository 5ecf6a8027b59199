//! Rows with mean 0 and variance 1: layer normalization without its parameters (Ba et al. 2016).

use super::{Io, Operator, Rsqrt, chunks, exactly, misfit, same};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// `z = (x - mean) / sqrt(variance + epsilon)` over the last dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardize {
    /// Added to the variance.
    pub epsilon: f64,
}

/// Inputs `x, v`: `(v - mean(v) - z mean(v z)) / sqrt(variance + epsilon)`, the gradient of [`Standardize`].
#[derive(Debug, Clone, PartialEq)]
pub struct StandardizeGrad {
    /// As in [`Standardize`].
    pub epsilon: f64,
}

/// Standardizes one row; returns `1 / sqrt(variance + epsilon)`.
pub(super) fn standardize<T: Real>(x: &[T], z: &mut [T], epsilon: f64) -> T {
    let share = T::of(1.0 / x.len() as f64);
    let mean = x.iter().copied().sum::<T>() * share;
    z.iter_mut().zip(x).for_each(|(z, &x)| *z = x - mean);
    let variance = z.iter().map(|&z| z * z).sum::<T>() * share;
    let factor = T::ONE / (variance + T::of(epsilon)).sqrt();
    z.iter_mut().for_each(|z| *z = *z * factor);
    factor
}

impl Operator for Standardize {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        if x.last().is_some_and(|depth| *depth > 0) { Ok(x.clone()) } else { Err(misfit(format!("{x} has no rows"))) }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let depth = io.shape.last().copied().unwrap_or(1);
        chunks::rows(io.inputs[0].data, io.output, depth, |x, z| {
            standardize(x, z, self.epsilon);
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let x = graph.node(node).inputs[0];
        Ok(vec![Some(graph.push(StandardizeGrad { epsilon: self.epsilon }, &[x, upstream])?)])
    }
}

impl Operator for StandardizeGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let shape = same(inputs)?;
        Standardize { epsilon: self.epsilon }.shape(&[&shape])
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let depth = io.shape.last().copied().unwrap_or(1);
        let share = T::of(1.0 / depth as f64);
        chunks::rows2(io.inputs[0].data, io.inputs[1].data, io.output, depth, |x, v, dx| {
            let factor = standardize(x, dx, self.epsilon);
            let mean = v.iter().copied().sum::<T>() * share;
            let along = v.iter().zip(&*dx).map(|(&v, &z)| v * z).sum::<T>() * share;
            dx.iter_mut().zip(v).for_each(|(z, &v)| *z = (v - mean - *z * along) * factor);
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (x, v) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let last = [graph.shape(x).len() - 1];
        let mean = graph.mean_over(x, &last)?;
        let centred = graph.sub(x, mean)?;
        let square = graph.square(centred)?;
        let variance = graph.mean_over(square, &last)?;
        let shifted = graph.affine(variance, 1.0, self.epsilon)?;
        let factor = graph.push(Rsqrt, &[shifted])?;
        let normal = graph.mul(centred, factor)?;
        let common = graph.mean_over(v, &last)?;
        let level = graph.sub(v, common)?;
        let product = graph.mul(v, normal)?;
        let along = graph.mean_over(product, &last)?;
        let tilt = graph.mul(normal, along)?;
        let rest = graph.sub(level, tilt)?;
        let whole = graph.mul(rest, factor)?;
        graph.pull_back(whole, upstream, &[x, v])
    }
}
