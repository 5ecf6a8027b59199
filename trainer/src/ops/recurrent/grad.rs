//! The derivative of a recurrent layer: back-propagation through time (Werbos 1990).

use rayon::prelude::*;

use super::backward::Piece;
use super::sizes::{Sizes, cut};
use super::{Recurrent, unrolled};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::ops::kernels::{pack_matrix, packed_elements};
use crate::ops::{Io, Op, Operator, Part, misfit};

/// Elements of a parallel piece of the sum over pieces.
const SUMMED: usize = 4096;

/// Inputs as of [`Recurrent`], its [`super::RecurrentTape`], and the derivative `dy` by its output: the derivatives by `x` (if asked for), `w`,
/// `r`, `b` and peepholes (if there are any), one after another in one vector. Its own derivative includes the way through the tape.
#[derive(Debug, Clone, PartialEq)]
pub struct RecurrentGrad {
    /// The layer.
    pub layer: Recurrent,
    /// Whether the derivative by `x` is computed.
    pub input: bool,
}

impl RecurrentGrad {
    /// Appends the derivative by each of `inputs`.
    pub fn append(
        layer: &Recurrent,
        graph: &mut Graph,
        inputs: &[NodeId],
        tape: NodeId,
        upstream: NodeId,
    ) -> Result<Vec<Option<NodeId>>> {
        let all = [inputs, &[tape, upstream]].concat();
        // The derivative by a sequence that is fed is seldom read: it gets a node of its own, which then does not run.
        let fed = matches!(graph.node(inputs[0]).op, Op::Input(_));
        let of_input = graph.push(Self { layer: layer.clone(), input: true }, &all)?;
        let of_parameters = if fed { graph.push(Self { layer: layer.clone(), input: false }, &all)? } else { of_input };
        let x = graph.shape(inputs[0]).clone();
        let mut begin = if fed { 0 } else { x.elements() };
        let mut parts = vec![Some(graph.push(Part { begin: 0, shape: x }, &[of_input])?)];
        for &input in &inputs[1..] {
            let shape = graph.shape(input).clone();
            let part = Part { begin, shape };
            begin += part.shape.elements();
            parts.push(Some(graph.push(part, &[of_parameters])?));
        }
        Ok(parts)
    }
}

impl Operator for RecurrentGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let Some((inputs, &[_, dy])) = inputs.split_last_chunk() else { return Err(misfit("takes a tape and dy")) };
        let sizes = self.layer.sizes(inputs)?;
        if *dy != sizes.states() {
            return Err(misfit(format!("gradient {dy} does not belong to states {}", sizes.states())));
        }
        let of_input = if self.input { inputs[0].elements() } else { 0 };
        Ok([of_input + sizes.parameters().iter().sum::<usize>()].into())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let Some((inputs, &[tape, dy])) = io.inputs.split_last_chunk() else { return };
        let Some(sizes) = self.layer.sizes_of(inputs) else { return };
        let [rows, parameters] = [sizes.rows(), sizes.parameters().iter().sum()];
        let of_input = io.output.len() - parameters;
        let [dx, d_parameters] = cut(io.output, [of_input, parameters]);
        let (gates, units) = (sizes.gates(), sizes.units);
        let lengths =
            [packed_elements(gates, units), sizes.pieces() * parameters, sizes.pieces() * sizes.back_scratch()];
        let [packed, sums, scratch] = cut(io.scratch, lengths);
        let hidden = inputs[2].data;
        pack_matrix(gates, units, |gate, unit| hidden[gate * units + unit], packed);
        let packed = &*packed;
        let x = inputs[0].data.par_chunks(rows * sizes.time * sizes.inputs);
        let dy = dy.data.par_chunks(rows * sizes.time * sizes.units);
        let work = sums.par_chunks_mut(parameters).zip(scratch.par_chunks_mut(sizes.back_scratch()));
        let pieces = work.zip(tape.data.par_chunks(rows * tape.shape[1])).zip(x.zip(dy));
        let pieces = pieces.map(|(((sums, scratch), tape), (x, dy))| {
            let parameters = [inputs[1].data, packed, inputs.get(4).map_or(&[][..], |input| input.data)];
            Piece { layer: &self.layer, sizes, parameters, tape, x, dy, sums, scratch }
        });
        if of_input == 0 {
            pieces.for_each(|piece| piece.run(&mut []));
        } else {
            dx.par_chunks_mut(rows * sizes.time * sizes.inputs).zip(pieces).for_each(|(dx, piece)| piece.run(dx));
        }
        let sums = &*sums;
        d_parameters.par_chunks_mut(SUMMED).enumerate().for_each(|(chunk, out)| {
            out.fill(T::ZERO);
            for piece in sums.chunks_exact(parameters) {
                out.iter_mut().zip(&piece[chunk * SUMMED..]).for_each(|(sum, &d)| *sum += d);
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        // Copies, which do not depend on each other, so that each derivative is by one input alone; the tape is passed over.
        let mut of = graph.node(node).inputs.clone();
        of.remove(of.len() - 2);
        let of = of.into_iter().map(|input| graph.affine(input, 1.0, 0.0)).collect::<Result<Vec<_>>>()?;
        let (&dy, inputs) = of.split_last().ok_or_else(|| misfit("takes a tape and dy"))?;
        let mut sum = unrolled::pairing(&self.layer, graph, inputs, dy)?;
        let first = graph.gradients(sum, if self.input { inputs } else { &inputs[1..] })?;
        let mut begin = 0;
        for (at, part) in first.into_iter().enumerate() {
            let shape = graph.shape(part).clone();
            let elements = shape.elements();
            let weight = graph.push(Part { begin, shape }, &[upstream])?;
            let product = graph.mul(part, weight)?;
            let product = graph.sum(product)?;
            sum = if at == 0 { product } else { graph.add(sum, product)? };
            begin += elements;
        }
        let mut second: Vec<Option<NodeId>> = graph.gradients(sum, &of)?.into_iter().map(Some).collect();
        second.insert(inputs.len(), None);
        Ok(second)
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        let inputs = inputs.split_last_chunk::<2>().map_or(inputs, |(inputs, _)| inputs);
        let piece = |sizes: Sizes| sizes.parameters().iter().sum::<usize>() + sizes.back_scratch();
        let packed = |sizes: Sizes| packed_elements(sizes.gates(), sizes.units);
        self.layer.sizes(inputs).map_or(0, |sizes| packed(sizes) + sizes.pieces() * piece(sizes))
    }
}
