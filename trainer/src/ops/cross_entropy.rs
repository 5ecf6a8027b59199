//! Cross-entropy of classes given as indices, with label smoothing (Szegedy et al. 2016, "Rethinking the Inception architecture").

use super::log_softmax::log_sum_exp;
use super::one_hot::class;
use super::{Io, OneHot, Operator, Softmax, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// Inputs `logits [.., c]` and `targets [..]`, whole numbers 0 to c - 1: the loss of each, `[..]`, with `y` the logarithm of the softmax:
/// `-(1 - smoothing) y[target] - smoothing / c (sum of y)`. A target that is no class has loss NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossEntropy {
    /// Share of the target that is spread over all classes, 0 up to but not 1.
    pub smoothing: f64,
}

impl Operator for CrossEntropy {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [logits, targets] = exactly(inputs)?;
        if !(0.0..1.0).contains(&self.smoothing) {
            return Err(misfit(format!("label smoothing {} is not in [0, 1)", self.smoothing)));
        }
        match logits.split_last() {
            Some((1.., places)) if places == targets.dims() => Ok(targets.clone()),
            _ => Err(misfit(format!("logits {logits} do not belong to class indices {targets}"))),
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [logits, targets] = [io.inputs[0], io.inputs[1]];
        let classes = logits.shape.last().copied().unwrap_or(1).max(1);
        let (spread, own) = (T::of(self.smoothing / classes as f64), T::of(1.0 - self.smoothing));
        let rows = logits.data.chunks_exact(classes).zip(targets.data);
        for (loss, (x, target)) in io.output.iter_mut().zip(rows) {
            let whole = log_sum_exp(x);
            let target = class(*target, classes).map_or(T::of(f64::NAN), |at| x[at]);
            *loss = own * (whole - target);
            if self.smoothing > 0.0 {
                *loss += spread * x.iter().map(|&x| whole - x).sum();
            }
        }
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        // dx = v (softmax(x) - (1 - smoothing) one_hot(target) - smoothing / c).
        let (logits, targets) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let shape = graph.shape(logits).clone();
        let classes = shape.last().copied().unwrap_or(1);
        let shares = graph.push(Softmax, &[logits])?;
        let wanted = graph.push(OneHot { classes }, &[targets])?;
        let wanted = graph.affine(wanted, 1.0 - self.smoothing, self.smoothing / classes as f64)?;
        let excess = graph.sub(shares, wanted)?;
        let each = graph.reshape(upstream, shape.of_rows())?;
        Ok(vec![Some(graph.mul(each, excess)?), None])
    }
}
