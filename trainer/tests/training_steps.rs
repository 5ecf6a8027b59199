//! What a training step must not do: allocate, or depend on the number of threads.

use std::alloc::System;

use ackermann_trainer::nn::{Initializer, Layer, Network};
use ackermann_trainer::optim::{Method, Optimizer};
use ackermann_trainer::train::{Loss, Sequential};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const BATCH: usize = 12;
const STEPS: usize = 5;

/// Convolutions of every kind, batch normalization, pooling; sizes that fill no vector and no piece.
fn images() -> Network {
    let layers = vec![
        Layer::conv2d(20, 5, 2).without_bias(),
        Layer::BatchNorm,
        Layer::Relu,
        Layer::depthwise_conv2d(3, 1).padded(1),
        Layer::conv2d(37, 3, 1).padded(1),
        Layer::BatchNorm,
        Layer::Relu,
        Layer::GlobalAvgPool,
    ];
    Network::of_pixels("images", [23, 18, 3], layers)
}

/// Matrix products: a recurrent and a dense layer.
fn sequences() -> Network {
    let layers = vec![Layer::lstm(20), Layer::Flatten, Layer::dense(10)];
    Network::of_numbers("sequences", [9, 6], layers)
}

fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|at| ((at * 7919) % 1013) as f32 / 1013.0 - 0.5).collect()
}

/// A network in training.
struct Training {
    net: Sequential,
    optimizer: Optimizer,
    inputs: Vec<f32>,
    targets: Vec<f32>,
}

impl Training {
    fn new(network: Network) -> Self {
        let inputs = numbers(BATCH * network.input.iter().product::<usize>());
        let targets = numbers(BATCH * network.outputs().unwrap());
        let net = Sequential::new(network, 1, Initializer::Layer).unwrap();
        let optimizer = net.optimizer(Method::adam()).unwrap();
        Self { net, optimizer, inputs, targets }
    }

    fn step(&mut self) {
        self.net.backward(Loss::Mse, &self.inputs, &self.targets).unwrap();
        self.net.step(&mut self.optimizer, 1e-3);
    }

    /// Bytes of all parameters.
    fn bytes(&self) -> Vec<u8> {
        self.net.params().entries().iter().flat_map(|p| p.data.iter().flat_map(|v| v.to_le_bytes())).collect()
    }
}

/// Parameters after some steps, and how often the later steps allocated.
fn trained(network: Network, threads: usize) -> (Vec<u8>, usize) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut training = Training::new(network);
        // What threads keep for themselves is allocated in their first steps.
        (0..3).for_each(|_| training.step());
        let region = Region::new(ALLOCATOR);
        (0..STEPS).for_each(|_| training.step());
        let change = region.change();
        (training.bytes(), change.allocations + change.reallocations)
    })
}

/// One test, since all that runs in this process is counted.
#[test]
fn steps_do_not_allocate_and_do_not_depend_on_threads() {
    // A matrix product of `gemm` allocates at most twice, for packed operands; nothing else may. The LSTM's two pieces have three products each
    // (one forward, two back), the dense layer is cut into six pieces forward, six by its input and five by its weights.
    for (network, products) in [(images(), 0), (sequences(), 2 * 3 + 6 + 6 + 5)] {
        // Counted on one thread, since a pool's own queues grow when its threads first steal.
        let (one, allocations) = trained(network.clone(), 1);
        let most = STEPS * 2 * products;
        assert!(allocations <= most, "{}: {allocations} allocations in {STEPS} steps, not {most}", network.name);
        for threads in 2..=3 {
            let (other, _) = trained(network.clone(), threads);
            assert!(other == one, "{}: {threads} threads give other bytes than one", network.name);
        }
    }
}
