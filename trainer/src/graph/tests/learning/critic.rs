//! A gradient penalty: the derivative of a derivative, in a loss.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Player, draw, mean_and_deviation, normal, params_of, perceptron};
use crate::graph::{Executor, Graph, NodeId, Params, Real};
use crate::ops::Function;

/// The critic's loss of Wasserstein GANs with gradient penalty (Gulrajani et al. 2017): `x [n, 2]` with scores, the norm of the critic's
/// gradient at each `x`, and the loss for real ones (first half) and fakes.
struct Critic {
    graph: Graph,
    x: NodeId,
    signs: NodeId,
    norm: NodeId,
    loss: NodeId,
}

impl Critic {
    fn new(samples: usize) -> Self {
        let mut graph = Graph::new();
        let (x, signs) = (graph.input("x", [samples, 2]), graph.input("signs", [samples, 1]));
        let scores = perceptron(&mut graph, "critic", x, &[2, 8, 8, 1]);
        let sum = graph.sum(scores).unwrap();
        let slope = graph.gradients(sum, &[x]).unwrap()[0];
        let square = graph.square(slope).unwrap();
        let square = graph.sum_over(square, &[1]).unwrap();
        let norm = graph.apply(Function::Sqrt, square).unwrap();
        let excess = graph.affine(norm, 1.0, -1.0).unwrap();
        let penalty = graph.square(excess).unwrap();
        let penalty = graph.mean(penalty).unwrap();
        let signed = graph.mul(scores, signs).unwrap();
        let distance = graph.mean(signed).unwrap();
        let weighted = graph.affine(penalty, 10.0, 0.0).unwrap();
        let loss = graph.add(distance, weighted).unwrap();
        Self { graph, x, signs, norm, loss }
    }

    fn fill<T: Real>(&self, executor: &mut Executor<T>, rng: &mut ChaCha8Rng) {
        let samples = self.graph.shape(self.x)[0];
        let is_real = |at: usize| at < samples / 2;
        for (at, x) in executor.input_mut(self.x).iter_mut().enumerate() {
            *x = T::of(normal(rng) + if is_real(at / 2) { 1.0 } else { -1.0 });
        }
        let sign = |at: usize| if is_real(at) { -1.0 } else { 1.0 };
        executor.input_mut(self.signs).iter_mut().enumerate().for_each(|(at, s)| *s = T::of(sign(at)));
    }
}

#[test]
fn a_gradient_penalty_has_the_gradient_of_central_differences() {
    const STEP: f64 = 1e-5;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut critic = Critic::new(6);
    let weights = params_of(&critic.graph, "critic");
    let gradients = critic.graph.gradients(critic.loss, &weights).unwrap();
    let mut params: Params<f64> = draw(&critic.graph, &mut rng);
    let mut executor = Executor::new(&critic.graph, &[&gradients[..], &[critic.loss]].concat());
    critic.fill(&mut executor, &mut rng);
    executor.run(&params).unwrap();
    let found: Vec<Vec<f64>> = gradients.iter().map(|id| executor.value(*id).to_vec()).collect();
    let mut largest = 0f64;
    for (param, found) in found.iter().enumerate() {
        for (at, found) in found.iter().enumerate() {
            let value = params.entries()[param].data[at];
            let mut loss_at = |value: f64| {
                params.entries_mut()[param].data[at] = value;
                executor.run(&params).unwrap();
                executor.value(critic.loss)[0]
            };
            let slope = (loss_at(value + STEP) - loss_at(value - STEP)) / (2.0 * STEP);
            loss_at(value);
            assert!((found - slope).abs() / slope.abs().max(1.0) < 1e-6, "{param} {at}: {found} against {slope}");
            largest = largest.max(found.abs());
        }
    }
    assert!(largest > 1.0, "the penalty bends the weights: {largest}");
}

#[test]
fn a_critic_learns_to_slope_by_one() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut critic = Critic::new(64);
    let mut params: Params = draw(&critic.graph, &mut rng);
    let mut player = Player::new(&mut critic.graph, critic.loss, "critic", &params);
    let mut executor = Executor::new(&critic.graph, &[&player.gradients[..], &[critic.loss, critic.norm]].concat());
    let mut losses = Vec::new();
    for _ in 0..400 {
        critic.fill(&mut executor, &mut rng);
        executor.run(&params).unwrap();
        player.step(&executor, &mut params, 5e-3);
        losses.push(executor.value(critic.loss)[0]);
    }
    let [norm, _] = mean_and_deviation(executor.value(critic.norm));
    // The distance of the two clouds is sqrt(8); between them a critic of slope 1 gains half of it per sample of a pair.
    let loss = losses[350..].iter().sum::<f32>() / 50.0;
    assert!((norm - 1.0).abs() < 0.15 && loss < -1.0, "slope {norm}, loss {loss}, at first {}", losses[0]);
}
