//! Tensors in `.npy` files (NumPy's format, version 1.0 to 3.0), the arrays of the command line.

use std::path::Path;

use ndarray::{ArrayD, ArrayViewD};
use ndarray_npy::{ReadNpyError, ReadNpyExt, ReadableElement, WritableElement, WriteNpyExt};

use crate::{Error, ErrorKind, Result};

/// Longest header that is parsed, in bytes; that of an array of numbers has about 120.
const MAX_HEADER: usize = 1 << 12;

/// An array of one of the types that networks take.
#[derive(Debug, Clone, PartialEq)]
pub enum Array {
    /// Real numbers.
    F32(ArrayD<f32>),
    /// Quantized values.
    I8(ArrayD<i8>),
    /// Bytes of pictures.
    U8(ArrayD<u8>),
    /// Quantized values of 16 bits.
    I16(ArrayD<i16>),
    /// Indices.
    I32(ArrayD<i32>),
}

impl Array {
    /// Lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::F32(array) => array.shape(),
            Self::I8(array) => array.shape(),
            Self::U8(array) => array.shape(),
            Self::I16(array) => array.shape(),
            Self::I32(array) => array.shape(),
        }
    }

    /// Name of the element type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::F32(_) => "float32",
            Self::I8(_) => "int8",
            Self::U8(_) => "uint8",
            Self::I16(_) => "int16",
            Self::I32(_) => "int32",
        }
    }
}

/// Reads a `float32`, `int8`, `uint8`, `int16` or `int32` array, in C order whatever the order of the file; `int64`, NumPy's own integers,
/// as `int32` where they fit.
///
/// # Errors
/// A file that cannot be read, is not `.npy`, is cut off, or has another element type.
pub fn read(path: &Path) -> Result<Array> {
    let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
    decode(&bytes).map_err(|error| Error { place: path.display().to_string(), ..error })
}

/// [`read`] of the bytes of a `.npy` file.
///
/// # Errors
/// Bytes that are no array, or one of another element type.
pub fn decode(bytes: &[u8]) -> Result<Array> {
    if !is_plain(bytes) {
        return Err(Error::new(ErrorKind::BadFile, "", "is not a .npy array of numbers: its header is no plain one"));
    }
    if let Some(array) = attempt(bytes).map_err(bad_file)? {
        Ok(Array::F32(array))
    } else if let Some(array) = attempt(bytes).map_err(bad_file)? {
        Ok(Array::I8(array))
    } else if let Some(array) = attempt(bytes).map_err(bad_file)? {
        Ok(Array::I16(array))
    } else if let Some(array) = attempt(bytes).map_err(bad_file)? {
        Ok(Array::I32(array))
    } else if let Some(array) = attempt::<i64>(bytes).map_err(bad_file)? {
        narrowed(&array).map(Array::I32)
    } else {
        Ok(Array::U8(parse(bytes).map_err(bad_file)?))
    }
}

/// Whether the header is one dictionary with at most one tuple, as arrays of numbers have it: the time that deeper ones take to parse
/// doubles with every level.
fn is_plain(bytes: &[u8]) -> bool {
    let length =
        |from: usize| bytes.get(from..).and_then(|rest| rest.first_chunk::<2>()).map(|w| u16::from_le_bytes(*w));
    let begin = if bytes.get(6) == Some(&1) { 10 } else { 12 };
    let long = if begin == 12 { length(10).unwrap_or(0) } else { 0 };
    let end = begin + usize::from(length(8).unwrap_or(0)) + (usize::from(long) << 16);
    let header = bytes.get(begin..end.min(bytes.len())).unwrap_or_default();
    let count = |bracket: u8| header.iter().filter(|byte| **byte == bracket).count();
    header.len() <= MAX_HEADER && count(b'{') <= 1 && count(b'(') <= 1 && count(b'[') == 0
}

fn narrowed(array: &ArrayD<i64>) -> Result<ArrayD<i32>> {
    match array.iter().find(|value| i32::try_from(**value).is_err()) {
        None => Ok(array.mapv(|value| value as i32)),
        Some(value) => Err(Error::new(ErrorKind::BadFile, "", format!("holds {value}, which is beyond 32 bits"))),
    }
}

/// Writes `array` to `path`; the file appears complete or not at all.
///
/// # Errors
/// What the file system says.
pub fn write<T: WritableElement + Clone>(path: &Path, array: ArrayViewD<'_, T>) -> Result<()> {
    let bytes = encode(array).map_err(|error| Error { place: path.display().to_string(), ..error })?;
    crate::files::write(path, &bytes)
}

/// The bytes of a `.npy` file.
///
/// # Errors
/// An array that cannot be written.
pub fn encode<T: WritableElement + Clone>(array: ArrayViewD<'_, T>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    array
        .write_npy(&mut bytes)
        .map_err(|error| Error::new(ErrorKind::Internal, "", format!("cannot be encoded: {error}")))?;
    Ok(bytes)
}

/// The array, or `None` where it has another element type.
fn attempt<T: ReadableElement + Clone>(bytes: &[u8]) -> std::result::Result<Option<ArrayD<T>>, ReadNpyError> {
    match parse(bytes) {
        Ok(array) => Ok(Some(array)),
        Err(ReadNpyError::WrongDescriptor(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse<T: ReadableElement + Clone>(bytes: &[u8]) -> std::result::Result<ArrayD<T>, ReadNpyError> {
    Ok(ArrayD::<T>::read_npy(bytes)?.as_standard_layout().into_owned())
}

fn bad_file(error: ReadNpyError) -> Error {
    let message = match error {
        ReadNpyError::WrongDescriptor(found) => {
            format!(
                "has elements of type {found}; float32, int8, uint8, int16, int32 and int64 can be read: convert it with astype"
            )
        }
        ReadNpyError::MissingData => "is cut off: its data is shorter than its shape says".into(),
        ReadNpyError::ExtraBytes(extra) => format!("has {extra} bytes more than its shape says"),
        other => format!("is not a .npy array: {other}"),
    };
    Error::new(ErrorKind::BadFile, "", message)
}
