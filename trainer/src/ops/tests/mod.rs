//! Every operator's gradient against central differences in `f64`, over random shapes.

mod case;
mod int8;
mod losses;
mod moved;
mod numbers;
mod recurrent;
mod windows;

use std::collections::BTreeSet;

use case::{Case, FUNCTIONS};

use super::*;

const ROUNDS: u64 = 6;

/// Builds the case of an operator, or says that it has no derivative.
fn case(op: &str, c: &mut Case) -> Option<NodeId> {
    let shape = [c.size(1..=4), c.size(1..=4)];
    windows::case(op, c)
        .or_else(|| moved::case(op, c, shape))
        .or_else(|| losses::case(op, c, shape))
        .or_else(|| recurrent::case(op, c))
        .or_else(|| numbers::case(op, c, shape))
}

/// Nodes that are not functions of other nodes.
const SOURCES: [&str; 4] = ["Input", "Parameter", "Constant", "Positions"];

/// Values that only other nodes read, in whose derivative theirs is included.
const INNER: [&str; 1] = ["RecurrentTape"];

/// Operators that are asked for a derivative only where a gradient is differentiated twice, which they refuse; their values are checked as
/// the derivatives of the operators that use them.
const REFUSING: [&str; 1] = ["CtcCurvature"];

/// Operators that round, whose derivative is that of something else: `quant/qat/tests.rs` checks them.
const ROUNDING: [&str; 4] = ["Int8", "FakeQuant", "FakeQuantGrad", "RoundWeights"];

#[test]
fn every_operator_has_its_gradient_checked() {
    let missing: BTreeSet<&str> = Op::NAMES
        .iter()
        .copied()
        .filter(|op| ![&SOURCES[..], &INNER, &REFUSING, &ROUNDING].concat().contains(op))
        .filter(|op| case(op, &mut Case::new(0)).is_none())
        .collect();
    assert!(missing.is_empty(), "operators without a gradient check: {missing:?}");
}

/// Formulas that the graph has shorthands for.
#[test]
fn formulas_equal_central_differences() {
    for mask in [false, true] {
        let mut c = Case::new(2);
        let (q, k, v) = (c.leaf([2, 3, 4]), c.leaf([2, 5, 4]), c.leaf([2, 5, 6]));
        let mask = mask.then(|| c.graph.causal_mask(3, 5).unwrap());
        let seen = c.graph.multi_head_attention([q, k, v], 2, mask).unwrap();
        c.check("attention", seen);
    }
    let mut c = Case::new(3);
    let (x, indices) = (c.leaf([2, 3, 4]), c.indices([2, 3], 4));
    let picked = c.graph.pick(x, indices).unwrap();
    c.check("pick", picked);
    let mut c = Case::new(4);
    let x = c.leaf([3, 7]);
    let parts = c.graph.split(x, 1, &[2, 4, 1]).unwrap();
    let joined = c.graph.concat(&[parts[2], parts[0], parts[1]], 1).unwrap();
    c.check("split", joined);
}

#[test]
fn every_operator_is_documented() {
    let text = include_str!("../../../../docs/autodiff.md");
    let words: BTreeSet<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    let missing: Vec<&&str> = Op::NAMES.iter().filter(|op| !words.contains(**op)).collect();
    assert!(missing.is_empty(), "operators that docs/autodiff.md does not have: {missing:?}");
}

#[test]
fn gradients_equal_central_differences() {
    for op in Op::NAMES {
        for seed in 0..ROUNDS {
            let mut built = Case::new(seed);
            if let Some(out) = case(op, &mut built) {
                let built_op = built.graph.nodes().iter().any(|n| n.op.name() == *op);
                assert!(built_op || seed > 0, "the case of {op} does not contain it");
                built.check(op, out);
            }
        }
    }
}

/// Each function on both sides of zero and in its flat parts, and its slope as a function of its own.
#[test]
fn slopes_of_functions_equal_central_differences() {
    let both = [-5.0, -2.5, -1.0, -0.1, 0.2, 1.5, 2.9, 7.0];
    for function in FUNCTIONS {
        let is_of_positive = function.value(-1.0).is_nan();
        let points: Vec<f64> = both.into_iter().filter(|x| *x > 0.0 || !is_of_positive).collect();
        for slope in [false, true] {
            let mut c = Case::new(1);
            let (x, ones) = (c.leaf_at(&points), c.fixed([points.len()], vec![1.0; points.len()]));
            let out = match slope {
                false => c.graph.push(Unary { function }, &[x]).unwrap(),
                true => c.graph.push(UnaryGrad { function }, &[x, ones]).unwrap(),
            };
            c.check(&format!("{function:?}, slope {slope}"), out);
        }
    }
}

/// The same operators once more: the gradient itself is differentiated, by a second pass over its own nodes.
#[test]
fn gradients_of_gradients_equal_central_differences() {
    for op in Op::NAMES {
        let mut built = Case::new(7);
        // Of the one that is a gradient already, the derivative is refused the second time.
        let Some(out) = case(op, &mut built).filter(|_| *op != "CtcGrad") else { continue };
        let square = built.graph.mul(out, out).unwrap();
        let loss = built.graph.sum(square).unwrap();
        let leaves = built.leaves.clone();
        let gradients = built.graph.gradients(loss, &leaves).unwrap();
        let mut penalty = built.graph.push(Constant { value: 0.0, shape: Shape::scalar() }, &[]).unwrap();
        for gradient in gradients {
            let square = built.graph.mul(gradient, gradient).unwrap();
            let sum = built.graph.sum(square).unwrap();
            penalty = built.graph.add(penalty, sum).unwrap();
        }
        let scaled = built.graph.affine(penalty, 0.01, 0.0).unwrap();
        built.check(op, scaled);
    }
}
