//! Reverse-mode differentiation as a transformation of the graph.

use super::{Graph, NodeId};
use crate::ops::{Constant, Operator};
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
        let active = self.dependents(of, wrt);
        let mut adjoint: Vec<Option<NodeId>> = vec![None; of.index() + 1];
        adjoint[of.index()] = Some(self.push(Constant { value: 1.0, shape: self.shape(of).clone() }, &[])?);
        for at in (0..=of.index()).rev() {
            let node = NodeId(at);
            let (true, Some(upstream)) = (active[at], adjoint[at]) else { continue };
            if self.node(node).inputs.is_empty() {
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
        wrt.iter()
            .map(|&id| match adjoint.get(id.index()).copied().flatten() {
                Some(gradient) => Ok(gradient),
                None => self.push(Constant { value: 0.0, shape: self.shape(id).clone() }, &[]),
            })
            .collect()
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
