//! Layers of pictures and vectors.

use super::proto::{float, int, ints, text};
use super::{Value, Writer};
use crate::Result;
use crate::nn::Layer;
use crate::ops::Padding;

fn pads(padding: Padding) -> [i64; 4] {
    [padding.top, padding.left, padding.bottom, padding.right].map(|side| side as i64)
}

fn pair(sizes: [usize; 2]) -> [i64; 2] {
    sizes.map(|size| size as i64)
}

impl Writer {
    pub(super) fn layer(&mut self, name: &str, layer: &Layer, x: Value) -> Result<Value> {
        match layer {
            Layer::Conv2d { .. } | Layer::DepthwiseConv2d { .. } | Layer::ConvTranspose2d { .. } => {
                self.convolution(name, layer, &x)
            }
            Layer::MaxPool { .. } | Layer::AvgPool { .. } | Layer::GlobalAvgPool | Layer::Mean => {
                self.pool(name, layer, &x)
            }
            Layer::Dense { .. } => self.dense(name, &x),
            Layer::BatchNorm => Ok(self.batch_norm(name, x)),
            Layer::LayerNorm => Ok(self.layer_norm(name, &x)),
            Layer::Dropout { .. } => Ok(x),
            Layer::Flatten => {
                let shape = self.output_shape(name)?;
                let picture = if let [.., h, w, c] = x.shape[..] { Some([h, w, c]) } else { x.picture };
                Ok(Value { name: self.node("Flatten", &[&x.name], &[int("axis", 1)]), shape, picture })
            }
            Layer::Reshape { shape } => Ok(self.reshaped(&x, shape)),
            Layer::Embedding { .. } => self.embedding(name, &x),
            Layer::Lstm { .. } | Layer::Gru { .. } | Layer::Rnn { .. } => self.recurrent(name, layer, &x),
            Layer::TimeDistributed { layers } => self.time_distributed(name, layers, &x),
            Layer::Attention { heads } => self.attention(name, *heads, &x),
            Layer::Repeat { times } => Ok(self.repeat(&x, *times)),
            Layer::Residual { main, shortcut } => self.residual(name, main, shortcut, x),
            Layer::Branches { branches } => self.branches(name, branches, &x),
            activation => Ok(self.activation(activation, x)),
        }
    }

    fn convolution(&mut self, name: &str, layer: &Layer, x: &Value) -> Result<Value> {
        let channels = x.shape.last().copied().unwrap_or(1) as i64;
        let (operator, attributes) = match layer {
            Layer::Conv2d { kernel, stride, padding, dilation, groups, .. } => {
                ("Conv", window(*kernel, *stride, *padding, *dilation, *groups as i64))
            }
            Layer::DepthwiseConv2d { kernel, stride, padding, dilation, .. } => {
                ("Conv", window(*kernel, *stride, *padding, *dilation, channels))
            }
            Layer::ConvTranspose2d { kernel, stride, padding, more, .. } => {
                let mut attributes = window(*kernel, *stride, *padding, [1, 1], 1);
                attributes.push(ints("output_padding", &pair(*more)));
                ("ConvTranspose", attributes)
            }
            _ => return Ok(x.clone()),
        };
        let inputs = [Some(x.name.clone()), self.param(&format!("{name}.weight")), self.param(&format!("{name}.bias"))];
        let inputs: Vec<&str> = inputs.iter().flatten().map(String::as_str).collect();
        let made = self.node(operator, &inputs, &attributes);
        Ok(Value { name: made, shape: self.output_shape(name)?, picture: None })
    }

    fn pool(&mut self, name: &str, layer: &Layer, x: &Value) -> Result<Value> {
        let made = match layer {
            Layer::MaxPool { kernel, stride, padding } => {
                let kernel = ints("kernel_shape", &pair(*kernel));
                self.node(
                    "MaxPool",
                    &[&x.name],
                    &[kernel, ints("strides", &pair(*stride)), ints("pads", &pads(*padding))],
                )
            }
            Layer::AvgPool { kernel, stride } => {
                let kernel = ints("kernel_shape", &pair(*kernel));
                self.node("AveragePool", &[&x.name], &[kernel, ints("strides", &pair(*stride))])
            }
            Layer::GlobalAvgPool => {
                let pooled = self.node("GlobalAveragePool", &[&x.name], &[]);
                self.node("Flatten", &[&pooled], &[int("axis", 1)])
            }
            _ => {
                let axes = self.list(&[1]);
                self.node("ReduceMean", &[&x.name, &axes], &[int("keepdims", 0)])
            }
        };
        // The mean over time of flattened pictures is one.
        Ok(Value { name: made, shape: self.output_shape(name)?, picture: x.picture })
    }

