//! Labels without alignment.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Player, draw, normal, perceptron};
use crate::graph::{Executor, Graph, Params};
use crate::ops::{Ctc, LogSoftmax};

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
