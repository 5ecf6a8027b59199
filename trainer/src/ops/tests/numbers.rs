//! Operators that compute with the numbers of rows or single elements.

use rand::Rng;

use super::case::Case;
use crate::graph::{NodeId, Shape};
use crate::ops::*;

/// The case of one of them.
pub fn case(op: &str, c: &mut Case, shape: [usize; 2]) -> Option<NodeId> {
    function(op, c, shape)
        .or_else(|| arithmetic(op, c, shape))
        .or_else(|| product(op, c, shape))
        .or_else(|| normalization(op, c, shape))
}

/// Functions of one number, and their slopes.
fn function(op: &str, c: &mut Case, shape: [usize; 2]) -> Option<NodeId> {
    Some(match op {
        "Unary" => {
            let function = c.function();
            let x = c.positive(shape);
            c.graph.push(Unary { function }, &[x]).unwrap()
        }
        "UnaryGrad" => {
            let function = c.function();
            let (x, v) = (c.positive(shape), c.leaf(shape));
            c.graph.push(UnaryGrad { function }, &[x, v]).unwrap()
        }
        "Relu" => c.unary(Relu),
        "Elu" => c.unary(Elu { alpha: 0.7 }),
        "EluGrad" => c.binary(EluGrad { alpha: 2.0 }),
        "Tanh" => c.unary(Tanh),
        "Atan" => c.unary(Atan { scale: 2.0 }),
        "Clamp" => c.unary(Clamp { low: -0.1, high: 0.15 }),
        "Mask" => c.binary(Mask { low: -0.1, high: 5.0 }),
        "Reciprocal" => c.unary(Reciprocal),
        "Rsqrt" => {
            let x = c.positive(shape);
            c.graph.push(Rsqrt, &[x]).unwrap()
        }
        "Dropout" => c.unary(Dropout { rate: 0.4, seed: 5 }),
        _ => return None,
    })
}

/// Of two numbers, or one with constants.
fn arithmetic(op: &str, c: &mut Case, shape: [usize; 2]) -> Option<NodeId> {
    Some(match op {
        "Affine" => c.unary(Affine { scale: -1.5, offset: 0.3 }),
        "Add" => c.binary(Add),
        "Sub" => c.binary(Sub),
        "Mul" => c.binary(Mul),
        "Equal" => c.binary(Equal),
        "Div" => c.binary(Div),
        "Maximum" => c.binary(Maximum),
        "Minimum" => c.binary(Minimum),
        "Pow" => {
            let (a, b) = (c.positive(shape), c.leaf(shape));
            c.graph.push(Pow, &[a, b]).unwrap()
        }
        "Prelu" => {
            let slopes = [[1, shape[1]], [shape[0], 1], shape][c.size(0..=2)];
            let (x, slopes) = (c.leaf(shape), c.leaf(slopes));
            c.graph.push(Prelu, &[x, slopes]).unwrap()
        }
        _ => return None,
    })
}

/// Sums of products.
fn product(op: &str, c: &mut Case, shape: [usize; 2]) -> Option<NodeId> {
    Some(match op {
        "Dense" => {
            let outputs = c.size(1..=4);
            let (x, w, b) = (c.leaf(shape), c.leaf([outputs, shape[1]]), c.leaf([outputs]));
            c.graph.push(Dense, &[x, w, b]).unwrap()
        }
        "MatMul" => {
            let (transpose_a, transpose_b, n) = (c.rng.random(), c.rng.random(), c.size(1..=4));
            let turn = |shape: [usize; 2], turned: bool| if turned { [shape[1], shape[0]] } else { shape };
            let (a, b) = (c.leaf(turn(shape, transpose_a)), c.leaf(turn([shape[1], n], transpose_b)));
            c.graph.push(MatMul { transpose_a, transpose_b }, &[a, b]).unwrap()
        }
        "BatchMatMul" => {
            let (adjoint, inner, n, places) =
                ([c.rng.random(), c.rng.random()], c.size(1..=4), c.size(1..=4), c.size(1..=2));
            let turn =
                |[rows, columns]: [usize; 2], turned: bool| if turned { [columns, rows] } else { [rows, columns] };
            let ([ar, ac], [br, bc]) = (turn([shape[1], inner], adjoint[0]), turn([inner, n], adjoint[1]));
            let left: Shape = if c.rng.random() { [shape[0], 2, ar, ac].into() } else { [2, ar, ac].into() };
            let (a, b) = (c.leaf(left), c.leaf([1, places, br, bc]));
            c.graph.push(BatchMatMul { adjoint }, &[a, b]).unwrap()
        }
        _ => return None,
    })
}

/// Normalizations and shares.
fn normalization(op: &str, c: &mut Case, shape: [usize; 2]) -> Option<NodeId> {
    Some(match op {
        "Softmax" => c.unary(Softmax),
        "LogSoftmax" => c.unary(LogSoftmax),
        "BatchNormTrain" => {
            let channels = c.size(1..=3);
            let (x, gamma, beta) = (c.leaf([4, 2, channels]), c.leaf([channels]), c.leaf([channels]));
            let stats = c.graph.push(BatchStats, &[x]).unwrap();
            c.graph.push(BatchNormTrain { epsilon: 1e-3 }, &[x, stats, gamma, beta]).unwrap()
        }
        "BatchStats" => {
            let x = c.leaf([shape[0], 2, shape[1]]);
            c.graph.push(BatchStats, &[x]).unwrap()
        }
        "BatchNormSums" => {
            let (x, dy) = (c.leaf([4, 2, shape[1]]), c.leaf([4, 2, shape[1]]));
            let stats = c.graph.push(BatchStats, &[x]).unwrap();
            c.graph.push(BatchNormSums { epsilon: 1e-3 }, &[x, stats, dy]).unwrap()
        }
        "BatchNormGrad" => {
            let (x, gamma, dy) = (c.leaf([4, 2, shape[1]]), c.leaf([shape[1]]), c.leaf([4, 2, shape[1]]));
            let stats = c.graph.push(BatchStats, &[x]).unwrap();
            let sums = c.graph.push(BatchNormSums { epsilon: 1e-3 }, &[x, stats, dy]).unwrap();
            c.graph.push(BatchNormGrad { epsilon: 1e-3 }, &[x, stats, gamma, dy, sums]).unwrap()
        }
        "BatchNorm" => {
            let channels = c.size(1..=3);
            let x = c.leaf([2, 3, channels]);
            let inputs = [x, c.leaf([channels]), c.leaf([channels]), c.leaf([channels]), c.positive([channels])];
            c.graph.push(BatchNorm { epsilon: 1e-3 }, &inputs).unwrap()
        }
        "Standardize" => c.unary(Standardize { epsilon: 0.1 }),
        "StandardizeGrad" => c.binary(StandardizeGrad { epsilon: 0.1 }),
        "LayerNorm" => {
            let depth = c.size(2..=5);
            let (x, gamma, beta) = (c.leaf([shape[0], 2, depth]), c.leaf([depth]), c.leaf([depth]));
            c.graph.push(LayerNorm { epsilon: 1e-3 }, &[x, gamma, beta]).unwrap()
        }
        _ => return None,
    })
}
