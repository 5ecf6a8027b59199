//! Operators that move, repeat, pick or reduce along dimensions.

use rand::Rng;

use super::case::Case;
use crate::graph::{Executor, Graph, NodeId, Params};
use crate::ops::*;

/// The case of one of them.
pub fn case(op: &str, c: &mut Case, shape: [usize; 2]) -> Option<NodeId> {
    part(op, c, shape)
        .or_else(|| arranged(op, c, shape))
        .or_else(|| reduced(op, c, shape))
        .or_else(|| picked(op, c, shape))
}

/// Parts of tensors, and tensors of parts.
fn part(op: &str, c: &mut Case, shape: [usize; 2]) -> Option<NodeId> {
    Some(match op {
        "Concat" => {
            let axis = c.size(0..=1);
            let other = if axis == 0 { [2, shape[1]] } else { [shape[0], 3] };
            let inputs = [c.leaf(shape), c.leaf(other), c.leaf(shape)];
            c.graph.push(Concat { axis }, &inputs).unwrap()
        }
        "Slice" => {
            let x = c.leaf([shape[0] + 2, 2 * shape[1]]);
            let op = Slice { begin: vec![1, c.size(0..=1)], step: vec![1, 2], size: shape.into() };
            c.graph.push(op, &[x]).unwrap()
        }
        "Part" => {
            let (x, begin) = (c.leaf([shape[0] + 1, shape[1]]), c.size(0..=1));
            c.graph.push(Part { begin, shape: [shape[1], shape[0]].into() }, &[x]).unwrap()
        }
        "Pad" => {
            let x = c.leaf(shape);
            let op =
                Pad { begin: vec![1, c.size(0..=1)], step: vec![1, 2], whole: [shape[0] + 2, 2 * shape[1]].into() };
            c.graph.push(op, &[x]).unwrap()
        }
        "Row" => {
            let x = c.leaf(shape);
            let row = c.size(0..=shape[0] - 1);
            c.graph.push(Row { row }, &[x]).unwrap()
        }
        _ => return None,
    })
}

/// The same elements in another order or number.
fn arranged(op: &str, c: &mut Case, shape: [usize; 2]) -> Option<NodeId> {
    Some(match op {
        "Transpose" => {
            let x = c.leaf([shape[0], shape[1], 3]);
            let order = [[2, 0, 1], [1, 0, 2], [0, 2, 1]][c.size(0..=2)].to_vec();
            c.graph.push(Transpose { order }, &[x]).unwrap()
        }
        "Broadcast" => {
            let (small, big) = c.pair(shape);
            let x = c.leaf(small);
            c.graph.broadcast(x, &big).unwrap()
        }
        "Reshape" => {
            let x = c.leaf(shape);
            c.graph.reshape(x, [shape[1], 1, shape[0]]).unwrap()
        }
        _ => return None,
    })
}

/// Along dimensions.
fn reduced(op: &str, c: &mut Case, shape: [usize; 2]) -> Option<NodeId> {
    Some(match op {
        "SumTo" => {
            let (small, big) = c.pair(shape);
            let x = c.leaf(big);
            c.graph.sum_to(x, &small).unwrap()
        }
        "Mean" => {
            let shape = [c.size(1..=3), c.size(1..=4), c.size(1..=3)];
            let x = c.leaf(shape);
            c.graph.push(Mean { axes: vec![2, 0] }, &[x]).unwrap()
        }
        "Argmax" => {
            let (x, axis) = (c.leaf(shape), c.size(0..=1));
            c.graph.push(Argmax { axis, smallest: c.rng.random() }, &[x]).unwrap()
        }
        "ReduceMax" => {
            let shape = [c.size(1..=3), c.size(1..=4), c.size(1..=3)];
            let x = c.leaf(shape);
            let axes = [vec![1], vec![2, 0], vec![0, 1, 2]][c.size(0..=2)].clone();
            c.graph.push(ReduceMax { axes, smallest: c.rng.random() }, &[x]).unwrap()
        }
        _ => return None,
    })
}

/// By indices.
fn picked(op: &str, c: &mut Case, shape: [usize; 2]) -> Option<NodeId> {
    Some(match op {
        "OneHot" => {
            let x = c.leaf(shape);
            c.graph.push(OneHot { classes: 2 }, &[x]).unwrap()
        }
        "Gather" => {
            let (axis, picks) = (c.size(0..=1), [c.size(1..=3), 2]);
            let data = c.leaf(shape);
            let indices = c.indices(picks, shape[axis] + 1);
            c.graph.push(Gather { axis }, &[data, indices]).unwrap()
        }
        "ScatterAdd" => {
            let (axis, picks) = (c.size(0..=1), c.size(1..=5));
            let mut slices = shape;
            slices[axis] = picks;
            let v = c.leaf(slices);
            let indices = c.indices([picks], shape[axis] + 1);
            c.graph.push(ScatterAdd { axis, shape: shape.into() }, &[v, indices]).unwrap()
        }
        _ => return None,
    })
}

#[test]
fn argmax_gives_the_first_of_the_best_and_of_what_is_not_a_number() {
    for (smallest, expected) in [(false, [1.0, 2.0]), (true, [0.0, 2.0])] {
        let mut graph = Graph::new();
        let x = graph.input("x", [2, 4]);
        let best = graph.push(Argmax { axis: 1, smallest }, &[x]).unwrap();
        let mut executor = Executor::<f32>::new(&graph, &[best]);
        executor.input_mut(x).copy_from_slice(&[-1.0, 3.0, 3.0, -1.0, 9.0, -9.0, f32::NAN, f32::NAN]);
        executor.run(&Params::new()).unwrap();
        assert_eq!(executor.value(best), expected);
    }
}
