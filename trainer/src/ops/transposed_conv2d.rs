//! Transposed convolution (Zeiler et al. 2010): the way back of a convolution, to larger images.

use super::{Conv2d, Conv2dFilterGrad, Conv2dInputGrad, Io, Operator, Padding, misfit, weighted};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;

/// Inputs `x [n, h, w, i]`, `w [i, kh, kw, o]` and optionally `bias [o]`: the sum of filters laid at every window, times `x` there. The
/// image has `(h - 1) stride + (kh - 1) dilation + 1 + more - top - bottom` rows, columns likewise.
#[derive(Debug, Clone, PartialEq)]
pub struct TransposedConv2d {
    /// Steps down and right of the filters.
    pub stride: [usize; 2],
    /// Steps between the taps of a filter, 1 for a dense one.
    pub dilation: [usize; 2],
    /// Pixels cut off of the image on each side.
    pub padding: Padding,
    /// Rows below and columns to the right that no filter reaches, less than the stride.
    pub more: [usize; 2],
}

impl TransposedConv2d {
    /// The gradient of a convolution that this is.
    fn spread(&self, x: &Shape, w: &Shape) -> Result<Conv2dInputGrad> {
        let (&[n, h, width, depth], &[inputs, kh, kw, outputs]) = (x.dims(), w.dims()) else {
            return Err(misfit(format!("takes images (NHWC) and filters (IHWO), was given shapes {x} and {w}")));
        };
        if depth != inputs || [n, h, width, depth, kh, kw, outputs].contains(&0) {
            return Err(misfit(format!("filters {w} (IHWO) on an image {x}")));
        }
        let &Self { stride, dilation, padding, more } = self;
        if (0..2).any(|axis| stride[axis] == 0 || dilation[axis] == 0 || more[axis] >= stride[axis]) {
            return Err(misfit("stride and dilation must be at least 1, and more pixels fewer than the stride"));
        }
        let whole = |axis: usize, length: usize, kernel: usize| {
            let taps = (kernel - 1).saturating_mul(dilation[axis]);
            (length - 1).saturating_mul(stride[axis]).saturating_add(taps).saturating_add(1 + more[axis])
        };
        let Padding { top, bottom, left, right } = padding;
        let (rows, columns) = (top.saturating_add(bottom), left.saturating_add(right));
        match (whole(0, h, kh).checked_sub(rows), whole(1, width, kw).checked_sub(columns)) {
            (Some(rows @ 1..), Some(columns @ 1..)) => {
                let conv = Conv2d { stride, dilation, padding };
                Ok(Conv2dInputGrad { conv, input: [n, rows, columns, outputs].into() })
            }
            _ => Err(misfit(format!("padding leaves nothing of an image {x} with filters {w}"))),
        }
    }
}

impl Operator for TransposedConv2d {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, w] = weighted::operands(inputs, 3)?;
        self.spread(x, w)?.shape(&[x, w])
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let Ok(spread) = self.spread(io.inputs[0].shape, io.inputs[1].shape) else { return };
        let Io { inputs, output, shape, scratch, step } = io;
        spread.forward(Io { inputs: &inputs[..2], output: &mut *output, shape, scratch, step });
        if let Some(bias) = inputs.get(2) {
            weighted::add_bias(output, bias.data);
        }
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let inputs = graph.node(node).inputs.clone();
        let (x, w) = (inputs[0], inputs[1]);
        let &Self { stride, dilation, padding, .. } = self;
        let conv = Conv2d { stride, dilation, padding };
        let filter = graph.shape(w).clone();
        let dx = graph.push(conv.clone(), &[upstream, w])?;
        let dw = graph.push(Conv2dFilterGrad { conv, filter }, &[upstream, x])?;
        weighted::derivatives(graph, &inputs, upstream, [dx, dw])
    }

    fn scratch(&self, inputs: &[&Shape], output: &Shape) -> usize {
        self.spread(inputs[0], inputs[1]).map_or(0, |spread| spread.scratch(&inputs[..2], output))
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.transposed_conv2d(self.stride, self.dilation, self.padding)
    }
}
