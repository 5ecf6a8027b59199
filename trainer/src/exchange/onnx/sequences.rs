//! Words, and attention.

use super::proto::{int, ints};
use super::{Value, Writer};
use crate::Result;

impl Writer {
    pub(super) fn embedding(&mut self, name: &str, x: &Value) -> Result<Value> {
        let table = self.tensor(&format!("{name}.weight"))?;
        let table = self.floats(&format!("{name}.weight"), &table.dims, &table.values);
        let made = self.node("Gather", &[&table, &x.name], &[int("axis", 0)]);
        Ok(Value { name: made, shape: self.output_shape(name)?, picture: None })
    }

    /// Scaled dot products, spelled out.
    pub(super) fn attention(&mut self, name: &str, heads: usize, x: &Value) -> Result<Value> {
        let size = x.shape.last().copied().unwrap_or(1);
        let all = self.projected(&x.name, &format!("{name}.in_proj_weight"), &format!("{name}.in_proj_bias"))?;
        let length = self.list(&[size as i64; 3]);
        let parts = self.node_with("Split", &[&all, &length], &[int("axis", -1)], 3);
        let mut heads_of = |part: &str, order: [i64; 4]| {
            let split = self.reshape(part, &[0, 0, heads as i64, (size / heads) as i64]);
            self.node("Transpose", &[&split], &[ints("perm", &order)])
        };
        let (query, key) = (heads_of(&parts[0], [0, 2, 1, 3]), heads_of(&parts[1], [0, 2, 3, 1]));
        let value = heads_of(&parts[2], [0, 2, 1, 3]);
        let scores = self.node("MatMul", &[&query, &key], &[]);
        let factor = self.number(((size / heads) as f32).sqrt().recip());
        let scores = self.node("Mul", &[&scores, &factor], &[]);
        let shares = self.node("Softmax", &[&scores], &[int("axis", -1)]);
        let mixed = self.node("MatMul", &[&shares, &value], &[]);
        let mixed = self.transpose(&mixed, &[0, 2, 1, 3]);
        let mixed = self.reshape(&mixed, &[0, 0, size as i64]);
        let made = self.projected(&mixed, &format!("{name}.out_proj.weight"), &format!("{name}.out_proj.bias"))?;
        Ok(Value { name: made, shape: x.shape.clone(), picture: None })
    }
}
