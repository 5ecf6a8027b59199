//! ONNX files: their operators as nodes of a float graph, which is then quantized.
//!
//! Networks that are quantized already (QuantizeLinear and DequantizeLinear around operators, QLinearConv, QLinearMatMul) keep
//! their scales, zero points, weights and biases, so that nothing is calibrated: they compute what the core's integer
//! specification says for these numbers. To add an operator: one row in [`OPERATORS`] and one function in the file of its
//! group, which gives the operator's outputs.

mod arithmetic;
mod constant;
mod conversion;
mod fold;
mod layers;
#[cfg(test)]
mod made;
mod pools;
mod quantized;
mod recurrent;
mod resize;
mod schema;
mod select;
mod shape;
#[cfg(test)]
mod tests;
mod transposed;
mod value;

use conversion::{Conversion, Entry};
use schema::{File, Node};
use value::Value;

use super::{Imported, unusable, within};
use crate::Result;
use crate::ops::Function;

/// Converts one operator: the values of its outputs.
type Convert = for<'f> fn(&mut Conversion<'_, 'f>, &Node<'f>) -> Result<Vec<Value>>;

/// ONNX's operators and what converts them.
const OPERATORS: &[(&str, Convert)] = &[
    ("Abs", |c, n| arithmetic::function(c, n, Function::Abs)),
    ("Add", arithmetic::add),
    ("ArgMax", |c, n| select::argmax(c, n, false)),
    ("ArgMin", |c, n| select::argmax(c, n, true)),
    ("Atan", arithmetic::atan),
    ("AveragePool", pools::average_pool),
    ("BatchNormalization", layers::batch_normalization),
    ("Cast", shape::identity),
    ("Clip", arithmetic::clip),
    ("Concat", shape::concat),
    ("Conv", layers::conv),
    ("ConvTranspose", transposed::conv_transpose),
    ("DequantizeLinear", quantized::dequantize),
    ("Div", arithmetic::div),
    ("Dropout", shape::identity),
    ("Elu", arithmetic::elu),
    ("Erf", |c, n| arithmetic::function(c, n, Function::Erf)),
    ("Exp", |c, n| arithmetic::function(c, n, Function::Exp)),
    ("Flatten", shape::flatten),
    ("GRU", recurrent::gru),
    ("Gather", select::gather),
    ("Gelu", arithmetic::gelu),
    ("Gemm", layers::gemm),
    ("GlobalAveragePool", pools::global_average_pool),
    ("GlobalMaxPool", pools::global_max_pool),
    ("HardSigmoid", arithmetic::hard_sigmoid),
    ("HardSwish", |c, n| arithmetic::function(c, n, Function::HardSwish)),
    ("Identity", shape::identity),
    ("LSTM", recurrent::lstm),
    ("LayerNormalization", layers::layer_normalization),
    ("LeakyRelu", arithmetic::leaky_relu),
    ("Log", |c, n| arithmetic::function(c, n, Function::Log)),
    ("MatMul", layers::matmul),
    ("MaxPool", pools::max_pool),
    ("Mul", arithmetic::mul),
    ("Neg", arithmetic::neg),
    ("PRelu", arithmetic::prelu),
    ("Pad", shape::pad),
    ("Pow", arithmetic::pow),
    ("QLinearConv", quantized::conv),
    ("QLinearMatMul", quantized::matmul),
    ("QuantizeLinear", quantized::quantize),
    ("RNN", recurrent::rnn),
    ("Reciprocal", |c, n| arithmetic::function(c, n, Function::Power { exponent: -1.0 })),
    ("ReduceMean", pools::reduce_mean),
    ("Relu", arithmetic::relu),
    ("Reshape", shape::reshape),
    ("Resize", resize::resize),
    ("Sigmoid", |c, n| arithmetic::function(c, n, Function::Sigmoid)),
    ("Slice", shape::slice),
    ("Softmax", arithmetic::softmax),
    ("Softplus", |c, n| arithmetic::function(c, n, Function::Softplus)),
    ("Softsign", |c, n| arithmetic::function(c, n, Function::Softsign)),
    ("Split", shape::split),
    ("Sqrt", |c, n| arithmetic::function(c, n, Function::Sqrt)),
    ("Squeeze", shape::squeeze),
    ("Sub", arithmetic::sub),
    ("Sum", arithmetic::sum),
    ("Tanh", arithmetic::tanh),
    ("Transpose", shape::transpose),
    ("Unsqueeze", shape::unsqueeze),
    ("Upsample", resize::upsample),
];

fn find(node: &Node<'_>) -> Option<Convert> {
    let known = OPERATORS.iter().find(|(known, _)| *known == node.operator);
    known.filter(|_| ["", "ai.onnx", "com.microsoft"].contains(&node.domain)).map(|(_, convert)| *convert)
}

/// The network in the bytes of an ONNX file.
///
/// # Errors
/// A damaged file, an operator that is not supported; the place names the operator.
pub fn read_onnx(bytes: &[u8]) -> Result<Imported> {
    let file = File::read(bytes)?;
    for (index, node) in file.nodes.iter().enumerate() {
        if find(node).is_none() && !fold::knows(node) {
            let domain = if node.domain.is_empty() { String::new() } else { format!(" of {}", node.domain) };
            let message = format!("{}{domain} is not supported", node.operator);
            return Err(within(format!("operator {index}"), unusable(message)));
        }
    }
    let mut conversion = Conversion::new(&file)?;
    for (index, node) in file.nodes.iter().enumerate() {
        let placed = |error| within(format!("operator {index} ({})", node.operator), error);
        convert(&mut conversion, node).map_err(placed)?;
    }
    conversion.finish(&file).map(|graph| Imported::Float(Box::new(graph)))
}

fn convert<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<()> {
    if let Some(constant) = fold::known(c, node)? {
        return c.set(node.outputs[0], Entry::Constant(constant));
    }
    let convert = find(node).ok_or_else(|| unusable("is supported on constants only"))?;
    let values = convert(c, node)?;
    // What is left out at the end are outputs that only training has (masks of dropout, statistics).
    for (name, value) in node.outputs.iter().zip(values) {
        c.set(name, Entry::Value(value))?;
    }
    Ok(())
}
