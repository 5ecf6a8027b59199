//! The parts of TFLite's schema that int8 networks use. Field numbers are those of the public `schema.fbs`.

use super::names;
use crate::Result;
use crate::import::flatbuffer::{Buffer, Table, Vector};
pub(super) use crate::import::{unusable, within};

/// Most tensors and operators looked at; far beyond what a board can run.
const MAX_TENSORS: usize = 4096;
const MAX_OPERATORS: usize = 1024;
/// Longest name kept, in bytes.
const MAX_NAME: usize = 100;

/// `schema.fbs`, `enum TensorType`.
pub const INT8: i8 = 9;
/// `schema.fbs`, `enum TensorType`.
pub const INT32: i8 = 2;
/// `schema.fbs`, `enum TensorType`.
pub const INT64: i8 = 4;
/// `schema.fbs`, `enum TensorType`.
pub const FLOAT32: i8 = 0;
/// `schema.fbs`, `enum TensorType`.
pub const FLOAT16: i8 = 1;
/// `schema.fbs`, `enum TensorType`.
pub const UINT8: i8 = 3;
/// `schema.fbs`, `enum TensorType`.
pub const INT4: i8 = 17;
/// `schema.fbs`, `enum TensorType`.
pub const INT16: i8 = 7;

/// A file with one subgraph.
pub struct File<'f> {
    /// Tensors of the subgraph.
    pub tensors: Vec<Tensor<'f>>,
    /// Operators in the order they run.
    pub operators: Vec<Operator<'f>>,
    /// Input tensors.
    pub inputs: Vec<i32>,
    /// Output tensors.
    pub outputs: Vec<i32>,
}

/// A tensor as the file describes it.
pub struct Tensor<'f> {
    pub name: String,
    pub shape: Vec<i32>,
    pub element: i8,
    /// Constant content; empty for what is computed.
    pub data: &'f [u8],
    pub scales: Vec<f32>,
    pub zero_points: Vec<i64>,
    /// Dimension along which the scales lie, when there are several.
    pub axis: i32,
}

/// An operator as the file describes it.
pub struct Operator<'f> {
    /// `enum BuiltinOperator`.
    pub code: i32,
    pub inputs: Vec<i32>,
    /// Never empty.
    pub outputs: Vec<i32>,
    pub options: Option<Table<'f>>,
}

impl<'f> File<'f> {
    /// Reads the description of the network; no content is copied.
    pub fn read(bytes: &'f [u8]) -> Result<Self> {
        let model = Buffer::root(bytes, b"TFL3")?;
        let (codes, graphs, buffers) = (model.tables(1)?, model.tables(2)?, model.tables(4)?);
        let graph = match (graphs.len(), graphs.table(0)?) {
            (1, Some(graph)) => graph,
            (count, _) => {
                return Err(unusable(format!("has {count} subgraphs; networks with exactly one are supported")));
            }
        };
        let tensors = list("tensor", graph.tables(0)?, MAX_TENSORS, |table| Tensor::read(table, buffers))?;
        let operators = list("operator", graph.tables(3)?, MAX_OPERATORS, |table| Operator::read(table, codes))?;
        Ok(Self { tensors, operators, inputs: graph.i32s(1)?, outputs: graph.i32s(2)? })
    }

    /// Tensor number `index`; `None` for -1, which stands for an optional tensor that is not there.
    pub fn tensor(&self, index: i32) -> Result<Option<&Tensor<'f>>> {
        if index == -1 {
            return Ok(None);
        }
        let found = usize::try_from(index).ok().and_then(|at| self.tensors.get(at));
        found.map(Some).ok_or_else(|| unusable(format!("names tensor {index}, which does not exist")))
    }
}

fn list<'f, T>(what: &str, tables: Vector<'f>, most: usize, read: impl Fn(Table<'f>) -> Result<T>) -> Result<Vec<T>> {
    if tables.len() > most {
        return Err(unusable(format!("has {} {what}s; at most {most} are supported", tables.len())));
    }
    let entry = |index| {
        let table = tables.table(index)?.ok_or_else(|| unusable(String::from("ends early")))?;
        read(table)
    };
    (0..tables.len()).map(|index| entry(index).map_err(|e| within(format!("{what} {index}"), e))).collect()
}

impl<'f> Tensor<'f> {
    fn read(table: Table<'f>, buffers: Vector<'f>) -> Result<Self> {
        let data = content(buffers, table.u32(2, 0)? as usize)?;
        let quantization = table.table(4)?;
        let (scales, zero_points, axis) = match quantization {
            Some(q) => (q.f32s(2)?, q.i64s(3)?, q.i32(6, 0)?),
            None => (Vec::new(), Vec::new(), 0),
        };
        // A fused operator has the names of its parts, one after another; the first one says enough.
        let name = table.bytes(3)?.split(|byte| *byte == b';').next().unwrap_or_default();
        let name = String::from_utf8_lossy(name.get(..MAX_NAME).unwrap_or(name)).into_owned();
        let (shape, element) = (table.i32s(0)?, table.i8(1, 0)?);
        Ok(Self { name, shape, element, data, scales, zero_points, axis })
    }

