//! What layers with weights share: their operands, and the derivative by their bias.

use super::misfit;
use crate::Result;
use crate::graph::{Graph, NodeId, Shape};

/// The shapes of `x` and weights, out of these and perhaps a bias, which has as many numbers as the weights have along dimension `outputs`.
pub fn operands<'s>(inputs: &[&'s Shape], outputs: usize) -> Result<[&'s Shape; 2]> {
    match *inputs {
        [x, w] => Ok([x, w]),
        [x, w, bias] if w.get(outputs).is_some_and(|count| bias.dims() == [*count]) => Ok([x, w]),
        [_, w, bias] => Err(misfit(format!("bias {bias} for weights {w}"))),
        _ => Err(misfit(format!("takes x, weights and perhaps a bias, was given {} inputs", inputs.len()))),
    }
}

/// Adds the bias to each pixel.
pub fn add_bias<T: Copy + std::ops::AddAssign>(pixels: &mut [T], bias: &[T]) {
    for pixel in pixels.chunks_exact_mut(bias.len().max(1)) {
        pixel.iter_mut().zip(bias).for_each(|(y, &b)| *y += b);
    }
}

/// The derivatives by `x` and weights with that by the bias, where there is one: the sum of `upstream` over all pixels.
pub fn derivatives(
    graph: &mut Graph,
    inputs: &[NodeId],
    upstream: NodeId,
    [dx, dw]: [NodeId; 2],
) -> Result<Vec<Option<NodeId>>> {
    let mut parts = vec![Some(dx), Some(dw)];
    if let Some(&bias) = inputs.get(2) {
        let shape = graph.shape(bias).clone();
        parts.push(Some(graph.sum_to(upstream, &shape)?));
    }
    Ok(parts)
}
