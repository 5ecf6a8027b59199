//! Where the operators of a graph say what they become in int8.

use ackermann_core::blob::write::{OperatorKind, Storage, TensorSpec};
use ackermann_core::blob::{Element, Window};

use super::Quantization;
use super::program::{FloatGraph, Kind, Made, Other, Program, Scale, Site, Step, Weighted, window};
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

    /// Becomes a convolution in groups of channels; inputs are x, OHWI filters (I channels of one group) and perhaps a bias.
    pub fn grouped_conv2d(
        &mut self,
        groups: usize,
        stride: [usize; 2],
        dilation: [usize; 2],
        padding: ops::Padding,
    ) -> Result<()> {
        let filters = self.float.graph.shape(self.float.graph.node(self.node).inputs[1]);
        let kernel = [filters[1], filters[2]];
        let weighted = self.weighted(filters[0])?;
        self.push(Kind::GroupedConv2d(window(ops::Window { kernel, stride, dilation, padding }), groups, weighted))
    }

    /// Becomes a transposed convolution; inputs are what is spread, the filters of the plain one, `[I, height, width, O]` for I input and O
    /// output channels, and perhaps a bias.
    pub fn transposed_conv2d(&mut self, stride: [usize; 2], dilation: [usize; 2], padding: ops::Padding) -> Result<()> {
        let filters = self.float.graph.shape(self.float.graph.node(self.node).inputs[1]);
        let &[inputs, height, width, outputs] = &filters[..] else { return self.refuse("its filters are no images") };
        let (area, from) = (height * width, self.param(1)?);
        let place = |at: usize| from[(at % inputs * area + at / inputs % area) * outputs + at / inputs / area];
        let weights = (0..from.len()).map(place).collect();
        let weighted = Weighted { weights, ..self.weighted(outputs)? };
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
    pub fn operator<M: Into<Made>>(
        &mut self,
        scale: Scale,
        make: impl Fn(&Site<'_>) -> Result<M> + Send + Sync + 'static,
    ) -> Result<()> {
        let make = Box::new(move |site: &Site<'_>| make(site).map(Into::into));
        self.push(Kind::Other(Other { scale, fuses: false, indexed: false, make }))
    }

    /// [`Lowering::operator`] into which an activation that follows may be fused.
    pub fn fusing_operator<M: Into<Made>>(
        &mut self,
        scale: Scale,
        make: impl Fn(&Site<'_>) -> Result<M> + Send + Sync + 'static,
    ) -> Result<()> {
        let make = Box::new(move |site: &Site<'_>| make(site).map(Into::into));
        self.push(Kind::Other(Other { scale, fuses: true, indexed: false, make }))
    }

    /// [`Lowering::operator`] whose last computed input picks among the others.
    pub fn indexed_operator<M: Into<Made>>(
        &mut self,
        scale: Scale,
        make: impl Fn(&Site<'_>) -> Result<M> + Send + Sync + 'static,
    ) -> Result<()> {
        let make = Box::new(move |site: &Site<'_>| make(site).map(Into::into));
        self.push(Kind::Other(Other { scale, fuses: false, indexed: true, make }))
    }

    /// Whether input number `at` is a parameter.
    pub fn is_param(&self, at: usize) -> bool {
        let input = self.float.graph.node(self.node).inputs.get(at);
        input.is_some_and(|input| matches!(self.float.graph.node(*input).op, Op::Parameter(_)))
    }

    /// Input number `at`, a parameter, as an int8 tensor of the blob with one scale: a given one, or that of its range.
    pub fn constant(&self, at: usize) -> Result<TensorSpec> {
        let (values, input) = (self.param(at)?, self.float.graph.node(self.node).inputs[at]);
        let range = || values.iter().fold((0f32, 0f32), |(low, high), value| (low.min(*value), high.max(*value)));
        let quantization = match self.float.given.weights.get(&input).map(Vec::as_slice) {
            Some(&[scale]) => Quantization { scale, zero_point: 0 },
            _ => Quantization::of_range(range().0, range().1),
        };
        let bytes = values.iter().map(|value| quantization.quantize(*value) as u8).collect();
        let (scale, zero_point) = (quantization.scale, i32::from(quantization.zero_point));
        Ok(TensorSpec { scale, zero_point, ..self.constant_of(at, bytes) })
    }

    /// Input number `at`, a parameter of whole numbers, as an int32 tensor of the blob.
    pub fn integers(&self, at: usize) -> Result<TensorSpec> {
        let bytes = self.param(at)?.iter().flat_map(|value| (*value as i32).to_le_bytes()).collect();
        Ok(TensorSpec { scale: 1.0, element: Element::Int32, ..self.constant_of(at, bytes) })
    }

    fn constant_of(&self, at: usize, bytes: Vec<u8>) -> TensorSpec {
        let shape = self.float.graph.shape(self.float.graph.node(self.node).inputs[at]);
        let mut shape: Vec<u32> = shape.iter().map(|d| u32::try_from(*d).unwrap_or(u32::MAX)).collect();
        if shape.is_empty() {
            shape.push(1);
        }
        let name = self.float.graph.node(self.node).name.clone();
        TensorSpec { shape, storage: Storage::Constant(bytes), name, ..TensorSpec::default() }
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

    /// Input number `at` where it is a parameter with a number for each channel, repeated or not.
    pub fn channel_values(&self, at: usize) -> Option<&'a [f32]> {
        let node = self.float.graph.node(self.node);
        let mut id = *node.inputs.get(at)?;
        if matches!(self.float.graph.node(id).op, Op::Broadcast(_)) {
            id = self.float.graph.node(id).inputs[0];
        }
        let from = self.float.graph.node(id);
        let one_each = from.shape.dims() == &node.shape[node.shape.len().saturating_sub(1)..];
        let param = matches!(from.op, Op::Parameter(_)).then(|| self.float.params.get(&from.name));
        param.flatten().filter(|_| one_each).map(|param| &param.data[..])
    }

    /// Leaves its input as it is.
    pub fn identity(&mut self) -> Result<()> {
        let value = self.input()?;
        self.program.values.insert(self.node, value);
        Ok(())
    }

    /// Is left to those that read it: differences and products repeat dimensions of 1 themselves.
    pub fn repeated(&mut self) -> Result<()> {
        if self.is_param(0) {
            return Ok(());
        }
        let mut readers = self.float.graph.nodes().iter().filter(|node| node.inputs.contains(&self.node));
        if !readers.all(|node| matches!(node.op, Op::Add(_) | Op::Sub(_) | Op::Mul(_))) {
            return self.refuse("dimensions are repeated in sums, differences and products only");
        }
        self.identity()
    }

    /// Shape of the node's first input for one sample.
    pub fn input_shape(&self) -> Shape {
        let input = self.float.graph.node(self.node).inputs[0];
        let shape = self.float.graph.shape(input);
        if self.is_param(0) { shape.clone() } else { self.float.sample_shape(shape).into() }
    }

    /// Dimension `axis` of the node as the core counts it: of four, shapes get ones in front.
    pub fn axis(&self, axis: usize) -> Result<usize> {
        self.axis_of(self.float.graph.shape(self.node), axis)
    }

    /// Dimension `axis` of a tensor of this shape as the core counts it.
    pub fn axis_of(&self, shape: &Shape, axis: usize) -> Result<usize> {
        match (axis + 4).checked_sub(shape.len()) {
            Some(axis) if self.float.sample_shape(shape).len() <= 4 => Ok(axis),
            _ => self.refuse("it has more than four dimensions"),
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

    /// Whether the operator's output is whole numbers; refuses to compute with such.
    fn is_integer(&self, kind: &Kind, inputs: &[usize]) -> Result<bool> {
        let (scale, indexed) = match kind {
            Kind::Other(other) => (other.scale, other.indexed),
            _ => (Scale::Observed, false),
        };
        let is_whole = |value: &&usize| self.program.integers.contains(*value);
        let (data, indices) = inputs.split_at(inputs.len() - usize::from(indexed));
        if indices.iter().any(|index| !is_whole(&index)) {
            return self.refuse("what it picks by are not whole numbers");
        }
        match data.iter().filter(is_whole).count() {
            0 => Ok(scale == Scale::Integers),
            whole if whole == data.len() && scale == Scale::OfInputs => Ok(true),
            _ => self.refuse("it would compute with whole numbers, which only pick"),
        }
    }

    fn push(&mut self, kind: Kind) -> Result<()> {
        let node = self.float.graph.node(self.node);
        let computed = node.inputs.iter().filter(|id| !matches!(self.float.graph.node(**id).op, Op::Parameter(_)));
        let inputs: Option<Vec<usize>> = computed.map(|id| self.program.values.get(id).copied()).collect();
        let Some(inputs) = inputs.filter(|inputs| !inputs.is_empty()) else {
            return self.refuse("one of its inputs is not computed from the network's input");
        };
        let integer = self.is_integer(&kind, &inputs)?;
        let shape = self.float.sample_shape(&node.shape);
        let step = Step { name: node.name.clone(), node: self.node, inputs, shape, kind, clamp: None };
        self.program.steps.push(step);
        self.program.values.insert(self.node, self.value_of_last());
        if integer {
            self.program.integers.insert(self.value_of_last());
        }
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
