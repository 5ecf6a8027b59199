//! A policy that is rewarded.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Player, draw};
use crate::graph::{Executor, Graph, Params};
use crate::ops::CrossEntropy;

/// The policy gradient (Williams 1992): the logarithm of an action's probability times how much better than usual it went.
#[test]
fn a_policy_finds_the_best_arm_of_a_bandit() {
    const PULLS: usize = 32;
    let chances = [0.2, 0.5, 0.8, 0.4];
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut graph = Graph::new();
    let (actions, advantages) = (graph.input("actions", [PULLS]), graph.input("advantages", [PULLS]));
    let preferences = graph.param("preferences", [1, chances.len()]);
    let logits = graph.broadcast(preferences, &[PULLS, chances.len()].into()).unwrap();
    let surprise = graph.push(CrossEntropy { smoothing: 0.0 }, &[logits, actions]).unwrap();
    let weighted = graph.mul(surprise, advantages).unwrap();
    let loss = graph.mean(weighted).unwrap();
    let mut params: Params = draw(&graph, &mut rng);
    params.entries_mut()[0].data.fill(0.0);
    let mut player = Player::new(&mut graph, loss, "preferences", &params);
    let mut executor = Executor::new(&graph, &player.gradients);
    let shares = |params: &Params| {
        let powers: Vec<f64> = params.entries()[0].data.iter().map(|p| f64::from(*p).exp()).collect();
        powers.iter().map(|power| power / powers.iter().sum::<f64>()).collect::<Vec<_>>()
    };
    for _ in 0..300 {
        let policy = shares(&params);
        let pulls: Vec<(usize, f64)> = (0..PULLS)
            .map(|_| {
                let mut left: f64 = rng.random_range(0.0..1.0);
                let taken = policy.iter().position(|share| {
                    (left < *share) || {
                        left -= share;
                        false
                    }
                });
                let arm = taken.unwrap_or(0);
                (arm, f64::from(u8::from(rng.random_bool(chances[arm]))))
            })
            .collect();
        let usual = pulls.iter().map(|(_, reward)| reward).sum::<f64>() / PULLS as f64;
        executor.input_mut(actions).iter_mut().zip(&pulls).for_each(|(a, (arm, _))| *a = *arm as f32);
        executor.input_mut(advantages).iter_mut().zip(&pulls).for_each(|(a, (_, r))| *a = (r - usual) as f32);
        executor.run(&params).unwrap();
        player.step(&executor, &mut params, 0.05);
    }
    let policy = shares(&params);
    assert!(policy[2] > 0.9, "{policy:?}");
}
