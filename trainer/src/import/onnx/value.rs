//! Computed tensors: what order their elements really have.
//!
//! ONNX has channels first, the core has them last. So a tensor is a node of the graph together with a reading of its
//! dimensions: each dimension that ONNX speaks of is a list of the node's dimensions, outermost first. An image of ONNX shape
//! `[1, c, h, w]` is a node of shape `[1, h, w, c]` read as `[[0], [3], [1], [2]]`; flattened it is read as `[[0], [3, 1, 2]]`.
//! Transposes and most reshapes change the reading only. Elements are moved where an operator needs them in another order and
//! its weights cannot be moved instead.

use super::constant::places;
use crate::Result;
use crate::graph::NodeId;
use crate::import::builder::Builder;
use crate::ops::loops::strides;

/// A computed tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Where it is computed.
    pub node: NodeId,
    /// A shape that the node's elements have in their order, not necessarily the node's own: a dimension may be cut in two.
    pub stored: Vec<usize>,
    /// For each of ONNX's dimensions those of `stored` that it consists of. All that are longer than 1 stand somewhere.
    pub dims: Vec<Vec<usize>>,
}

impl Value {
    /// ONNX's dimensions stand in the node in this order: dimension `i` of the node is dimension `order[i]`.
    pub fn stored(builder: &Builder, node: NodeId, order: &[usize]) -> Self {
        let mut dims = vec![Vec::new(); order.len()];
        order.iter().enumerate().for_each(|(at, dim)| dims[*dim] = vec![at]);
        Self { node, stored: builder.shape(node).to_vec(), dims }
    }

    /// In ONNX's order.
    pub fn plain(builder: &Builder, node: NodeId) -> Self {
        let order: Vec<usize> = (0..builder.shape(node).len()).collect();
        Self::stored(builder, node, &order)
    }

    /// Another node that has its elements in the same order.
    pub fn with(&self, node: NodeId) -> Self {
        Self { node, ..self.clone() }
    }

    /// Its shape as ONNX has it.
    pub fn shape(&self) -> Vec<usize> {
        self.dims.iter().map(|axes| axes.iter().map(|axis| self.stored[*axis]).product()).collect()
    }

    /// The order in which its dimensions stand, if each is whole; else ONNX's.
    pub fn order(&self) -> Vec<usize> {
        let stored = &self.stored;
        let long = |axes: &[usize]| axes.iter().copied().filter(|axis| stored[*axis] > 1).collect::<Vec<_>>();
        let mut order: Vec<usize> = (0..self.dims.len()).collect();
        // A dimension of 1 stands where it does in the node, if it does.
        let first = |dim: &usize| long(&self.dims[*dim]).first().or(self.dims[*dim].first()).copied().unwrap_or(0);
        order.sort_by_key(first);
        let axes: Vec<usize> = order.iter().flat_map(|dim| long(&self.dims[*dim])).collect();
        if axes.is_sorted() { order } else { (0..self.dims.len()).collect() }
    }

    /// A node with the same elements, whose dimension `i` is ONNX's dimension `order[i]`.
    pub fn ordered(&self, builder: &mut Builder, name: &str, order: &[usize]) -> Result<NodeId> {
        let shape = self.shape();
        let axes: Vec<usize> = order.iter().flat_map(|dim| self.dims[*dim].iter().copied()).collect();
        let shape: Vec<usize> = order.iter().map(|dim| shape[*dim]).collect();
        arranged(builder, name, self, &axes, &shape)
    }

    /// A node in ONNX's order.
    pub fn in_order(&self, builder: &mut Builder, name: &str) -> Result<NodeId> {
        let order: Vec<usize> = (0..self.dims.len()).collect();
        self.ordered(builder, name, &order)
    }

    /// The same elements read in another shape (of as many elements). The reading changes where each new dimension is made
    /// of whole ones of the node; else the elements are brought in ONNX's order.
    pub fn reshaped(&self, builder: &mut Builder, name: &str, shape: &[usize]) -> Result<Self> {
        if let Some(value) = self.regrouped(shape) {
            return Ok(value);
        }
        let node = self.in_order(builder, name)?;
        let node = builder.reshape(name, node, shape)?;
        Ok(Self::plain(builder, node))
    }

