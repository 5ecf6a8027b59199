//! Recurrent layers: ONNX has time first, its gates in another order, and all directions in one tensor.

use super::proto::{int, text};
use super::{Tensor, Value, Writer};
use crate::Result;
use crate::nn::Layer;

impl Writer {
    pub(super) fn recurrent(&mut self, name: &str, layer: &Layer, x: &Value) -> Result<Value> {
        // ONNX's gates, as numbers of PyTorch's.
        let (operator, gates, units, bidirectional, sequence) = match *layer {
            Layer::Lstm { units, bidirectional, sequence, .. } => {
                ("LSTM", &[0, 3, 1, 2][..], units, bidirectional, sequence)
            }
            Layer::Gru { units, bidirectional, sequence } => ("GRU", &[1, 0, 2][..], units, bidirectional, sequence),
            Layer::Rnn { units, bidirectional, sequence } => ("RNN", &[0][..], units, bidirectional, sequence),
            _ => return Ok(x.clone()),
        };
        let suffixes = if bidirectional { &["", "_reverse"][..] } else { &[""] };
        let mut inputs = Vec::new();
        for (kind, leaves) in
            [("W", &["weight_ih_l0"][..]), ("R", &["weight_hh_l0"]), ("B", &["bias_ih_l0", "bias_hh_l0"])]
        {
            let mut all = Tensor { dims: vec![suffixes.len(), 0], values: Vec::new() };
            for (suffix, leaf) in suffixes.iter().flat_map(|suffix| leaves.iter().map(move |leaf| (suffix, leaf))) {
                let part = self.tensor(&format!("{name}.{leaf}{suffix}"))?;
                let block = part.values.len() / gates.len();
                gates.iter().for_each(|gate| all.values.extend(&part.values[gate * block..][..block]));
                all.dims.truncate(2);
                all.dims[1] = part.dims[0] * leaves.len();
                all.dims.extend(&part.dims[1..]);
            }
            inputs.push(self.floats(&format!("{name}.{kind}"), &all.dims, &all.values));
        }
        let steps = self.transpose(&x.name, &[1, 0, 2]);
        let inputs: Vec<&str> = std::iter::once(&steps).chain(&inputs).map(String::as_str).collect();
        let mut attributes = vec![int("hidden_size", units as i64)];
        if bidirectional {
            attributes.push(text("direction", "bidirectional"));
        }
        if operator == "GRU" {
            attributes.push(int("linear_before_reset", 1));
        }
        let states = self.node_with(operator, &inputs, &attributes, 2);
        let width = (units * suffixes.len()) as i64;
        let made = if sequence {
            let states = self.transpose(&states[0], &[2, 0, 1, 3]);
            self.reshape(&states, &[0, 0, width])
        } else {
            let states = self.transpose(&states[1], &[1, 0, 2]);
            self.reshape(&states, &[0, width])
        };
        Ok(Value { name: made, shape: self.output_shape(name)?, picture: None })
    }
}
