//! ONNX files made here: a writer of the few messages that networks use.

use super::schema::element::{FLOAT, INT8, INT32, INT64};

/// A message in the making.
#[derive(Default, Clone)]
pub struct Made(Vec<u8>);

impl Made {
    fn varint(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    pub fn int(self, field: u64, value: i64) -> Self {
        self.varint(field << 3).varint(value as u64)
    }

    pub fn bytes(self, field: u64, bytes: &[u8]) -> Self {
        let mut made = self.varint(field << 3 | 2).varint(bytes.len() as u64);
        made.0.extend_from_slice(bytes);
        made
    }

    pub fn float(self, field: u64, value: f32) -> Self {
        let mut made = self.varint(field << 3 | 5);
        made.0.extend(value.to_le_bytes());
        made
    }

    fn each(self, field: u64, parts: &[Self]) -> Self {
        parts.iter().fold(self, |made, part| made.bytes(field, &part.0))
    }

    fn names(self, field: u64, names: &[&str]) -> Self {
        names.iter().fold(self, |made, name| made.bytes(field, name.as_bytes()))
    }
}

/// Attributes of nodes.
pub fn ints(name: &str, values: &[i64]) -> Made {
    values.iter().fold(Made::default().bytes(1, name.as_bytes()), |made, value| made.int(8, *value)).int(20, 7)
}

pub fn int(name: &str, value: i64) -> Made {
    Made::default().bytes(1, name.as_bytes()).int(3, value).int(20, 2)
}

pub fn text(name: &str, value: &str) -> Made {
    Made::default().bytes(1, name.as_bytes()).bytes(4, value.as_bytes()).int(20, 3)
}

pub fn float(name: &str, value: f32) -> Made {
    Made::default().bytes(1, name.as_bytes()).float(2, value).int(20, 1)
}

pub fn node(operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[Made]) -> Made {
    Made::default().names(1, inputs).names(2, outputs).bytes(4, operator.as_bytes()).each(5, attributes)
}

/// An initializer with raw content.
fn tensor(name: &str, dims: &[i64], element: i64, raw: &[u8]) -> Made {
    let made = dims.iter().fold(Made::default(), |made, dim| made.int(1, *dim));
    made.int(2, element).bytes(8, name.as_bytes()).bytes(9, raw)
}

pub fn floats(name: &str, dims: &[i64], values: &[f32]) -> Made {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, dims, FLOAT, &raw)
}

pub fn int8s(name: &str, dims: &[i64], values: &[i8]) -> Made {
    let raw: Vec<u8> = values.iter().map(|value| *value as u8).collect();
    tensor(name, dims, INT8, &raw)
}

pub fn int32s(name: &str, dims: &[i64], values: &[i32]) -> Made {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, dims, INT32, &raw)
}

/// With its content as a packed list.
pub fn int64s(name: &str, values: &[i64]) -> Made {
    let packed = values.iter().fold(Made::default(), |made, value| made.varint(*value as u64));
    Made::default().int(1, values.len() as i64).int(2, INT64).bytes(7, &packed.0).bytes(8, name.as_bytes())
}

/// A float input; dimensions of 0 are left open under the name "N".
pub fn input(name: &str, dims: &[i64]) -> Made {
    let dim = |dim: &i64| {
        let made = Made::default();
        if *dim == 0 { made.bytes(2, b"N") } else { made.int(1, *dim) }
    };
    let shape = Made::default().each(1, &dims.iter().map(dim).collect::<Vec<_>>());
    let kind = Made::default().int(1, FLOAT).bytes(2, &shape.0);
    Made::default().bytes(1, name.as_bytes()).bytes(2, &Made::default().bytes(1, &kind.0).0)
}

/// A whole file with the output "y".
pub fn model(opset: i64, nodes: &[Made], initializers: &[Made], inputs: &[Made]) -> Vec<u8> {
    let output = Made::default().bytes(1, b"y");
    let graph = Made::default().each(1, nodes).each(5, initializers).each(11, inputs).each(12, &[output]);
    Made::default().int(1, 8).bytes(7, &graph.0).bytes(8, &Made::default().int(2, opset).0).0
}
