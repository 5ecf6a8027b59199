//! Tensors that are known while importing: weights, and the arithmetic on shapes that exporters write as operators.

use super::schema::{Tensor, element};
use crate::Result;
use crate::import::builder::MAX_ELEMENTS;
use crate::import::unusable;
use crate::ops::loops::strides;

/// A known tensor. An `f64` holds every value exactly that networks have (ints beyond 2^53 only mean "to the end").
#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    /// Shape, in ONNX's order.
    pub shape: Vec<usize>,
    /// Row-major values.
    pub values: Vec<f64>,
    /// A code of [`element`].
    pub element: i64,
    /// Where the values are integers times scales.
    pub grid: Option<Grid>,
}

/// Scales of a quantized constant with zero point 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// One, or one for each place along the axis.
    pub scales: Vec<f32>,
    /// The dimension.
    pub axis: usize,
}

/// Number of elements, within limits.
pub fn elements(shape: &[usize]) -> Result<usize> {
    let elements = shape.iter().try_fold(1usize, |product, d| product.checked_mul(*d));
    elements
        .filter(|elements| *elements <= MAX_ELEMENTS)
        .ok_or_else(|| unusable(format!("a constant of shape {shape:?} is too large for any board")))
}

impl Constant {
    /// A list of integers.
    pub fn list(values: impl IntoIterator<Item = i64>) -> Self {
        let values: Vec<f64> = values.into_iter().map(|value| value as f64).collect();
        Self { shape: vec![values.len()], values, element: element::INT64, grid: None }
    }

    /// The content of a tensor of the file.
    pub fn of(tensor: &Tensor<'_>) -> Result<Self> {
        let wrong = |what: &str| unusable(format!("tensor '{}' of shape {:?} {what}", tensor.name, tensor.dims));
        let shape: Option<Vec<usize>> = tensor.dims.iter().map(|d| usize::try_from(*d).ok()).collect();
        let shape = shape.ok_or_else(|| wrong("has a negative dimension"))?;
        let count = elements(&shape)?;
        let values = values(tensor)?;
        if values.len() != count {
            return Err(wrong(&format!("holds {} values", values.len())));
        }
        Ok(Self { shape, values, element: tensor.element, grid: None })
    }

    /// Its values as integers, saturating.
    pub fn integers(&self) -> Vec<i64> {
        self.values.iter().map(|value| *value as i64).collect()
    }

    /// Its values as floats.
    pub fn floats(&self) -> Vec<f32> {
        self.values.iter().map(|value| *value as f32).collect()
    }

    /// Its only value.
    pub fn scalar(&self) -> Result<f64> {
        match self.values[..] {
            [value] => Ok(value),
            _ => Err(unusable(format!("has a constant of shape {:?} where one number is needed", self.shape))),
        }
    }

    /// Whether it holds integers.
    pub fn is_integer(&self) -> bool {
        ![element::FLOAT, element::FLOAT16, element::DOUBLE].contains(&self.element)
    }

    /// The same values in another shape; scales along an axis go unless only ones were added or taken away.
    pub fn reshaped(mut self, shape: Vec<usize>) -> Result<Self> {
        if elements(&shape)? != self.values.len() {
            return Err(unusable(format!("reshapes {:?} to {shape:?}", self.shape)));
        }
        self.grid = self.grid.and_then(|grid| {
            if grid.scales.len() == 1 {
                return Some(grid);
            }
            let before: usize = self.shape[..grid.axis].iter().product();
            let axis = (0..shape.len())
                .find(|at| shape[*at] == grid.scales.len() && shape[..*at].iter().product::<usize>() == before)?;
            Some(Grid { axis, ..grid })
        });
        self.shape = shape;
        Ok(self)
    }

