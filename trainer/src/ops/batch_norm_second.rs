//! Second derivatives of batch normalization: its gradients written in simple operators, which are differentiated.
//!
//! The statistics and sums that the fused gradients read are functions of `x` and `dy`. The way through them is part of the derivative
//! with respect to those, so they get none of their own.

use super::{Concat, Rsqrt};
use crate::Result;
use crate::graph::{Graph, NodeId};

/// `(x - mean) / sqrt(variance + epsilon)` per channel over the batch, and the factor.
fn normalized(graph: &mut Graph, x: NodeId, epsilon: f64) -> Result<[NodeId; 2]> {
    let rows: Vec<usize> = (0..graph.shape(x).len() - 1).collect();
    let mean = graph.mean_over(x, &rows)?;
    let centred = graph.sub(x, mean)?;
    let square = graph.square(centred)?;
    let variance = graph.mean_over(square, &rows)?;
    let shifted = graph.affine(variance, 1.0, epsilon)?;
    let factor = graph.push(Rsqrt, &[shifted])?;
    Ok([graph.mul(centred, factor)?, factor])
}

/// Of [`super::BatchNormSums`].
pub(super) fn of_sums(graph: &mut Graph, node: NodeId, upstream: NodeId, epsilon: f64) -> Result<Vec<Option<NodeId>>> {
    let (x, dy) = (graph.node(node).inputs[0], graph.node(node).inputs[2]);
    let channels = graph.shape(node)[1];
    let [normal, _] = normalized(graph, x, epsilon)?;
    let product = graph.mul(dy, normal)?;
    let [dbeta, dgamma] = [graph.sum_to(dy, &[channels].into())?, graph.sum_to(product, &[channels].into())?];
    let rows = [graph.reshape(dbeta, [1, channels])?, graph.reshape(dgamma, [1, channels])?];
    let sums = graph.push(Concat { axis: 0 }, &rows)?;
    let found = graph.pull_back(sums, upstream, &[x, dy])?;
    Ok(vec![found[0], None, found[1]])
}

/// Of [`super::BatchNormGrad`].
pub(super) fn of_input(graph: &mut Graph, node: NodeId, upstream: NodeId, epsilon: f64) -> Result<Vec<Option<NodeId>>> {
    let inputs = graph.node(node).inputs.clone();
    let (x, gamma, dy) = (inputs[0], inputs[2], inputs[3]);
    let rows: Vec<usize> = (0..graph.shape(x).len() - 1).collect();
    let [normal, factor] = normalized(graph, x, epsilon)?;
    let common = graph.mean_over(dy, &rows)?;
    let level = graph.sub(dy, common)?;
    let product = graph.mul(dy, normal)?;
    let along = graph.mean_over(product, &rows)?;
    let tilt = graph.mul(normal, along)?;
    let rest = graph.sub(level, tilt)?;
    let slope = graph.mul(factor, gamma)?;
    let dx = graph.mul(rest, slope)?;
    let found = graph.pull_back(dx, upstream, &[x, gamma, dy])?;
    Ok(vec![found[0], None, found[1], found[2], None])
}
