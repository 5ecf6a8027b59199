//! Graphs, their gradients and their execution.

mod learning;

use super::*;
use crate::ops::{Argmax, Dense, Relu};

fn params(values: &[(&str, Shape, Vec<f64>)]) -> Params<f64> {
    let mut params = Params::new();
    for (name, shape, data) in values {
        let (name, shape, data) = (name.to_string(), shape.clone(), data.clone());
        params.insert(Param { name, shape, data, trainable: true }).unwrap();
    }
    params
}

#[test]
fn shared_weights_collect_both_gradients() {
    // loss = sum(w x + w): the derivative by w is x + 1.
    let mut graph = Graph::new();
    let x = graph.input("x", [3]);
    let (w, again) = (graph.param("w", [3]), graph.param("w", [3]));
    assert_eq!(w, again);
    let product = graph.mul(w, x).unwrap();
    let both = graph.add(product, again).unwrap();
    let loss = graph.sum(both).unwrap();
    let gradient = graph.gradients(loss, &[w]).unwrap()[0];
    let mut executor = Executor::<f64>::new(&graph, &[gradient]);
    executor.input_mut(x).copy_from_slice(&[1.0, 2.0, 3.0]);
    executor.run(&params(&[("w", [3].into(), vec![5.0, 5.0, 5.0])])).unwrap();
    assert_eq!(executor.value(gradient), [2.0, 3.0, 4.0]);
}

#[test]
fn what_a_loss_does_not_depend_on_has_gradient_zero() {
    let mut graph = Graph::new();
    let (a, b) = (graph.param("a", [2]), graph.param("b", [2]));
    let loss = graph.sum(a).unwrap();
    let gradient = graph.gradients(loss, &[b]).unwrap()[0];
    let mut executor = Executor::<f64>::new(&graph, &[gradient]);
    executor.run(&params(&[])).unwrap();
    assert_eq!(executor.value(gradient), [0.0, 0.0]);
    assert_eq!(graph.gradients(a, &[b]).unwrap_err().kind, ErrorKind::Shape);
}

#[test]
fn shapes_that_do_not_fit_are_named_with_their_layer() {
    let mut graph = Graph::new();
    let (x, w) = (graph.input("x", [4, 10]), graph.param("fc1.weight", [3, 9]));
    let error = graph.push_named("fc1", Dense, &[x, w]).unwrap_err();
    assert_eq!(error.to_string(), "fc1 (Dense): input has 10 features, weights expect 9");
    assert!(graph.push(Relu, &[]).is_err());
}

#[test]
fn reductions_along_dimensions_that_are_not_there_are_refused() {
    let mut graph = Graph::new();
    let x = graph.input("x", [2, 3]);
    for axes in [&[2][..], &[0, 7], &[1, 1]] {
        let reduced = [graph.sum_over(x, axes), graph.mean_over(x, axes), graph.max_over(x, axes)];
        for (at, result) in reduced.into_iter().enumerate() {
            let error = result.unwrap_err();
            let place = ["SumTo", "Mean", "ReduceMax"][at];
            assert!(error.place.contains(place) && error.message.contains("2x3"), "{error}");
        }
    }
    assert!(graph.push(Argmax { axis: 2, smallest: false }, &[x]).is_err());
}

#[test]
fn parameters_that_are_missing_or_of_another_shape_are_named() {
    let mut graph = Graph::new();
    let w = graph.param("w", [3]);
    let doubled = graph.affine(w, 2.0, 0.0).unwrap();
    let mut executor = Executor::<f64>::new(&graph, &[doubled]);
    assert_eq!(executor.run(&params(&[])).unwrap_err().place, "w");
    let error = executor.run(&params(&[("w", [2].into(), vec![0.0; 2])])).unwrap_err();
    assert!(error.message.contains('3') && error.message.contains('2'), "{error}");
}

