//! Writes the few Protocol Buffers messages that an ONNX file is made of. Field numbers are those of the public `onnx.proto`.

/// `TensorProto.DataType` of what is written here.
pub const FLOAT: i64 = 1;
/// See [`FLOAT`].
pub const INT64: i64 = 7;

/// A message in the making.
#[derive(Debug, Default, Clone)]
pub struct Made(pub Vec<u8>);

impl Made {
    /// A number of the format's own kind; those that fill bytes are written by the others.
    pub fn varint(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    /// A field with a whole number.
    pub fn int(self, field: u64, value: i64) -> Self {
        self.varint(field << 3).varint(value as u64)
    }

    /// A field with bytes, text or a message.
    pub fn bytes(self, field: u64, bytes: &[u8]) -> Self {
        let mut made = self.varint(field << 3 | 2).varint(bytes.len() as u64);
        made.0.extend_from_slice(bytes);
        made
    }

    /// A field with a float.
    pub fn float(self, field: u64, value: f32) -> Self {
        let mut made = self.varint(field << 3 | 5);
        made.0.extend(value.to_le_bytes());
        made
    }

    /// A field for each of some messages.
    pub fn each(self, field: u64, parts: &[Self]) -> Self {
        parts.iter().fold(self, |made, part| made.bytes(field, &part.0))
    }

    /// A field for each of some names.
    pub fn names(self, field: u64, names: &[impl AsRef<str>]) -> Self {
        names.iter().fold(self, |made, name| made.bytes(field, name.as_ref().as_bytes()))
    }
}

/// An attribute that is a list.
pub fn ints(name: &str, values: &[i64]) -> Made {
    values.iter().fold(Made::default().bytes(1, name.as_bytes()), |made, value| made.int(8, *value)).int(20, 7)
}

/// An attribute that is a whole number.
pub fn int(name: &str, value: i64) -> Made {
    Made::default().bytes(1, name.as_bytes()).int(3, value).int(20, 2)
}

/// An attribute that is text.
pub fn text(name: &str, value: &str) -> Made {
    Made::default().bytes(1, name.as_bytes()).bytes(4, value.as_bytes()).int(20, 3)
}

/// An attribute that is a float.
pub fn float(name: &str, value: f32) -> Made {
    Made::default().bytes(1, name.as_bytes()).float(2, value).int(20, 1)
}

/// A node.
pub fn node(operator: &str, inputs: &[impl AsRef<str>], outputs: &[impl AsRef<str>], attributes: &[Made]) -> Made {
    Made::default().names(1, inputs).names(2, outputs).bytes(4, operator.as_bytes()).each(5, attributes)
}

/// An initializer with raw content.
pub fn tensor(name: &str, dims: &[i64], element: i64, raw: &[u8]) -> Made {
    let made = dims.iter().fold(Made::default(), |made, dim| made.int(1, *dim));
    made.int(2, element).bytes(8, name.as_bytes()).bytes(9, raw)
}

/// An initializer of floats.
pub fn floats(name: &str, dims: &[i64], values: &[f32]) -> Made {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, dims, FLOAT, &raw)
}

/// An initializer that is a list of whole numbers, its content packed.
pub fn int64s(name: &str, values: &[i64]) -> Made {
    let packed = values.iter().fold(Made::default(), |made, value| made.varint(*value as u64));
    Made::default().int(1, values.len() as i64).int(2, INT64).bytes(7, &packed.0).bytes(8, name.as_bytes())
}

/// An input or output; dimensions of 0 are left open under the name "N".
pub fn port(name: &str, element: i64, dims: &[i64]) -> Made {
    let dim = |dim: &i64| {
        let made = Made::default();
        if *dim == 0 { made.bytes(2, b"N") } else { made.int(1, *dim) }
    };
    let shape = Made::default().each(1, &dims.iter().map(dim).collect::<Vec<_>>());
    let kind = Made::default().int(1, element).bytes(2, &shape.0);
    Made::default().bytes(1, name.as_bytes()).bytes(2, &Made::default().bytes(1, &kind.0).0)
}
