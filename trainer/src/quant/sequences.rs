//! Quantizing a network of sequences: on the board it does one step in a run, its ranges are those of whole sequences.

use super::choose::Subject;
use super::observe::Seen;
use super::program::{FloatGraph, Program};
use crate::graph::{Graph, NodeId, Params};
use crate::nn::{Mode, Network};
use crate::ops::Op;
use crate::{Error, ErrorKind, Result};

/// Sequences run at once while calibrating.
const BATCH: usize = 4;

/// `network`, whose samples are sequences of `steps`, to be lowered step by step.
pub fn in_steps(network: &Network, params: &Params, steps: usize) -> Result<Subject> {
    let float = FloatGraph::of_mode(network, params, 1, Mode::Step)?;
    Ok(Subject { float, whole: Some((FloatGraph::of(network, params, BATCH)?, steps)) })
}

/// The program of `float`, one step of a network, with its values where `whole` has them over time.
pub fn over_time(float: &FloatGraph, whole: &FloatGraph) -> Result<Program> {
    let mut over_time = Program::new(float)?;
    over_time.inputs.clone_from(&whole.inputs);
    for step in &mut over_time.steps {
        step.node = twin(&float.graph, step.node, &whole.graph)?;
    }
    Ok(over_time)
}

/// The `elements` of one step, from those of all steps, which stand behind one another; what a sequence has once is that of its last step.
pub fn one_step(seen: &mut Seen, elements: usize) {
    let elements = elements.max(1);
    let steps = (seen.mean.len() / elements).max(1) as f32;
    let of = |values: &[f32], at: usize| values.iter().skip(at).step_by(elements).copied().collect::<Vec<f32>>();
    let mean = (0..elements).map(|at| of(&seen.mean, at).iter().sum::<f32>() / steps).collect();
    let peak = (0..elements).map(|at| of(&seen.peak, at).into_iter().fold(0.0, f32::max)).collect();
    (seen.mean, seen.peak) = (mean, peak);
}

/// The node of `whole` that does over time what `node` of `step` does once: that of the same operator of the same layer.
fn twin(step: &Graph, node: NodeId, whole: &Graph) -> Result<NodeId> {
    let node = step.node(node);
    if node.name.is_empty() && matches!(node.op, Op::Reshape(_)) {
        // The same values, in a shape that only one of the graphs needs.
        return twin(step, node.inputs[0], whole);
    }
    let mut same = whole.ids().filter(|id| {
        let other = whole.node(*id);
        other.name == node.name && other.op.name() == node.op.name()
    });
    match (same.next(), same.next()) {
        (Some(twin), None) => Ok(twin),
        _ => {
            let message = format!("{} cannot be calibrated over time", node.op.name());
            Err(Error::new(ErrorKind::Shape, &node.name, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_is_the_mean_of_all_and_the_largest_of_all() {
        let seen = Seen { mean: vec![1.0, 2.0, 3.0, 6.0], peak: vec![5.0, 6.0, 7.0, 4.0], ..Seen::range(0.0, 7.0) };
        let made = |elements: usize| {
            let mut seen = seen.clone();
            one_step(&mut seen, elements);
            (seen.mean, seen.peak)
        };
        assert_eq!(made(2), (vec![2.0, 4.0], vec![7.0, 6.0]));
        assert_eq!(made(4), (seen.mean.clone(), seen.peak.clone()));
    }
}
