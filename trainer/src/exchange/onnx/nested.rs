//! Layers made of layers.

use super::proto::int;
use super::{Value, Writer, file_order};
use crate::Result;
use crate::nn::{Layer, path};

impl Writer {
    pub(super) fn residual(&mut self, name: &str, main: &[Layer], shortcut: &[Layer], x: Value) -> Result<Value> {
        let one = self.sequence(&path(name, "main"), main, x.clone())?;
        let other = self.sequence(&path(name, "shortcut"), shortcut, x)?;
        let sum = self.node("Add", &[&one.name, &other.name], &[]);
        Ok(Value { name: sum, ..one })
    }

    pub(super) fn branches(&mut self, name: &str, branches: &[Vec<Layer>], x: &Value) -> Result<Value> {
        let ends = branches.iter().enumerate();
        let ends = ends.map(|(at, layers)| self.sequence(&path(name, &at.to_string()), layers, x.clone()));
        let ends = ends.collect::<Result<Vec<_>>>()?;
        let axis = if ends.first().is_some_and(Value::is_picture) { -3 } else { -1 };
        let inputs: Vec<&str> = ends.iter().map(|end| end.name.as_str()).collect();
        let made = self.node("Concat", &inputs, &[int("axis", axis)]);
        Ok(Value { name: made, shape: self.output_shape(name)?, picture: None })
    }

    /// A vector at every step of a sequence.
    pub(super) fn repeat(&mut self, x: &Value, times: usize) -> Value {
        let size = x.shape.last().copied().unwrap_or(1);
        let step = self.reshape(&x.name, &[-1, 1, size as i64]);
        let made = self.node("Concat", &vec![step.as_str(); times], &[int("axis", 1)]);
        Value { name: made, shape: vec![times, size], picture: x.picture }
    }

    /// Steps count as samples.
    pub(super) fn time_distributed(&mut self, name: &str, layers: &[Layer], x: &Value) -> Result<Value> {
        let Some((&time, rest)) = x.shape.split_first() else { return Ok(x.clone()) };
        // Three dimensions are a picture's in the file, whose first is not the time.
        let read = if x.shape.len() == 3 { self.channels_last(x) } else { x.name.clone() };
        let merged = self.reshape(&read, &[&[-1], &file_order(rest)[..]].concat());
        let done = self.sequence(name, layers, Value { name: merged, shape: rest.to_vec(), picture: x.picture })?;
        let shape = [&[time], &done.shape[..]].concat();
        let made = self.reshape(&done.name, &[&[-1, time as i64], &done.dims()[..]].concat());
        Ok(match shape.len() {
            3 => Value { picture: done.picture, ..self.channels_first(made, shape) },
            _ => Value { name: made, shape, picture: done.picture },
        })
    }
}