    fn dense(&mut self, name: &str, x: &Value) -> Result<Value> {
        let shape = self.output_shape(name)?;
        if shape.len() == 1 {
            let inputs =
                [Some(x.name.clone()), self.param(&format!("{name}.weight")), self.param(&format!("{name}.bias"))];
            let inputs: Vec<&str> = inputs.iter().flatten().map(String::as_str).collect();
            let made = self.node("Gemm", &inputs, &[int("transB", 1)]);
            return Ok(Value { name: made, shape, picture: None });
        }
        let rows = self.channels_last(x);
        let made = self.projected(&rows, &format!("{name}.weight"), &format!("{name}.bias"))?;
        Ok(self.channels_first(made, shape))
    }

    /// The last dimension times a matrix, plus a bias where there is one.
    pub(super) fn projected(&mut self, x: &str, weight: &str, bias: &str) -> Result<String> {
        let tensor = self.tensor(weight)?;
        let &[outputs, depth] = &tensor.dims[..] else { return Ok(x.to_string()) };
        let transposed: Vec<f32> =
            (0..outputs * depth).map(|at| tensor.values[at % outputs * depth + at / outputs]).collect();
        let matrix = self.floats(weight, &[depth, outputs], &transposed);
        let product = self.node("MatMul", &[x, &matrix], &[]);
        Ok(match self.param(bias) {
            Some(bias) => self.node("Add", &[&product, &bias], &[]),
            None => product,
        })
    }

    /// Channels are ONNX's second dimension; of a sequence the features are its last.
    fn batch_norm(&mut self, name: &str, x: Value) -> Value {
        let inputs =
            ["weight", "bias", "running_mean", "running_var"].map(|leaf| self.param(&format!("{name}.{leaf}")));
        let is_sequence = x.shape.len() == 2;
        let read = if is_sequence { self.transpose(&x.name, &[0, 2, 1]) } else { x.name.clone() };
        let inputs: Vec<&str> =
            std::iter::once(read.as_str()).chain(inputs.iter().flatten().map(String::as_str)).collect();
        let made = self.node("BatchNormalization", &inputs, &[float("epsilon", 1e-5)]);
        let made = if is_sequence { self.transpose(&made, &[0, 2, 1]) } else { made };
        Value { name: made, ..x }
    }

    fn layer_norm(&mut self, name: &str, x: &Value) -> Value {
        let read = self.channels_last(x);
        let inputs = [Some(read), self.param(&format!("{name}.weight")), self.param(&format!("{name}.bias"))];
        let inputs: Vec<&str> = inputs.iter().flatten().map(String::as_str).collect();
        let made = self.node("LayerNormalization", &inputs, &[int("axis", -1), float("epsilon", 1e-5)]);
        let made = self.channels_first(made, x.shape.clone());
        Value { picture: x.picture, ..made }
    }

    /// In our order: pictures channels last, flattened ones too.
    fn reshaped(&mut self, x: &Value, shape: &[usize]) -> Value {
        let read = match x.picture {
            Some([h, w, c]) => {
                let picture = self.reshape(&x.name, &[-1, c as i64, h as i64, w as i64]);
                self.transpose(&picture, &[0, 2, 3, 1])
            }
            None => self.channels_last(x),
        };
        let dims: Vec<i64> = std::iter::once(-1).chain(shape.iter().map(|d| *d as i64)).collect();
        let made = self.reshape(&read, &dims);
        self.channels_first(made, shape.to_vec())
    }

    fn activation(&mut self, layer: &Layer, x: Value) -> Value {
        match layer {
            Layer::Relu6 => {
                let [low, high] = [0.0, 6.0].map(|bound| self.number(bound));
                let name = self.node("Clip", &[&x.name, &low, &high], &[]);
                Value { name, ..x }
            }
            Layer::Elu => self.same("Elu", x, &[float("alpha", 1.0)]),
            Layer::LeakyRelu { slope } => self.same("LeakyRelu", x, &[float("alpha", *slope as f32)]),
            Layer::Sigmoid => self.same("Sigmoid", x, &[]),
            Layer::Tanh => self.same("Tanh", x, &[]),
            Layer::Silu => {
                let share = self.node("Sigmoid", &[&x.name], &[]);
                let name = self.node("Mul", &[&x.name, &share], &[]);
                Value { name, ..x }
            }
            Layer::Gelu => self.same("Gelu", x, &[text("approximate", "none")]),
            Layer::GeluTanh => self.same("Gelu", x, &[text("approximate", "tanh")]),
            Layer::HardSwish => self.same("HardSwish", x, &[]),
            Layer::Atan { scale } => {
                let angle = self.node("Atan", &[&x.name], &[]);
                let factor = self.number(*scale as f32);
                let name = self.node("Mul", &[&angle, &factor], &[]);
                Value { name, ..x }
            }
            Layer::Softmax => {
                let axis = if x.is_picture() { -3 } else { -1 };
                self.same("Softmax", x, &[int("axis", axis)])
            }
            _ => self.same("Relu", x, &[]),
        }
    }
}

fn window(
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
    dilation: [usize; 2],
    groups: i64,
) -> Vec<super::Made> {
    vec![
        ints("kernel_shape", &pair(kernel)),
        ints("strides", &pair(stride)),
        ints("pads", &pads(padding)),
        ints("dilations", &pair(dilation)),
        int("group", groups),
    ]
}
