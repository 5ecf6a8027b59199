//! What every float conversion works with: nodes of computed tensors, values of constant ones.

use std::collections::HashMap;

use crate::Result;
use crate::graph::NodeId;
use crate::import::builder::Builder;
use crate::import::tflite::convert::place_of;
use crate::import::tflite::schema::{FLOAT16, FLOAT32, File, INT8, INT16, INT32, INT64, Operator, Tensor, UINT8};
use crate::import::tflite::{names, schema};
use crate::import::unusable;
use crate::quant::{FloatGraph, Quantization};

/// A graph in the making.
pub struct Conversion<'c, 'f> {
    file: &'c File<'f>,
    /// The graph.
    pub builder: Builder,
    nodes: HashMap<i32, NodeId>,
    /// Tensors that are constants under another type or name (DEQUANTIZE of weights).
    constants: HashMap<i32, i32>,
}

impl<'c, 'f> Conversion<'c, 'f> {
    /// A graph that has the file's inputs.
    pub fn new(file: &'c File<'f>) -> Result<Self> {
        let mut conversion =
            Self { file, builder: Builder::default(), nodes: HashMap::new(), constants: HashMap::new() };
        for index in &file.inputs {
            let tensor =
                file.tensor(*index)?.ok_or_else(|| unusable("the network names an input that is not there"))?;
            let node = conversion.builder.input(&tensor.name, &dimensions(tensor)?)?;
            if matches!(tensor.element, INT32 | INT64) {
                conversion.builder.integers(node);
            }
            conversion.set(*index, node)?;
        }
        Ok(conversion)
    }

    /// The graph, with the file's outputs.
    pub fn finish(self) -> Result<FloatGraph> {
        let find = |index: &i32| {
            self.nodes.get(index).copied().ok_or_else(|| unusable(format!("output tensor {index} is not computed")))
        };
        let outputs = self.file.outputs.iter().map(find).collect::<Result<_>>()?;
        Ok(self.builder.finish(outputs))
    }

    /// Tensor `index` of the file is computed by `node`, which must have its shape.
    pub fn set(&mut self, index: i32, node: NodeId) -> Result<()> {
        let tensor = self.file.tensor(index)?.ok_or_else(|| unusable("lacks an output"))?;
        let (found, stated) = (self.builder.shape(node), dimensions(tensor)?);
        if found != stated {
            return Err(unusable(format!("gives shape {found:?} where the file states {stated:?}")));
        }
        if matches!(tensor.element, INT8 | UINT8) {
            let (scale, zero_point) = tensor.scale_and_zero_point()?;
            let offset = if tensor.element == UINT8 { 128 } else { 0 };
            let zero_point = i8::try_from(zero_point - offset).ok().filter(|_| scale > 0.0 && scale.is_finite());
            let zero_point =
                zero_point.ok_or_else(|| unusable(format!("tensor '{}' has a wrong scale", tensor.name)))?;
            self.builder.give(node, Quantization { scale, zero_point });
        } else if !matches!(tensor.element, FLOAT32 | INT32 | INT64) {
            let name = names::element(tensor.element);
            return Err(unusable(format!("tensor '{}' is {name}, which is not supported", tensor.name)));
        }
        self.nodes.insert(index, node);
        Ok(())
    }

    /// Whether the operator only passes constants on: their content is taken where it is needed.
    pub fn is_constant(&mut self, operator: &Operator<'f>) -> Result<bool> {
        let passes = ["DEQUANTIZE", "QUANTIZE"].contains(&names::operator(operator.code).as_str());
        if !passes || self.content(operator.input(0))?.is_none() {
            return Ok(false);
        }
        let source = self.constants.get(&operator.input(0)).copied().unwrap_or(operator.input(0));
        self.constants.insert(operator.outputs[0], source);
        Ok(true)
    }

    fn content(&self, index: i32) -> Result<Option<&'c Tensor<'f>>> {
        let index = self.constants.get(&index).copied().unwrap_or(index);
        Ok(self.file.tensor(index)?.filter(|tensor| !tensor.data.is_empty()))
    }

    /// The node of input number `at`.
    pub fn input(&self, operator: &Operator<'f>, at: usize) -> Result<NodeId> {
        let index = operator.input(at);
        self.nodes.get(&index).copied().ok_or_else(|| unusable(format!("input {at} (tensor {index}) is not computed")))
    }

    /// The constant of input number `at`, if that is one.
    pub fn constant(&self, operator: &Operator<'f>, at: usize) -> Result<Option<&'c Tensor<'f>>> {
        self.content(operator.input(at))
    }

    /// The constant of input number `at` as real numbers, with its shape.
    pub fn values(&self, operator: &Operator<'f>, at: usize) -> Result<Option<(Vec<usize>, Vec<f32>)>> {
        self.constant(operator, at)?.map(|tensor| Ok((dimensions(tensor)?, floats(tensor)?))).transpose()
    }

    /// The constant of input number `at`, which is a list of integers of 32 bits (or 64, of which 32 are enough).
    pub fn integers(&self, operator: &Operator<'f>, at: usize) -> Result<Vec<i32>> {
        let tensor = self.constant(operator, at)?.ok_or_else(|| unusable(format!("lacks the constant input {at}")))?;
        if tensor.element == INT64 {
            let narrow = |word: &[u8; 8]| i64::from_le_bytes(*word).clamp(i32::MIN.into(), i32::MAX.into()) as i32;
            return Ok(tensor.data.as_chunks::<8>().0.iter().map(narrow).collect());
        }
        tensor.expect(INT32)?;
        Ok(tensor.data.as_chunks::<4>().0.iter().map(|word| i32::from_le_bytes(*word)).collect())
    }

