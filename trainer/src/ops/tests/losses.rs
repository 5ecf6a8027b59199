//! Losses.

use super::case::Case;
use crate::graph::NodeId;
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
        _ => return None,
    })
}
