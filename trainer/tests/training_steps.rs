//! What a training step must not do: allocate, or depend on the number of threads.

use std::alloc::System;

use ackermann_trainer::Result;
use ackermann_trainer::graph::{Executor, Graph, NodeId, Param, Params, Shape};
use ackermann_trainer::ops::{
    AvgPool, BatchNormTrain, BatchStats, Cell, Conv2d, Dense, DepthwiseConv2d, Op, Padding, Recurrent, Relu, Window,
};
use ackermann_trainer::optim::{Method, Optimizer};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const BATCH: usize = 12;

/// A network in training.
struct Training {
    executor: Executor<f32>,
    gradients: Vec<NodeId>,
    params: Params,
    optimizer: Optimizer,
}

/// Parameters of a graph that is being built.
#[derive(Default)]
struct Builder {
    graph: Graph,
    params: Params,
    trained: Vec<NodeId>,
}

fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|at| ((at * 7919 + seed * 104_729) % 1013) as f32 / 1013.0 - 0.5).collect()
}

impl Builder {
    fn param(&mut self, shape: impl Into<Shape>) -> Result<NodeId> {
        let (name, shape) = (format!("p{}", self.trained.len()), shape.into());
        let data = numbers(shape.elements(), self.trained.len());
        let id = self.graph.param(&name, shape.clone());
        self.params.insert(Param { name, shape, data, trainable: true })?;
        self.trained.push(id);
        Ok(id)
    }

    fn layer(&mut self, op: impl Into<Op>, x: NodeId, shapes: &[&[usize]]) -> Result<NodeId> {
        let mut inputs = vec![x];
        for shape in shapes {
            inputs.push(self.param(*shape)?);
        }
        self.graph.push(op, &inputs)
    }

    fn norm_relu(&mut self, x: NodeId, channels: usize) -> Result<NodeId> {
        let stats = self.graph.push(BatchStats, &[x])?;
        let inputs = [x, stats, self.param([channels])?, self.param([channels])?];
        let x = self.graph.push(BatchNormTrain { epsilon: 1e-5 }, &inputs)?;
        self.graph.push(Relu, &[x])
    }

    /// Training on the mean square of `x`.
    fn finish(mut self, input: NodeId, x: NodeId) -> Result<Training> {
        let square = self.graph.mul(x, x)?;
        let loss = self.graph.mean(square)?;
        let gradients = self.graph.gradients(loss, &self.trained)?;
        let mut executor = Executor::new(&self.graph, &gradients);
        let values = executor.input_mut(input);
        values.copy_from_slice(&numbers(values.len(), 99));
        let names: Vec<&str> = self.params.entries().iter().map(|p| p.name.as_str()).collect();
        let optimizer = Optimizer::new(Method::adam(), 0.0, &self.params, names)?;
        Ok(Training { executor, gradients, params: self.params, optimizer })
    }
}

impl Training {
    /// Convolutions of every kind, batch normalization, pooling; sizes that fill no vector and no piece.
    fn images() -> Result<Self> {
        let mut b = Builder::default();
        let input = b.graph.input("x", [BATCH, 23, 18, 3]);
        let conv = |stride: usize, padding| Conv2d { stride: [stride; 2], dilation: [1, 1], padding };
        let x = b.layer(conv(2, Padding::default()), input, &[&[20, 5, 5, 3], &[20]])?;
        let x = b.norm_relu(x, 20)?;
        let depthwise = DepthwiseConv2d { stride: [1, 1], dilation: [1, 1], padding: Padding::all(1) };
        let x = b.layer(depthwise, x, &[&[20, 3, 3], &[20]])?;
        let x = b.layer(conv(1, Padding::all(1)), x, &[&[37, 3, 3, 20], &[37]])?;
        let x = b.norm_relu(x, 37)?;
        let shape = b.graph.shape(x).clone();
        let kernel = [shape[1], shape[2]];
        let x = b.graph.push(AvgPool { window: Window::new(kernel, kernel, Padding::default()) }, &[x])?;
        b.finish(input, x)
    }

    /// Matrix products: a recurrent and a dense layer.
    fn sequences() -> Result<Self> {
        let mut b = Builder::default();
        let input = b.graph.input("x", [BATCH, 9, 6]);
        let inputs = [input, b.param([80, 6])?, b.param([80, 20])?, b.param([160])?];
        let x = Recurrent::new(Cell::Lstm).train(&mut b.graph, "lstm", &inputs)?;
        let x = b.graph.reshape(x, [BATCH, 180])?;
        let x = b.layer(Dense, x, &[&[10, 180], &[10]])?;
        b.finish(input, x)
    }

    fn step(&mut self) -> Result<()> {
        self.executor.run(&self.params)?;
        let gradient = |at: usize| self.executor.value(self.gradients[at]);
        self.optimizer.step(&mut self.params, gradient, 1e-3);
        Ok(())
    }

    /// Bytes of all parameters.
    fn bytes(&self) -> Vec<u8> {
        self.params.entries().iter().flat_map(|p| p.data.iter().flat_map(|v| v.to_le_bytes())).collect()
    }
}

/// Parameters after some steps, and how often the later steps allocated.
fn trained(network: fn() -> Result<Training>, threads: usize) -> (Vec<u8>, usize) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut training = network().unwrap();
        // What threads keep for themselves is allocated in their first steps.
        (0..3).for_each(|_| training.step().unwrap());
        let region = Region::new(ALLOCATOR);
        (0..5).for_each(|_| training.step().unwrap());
        let change = region.change();
        (training.bytes(), change.allocations + change.reallocations)
    })
}

/// One test, since all that runs in this process is counted.
#[test]
fn steps_do_not_allocate_and_do_not_depend_on_threads() {
    // Counted on one thread, since a pool's own queues grow when its threads first steal. The matrix products of `gemm` allocate room for their
    // packed operands; nothing else may.
    for (network, products) in [(Training::images as fn() -> _, false), (Training::sequences, true)] {
        let (one, allocations) = trained(network, 1);
        assert!(allocations == 0 || products, "{allocations} allocations in five steps");
        for threads in 2..=3 {
            assert!(trained(network, threads).0 == one, "{threads} threads give other bytes than one");
        }
    }
}
