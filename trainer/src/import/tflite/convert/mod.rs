//! From TFLite's operators to the core's: the table of what is supported, and the walk over a file.
//!
//! To add an operator: one row in [`OPERATORS`] and one function in the file of its group, which asks [`Conversion`] for the
//! tensors and constants it needs and pushes what it becomes.

mod activation;
mod arithmetic;
mod conversion;
mod pool;
mod recurrent;
mod select;
mod shape;
mod slice;
mod weighted;

use ackermann_core::blob::write::Network;

pub use conversion::Conversion;
pub use conversion::place_of;
pub use pool::sizes;
pub use recurrent::{GATES, plain};

use super::schema::{FLOAT32, File, INT8, INT16, INT32, INT64, Operator, Tensor, UINT8, unusable, within};
use super::{ImportOptions, names};
use crate::Result;

/// Converts one operator of the file: pushes the operators it becomes.
type Convert = for<'f> fn(&mut Conversion<'_, 'f>, &Operator<'f>) -> Result<()>;

/// TFLite's builtin operators, by the names of its schema, and what converts them.
const OPERATORS: &[(&str, Convert)] = &[
    ("ABS", activation::abs),
    ("ADD", arithmetic::add),
    ("ARG_MAX", |c, o| select::argmax(c, o, false)),
    ("ARG_MIN", |c, o| select::argmax(c, o, true)),
    ("AVERAGE_POOL_2D", pool::average_pool),
    ("BIDIRECTIONAL_SEQUENCE_LSTM", recurrent::bidirectional),
    ("BATCH_MATMUL", arithmetic::batch_matmul),
    ("CONCATENATION", shape::concatenation),
    ("CONV_2D", weighted::conv2d),
    ("DEPTHWISE_CONV_2D", weighted::depthwise_conv2d),
    ("DEQUANTIZE", activation::dequantize),
    ("ELU", activation::elu),
    ("EMBEDDING_LOOKUP", select::embedding_lookup),
    ("EXPAND_DIMS", shape::reshape),
    ("FULLY_CONNECTED", weighted::fully_connected),
    ("GATHER", select::gather),
    ("HARD_SWISH", activation::hard_swish),
    ("LEAKY_RELU", activation::leaky_relu),
    ("LOGISTIC", activation::logistic),
    ("MAX_POOL_2D", pool::max_pool),
    ("MEAN", select::mean),
    ("MUL", arithmetic::mul),
    ("PACK", shape::pack),
    ("PAD", shape::pad),
    ("PADV2", shape::pad_v2),
    ("PRELU", arithmetic::prelu),
    ("QUANTIZE", activation::quantize),
    ("REDUCE_MAX", pool::reduce_max),
    ("RELU", |c, o| activation::clamp(c, o, 0.0, f32::INFINITY)),
    ("RELU6", |c, o| activation::clamp(c, o, 0.0, 6.0)),
    ("RELU_0_TO_1", |c, o| activation::clamp(c, o, 0.0, 1.0)),
    ("RELU_N1_TO_1", |c, o| activation::clamp(c, o, -1.0, 1.0)),
    ("RESHAPE", shape::reshape),
    ("RESIZE_BILINEAR", select::resize_bilinear),
    ("RESIZE_NEAREST_NEIGHBOR", select::resize_nearest),
    ("REVERSE_V2", slice::reverse),
    ("SLICE", slice::slice),
    ("SOFTMAX", activation::softmax),
    ("SPLIT", slice::split),
    ("SPLIT_V", slice::split_v),
    ("SQUEEZE", shape::reshape),
    ("STRIDED_SLICE", slice::strided_slice),
    ("SUB", arithmetic::sub),
    ("TANH", activation::tanh),
    ("TRANSPOSE", shape::transpose),
    ("UNIDIRECTIONAL_SEQUENCE_LSTM", recurrent::lstm),
    ("TRANSPOSE_CONV", weighted::transpose_conv),
    ("UNPACK", slice::unpack),
];

fn find(code: i32) -> Result<Convert> {
    let name = names::operator(code);
    let found = OPERATORS.iter().find(|(known, _)| *known == name);
    found.map(|(_, convert)| *convert).ok_or_else(|| unusable(format!("{name} is not supported")))
}

