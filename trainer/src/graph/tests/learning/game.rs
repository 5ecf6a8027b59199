//! Two losses and two optimizers on one graph.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Player, draw, mean_and_deviation, normal, perceptron};
use crate::graph::{Executor, Graph, NodeId, Params};
use crate::ops::BceWithLogits;

/// Generator and judge (Goodfellow et al. 2014); the judge's slope at the real numbers is part of its loss, which makes the game converge
/// (Mescheder et al. 2018).
#[test]
fn two_networks_play_against_each_other_on_one_graph() {
    const SAMPLES: usize = 64;
    const STEPS: usize = 3000;
    const LAST: usize = 500;
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut graph = Graph::new();
    let (noise, real) = (graph.input("noise", [SAMPLES, 2]), graph.input("real", [SAMPLES, 1]));
    let fake = perceptron(&mut graph, "generator", noise, &[2, 16, 1]);
    let of_fake = perceptron(&mut graph, "judge", fake, &[1, 16, 16, 1]);
    let of_real = perceptron(&mut graph, "judge", real, &[1, 16, 16, 1]);
    let loss = |graph: &mut Graph, scores: NodeId, truth: f64| {
        let truth = graph.full(truth, [SAMPLES, 1]).unwrap();
        let each = graph.push(BceWithLogits, &[scores, truth]).unwrap();
        graph.mean(each).unwrap()
    };
    let (on_real, on_fake) = (loss(&mut graph, of_real, 1.0), loss(&mut graph, of_fake, 0.0));
    let total = graph.sum(of_real).unwrap();
    let slope = graph.gradients(total, &[real]).unwrap()[0];
    let square = graph.square(slope).unwrap();
    let penalty = graph.mean(square).unwrap();
    let judge_loss = graph.add(on_real, on_fake).unwrap();
    let judge_loss = graph.add(judge_loss, penalty).unwrap();
    let generator_loss = loss(&mut graph, of_fake, 1.0);
    let mut params: Params = draw(&graph, &mut rng);
    let mut players = [("judge", judge_loss), ("generator", generator_loss)]
        .map(|(name, loss)| Player::new(&mut graph, loss, name, &params));
    let outputs = [&players[0].gradients[..], &players[1].gradients, &[fake]].concat();
    let mut executor = Executor::new(&graph, &outputs);
    let mut made = Vec::new();
    for step in 0..STEPS {
        executor.input_mut(noise).iter_mut().for_each(|x| *x = normal(&mut rng) as f32);
        executor.input_mut(real).iter_mut().for_each(|x| *x = (3.0 + 0.5 * normal(&mut rng)) as f32);
        executor.run(&params).unwrap();
        let rate = 4e-3 * (1.0 - step as f64 / STEPS as f64);
        players.iter_mut().for_each(|player| player.step(&executor, &mut params, rate));
        if step == 0 || step >= STEPS - LAST {
            made.push(executor.value(fake).to_vec());
        }
    }
    let [before, _] = mean_and_deviation(&made[0]);
    let [mean, deviation] = mean_and_deviation(&made[1..].concat());
    assert!((before - 3.0).abs() > 1.0, "the generator starts elsewhere: {before}");
    assert!((mean - 3.0).abs() < 0.1 && (deviation - 0.5).abs() < 0.1, "mean {mean}, deviation {deviation}");
}
