//! Where the operators of a graph say what they become in int8.

use ackermann_core::blob::Window;
use ackermann_core::blob::write::OperatorKind;

use super::program::{FloatGraph, Kind, Other, Program, Scale, Site, Step, Weighted, window};
use crate::graph::{NodeId, Shape};
use crate::ops::{self, Op, Operator};
use crate::{Error, ErrorKind, Result};

/// Where operators say what they become.
#[derive(Debug)]
pub struct Lowering<'a> {
    float: &'a FloatGraph,
    node: NodeId,
    program: Program,
}

impl<'a> Lowering<'a> {
    /// Lowers every node that an output needs.
    pub(super) fn run(float: &'a FloatGraph, program: Program) -> Result<Program> {
        let Some(&first) = float.inputs.first() else {
            return Err(Error::new(ErrorKind::Shape, "", "a network without inputs has nothing to compute"));
        };
        let mut lowering = Lowering { float, node: first, program };
        for id in float.graph.needed(&float.outputs) {
            let node = float.graph.node(id);
            if !node.inputs.is_empty() {
                lowering.node = id;
                node.op.lower(&mut lowering)?;
            }
        }
        Ok(lowering.program)
    }

    /// The operator has no int8 form.
    pub fn refuse<T>(&self, why: &str) -> Result<T> {
        let node = self.float.graph.node(self.node);
        let place = if node.name.is_empty() { node.op.name() } else { &node.name };
        Err(Error::new(ErrorKind::Shape, place, format!("{} cannot be quantized: {why}", node.op.name())))
    }

