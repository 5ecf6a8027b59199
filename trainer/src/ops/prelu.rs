//! Parametric ReLU (He et al. 2015).

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops;

use super::{Io, Operator, exactly, loops, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::{Lowering, Made, Scale};

/// Inputs `x` and `slopes` (a parameter): `x` above zero, `slope x` below; dimensions of the slopes that are 1 or missing are repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct Prelu;

impl Operator for Prelu {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, slopes] = exactly(inputs)?;
        let fits = loops::broadcasts(slopes, x);
        if fits { Ok(x.clone()) } else { Err(misfit(format!("slopes {slopes} for a tensor {x}"))) }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, slopes] = [io.inputs[0], io.inputs[1]];
        loops::for_each_pair(x.shape, loops::repeated(slopes.shape, x.shape), |at, slope| {
            let value = x.data[at];
            io.output[at] = if value > T::ZERO { value } else { value * slopes.data[slope] };
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (x, slopes) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let shape = graph.shape(slopes).clone();
        let above = graph.where_positive(x, upstream)?;
        let below = graph.sub(upstream, above)?;
        let sloped = graph.mul(below, slopes)?;
        let dx = graph.add(above, sloped)?;
        let product = graph.mul(below, x)?;
        Ok(vec![Some(dx), Some(graph.sum_to(product, &shape)?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let slopes = lowering.constant(1)?;
        lowering.operator(Scale::Observed, move |site| {
            let scales = [site.inputs[0].scale, slopes.scale];
            let prelu = ops::Prelu::for_scales(scales, site.output.scale);
            let prelu = prelu.ok_or_else(|| misfit(format!("scales {scales:?} are too large for the output's")))?;
            Ok(Made { kind: OperatorKind::Prelu(prelu), before: Vec::new(), after: vec![slopes.clone()] })
        })
    }
}
