//! TFLite files with float networks: their operators as nodes of a graph, which is then quantized.
//!
//! Weights may be float32, float16 or int8 with scales (dynamic range); activations are float32, or uint8 and int8 with
//! scales that are then kept. To add an operator: one row in [`OPERATORS`] and one function in the file of its group.

mod arithmetic;
mod conversion;
mod layers;
mod recurrent;
mod select;
mod shape;
mod slice;

use conversion::Conversion;

use super::names;
use super::schema::{File, Operator};
use crate::Result;
use crate::graph::NodeId;
use crate::import::{unusable, within};
use crate::ops::Function;
use crate::quant::FloatGraph;

/// Converts one operator: the node of its first output.
type Convert = for<'f> fn(&mut Conversion<'_, 'f>, &Operator<'f>) -> Result<NodeId>;

/// TFLite's builtin operators, by the names of its schema, and what converts them.
const OPERATORS: &[(&str, Convert)] = &[
    ("ABS", |c, o| arithmetic::function(c, o, Function::Abs)),
    ("ADD", arithmetic::add),
    ("ARG_MAX", |c, o| select::argmax(c, o, false)),
    ("ARG_MIN", |c, o| select::argmax(c, o, true)),
    ("AVERAGE_POOL_2D", layers::average_pool),
    ("BATCH_MATMUL", select::batch_matmul),
    ("BIDIRECTIONAL_SEQUENCE_LSTM", recurrent::bidirectional),
    ("CONCATENATION", shape::concatenation),
    ("CONV_2D", layers::conv2d),
    ("DEPTHWISE_CONV_2D", layers::depthwise_conv2d),
    ("DEQUANTIZE", shape::identity),
    ("DIV", arithmetic::div),
    ("ELU", arithmetic::elu),
    ("EMBEDDING_LOOKUP", select::embedding_lookup),
    ("EXP", |c, o| arithmetic::function(c, o, Function::Exp)),
    ("EXPAND_DIMS", shape::reshape),
    ("FULLY_CONNECTED", layers::fully_connected),
    ("GATHER", select::gather),
    ("GELU", |c, o| {
        let is_approximate = o.option_i8(0)? != 0;
        arithmetic::function(c, o, if is_approximate { Function::GeluTanh } else { Function::Gelu })
    }),
    ("HARD_SWISH", |c, o| arithmetic::function(c, o, Function::HardSwish)),
    ("LEAKY_RELU", arithmetic::leaky_relu),
    ("LOG", |c, o| arithmetic::function(c, o, Function::Log)),
    ("LOGISTIC", |c, o| arithmetic::function(c, o, Function::Sigmoid)),
    ("MAX_POOL_2D", layers::max_pool),
    ("MEAN", layers::mean),
    ("MUL", arithmetic::mul),
    ("PACK", shape::pack),
    ("PAD", shape::pad),
    ("PRELU", arithmetic::prelu),
    ("QUANTIZE", shape::identity),
    ("REDUCE_MAX", layers::reduce_max),
    ("RELU", |c, o| arithmetic::activation(c, o, 1)),
    ("RELU6", |c, o| arithmetic::activation(c, o, 3)),
    ("RELU_N1_TO_1", |c, o| arithmetic::activation(c, o, 2)),
    ("RESHAPE", shape::reshape),
    ("RESIZE_BILINEAR", select::resize_bilinear),
    ("RESIZE_NEAREST_NEIGHBOR", select::resize_nearest),
    ("REVERSE_V2", slice::reverse),
    ("SLICE", slice::slice),
    ("SOFTMAX", arithmetic::softmax),
    ("SPLIT", slice::split),
    ("SPLIT_V", slice::split_v),
    ("SQRT", |c, o| arithmetic::function(c, o, Function::Sqrt)),
    ("SQUARE", |c, o| arithmetic::function(c, o, Function::Square)),
    ("SQUEEZE", shape::reshape),
    ("STRIDED_SLICE", slice::strided_slice),
    ("SUB", arithmetic::sub),
    ("TANH", |c, o| arithmetic::activation(c, o, 4)),
    ("TRANSPOSE", shape::transpose),
    ("TRANSPOSE_CONV", layers::transpose_conv),
    ("UNIDIRECTIONAL_SEQUENCE_LSTM", recurrent::lstm),
    ("UNIDIRECTIONAL_SEQUENCE_RNN", recurrent::rnn),
    ("UNPACK", slice::unpack),
];

/// The graph of a whole file.
pub fn graph(file: &File<'_>) -> Result<FloatGraph> {
    let work = super::convert::computed(file)?;
    let find = |operator: &Operator<'_>| {
        let name = names::operator(operator.code);
        let found = OPERATORS.iter().find(|(known, _)| *known == name);
        found.map(|(_, convert)| *convert).ok_or_else(|| unusable("not supported"))
    };
    for (index, operator) in &work {
        find(operator).map_err(|e| place(*index, operator, e))?;
    }
    let mut conversion = Conversion::new(file)?;
    for (index, operator) in &work {
        let placed = |e| place(*index, operator, e);
        if !conversion.is_constant(operator).map_err(placed)? {
            let node = find(operator).and_then(|convert| convert(&mut conversion, operator)).map_err(placed)?;
            conversion.set(operator.outputs[0], node).map_err(placed)?;
        }
    }
    conversion.finish()
}

fn place(index: usize, operator: &Operator<'_>, error: crate::Error) -> crate::Error {
    within(format!("operator {index} ({})", names::operator(operator.code)), error)
}
