//! Little-endian fields of a message body, read and written without a panic path.

use heapless::Vec;

/// Reads fields from the front of a body.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// All of `body` is still to be read.
    pub const fn new(body: &'a [u8]) -> Self {
        Self(body)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    /// One byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Two bytes.
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Four bytes, signed.
    pub fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    /// Eight bytes.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// The next `length` bytes.
    pub fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    /// A text: a length byte and that many bytes of UTF-8.
    pub fn text(&mut self) -> Option<&'a str> {
        let length = self.u8()?;
        core::str::from_utf8(self.bytes(usize::from(length))?).ok()
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.0)
    }

    /// Whether everything was read.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Appends fields to a body; `None` when it is full.
pub trait Put {
    /// Appends raw bytes.
    fn put(&mut self, bytes: &[u8]) -> Option<()>;

    /// Appends a text as [`Fields::text`] reads it, cut to 255 bytes at a character boundary.
    fn put_text(&mut self, text: &str) -> Option<()> {
        let mut length = text.len().min(255);
        while !text.is_char_boundary(length) {
            length = length.saturating_sub(1);
        }
        self.put(&[length as u8])?;
        self.put(text.as_bytes().get(..length)?)
    }
}

impl<const N: usize> Put for Vec<u8, N> {
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        self.extend_from_slice(bytes).ok()
    }
}
