//! Checked reading of FlatBuffers.
//!
//! A FlatBuffer is a web of offsets; a hostile one points anywhere. Every read here is bounds-checked against the file, there
//! is no recursion and nothing is allocated in proportion to a number that the file merely states. Format:
//! the FlatBuffers internals page (tables, vtables, vectors, strings; all little-endian).

use super::broken;
use crate::{Error, ErrorKind, Result};

/// A whole file.
#[derive(Debug, Clone, Copy)]
pub struct Buffer<'f> {
    bytes: &'f [u8],
}

/// A table: optional fields by number.
#[derive(Debug, Clone, Copy)]
pub struct Table<'f> {
    buffer: Buffer<'f>,
    at: usize,
    vtable: usize,
    vtable_bytes: usize,
}

/// A vector whose elements lie wholly in the file.
#[derive(Debug, Clone, Copy)]
pub struct Vector<'f> {
    buffer: Buffer<'f>,
    at: usize,
    len: usize,
}

/// Longest list of numbers that is copied: shapes, scales and operands of a network that makes sense are far shorter.
const MAX_NUMBERS: usize = 1 << 16;

impl<'f> Buffer<'f> {
    /// The root table of `bytes`, which must carry the four letters `identifier`.
    pub fn root(bytes: &'f [u8], identifier: &[u8; 4]) -> Result<Table<'f>> {
        if bytes.get(4..8) != Some(identifier) {
            let letters = String::from_utf8_lossy(identifier);
            return Err(Error::new(ErrorKind::BadFile, "", format!("does not carry the letters {letters} at byte 4")));
        }
        Self { bytes }.table(0)
    }

    fn take<const N: usize>(self, at: usize) -> Result<[u8; N]> {
        let found = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<N>());
        found.copied().ok_or_else(|| broken(at, "an offset leads out of the file"))
    }

    fn u16(self, at: usize) -> Result<usize> {
        self.take(at).map(|b| usize::from(u16::from_le_bytes(b)))
    }

    fn u32(self, at: usize) -> Result<usize> {
        self.take(at).map(|b| u32::from_le_bytes(b) as usize)
    }

    /// Follows the offset stored at `at`.
    fn follow(self, at: usize) -> Result<usize> {
        let target = at.checked_add(self.u32(at)?).filter(|t| *t > at && *t < self.bytes.len());
        target.ok_or_else(|| broken(at, "an offset leads out of the file"))
    }

    /// The table that the offset at `at` points to.
    fn table(self, at: usize) -> Result<Table<'f>> {
        let at = self.follow(at)?;
        let back = i64::from(i32::from_le_bytes(self.take(at)?));
        let vtable = usize::try_from(at as i64 - back).map_err(|_| broken(at, "a table without its field list"))?;
        let vtable_bytes = self.u16(vtable)?;
        if vtable_bytes < 4 || vtable_bytes % 2 != 0 || vtable + vtable_bytes > self.bytes.len() {
            return Err(broken(vtable, "a table's field list with a wrong length"));
        }
        Ok(Table { buffer: self, at, vtable, vtable_bytes })
    }
}

impl<'f> Table<'f> {
    /// Where field number `field` is, if the table has it.
    fn field(&self, field: usize) -> Result<Option<usize>> {
        let entry = 4 + 2 * field;
        if entry + 2 > self.vtable_bytes {
            return Ok(None);
        }
        let offset = self.buffer.u16(self.vtable + entry)?;
        Ok((offset != 0).then_some(self.at + offset))
    }

    fn scalar<const N: usize>(&self, field: usize) -> Result<Option<[u8; N]>> {
        self.field(field)?.map(|at| self.buffer.take(at)).transpose()
    }

    /// An i8 field.
    pub fn i8(&self, field: usize, default: i8) -> Result<i8> {
        Ok(self.scalar(field)?.map_or(default, i8::from_le_bytes))
    }

    /// An i32 field.
    pub fn i32(&self, field: usize, default: i32) -> Result<i32> {
        Ok(self.scalar(field)?.map_or(default, i32::from_le_bytes))
    }

    /// A u32 field.
    pub fn u32(&self, field: usize, default: u32) -> Result<u32> {
        Ok(self.scalar(field)?.map_or(default, u32::from_le_bytes))
    }

    /// A u64 field.
    pub fn u64(&self, field: usize, default: u64) -> Result<u64> {
        Ok(self.scalar(field)?.map_or(default, u64::from_le_bytes))
    }

