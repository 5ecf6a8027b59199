use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::graph::{Executor, Param, Params};

/// Sizes of a layer under test: batch, time, inputs, units.
type Dims = [usize; 4];

/// The layer by its formulas alone, step by step in f64; parameters are w, r, b and peepholes.
fn formulas(layer: &Recurrent, [batch, time, inputs, units]: Dims, x: &[f64], params: &[Vec<f64>]) -> Vec<f64> {
    let gates = layer.cell.gates() * units;
    let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
    let peephole = |gate: usize, u: usize| params.get(3).map_or(0.0, |p| p[gate * units + u]);
    let clip = if layer.clip > 0.0 { layer.clip } else { f64::INFINITY };
    let mut y = vec![0.0; batch * time * units];
    for row in 0..batch {
        let (mut h, mut c) = (vec![0.0; units], vec![0.0; units]);
        for step in 0..time {
            let t = if layer.backward { time - 1 - step } else { step };
            let x = &x[(row * time + t) * inputs..][..inputs];
            let dot = |matrix: &[f64], row: usize, v: &[f64]| -> f64 {
                matrix[row * v.len()..][..v.len()].iter().zip(v).map(|(a, b)| a * b).sum()
            };
            let a: Vec<f64> = (0..gates).map(|g| params[2][g] + dot(&params[0], g, x)).collect();
            let s: Vec<f64> = (0..gates).map(|g| params[2][gates + g] + dot(&params[1], g, &h)).collect();
            for u in 0..units {
                let sum = |gate: usize| a[gate * units + u] + s[gate * units + u];
                h[u] = match layer.cell {
                    Cell::Lstm => {
                        let i = logistic(sum(0) + peephole(0, u) * c[u]);
                        let f = logistic(sum(1) + peephole(1, u) * c[u]);
                        c[u] = (f * c[u] + i * sum(2).tanh()).clamp(-clip, clip);
                        logistic(sum(3) + peephole(2, u) * c[u]) * c[u].tanh()
                    }
                    Cell::Gru => {
                        let (r, z) = (logistic(sum(0)), logistic(sum(1)));
                        let n = (a[2 * units + u] + r * s[2 * units + u]).tanh();
                        (1.0 - z) * n + z * h[u]
                    }
                    Cell::Tanh => sum(0).tanh(),
                    Cell::Relu => sum(0).max(0.0),
                };
                y[(row * time + t) * units + u] = h[u];
            }
        }
    }
    y
}

struct Case {
    dims: Dims,
    x: Vec<f64>,
    params: Vec<(String, Shape, Vec<f64>)>,
}

impl Case {
    fn new(layer: &Recurrent, dims: Dims, peepholes: bool, seed: u64) -> Self {
        let [batch, time, inputs, units] = dims;
        let rows = layer.cell.gates() * units;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let scale = 1.0 / (units as f64).sqrt();
        let mut draw =
            |n: usize| -> Vec<f64> { (0..n).map(|_| f64::from(rng.random_range(-1.0f32..1.0)) * scale).collect() };
        let mut params: Vec<(String, Shape, Vec<f64>)> =
            [("w", vec![rows, inputs]), ("r", vec![rows, units]), ("b", vec![2 * rows])]
                .map(|(name, dims)| (name.to_string(), dims.clone().into(), draw(dims.iter().product())))
                .into();
        if peepholes {
            params.push(("p".into(), [3 * units].into(), draw(3 * units)));
        }
        Self { dims, x: draw(batch * time * inputs), params }
    }