    /// The reading in another shape, stored dimensions cut in two where need be; `None` where their borders do not fit.
    fn regrouped(&self, shape: &[usize]) -> Option<Self> {
        // Each stored dimension as the pieces it is cut into, outermost first.
        let mut pieces: Vec<Vec<usize>> = vec![Vec::new(); self.stored.len()];
        let mut axes = self.dims.iter().flatten().copied().filter(|axis| self.stored[*axis] > 1);
        let (mut axis, mut left) = (0, 1);
        let mut dims: Vec<Vec<(usize, usize)>> = Vec::new();
        for &length in shape {
            let (mut dim, mut missing) = (Vec::new(), length);
            while missing > 1 {
                if left == 1 {
                    axis = axes.next()?;
                    left = self.stored[axis];
                }
                let piece = left.min(missing);
                if left % piece != 0 || missing % piece != 0 {
                    return None;
                }
                (left, missing) = (left / piece, missing / piece);
                dim.push((axis, pieces[axis].len()));
                pieces[axis].push(piece);
            }
            dims.push(dim);
        }
        if left > 1 || axes.next().is_some() || shape.contains(&0) {
            return None;
        }
        let before = |axis: usize| pieces[..axis].iter().map(Vec::len).sum::<usize>();
        let dims = dims.iter().map(|dim| dim.iter().map(|(axis, piece)| before(*axis) + piece).collect()).collect();
        Some(Self { node: self.node, stored: pieces.concat(), dims })
    }

    /// The node as rows of ONNX's last dimension, and for each element of such a row, as it stands, its place in ONNX's order:
    /// weights are moved instead of elements.
    pub fn rows(&self, builder: &mut Builder, name: &str) -> Result<(NodeId, Vec<usize>)> {
        let stored = &self.stored;
        let (last, outer) = self.dims.split_last().map_or((&[][..], &[][..]), |(last, outer)| (&last[..], outer));
        let mut row: Vec<usize> = last.iter().copied().filter(|axis| stored[*axis] > 1).collect();
        let wanted: Vec<usize> = row.iter().map(|axis| stored[*axis]).collect();
        let outer: Vec<usize> = outer.iter().flatten().copied().filter(|axis| stored[*axis] > 1).collect();
        let depth: usize = wanted.iter().product();
        let rows: usize = outer.iter().map(|axis| stored[*axis]).product();
        let in_order = row.clone();
        row.sort_unstable();
        if outer.iter().chain(&row).copied().collect::<Vec<_>>().is_sorted() {
            let node = builder.reshape(name, self.node, &[rows, depth])?;
            let steps = strides(&wanted);
            let step = |axis: &usize| in_order.iter().position(|other| other == axis).map_or(0, |at| steps[at]);
            let (lengths, steps): (Vec<usize>, Vec<usize>) = row.iter().map(|axis| (stored[*axis], step(axis))).unzip();
            return Ok((node, places(&lengths, &steps).collect()));
        }
        let node = self.in_order(builder, name)?;
        Ok((builder.reshape(name, node, &[rows, depth])?, (0..depth).collect()))
    }
}

/// The elements of `x` with its stored dimensions in the order `axes`, in a new shape: reshapes and at most one transpose, of as few
/// dimensions as can be.
fn arranged(builder: &mut Builder, name: &str, x: &Value, axes: &[usize], shape: &[usize]) -> Result<NodeId> {
    let (stored, x) = (&x.stored, x.node);
    let long: Vec<usize> = axes.iter().copied().filter(|axis| stored[*axis] > 1).collect();
    if long.is_sorted() {
        return builder.reshape(name, x, shape);
    }
    // What stays side by side is one dimension.
    let sorted: Vec<usize> = (0..stored.len()).filter(|axis| stored[*axis] > 1).collect();
    let place = |axis: &usize| sorted.iter().position(|other| other == axis).unwrap_or(0);
    let mut runs: Vec<Vec<usize>> = Vec::new();
    for axis in long {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| place(last) + 1 == place(&axis)) => run.push(axis),
            _ => runs.push(vec![axis]),
        }
    }
    let mut by_place: Vec<usize> = (0..runs.len()).collect();
    by_place.sort_by_key(|run| runs[*run][0]);
    let length = |run: &usize| runs[*run].iter().map(|axis| stored[*axis]).product();
    let merged: Vec<usize> = by_place.iter().map(length).collect();
    let order: Vec<usize> =
        (0..runs.len()).map(|run| by_place.iter().position(|other| *other == run).unwrap_or(0)).collect();
    let x = builder.reshape(name, x, &merged)?;
    let x = builder.transpose(name, x, &order)?;
    builder.reshape(name, x, shape)
}
