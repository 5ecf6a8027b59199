//! Small networks that only learn when derivatives of derivatives, shared nodes and several losses on one graph are right.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::graph::{Executor, Graph, NodeId, Param, Params, Real};
use crate::ops::{BceWithLogits, CrossEntropy, Ctc, Dense, LogSoftmax, Op, Tanh};
use crate::optim::{Method, Optimizer};

/// A perceptron of these widths, the first of them that of `x`, with tanh between its layers.
fn perceptron(graph: &mut Graph, name: &str, mut x: NodeId, widths: &[usize]) -> NodeId {
    for (layer, pair) in widths.windows(2).enumerate() {
        if layer > 0 {
            x = graph.push(Tanh, &[x]).unwrap();
        }
        let weight = graph.param(&format!("{name}.{layer}.weight"), [pair[1], pair[0]]);
        let bias = graph.param(&format!("{name}.{layer}.bias"), [pair[1]]);
        x = graph.push(Dense, &[x, weight, bias]).unwrap();
    }
    x
}

/// Nodes of the parameters whose names start so.
fn params_of(graph: &Graph, start: &str) -> Vec<NodeId> {
    let is_param = |id: &NodeId| matches!(graph.node(*id).op, Op::Parameter(_));
    graph.ids().filter(|id| is_param(id) && graph.node(*id).name.starts_with(start)).collect()
}

/// Uniform values for all parameters of a graph.
fn draw<T: Real>(graph: &Graph, rng: &mut ChaCha8Rng) -> Params<T> {
    let mut params = Params::new();
    for id in params_of(graph, "") {
        let (shape, name) = (graph.shape(id).clone(), graph.node(id).name.clone());
        let bound = (3.0 / shape.last().map_or(1.0, |inputs| *inputs as f64)).sqrt();
        let data = (0..shape.elements()).map(|_| T::of(rng.random_range(-bound..bound))).collect();
        params.insert(Param { name, shape, data, trainable: true }).unwrap();
    }
    params
}

/// One loss with its parameters, their gradients and their optimizer.
struct Player {
    gradients: Vec<NodeId>,
    optimizer: Optimizer,
}

impl Player {
    fn new(graph: &mut Graph, loss: NodeId, start: &str, params: &Params) -> Self {
        let nodes = params_of(graph, start);
        let gradients = graph.gradients(loss, &nodes).unwrap();
        let names = nodes.iter().map(|id| graph.node(*id).name.as_str());
        let method = Method::Adam { beta1: 0.5, beta2: 0.99, epsilon: 1e-8 };
        Self { gradients, optimizer: Optimizer::new(method, 0.0, params, names).unwrap() }
    }

    fn step(&mut self, executor: &Executor<f32>, params: &mut Params, rate: f64) {
        self.optimizer.step(params, |at| executor.value(self.gradients[at]), rate);
    }
}

/// Normally distributed (Box and Muller 1958).
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (radius, angle): (f64, f64) = (rng.random_range(f64::MIN_POSITIVE..1.0), rng.random_range(0.0..1.0));
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

fn mean_and_deviation(values: &[f32]) -> [f64; 2] {
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / values.len() as f64;
    [mean, variance.sqrt()]
}

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
        let norm = graph.apply(crate::ops::Function::Sqrt, square).unwrap();
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

/// Frames that show labels for one to three frames each, gaps between them: CTC learns which frames are which label without being told.
struct Speech {
    frames: Vec<f32>,
    labels: Vec<f32>,
}

impl Speech {
    const FRAMES: usize = 14;
    const LABELS: usize = 3;
    /// Numbers per frame, and classes: the first is the blank.
    const WIDTH: usize = 5;

    fn new(rng: &mut ChaCha8Rng) -> Self {
        let labels: Vec<usize> = (0..Self::LABELS).map(|_| rng.random_range(1..Self::WIDTH)).collect();
        let mut shown = Vec::new();
        for label in &labels {
            shown.extend(std::iter::repeat_n(0, rng.random_range(1..=2)));
            shown.extend(std::iter::repeat_n(*label, rng.random_range(1..=3)));
        }
        shown.resize(Self::FRAMES.max(shown.len()), 0);
        shown.truncate(Self::FRAMES);
        // What shows a label is none of the classes in order: number 4 stands for class 1, and so on.
        let place = |shown: usize| (Self::WIDTH - shown) % Self::WIDTH;
        let bright = |frame: usize, at: usize| f64::from(u8::from(at == place(shown[frame])));
        let frames = (0..Self::FRAMES * Self::WIDTH)
            .map(|at| (bright(at / Self::WIDTH, at % Self::WIDTH) + 0.2 * normal(rng)) as f32)
            .collect();
        Self { frames, labels: labels.iter().map(|label| *label as f32).collect() }
    }
}

#[test]
fn frames_learn_their_labels_without_alignment() {
    const BATCH: usize = 16;
    let (frames, classes) = (Speech::FRAMES, Speech::WIDTH);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut graph = Graph::new();
    let x = graph.input("x", [BATCH * frames, classes]);
    let labels = graph.input("labels", [BATCH, Speech::LABELS]);
    let lengths = graph.full(frames as f64, [BATCH]).unwrap();
    let scores = perceptron(&mut graph, "reader", x, &[classes, classes]);
    let scores = graph.reshape(scores, [BATCH, frames, classes]).unwrap();
    let scores = graph.push(LogSoftmax, &[scores]).unwrap();
    let losses = graph.push(Ctc { blank: 0 }, &[scores, labels, lengths]).unwrap();
    let loss = graph.mean(losses).unwrap();
    let mut params: Params = draw(&graph, &mut rng);
    let mut player = Player::new(&mut graph, loss, "reader", &params);
    let mut executor = Executor::new(&graph, &[&player.gradients[..], &[scores]].concat());
    let (mut right, mut all) = (0, 0);
    for step in 0..400 {
        let speech: Vec<Speech> = (0..BATCH).map(|_| Speech::new(&mut rng)).collect();
        let fed = speech.iter().flat_map(|speech| &speech.frames);
        executor.input_mut(x).iter_mut().zip(fed).for_each(|(x, value)| *x = *value);
        let fed = speech.iter().flat_map(|speech| &speech.labels);
        executor.input_mut(labels).iter_mut().zip(fed).for_each(|(label, value)| *label = *value);
        executor.run(&params).unwrap();
        player.step(&executor, &mut params, 0.02);
        for (speech, scores) in
            speech.iter().zip(executor.value(scores).chunks(frames * classes)).filter(|_| step >= 380)
        {
            let best = |frame: &[f32]| (0..classes).max_by(|a, b| frame[*a].total_cmp(&frame[*b])).unwrap();
            let mut read: Vec<usize> = scores.chunks(classes).map(best).collect();
            read.dedup();
            read.retain(|class| *class != 0);
            let same =
                read.len() == speech.labels.len() && read.iter().zip(&speech.labels).all(|(a, b)| *a as f32 == *b);
            (right, all) = (right + usize::from(same), all + 1);
        }
    }
    assert!(right * 100 > all * 85, "{right} of {all} read");
}