    /// A table field.
    pub fn table(&self, field: usize) -> Result<Option<Table<'f>>> {
        self.field(field)?.map(|at| self.buffer.table(at)).transpose()
    }

    /// A vector field with elements of `size` bytes; empty when absent.
    pub fn vector(&self, field: usize, size: usize) -> Result<Vector<'f>> {
        let Some(at) = self.field(field)? else {
            return Ok(Vector { buffer: self.buffer, at: 0, len: 0 });
        };
        let start = self.buffer.follow(at)?;
        let len = self.buffer.u32(start)?;
        let end = len.checked_mul(size).and_then(|bytes| bytes.checked_add(start + 4));
        match end {
            Some(end) if end <= self.buffer.bytes.len() => Ok(Vector { buffer: self.buffer, at: start + 4, len }),
            _ => Err(broken(start, "a list that states more elements than the file holds")),
        }
    }

    /// A vector of tables; each is read on demand by [`Vector::table`].
    pub fn tables(&self, field: usize) -> Result<Vector<'f>> {
        self.vector(field, 4)
    }

    /// The bytes of a byte vector.
    pub fn bytes(&self, field: usize) -> Result<&'f [u8]> {
        let vector = self.vector(field, 1)?;
        Ok(vector.buffer.bytes.get(vector.at..vector.at + vector.len).unwrap_or(&[]))
    }

    /// A vector of i32.
    pub fn i32s(&self, field: usize) -> Result<Vec<i32>> {
        self.numbers(field, i32::from_le_bytes)
    }

    /// A vector of i64.
    pub fn i64s(&self, field: usize) -> Result<Vec<i64>> {
        self.numbers(field, i64::from_le_bytes)
    }

    /// A vector of f32.
    pub fn f32s(&self, field: usize) -> Result<Vec<f32>> {
        self.numbers(field, f32::from_le_bytes)
    }

    fn numbers<const N: usize, T>(&self, field: usize, convert: fn([u8; N]) -> T) -> Result<Vec<T>> {
        let vector = self.vector(field, N)?;
        if vector.len > MAX_NUMBERS {
            return Err(broken(vector.at, "a list of more than 65536 numbers"));
        }
        (0..vector.len).map(|i| self.buffer.take(vector.at + N * i).map(convert)).collect()
    }
}

impl<'f> Vector<'f> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Table number `index`, if there is one.
    pub fn table(&self, index: usize) -> Result<Option<Table<'f>>> {
        if index < self.len { self.buffer.table(self.at + 4 * index).map(Some) } else { Ok(None) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A root table with field 0 = 7i32, field 1 absent, field 2 = a vector of two i32.
    fn sample() -> Vec<u8> {
        let mut b = Vec::new();
        b.extend(20u32.to_le_bytes()); // root table
        b.extend(*b"TEST");
        b.extend([10u16, 12, 4, 0, 8].iter().flat_map(|v| v.to_le_bytes())); // vtable at 8
        b.extend([0; 2]);
        b.extend(12i32.to_le_bytes()); // table at 20: vtable 12 bytes before
        b.extend(7i32.to_le_bytes());
        b.extend(4u32.to_le_bytes()); // at 28: vector at 32
        b.extend(2u32.to_le_bytes());
        b.extend([-5i32, 6].iter().flat_map(|v| v.to_le_bytes()));
        b
    }

    #[test]
    fn reads_fields_and_defaults() {
        let bytes = sample();
        let root = Buffer::root(&bytes, b"TEST").unwrap();
        assert_eq!(root.i32(0, 1).unwrap(), 7);
        assert_eq!(root.i32(1, 1).unwrap(), 1);
        assert_eq!(root.i32s(2).unwrap(), [-5, 6]);
        assert_eq!(root.i32(9, 3).unwrap(), 3);
        assert!(root.tables(1).unwrap().table(0).unwrap().is_none());
    }

    #[test]
    fn damage_is_an_error_not_a_panic() {
        let whole = sample();
        for cut in 0..whole.len() {
            if let Ok(root) = Buffer::root(&whole[..cut], b"TEST") {
                assert!(root.i32s(2).is_err(), "cut at {cut}");
            }
        }
        for (at, value) in (0..whole.len()).flat_map(|at| [0, 1, 0x7f, 0xff].map(|v| (at, v))) {
            let mut bytes = whole.clone();
            bytes[at] = value;
            if let Ok(root) = Buffer::root(&bytes, b"TEST") {
                let _ = (root.i32(0, 0), root.i32s(2), root.bytes(2), root.tables(2).map(|v| v.table(1).is_ok()));
            }
        }
    }
}