    /// Errors unless the element type is `element`.
    pub fn expect(&self, element: i8) -> Result<()> {
        if self.element == element {
            return Ok(());
        }
        let (is, wanted) = (names::element(self.element), names::element(element));
        let advice =
            if self.element == FLOAT32 { "; convert the network with full-integer int8 quantization" } else { "" };
        Err(unusable(format!("tensor '{}' is {is}, {wanted} is needed{advice}", self.name)))
    }

    /// The one scale and the one zero point (0 where the file has none) of an activation.
    pub fn scale_and_zero_point(&self) -> Result<(f32, i32)> {
        let zero_point = match &self.zero_points[..] {
            [] => Some(0),
            // Far beyond what any element type has; differences of two stay within 32 bits.
            [one] => i32::try_from(*one).ok().filter(|zero_point| zero_point.unsigned_abs() <= 1 << 16),
            _ => None,
        };
        match (&self.scales[..], zero_point) {
            (&[scale], Some(zero_point)) => Ok((scale, zero_point)),
            _ => Err(unusable(format!("tensor '{}' needs one scale and one zero point within its type", self.name))),
        }
    }

    /// The shape; every dimension known and positive, at most 2^30 elements.
    pub fn dimensions(&self) -> Result<Vec<u32>> {
        let known = |d: &i32| u32::try_from(*d).ok().filter(|d| *d > 0);
        let dimensions: Option<Vec<u32>> = self.shape.iter().map(known).collect();
        let sane = |d: &Vec<u32>| {
            let elements = d.iter().fold(1u64, |product, d| product.saturating_mul(u64::from(*d)));
            (1..=4).contains(&d.len()) && elements <= 1 << 30
        };
        dimensions.filter(sane).ok_or_else(|| {
            let (name, shape) = (&self.name, &self.shape);
            unusable(format!(
                "tensor '{name}' has shape {shape:?}; 1 to 4 fixed dimensions, at most 2^30 elements, are needed"
            ))
        })
    }
}

/// The content of buffer `index`; number 0 stands for none, even where it is left out.
fn content<'f>(buffers: Vector<'f>, index: usize) -> Result<&'f [u8]> {
    match buffers.table(index)? {
        Some(buffer) if buffer.u64(1, 0)? > 1 => {
            Err(unusable(String::from("keeps its content outside of the FlatBuffer, which is not supported")))
        }
        Some(buffer) => buffer.bytes(0),
        None if index == 0 => Ok(&[]),
        None => Err(unusable(format!("names buffer {index}, which does not exist"))),
    }
}

impl<'f> Operator<'f> {
    fn read(table: Table<'f>, codes: Vector<'f>) -> Result<Self> {
        let code = table.u32(0, 0)? as usize;
        let code =
            codes.table(code)?.ok_or_else(|| unusable(format!("names operator code {code}, which does not exist")))?;
        // Codes beyond 127 live in the newer field only; older files have only the older one.
        let code = code.i32(3, 0)?.max(i32::from(code.i8(0, 0)?));
        let operator = Self { code, inputs: table.i32s(1)?, outputs: table.i32s(2)?, options: table.table(4)? };
        if operator.outputs.is_empty() {
            return Err(unusable(String::from("has no output")));
        }
        Ok(operator)
    }

    /// The tensor of input number `at`, -1 where there is none.
    pub fn input(&self, at: usize) -> i32 {
        self.inputs.get(at).copied().unwrap_or(-1)
    }

    /// Option number `field`, a byte.
    pub fn option_i8(&self, field: usize) -> Result<i8> {
        self.options.map_or(Ok(0), |options| options.i8(field, 0))
    }

    /// Option number `field`, a float.
    pub fn option_f32(&self, field: usize) -> Result<f32> {
        self.options.map_or(Ok(0.0), |options| options.u32(field, 0).map(f32::from_bits))
    }

    /// Options 0 to 4, ints: the masks of STRIDED_SLICE.
    pub fn masks(&self) -> Result<[i32; 5]> {
        let mut masks = [0; 5];
        for (field, mask) in masks.iter_mut().enumerate() {
            *mask = self.option_i32(field, 0)?;
        }
        Ok(masks)
    }

    /// Option number `field`, an int.
    pub fn option_i32(&self, field: usize, default: i32) -> Result<i32> {
        self.options.map_or(Ok(default), |options| options.i32(field, default))
    }
}