    /// The node of input number `at`, whether it is computed or constant.
    pub fn operand(&mut self, operator: &Operator<'f>, at: usize) -> Result<NodeId> {
        let Some((shape, values)) = self.values(operator, at)? else { return self.input(operator, at) };
        let name = self.name(operator)?;
        let node = self.builder.param(&name, &shape, values)?;
        if let Some(tensor) =
            self.constant(operator, at)?.filter(|tensor| symmetric(tensor) && tensor.scales.len() == 1)
        {
            self.builder.give_scales(node, tensor.scales.clone());
        }
        Ok(node)
    }

    /// The node of the indices that input number `at` holds.
    pub fn indices(&mut self, operator: &Operator<'f>, at: usize) -> Result<NodeId> {
        let Some(tensor) = self.constant(operator, at)? else { return self.input(operator, at) };
        let (shape, name) = (dimensions(tensor)?, self.name(operator)?);
        let values: Vec<f32> = self.integers(operator, at)?.iter().map(|index| *index as f32).collect();
        if shape.iter().product::<usize>() != values.len() {
            return Err(unusable(format!("has {} indices of shape {shape:?}", values.len())));
        }
        self.builder.param(&name, &shape, values)
    }

    /// Input number `at`, one dimension of a tensor of `rank`.
    pub fn axis(&self, operator: &Operator<'f>, at: usize, rank: usize) -> Result<usize> {
        match self.integers(operator, at)?[..] {
            [axis] => place_of(axis, rank),
            _ => Err(unusable("needs one dimension")),
        }
    }

    /// The shape that output number `at` has in the file.
    pub fn stated(&self, operator: &Operator<'f>, at: usize) -> Result<Vec<usize>> {
        let index = operator.outputs.get(at).copied().unwrap_or(-1);
        dimensions(self.file.tensor(index)?.ok_or_else(|| unusable("lacks an output"))?)
    }

    /// Shape of the (first) output as the file states it.
    pub fn output_shape(&self, operator: &Operator<'f>) -> Result<Vec<usize>> {
        self.stated(operator, 0)
    }

    /// Name of the (first) output.
    pub fn name(&self, operator: &Operator<'f>) -> Result<String> {
        Ok(self.file.tensor(operator.outputs[0])?.map_or_else(String::new, |tensor| tensor.name.clone()))
    }
}

/// Whether weights are int8 multiples of their scales, which then stay.
pub fn symmetric(tensor: &Tensor<'_>) -> bool {
    let usable = |scale: &f32| *scale > 0.0 && scale.is_finite();
    tensor.element == INT8 && tensor.zero_points.iter().all(|z| *z == 0) && tensor.scales.iter().all(usable)
}

fn dimensions(tensor: &Tensor<'_>) -> Result<Vec<usize>> {
    if tensor.shape.is_empty() {
        return Ok(Vec::new());
    }
    Ok(tensor.dimensions()?.iter().map(|d| *d as usize).collect())
}

/// Content as real numbers.
fn floats(tensor: &Tensor<'_>) -> Result<Vec<f32>> {
    let real: Vec<f32> = match tensor.element {
        FLOAT32 => tensor.data.as_chunks::<4>().0.iter().map(|word| f32::from_le_bytes(*word)).collect(),
        FLOAT16 => tensor.data.as_chunks::<2>().0.iter().map(|word| half::f16::from_le_bytes(*word).to_f32()).collect(),
        INT8 => tensor.data.iter().map(|byte| f32::from(*byte as i8)).collect(),
        UINT8 => tensor.data.iter().map(|byte| f32::from(*byte)).collect(),
        INT16 => tensor.data.as_chunks::<2>().0.iter().map(|word| f32::from(i16::from_le_bytes(*word))).collect(),
        INT32 => tensor.data.as_chunks::<4>().0.iter().map(|word| i32::from_le_bytes(*word) as f32).collect(),
        other => {
            let (name, element) = (&tensor.name, names::element(other));
            return Err(unusable(format!("constant '{name}' is {element}, which is not supported")));
        }
    };
    let elements = dimensions(tensor)?.iter().fold(1usize, |product, d| product.saturating_mul(*d));
    if elements != real.len() {
        let (name, shape, len) = (&tensor.name, &tensor.shape, tensor.data.len());
        return Err(schema::unusable(format!("tensor '{name}' of shape {shape:?} has {len} bytes of content")));
    }
    if tensor.element == FLOAT32 || tensor.element == FLOAT16 { Ok(real) } else { dequantized(tensor, real) }
}

/// `scale (q - zero point)`, one scale for all or one for each place along the axis.
fn dequantized(tensor: &Tensor<'_>, mut values: Vec<f32>) -> Result<Vec<f32>> {
    let shape = dimensions(tensor)?;
    let axis = usize::try_from(tensor.axis).unwrap_or(usize::MAX);
    let places = if tensor.scales.len() == 1 { Some(1) } else { shape.get(axis).copied() };
    if places != Some(tensor.scales.len())
        || !matches!(tensor.zero_points.len(), 0 | 1) && places != Some(tensor.zero_points.len())
    {
        return Err(unusable(format!("constant '{}' has scales that do not fit its shape", tensor.name)));
    }
    let inner: usize = shape.get(axis + 1..).unwrap_or_default().iter().product();
    for (at, value) in values.iter_mut().enumerate() {
        let place = at / inner.max(1) % tensor.scales.len().max(1);
        let zero_point = tensor.zero_points.get(place).or(tensor.zero_points.first()).copied().unwrap_or(0);
        *value = tensor.scales[place] * (*value - zero_point as f32);
    }
    Ok(values)
}