    /// Dimension `i` of the result is dimension `order[i]`.
    pub fn transposed(&self, order: &[usize]) -> Result<Self> {
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..self.shape.len()) {
            return Err(unusable(format!("transposes {:?} by {order:?}", self.shape)));
        }
        let strides = strides(&self.shape);
        let shape: Vec<usize> = order.iter().map(|axis| self.shape[*axis]).collect();
        let steps: Vec<usize> = order.iter().map(|axis| strides[*axis]).collect();
        let values = places(&shape, &steps).map(|at| self.values[at]).collect();
        let moved = |axis| order.iter().position(|from| *from == axis).unwrap_or(0);
        let grid = self.grid.clone().map(|grid| Grid { axis: moved(grid.axis), ..grid });
        Ok(Self { shape, values, element: self.element, grid })
    }

    /// Element by element, dimensions of 1 repeated.
    pub fn zip(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Result<Self> {
        let shape = broadcast(&self.shape, &other.shape)?;
        elements(&shape)?;
        let steps = [self, other].map(|constant| repeated_strides(&constant.shape, &shape));
        let pairs = places(&shape, &steps[0]).zip(places(&shape, &steps[1]));
        let values = pairs.map(|(a, b)| f(self.values[a], other.values[b])).collect();
        Ok(Self { shape, values, element: self.element, grid: None })
    }

    /// Repeated to `shape`.
    pub fn expanded(&self, shape: &[usize]) -> Result<Self> {
        let ones =
            Self { shape: shape.to_vec(), values: vec![0.0; elements(shape)?], element: self.element, grid: None };
        self.zip(&ones, |value, _| value)
    }

    /// Element by element.
    pub fn map(mut self, f: impl Fn(f64) -> f64) -> Self {
        self.values.iter_mut().for_each(|value| *value = f(*value));
        self.grid = None;
        self
    }
}

/// The shape of two tensors combined by NumPy's rule.
pub fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    let dimension = |axis| match (at(a, axis), at(b, axis)) {
        (x, y) if x == y || y == 1 => Ok(x),
        (1, y) => Ok(y),
        _ => Err(unusable(format!("combines shapes {a:?} and {b:?}"))),
    };
    (0..rank).map(dimension).collect()
}

/// Strides that read a tensor of shape `small` as if it had shape `big`.
fn repeated_strides(small: &[usize], big: &[usize]) -> Vec<usize> {
    let own = strides(small).into_iter().zip(small).map(|(stride, length)| if *length == 1 { 0 } else { stride });
    std::iter::repeat_n(0, big.len() - small.len()).chain(own).collect()
}

/// For each element of `shape`, in order, its place in memory where neighbours have these distances.
pub fn places<'a>(shape: &'a [usize], steps: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
    (0..shape.iter().product()).map(move |index: usize| {
        let mut rest = index;
        shape.iter().zip(steps).rev().fold(0, |at, (length, step)| {
            let along = rest % length.max(&1);
            rest /= length.max(&1);
            at + along * step
        })
    })
}

fn values(tensor: &Tensor<'_>) -> Result<Vec<f64>> {
    let ints = || tensor.ints.iter();
    let Some(raw) = tensor.raw else {
        return Ok(match tensor.element {
            element::FLOAT => tensor.floats.iter().map(|value| f64::from(*value)).collect(),
            element::DOUBLE => tensor.doubles.clone(),
            element::FLOAT16 => ints().map(|bits| half::f16::from_bits(*bits as u16).to_f64()).collect(),
            _ => ints().map(|value| *value as f64).collect(),
        });
    };
    fn words<const N: usize>(raw: &[u8], f: fn([u8; N]) -> f64) -> Vec<f64> {
        raw.as_chunks::<N>().0.iter().map(|word| f(*word)).collect()
    }
    Ok(match tensor.element {
        element::FLOAT => words(raw, |word| f32::from_le_bytes(word).into()),
        element::DOUBLE => words(raw, f64::from_le_bytes),
        element::FLOAT16 => words(raw, |word| half::f16::from_le_bytes(word).into()),
        element::INT8 => words(raw, |word| i8::from_le_bytes(word).into()),
        element::UINT8 | element::BOOL => words(raw, |word| u8::from_le_bytes(word).into()),
        element::INT16 => words(raw, |word| i16::from_le_bytes(word).into()),
        element::UINT16 => words(raw, |word| u16::from_le_bytes(word).into()),
        element::INT32 => words(raw, |word| i32::from_le_bytes(word).into()),
        element::UINT32 => words(raw, |word| u32::from_le_bytes(word).into()),
        element::INT64 => words(raw, |word| i64::from_le_bytes(word) as f64),
        element::UINT64 => words(raw, |word| u64::from_le_bytes(word) as f64),
        other => {
            let (name, element) = (tensor.name, element::name(other));
            return Err(unusable(format!("tensor '{name}' is {element}, which is not supported")));
        }
    })
}