#[test]
fn buffers_are_handed_on_when_their_last_reader_has_run() {
    let mut graph = Graph::new();
    let x = graph.input("x", [1000]);
    let mut y = x;
    for _ in 0..10 {
        y = graph.affine(y, 2.0, 0.0).unwrap();
    }
    let mut executor = Executor::<f64>::new(&graph, &[y]);
    // The input, and two buffers in turn for the ten results.
    assert_eq!(executor.bytes(), 3 * 1000 * size_of::<f64>());
    executor.input_mut(x).fill(1.0);
    executor.run(&params(&[])).unwrap();
    assert!(executor.value(y).iter().all(|&v| v == 1024.0));
}

/// Values that are outputs, read again or read twice by one node are not written over; others are, which spares buffers.
#[test]
fn operators_write_over_what_nothing_else_reads() {
    let mut graph = Graph::new();
    let x = graph.input("x", [4]);
    let a = graph.affine(x, 1.0, 0.0).unwrap();
    let relu = graph.push(Relu, &[a]).unwrap();
    let doubled = graph.push(crate::ops::Add, &[relu, relu]).unwrap();
    let kept = graph.push(Relu, &[doubled]).unwrap();
    let sum = graph.push(crate::ops::Add, &[kept, doubled]).unwrap();
    let flat = graph.reshape(sum, [2, 2]).unwrap();
    let run = |outputs: &[NodeId]| {
        let mut executor = Executor::<f64>::new(&graph, outputs);
        executor.input_mut(x).copy_from_slice(&[-1.0, 2.0, -3.0, 4.0]);
        executor.run(&params(&[])).unwrap();
        (executor.value(flat).to_vec(), executor.bytes())
    };
    let (spare, all) = (run(&[flat]), run(&[a, relu, doubled, kept, sum, flat]));
    assert_eq!(spare.0, [0.0, 8.0, 0.0, 16.0]);
    assert_eq!(spare.0, all.0);
    // The input, and two buffers: what is read twice keeps its own.
    assert_eq!((spare.1, all.1), (3 * 4 * 8, 7 * 4 * 8));
}

#[test]
fn products_of_strided_matrices() {
    let (a, b) = ([1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0f32, 0.0, 2.0, 1.0, 0.0, 3.0]);
    let mut out = [0.0; 4];
    product(&mut out, Matrix::new(&a, 2, 3), Matrix::new(&b, 3, 2), false);
    assert_eq!(out, [5.0, 11.0, 14.0, 23.0]);
    product(&mut out, Matrix::new(&a, 2, 3), Matrix::new(&b, 2, 3).t(), true);
    assert_eq!(out, [12.0, 21.0, 30.0, 45.0]);
}

#[test]
fn both_sides_of_a_sum_repeat() {
    let mut graph = Graph::new();
    let (a, b) = (graph.input("a", [2, 1]), graph.input("b", [3]));
    let sum = graph.add(a, b).unwrap();
    let mut executor = Executor::<f64>::new(&graph, &[sum]);
    executor.input_mut(a).copy_from_slice(&[10.0, 20.0]);
    executor.input_mut(b).copy_from_slice(&[1.0, 2.0, 3.0]);
    executor.run(&params(&[])).unwrap();
    assert_eq!(executor.value(sum), [11.0, 12.0, 13.0, 21.0, 22.0, 23.0]);
    let c = graph.input("c", [2]);
    assert!(graph.add(b, c).is_err());
}

#[test]
fn a_query_looks_back_only_and_at_what_is_like_it() {
    let mut graph = Graph::new();
    let (keys, values) = (graph.input("keys", [1, 3, 2]), graph.input("values", [1, 3, 1]));
    let mask = graph.causal_mask(3, 3).unwrap();
    let seen = graph.attention(keys, keys, values, Some(mask)).unwrap();
    let mut executor = Executor::<f64>::new(&graph, &[seen]);
    executor.input_mut(keys).copy_from_slice(&[40.0, 0.0, 0.0, 40.0, 40.0, 0.0]);
    executor.input_mut(values).copy_from_slice(&[1.0, 2.0, 3.0]);
    executor.run(&params(&[])).unwrap();
    for (found, expected) in executor.value(seen).iter().zip([1.0, 2.0, 2.0]) {
        assert!((found - expected).abs() < 1e-9, "{:?}", executor.value(seen));
    }
}
