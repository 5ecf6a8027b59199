//! Losses.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::case::Case;
use crate::graph::{Executor, Graph, NodeId, Params};
use crate::ops::*;

/// The case of one of them.
pub fn case(op: &str, c: &mut Case, shape: [usize; 2]) -> Option<NodeId> {
    Some(match op {
        "Huber" => c.unary(Huber { delta: 0.1 }),
        "CrossEntropy" => {
            let classes = c.size(1..=5);
            let smoothing = [0.0, 0.2][c.size(0..=1)];
            let (logits, targets) = (c.leaf([shape[0], shape[1], classes]), c.indices(shape, classes));
            c.graph.push(CrossEntropy { smoothing }, &[logits, targets]).unwrap()
        }
        "BceWithLogits" => c.binary(BceWithLogits),
        "Ctc" => {
            let inputs = c.spelling();
            c.graph.push(Ctc { blank: 1 }, &inputs).unwrap()
        }
        "CtcGrad" => {
            let [y, labels, lengths] = c.spelling();
            let v = c.leaf(c.graph.shape(lengths).clone());
            c.graph.push(CtcGrad { blank: 1 }, &[y, labels, lengths, v]).unwrap()
        }
        _ => return None,
    })
}

impl Case {
    /// Two sequences of six frames of three classes, with labels that they can spell: some twice in a row, some missing.
    fn spelling(&mut self) -> [NodeId; 3] {
        let y = self.leaf([2, 6, 3]);
        let labels = [[0.0, 2.0, 2.0, 0.0, -1.0, -1.0], [2.0, -1.0, 0.0, 0.0, 2.0, -1.0]][self.size(0..=1)];
        let lengths = vec![self.size(5..=6) as f64, self.size(5..=6) as f64];
        [y, self.fixed([2, 3], labels.to_vec()), self.fixed([2], lengths)]
    }
}

/// The sum over all ways to give each frame a class, one after another.
fn spelled(y: &[f64], classes: usize, labels: &[usize], blank: usize) -> f64 {
    let frames = y.len() / classes;
    let mut sum = 0.0;
    for way in 0..classes.pow(frames as u32) {
        let path: Vec<usize> = (0..frames).map(|frame| way / classes.pow(frame as u32) % classes).collect();
        let mut merged = path.clone();
        merged.dedup();
        merged.retain(|class| *class != blank);
        if merged == labels {
            sum += path.iter().enumerate().map(|(frame, class)| y[frame * classes + class]).sum::<f64>().exp();
        }
    }
    -sum.ln()
}

#[test]
fn ctc_is_the_sum_over_all_paths() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (blank, labels) in
        [(0, vec![]), (0, vec![1]), (2, vec![0, 0]), (1, vec![0, 2, 0]), (0, vec![1, 1, 2]), (0, vec![1, 1, 1])]
    {
        for frames in 0..=5 {
            let mut graph = Graph::new();
            let (y, given, lengths) =
                (graph.input("y", [1, 5, 3]), graph.input("labels", [1, 4]), graph.input("lengths", [1]));
            let loss = graph.push(Ctc { blank }, &[y, given, lengths]).unwrap();
            let mut executor = Executor::<f64>::new(&graph, &[loss]);
            let scores: Vec<f64> = (0..15).map(|_| rng.random_range(-3.0..0.5)).collect();
            executor.input_mut(y).copy_from_slice(&scores);
            executor.input_mut(lengths).fill(frames as f64);
            executor.input_mut(given).fill(-1.0);
            executor.input_mut(given).iter_mut().zip(&labels).for_each(|(given, label)| *given = *label as f64);
            executor.run(&Params::new()).unwrap();
            let (found, expected) = (executor.value(loss)[0], spelled(&scores[..frames * 3], 3, &labels, blank));
            let same = (found - expected).abs() < 1e-9 || (found.is_infinite() && expected.is_infinite());
            assert!(same, "{labels:?} in {frames} frames: {found} against {expected}");
        }
    }
}

#[test]
fn losses_stay_exact_far_from_zero() {
    let mut graph = Graph::new();
    let (logits, class) = (graph.input("logits", [1, 3]), graph.input("class", [1]));
    let (x, t) = (graph.input("x", [4]), graph.input("t", [4]));
    let entropy = graph.push(CrossEntropy { smoothing: 0.0 }, &[logits, class]).unwrap();
    let logarithms = graph.push(LogSoftmax, &[logits]).unwrap();
    let binary = graph.push(BceWithLogits, &[x, t]).unwrap();
    let mut executor = Executor::<f32>::new(&graph, &[entropy, logarithms, binary]);
    executor.input_mut(logits).copy_from_slice(&[1000.0, 0.0, -1000.0]);
    executor.input_mut(class).fill(2.0);
    executor.input_mut(x).copy_from_slice(&[200.0, -200.0, 200.0, 0.0]);
    executor.input_mut(t).copy_from_slice(&[0.0, 0.0, 1.0, 0.5]);
    executor.run(&Params::new()).unwrap();
    assert_eq!(executor.value(entropy), [2000.0]);
    assert_eq!(executor.value(logarithms), [0.0, -1000.0, -2000.0]);
    assert_eq!(executor.value(binary), [200.0, 0.0, 0.0, std::f32::consts::LN_2]);
    // A target that is no class must not go unseen.
    executor.input_mut(class).fill(3.0);
    executor.run(&Params::new()).unwrap();
    assert!(executor.value(entropy)[0].is_nan());
}