    /// Values of input number `at`, which must be a parameter.
    pub fn param(&self, at: usize) -> Result<&'a [f32]> {
        let inputs = &self.float.graph.node(self.node).inputs;
        let node =
            inputs.get(at).map(|id| self.float.graph.node(*id)).filter(|node| matches!(node.op, Op::Parameter(_)));
        match node.and_then(|node| self.float.params.get(&node.name)) {
            Some(param) => Ok(&param.data),
            None => self.refuse("its weights are not parameters"),
        }
    }

    /// Becomes a convolution; inputs are x, OHWI filters and perhaps a bias.
    pub fn conv2d(&mut self, stride: [usize; 2], dilation: [usize; 2], padding: ops::Padding) -> Result<()> {
        let filters = self.float.graph.shape(self.float.graph.node(self.node).inputs[1]);
        let kernel = [filters[1], filters[2]];
        let weighted = self.weighted(filters[0])?;
        self.push(Kind::Conv2d(window(ops::Window { kernel, stride, dilation, padding }), weighted))
    }

    /// Becomes a depthwise convolution; inputs are x, filters (outputs x height x width) and perhaps a bias.
    pub fn depthwise_conv2d(&mut self, stride: [usize; 2], dilation: [usize; 2], padding: ops::Padding) -> Result<()> {
        let inputs = &self.float.graph.node(self.node).inputs;
        let (image, filters) = (self.float.graph.shape(inputs[0]), self.float.graph.shape(inputs[1]));
        let (kernel, multiplier) = ([filters[1], filters[2]], filters[0] / image[3].max(1));
        let weighted = self.weighted(filters[0])?;
        self.push(Kind::DepthwiseConv2d(
            window(ops::Window { kernel, stride, dilation, padding }),
            multiplier,
            weighted,
        ))
    }

    /// Becomes a transposed convolution; inputs are what is spread and the filters of the plain one, `[I, height, width, O]` for I
    /// input and O output channels.
    pub fn transposed_conv2d(&mut self, stride: [usize; 2], dilation: [usize; 2], padding: ops::Padding) -> Result<()> {
        let filters = self.float.graph.shape(self.float.graph.node(self.node).inputs[1]);
        let &[inputs, height, width, outputs] = &filters[..] else { return self.refuse("its filters are no images") };
        let (area, from) = (height * width, self.param(1)?);
        let place = |at: usize| from[(at % inputs * area + at / inputs % area) * outputs + at / inputs / area];
        let weights = (0..from.len()).map(place).collect();
        let weighted = Weighted { weights, bias: vec![0.0; outputs], scales: None, steps: None };
        let window = window(ops::Window { kernel: [height, width], stride, dilation, padding });
        self.push(Kind::TransposedConv2d(window, weighted))
    }

    /// Becomes fully connected; inputs are x, weights (outputs x inputs) and perhaps a bias.
    pub fn dense(&mut self) -> Result<()> {
        let weights = self.float.graph.shape(self.float.graph.node(self.node).inputs[1]);
        let weighted = self.weighted(weights[0])?;
        self.push(Kind::Dense(weighted))
    }

    /// Becomes what `make` says; reads the computed inputs of the node.
    pub fn operator(
        &mut self,
        scale: Scale,
        make: impl Fn(&Site<'_>) -> Result<OperatorKind> + Send + Sync + 'static,
    ) -> Result<()> {
        self.push(Kind::Other(Other { scale, fuses: false, make: Box::new(make) }))
    }

    /// [`Lowering::operator`] into which an activation that follows may be fused.
    pub fn fusing_operator(
        &mut self,
        scale: Scale,
        make: impl Fn(&Site<'_>) -> Result<OperatorKind> + Send + Sync + 'static,
    ) -> Result<()> {
        self.push(Kind::Other(Other { scale, fuses: true, make: Box::new(make) }))
    }

    /// Becomes a table of `function`.
    pub fn function(&mut self, function: impl Fn(f32) -> f32 + Send + Sync + 'static) -> Result<()> {
        self.operator(Scale::Observed, move |site| {
            Ok(OperatorKind::Lut { table: site.inputs[0].table(site.output, &function) })
        })
    }

    /// Is fused into the layer before it where that can, else becomes a table.
    pub fn clamp(&mut self, low: f32, high: f32) -> Result<()> {
        match self.fusable() {
            Some(step) if step.clamp.is_none() && step.kind.fuses() => {
                step.clamp = Some((low, high));
                self.fused()
            }
            _ => self.function(move |x| x.max(low).min(high)),
        }
    }

    /// `y = scale x + offset` per channel, folded into the weights of the layer before it where it can be, else a depthwise
    /// convolution of one tap.
    pub fn fold(&mut self, scale: &[f32], offset: &[f32]) -> Result<()> {
        let step = self.fusable().filter(|step| step.clamp.is_none());
        let Some(weighted) = step.and_then(|step| step.kind.weighted_mut()) else {
            if self.float.graph.node(self.node).shape.len() != 4 {
                return self.refuse("without an image it must directly follow a convolution or dense layer");
            }
            let window = Window { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padding: [0, 0] };
            let weighted = Weighted { weights: scale.to_vec(), bias: offset.to_vec(), scales: None, steps: None };
            return self.push(Kind::DepthwiseConv2d(window, 1, weighted));
        };
        // A summand alone leaves the weights as they are.
        if scale.iter().any(|scale| *scale != 1.0) {
            weighted.scales = None;
        }
        weighted.steps = None;
        let taps = weighted.weights.len() / weighted.bias.len().max(1);
        let rows = weighted.weights.chunks_mut(taps.max(1)).zip(&mut weighted.bias);
        for ((row, bias), (scale, offset)) in rows.zip(scale.iter().zip(offset)) {
            row.iter_mut().for_each(|w| *w *= scale);
            *bias = *bias * scale + offset;
        }
        self.fused()
    }

    /// Leaves its input as it is.
    pub fn identity(&mut self) -> Result<()> {
        let value = self.input()?;
        self.program.values.insert(self.node, value);
        Ok(())
    }

    /// Is left to those that read it: differences and products repeat dimensions of 1 themselves.
    pub fn repeated(&mut self) -> Result<()> {
        let mut readers = self.float.graph.nodes().iter().filter(|node| node.inputs.contains(&self.node));
        if !readers.all(|node| matches!(node.op, Op::Sub(_) | Op::Mul(_))) {
            return self.refuse("dimensions are repeated in differences and products only");
        }
        self.identity()
    }

    /// Shape of the node's first input.
    pub fn input_shape(&self) -> &'a Shape {
        self.float.graph.shape(self.float.graph.node(self.node).inputs[0])
    }

    /// Dimension `axis` of the node as the core counts it: of four, shapes get ones in front.
    pub fn axis(&self, axis: usize) -> Result<usize> {
        match 4usize.checked_sub(self.float.graph.shape(self.node).len()) {
            Some(ahead) => Ok(axis + ahead),
            None => self.refuse("it has more than four dimensions"),
        }
    }

    fn input(&self) -> Result<usize> {
        let input = self.float.graph.node(self.node).inputs[0];
        match self.program.values.get(&input) {
            Some(value) => Ok(*value),
            None => self.refuse("its input is not computed from the network's input"),
        }
    }

    fn weighted(&self, outputs: usize) -> Result<Weighted> {
        let inputs = &self.float.graph.node(self.node).inputs;
        let bias = if inputs.len() > 2 { self.param(2)?.to_vec() } else { vec![0.0; outputs] };
        let scales = match inputs.get(1).and_then(|weights| self.float.given.weights.get(weights)) {
            Some(scales) if scales.len() == 1 => Some(scales.repeat(outputs)),
            Some(scales) if scales.len() == outputs => Some(scales.clone()),
            _ => None,
        };
        let steps = inputs.get(2).and_then(|bias| self.float.given.biases.get(bias)).cloned();
        Ok(Weighted { weights: self.param(1)?.to_vec(), bias, scales, steps })
    }

    fn push(&mut self, kind: Kind) -> Result<()> {
        let first = self.input()?;
        let node = self.float.graph.node(self.node);
        let others =
            node.inputs.iter().skip(1).filter(|id| !matches!(self.float.graph.node(**id).op, Op::Parameter(_)));
        let others: Option<Vec<usize>> = others.map(|id| self.program.values.get(id).copied()).collect();
        let Some(others) = others else {
            return self.refuse("one of its inputs is not computed from the network's input");
        };
        let mut shape = node.shape.to_vec();
        if let Some(batch) = shape.first_mut().filter(|outermost| **outermost == self.float.batch()) {
            *batch = 1;
        }
        let inputs = std::iter::once(first).chain(others).collect();
        let step = Step { name: node.name.clone(), node: self.node, inputs, shape, kind, clamp: None };
        self.program.steps.push(step);
        self.program.values.insert(self.node, self.value_of_last());
        Ok(())
    }

    fn value_of_last(&self) -> usize {
        self.program.inputs.len() + self.program.steps.len() - 1
    }

    /// The step that produced the input, if it is the last one, nothing else reads it and its scale is not given.
    fn fusable(&mut self) -> Option<&mut Step> {
        let input = self.float.graph.node(self.node).inputs[0];
        let readers = self.float.graph.nodes().iter().filter(|n| n.inputs.contains(&input)).count();
        let read = self.float.outputs.contains(&input) || self.float.given.values.contains_key(&input);
        self.program.steps.last_mut().filter(|step| step.node == input && readers == 1 && !read)
    }

    /// The last step now computes this node.
    fn fused(&mut self) -> Result<()> {
        if let Some(step) = self.program.steps.last_mut() {
            step.node = self.node;
        }
        self.program.values.insert(self.node, self.value_of_last());
        Ok(())
    }
}