    /// Output of the node, by training's way or by the other; and the derivatives of the sum of squares by the parameters and by x.
    fn run<T: Real>(&self, layer: &Recurrent, train: bool) -> (Vec<T>, Vec<Vec<T>>) {
        let [batch, time, inputs, _] = self.dims;
        let (mut graph, mut params) = (Graph::new(), Params::<T>::new());
        let x = graph.input("x", [batch, time, inputs]);
        let mut nodes = vec![x];
        for (name, shape, data) in &self.params {
            let data = data.iter().map(|v| T::of(*v)).collect();
            params.insert(Param { name: name.clone(), shape: shape.clone(), data, trainable: true }).unwrap();
            nodes.push(graph.param(name, shape.clone()));
        }
        let y = if train {
            layer.clone().train(&mut graph, "layer", &nodes).unwrap()
        } else {
            graph.push_named("layer", layer.clone(), &nodes).unwrap()
        };
        let square = graph.mul(y, y).unwrap();
        let loss = graph.sum(square).unwrap();
        let mut outputs = graph.gradients(loss, &nodes).unwrap();
        outputs.push(y);
        let mut executor = Executor::<T>::new(&graph, &outputs);
        executor.input_mut(x).iter_mut().zip(&self.x).for_each(|(x, v)| *x = T::of(*v));
        executor.run(&params).unwrap();
        let mut values: Vec<Vec<T>> = outputs.iter().map(|&id| executor.value(id).to_vec()).collect();
        (values.pop().unwrap(), values)
    }

    fn formulas(&self, layer: &Recurrent) -> Vec<f64> {
        let params: Vec<Vec<f64>> = self.params.iter().map(|(.., data)| data.clone()).collect();
        formulas(layer, self.dims, &self.x, &params)
    }
}

/// Layers of all kinds, the last with peepholes.
fn layers() -> [(Recurrent, bool); 6] {
    let of = |cell| Recurrent::new(cell);
    [
        (of(Cell::Lstm), false),
        (of(Cell::Gru), false),
        (of(Cell::Tanh), false),
        (Recurrent { backward: true, ..of(Cell::Relu) }, false),
        (Recurrent { clip: 0.2, ..of(Cell::Lstm) }, false),
        (Recurrent { backward: true, ..of(Cell::Lstm) }, true),
    ]
}

/// Sizes with one piece and one block, and with pieces and blocks that are not full.
const SIZES: [Dims; 3] = [[1, 3, 2, 1], [37, 41, 5, 7], [3, 300, 4, 20]];

/// Whether all values are within `most` of the expected ones.
fn near<T: Real>(found: &[T], expected: &[f64], most: f64) -> bool {
    found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a.to_f64() - b).abs() < most)
}

#[test]
fn states_are_those_of_the_formulas() {
    for (layer, peepholes) in layers() {
        for dims in SIZES {
            let case = Case::new(&layer, dims, peepholes, 1);
            let expected = case.formulas(&layer);
            for train in [false, true] {
                let (double, _) = case.run::<f64>(&layer, train);
                let (single, _) = case.run::<f32>(&layer, train);
                assert!(near(&double, &expected, 1e-12), "{layer:?} {dims:?}");
                assert!(near(&single, &expected, 1e-5), "{layer:?} {dims:?}");
            }
        }
    }
}

/// Blocks, pieces and the steps' vector instructions give in f32 what they give in f64, whose formulas `ops/tests.rs` checks.
#[test]
fn derivatives_in_single_precision_are_those_in_double() {
    for (layer, peepholes) in layers() {
        for dims in SIZES {
            let case = Case::new(&layer, dims, peepholes, 2);
            let ((_, double), (_, single)) = (case.run::<f64>(&layer, true), case.run::<f32>(&layer, false));
            for (double, single) in double.iter().zip(&single) {
                let largest = double.iter().fold(1e-3f64, |most, d| most.max(d.abs()));
                assert!(near(single, double, 2e-5 * largest), "{layer:?} {dims:?}");
            }
        }
    }
}

#[test]
fn bytes_do_not_depend_on_the_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let layer = Recurrent::new(Cell::Lstm);
        pool.install(|| Case::new(&layer, [37, 41, 5, 7], false, 3).run::<f32>(&layer, true))
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn parameters_that_do_not_fit_are_named() {
    let mut graph = Graph::new();
    let (x, w) = (graph.input("x", [2, 3, 4]), graph.param("w", [20, 4]));
    let (r, b) = (graph.param("r", [20, 5]), graph.param("b", [40]));
    assert!(graph.push(Recurrent::new(Cell::Lstm), &[x, w, r, b]).is_ok());
    assert!(graph.push(Recurrent::new(Cell::Gru), &[x, w, r, b]).unwrap_err().message.contains("20x4"));
    let short = graph.param("p", [10]);
    let error = graph.push(Recurrent::new(Cell::Lstm), &[x, w, r, b, short]).unwrap_err();
    assert!(error.message.contains("peepholes 10"), "{error}");
}
