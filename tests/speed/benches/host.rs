//! Operators of the sizes that small networks have, on this machine: the kernels it selects, and the portable ones.

use ackermann_core::blob::write::Network;
use ackermann_core::blob::{AlignedBytes, Layout, Rounding, Target};
use ackermann_core::ops::{Kernels, Portable, Selected};
use ackermann_core::{Model, Session};
use ackermann_tests::cases::{self, Border, Sliding};
use criterion::Criterion;

fn sliding(input: [usize; 4], channels: usize, kernel: usize, stride: usize) -> Sliding {
    let (kernel, stride) = ([kernel; 2], [stride; 2]);
    Sliding { input, channels, kernel, stride, dilation: [1, 1], border: Border::Same }
}

fn networks() -> Vec<(&'static str, Network)> {
    let conv = |sliding| cases::conv2d(&sliding, 1, false).expect("the window fits");
    let depthwise = |sliding| cases::depthwise_conv2d(&sliding, 1, 1, false).expect("the window fits");
    vec![
        ("conv2d 3x3, 32 to 32, 16x16", conv(sliding([1, 16, 16, 32], 32, 3, 1))),
        ("conv2d 5x5 / 2, 24 to 36, 31x98", conv(sliding([1, 31, 98, 24], 36, 5, 2))),
        ("conv2d 1x1, 64 to 64, 25x5", conv(sliding([1, 25, 5, 64], 64, 1, 1))),
        ("depthwise conv2d 3x3, 64, 25x5", depthwise(sliding([1, 25, 5, 64], 64, 3, 1))),
        ("depthwise conv2d 3x3 / 2, 16, 48x48", depthwise(sliding([1, 48, 48, 16], 16, 3, 2))),
        ("fully connected 640 to 128", cases::fully_connected(1, 640, 128, 1, Rounding::Double, false)),
        ("add 32x32x16", cases::add(&[1, 32, 32, 16], 1, false, false)),
        ("average pool 2x2, 64, 24x24", cases::pool(&sliding([1, 24, 24, 64], 64, 2, 2), 1, true).expect("fits")),
    ]
}

fn measure<K: Kernels>(criterion: &mut Criterion, kernels: &str, target: Target) {
    let mut group = criterion.benchmark_group(kernels);
    for (name, network) in networks() {
        let blob = network.to_bytes(target).expect("a valid network");
        let model = Model::load(&blob).expect("a valid blob");
        let mut arena = AlignedBytes::zeroed(model.arena_bytes());
        let mut session = Session::new(model, &mut arena).expect("a large enough arena");
        group.bench_function(name, |bencher| bencher.iter(|| session.run_with::<K>(|_, _| ())));
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    measure::<Selected>(&mut criterion, "selected", Target::this_machine());
    measure::<Portable>(&mut criterion, "portable", Layout::Natural.into());
    criterion.final_summary();
}