/// Converts a whole file.
pub fn network(file: &File<'_>, options: &ImportOptions) -> Result<Network> {
    let work = computed(file)?;
    for (index, operator) in work.iter().copied() {
        find(operator.code).map_err(|e| within(format!("operator {index}"), e))?;
    }
    let mut conversion = Conversion::new(file, options);
    let (mut inputs, mut outputs) = (file.inputs.clone(), file.outputs.clone());
    for (index, operator) in work {
        let placed = |e| within(format!("operator {index} ({})", names::operator(operator.code)), e);
        if !is_edge(file, operator, &mut inputs, &mut outputs).map_err(placed)? {
            find(operator.code).and_then(|convert| convert(&mut conversion, operator)).map_err(placed)?;
        }
    }
    conversion.finish(&inputs, &outputs)
}

/// Whether the network's operators work on int8 or int16: something but a change of type writes it.
pub fn is_int8(file: &File<'_>) -> Result<bool> {
    for operator in &file.operators {
        let int8 = file.tensor(operator.outputs[0])?.is_some_and(|tensor| [INT8, INT16].contains(&tensor.element));
        if int8 && !["QUANTIZE", "DEQUANTIZE"].contains(&names::operator(operator.code).as_str()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The operators that compute on data, with their numbers. The others compute the shapes of their operands, which are fixed
/// in the tensors: integers made from SHAPE and from constants.
pub fn computed<'a, 'f>(file: &'a File<'f>) -> Result<Vec<(usize, &'a Operator<'f>)>> {
    let mut known = vec![false; file.tensors.len()];
    let mut work = Vec::new();
    for (index, operator) in file.operators.iter().enumerate() {
        let mut of_shapes = names::operator(operator.code) == "SHAPE";
        if !of_shapes {
            of_shapes = true;
            for input in &operator.inputs {
                let constant = file.tensor(*input)?.is_none_or(|tensor| !tensor.data.is_empty());
                of_shapes &= constant || usize::try_from(*input).is_ok_and(|at| known[at]);
            }
        }
        for output in &operator.outputs {
            of_shapes &= file.tensor(*output)?.is_some_and(|t| matches!(t.element, INT32 | INT64));
        }
        if of_shapes {
            let places = operator.outputs.iter().filter_map(|output| usize::try_from(*output).ok());
            places.for_each(|at| known[at] = true);
        } else {
            work.push((index, operator));
        }
    }
    Ok(work)
}

/// Leaves out the edges: a QUANTIZE of a float or uint8 input, a DEQUANTIZE to a float output, a QUANTIZE to a uint8 output.
fn is_edge(file: &File<'_>, operator: &Operator<'_>, inputs: &mut [i32], outputs: &mut [i32]) -> Result<bool> {
    let (Some(&from), to) = (operator.inputs.first(), operator.outputs[0]) else { return Ok(false) };
    let outer = |outer, inner| {
        let (outer, inner) = (file.tensor(outer)?, file.tensor(inner)?);
        Ok(outer.zip(inner).is_some_and(|(outer, inner)| outer.element == FLOAT32 || is_shifted(outer, inner)))
    };
    let edge = match &names::operator(operator.code)[..] {
        "QUANTIZE" if outer(from, to)? => inputs.iter_mut().find(|input| **input == from).map(|input| *input = to),
        "DEQUANTIZE" | "QUANTIZE" if outer(to, from)? => {
            outputs.iter_mut().find(|output| **output == to).map(|output| *output = from)
        }
        _ => None,
    };
    Ok(edge.is_some())
}

/// Whether `unsigned` is uint8 and holds what `signed`, int8, does: each value is 128 more.
fn is_shifted(unsigned: &Tensor<'_>, signed: &Tensor<'_>) -> bool {
    let zero_points = unsigned.scale_and_zero_point().ok().zip(signed.scale_and_zero_point().ok());
    let shifted = zero_points.is_some_and(|((s, z), (scale, zero))| s == scale && z == zero + 128);
    unsigned.element == UINT8 && signed.element == INT8 && shifted
}
