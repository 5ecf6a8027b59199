//! Reverse-mode differentiation as a transformation of the graph.

use super::{Graph, NodeId};
use crate::ops::Operator;
use crate::{Error, ErrorKind, Result};

impl Graph {
    /// Appends nodes that compute the derivative of the scalar `of` with respect to each of `wrt`, and returns them.
    ///
    /// A node that `of` does not depend on has derivative zero. The nodes returned are ordinary nodes: they can be
    /// differentiated again. Errors when `of` is not a single number or an operator on the way has no derivative.
    pub fn gradients(&mut self, of: NodeId, wrt: &[NodeId]) -> Result<Vec<NodeId>> {
        if self.shape(of).elements() != 1 {
            let message = format!("the derivative of a tensor of shape {} is asked for; sum it first", self.shape(of));
            return Err(Error::new(ErrorKind::Shape, "gradients", message));
        }
        let upstream = self.full(1.0, self.shape(of).clone())?;
        let found = self.sweep(of, upstream, wrt, &[])?;
        let or_zero = |(id, gradient): (&NodeId, Option<NodeId>)| {
            gradient.map_or_else(|| self.full(0.0, self.shape(*id).clone()), Ok)
        };
        wrt.iter().zip(found).map(or_zero).collect()
    }

    /// The derivative of a formula: the product of `upstream` (of the shape of `of`) with the derivative of `of` with respect to each of
    /// `inputs`, which count as independent of each other. `None` where it is zero.
    ///
    /// An operator whose gradient is one fused node has the derivative of that node by writing the same formula in simple operators and
    /// pulling back through it; what of the formula is not needed never runs.
    pub fn pull_back(&mut self, of: NodeId, upstream: NodeId, inputs: &[NodeId]) -> Result<Vec<Option<NodeId>>> {
        self.sweep(of, upstream, inputs, inputs)
    }

    /// Goes from `of` to its sources and adds up what each of `wrt` gets; does not go on behind `leaves`.
    fn sweep(
        &mut self,
        of: NodeId,
        upstream: NodeId,
        wrt: &[NodeId],
        leaves: &[NodeId],
    ) -> Result<Vec<Option<NodeId>>> {
        let active = self.dependents(of, wrt);
        let mut adjoint: Vec<Option<NodeId>> = vec![None; of.index() + 1];
        adjoint[of.index()] = Some(upstream);
        for at in (0..=of.index()).rev() {
            let node = NodeId(at);
            let (true, Some(upstream)) = (active[at], adjoint[at]) else { continue };
            if self.node(node).inputs.is_empty() || leaves.contains(&node) {
                continue;
            }
            let op = self.node(node).op.clone();
            let parts = op.gradient(self, node, upstream)?;
            for (input, part) in self.node(node).inputs.clone().into_iter().zip(parts) {
                let (true, Some(part)) = (active[input.index()], part) else { continue };
                let sum = match adjoint[input.index()] {
                    Some(known) => self.add(known, part)?,
                    None => part,
                };
                adjoint[input.index()] = Some(sum);
            }
        }
        Ok(wrt.iter().map(|id| adjoint.get(id.index()).copied().flatten()).collect())
    }

    /// For each node up to `of`: whether it is one of `wrt` or depends on one.
    fn dependents(&self, of: NodeId, wrt: &[NodeId]) -> Vec<bool> {
        let mut active = vec![false; of.index() + 1];
        for at in 0..=of.index() {
            let node = &self.nodes[at];
            active[at] = wrt.contains(&NodeId(at)) || node.inputs.iter().any(|input| active[input.index()]);
        }
        active
    }
}
