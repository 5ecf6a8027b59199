use super::*;
use crate::graph::{Param, Params};

fn one_param(value: f32) -> Params {
    let mut params = Params::new();
    params.insert(Param { name: "p".into(), shape: [1].into(), data: vec![value], trainable: true }).unwrap();
    params
}

/// Values of `p` over steps with the gradient of `p^2 / 2`, which is `p`.
fn descend(method: Method, decay: f32, rate: f64, steps: usize) -> Vec<f32> {
    let mut params = one_param(1.0);
    let mut optimizer = Optimizer::new(method, decay, &params, ["p"]).unwrap();
    (0..steps)
        .map(|_| {
            let gradient = params.entries()[0].data.clone();
            optimizer.step(&mut params, |_| &gradient, rate, 1.0);
            params.entries()[0].data[0]
        })
        .collect()
}

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() < 1e-6, "{found:?} against {expected:?}");
    }
}

#[test]
fn sgd_with_momentum_by_hand() {
    // v: 1, 1.4, 1.22 - worked out on paper for lr 0.1, momentum 0.5.
    assert_close(&descend(Method::Sgd { momentum: 0.5 }, 0.0, 0.1, 3), &[0.9, 0.76, 0.614]);
}

#[test]
fn weight_decay_adds_to_the_gradient() {
    assert_close(&descend(Method::Sgd { momentum: 0.0 }, 0.5, 0.1, 2), &[0.85, 0.7225]);
}

#[test]
fn the_first_adam_step_is_the_rate() {
    let steps = descend(Method::adam(), 0.0, 0.01, 200);
    assert_close(&steps[..1], &[0.99]);
    assert!(steps[199].abs() < 0.2, "{}", steps[199]);
}

#[test]
fn schedules() {
    let cosine = Schedule::Cosine { warmup: 2.0, floor: 0.1 };
    let at = |epoch| (cosine.factor(epoch, 10.0) * 1000.0).round() / 1000.0;
    assert_eq!([at(0.0), at(1.0), at(2.0), at(6.0), at(10.0)], [0.01, 0.5, 1.0, 0.55, 0.1]);
    let step = Schedule::Step { every: 3, factor: 0.5 };
    assert_eq!([step.factor(2.9, 9.0), step.factor(3.0, 9.0), step.factor(8.0, 9.0)], [1.0, 0.5, 0.25]);
}

#[test]
fn the_norm_is_over_all_gradients() {
    assert_eq!(gradient_norm([&[3.0f32, 0.0][..], &[4.0][..]].into_iter()), 5.0);
}
