//! Checked reading of Protocol Buffers.
//!
//! A message is a list of numbered fields. Nothing is copied and nothing allocated here: a field that holds bytes is a view
//! into the file, and a message in a message is read when it is asked for, so that a file cannot make the reader recurse.
//! Format: the Protocol Buffers encoding page (varint, 64-bit, length-delimited, 32-bit; groups are refused).

use super::broken;
use crate::Result;

/// A message: some bytes of a file.
#[derive(Debug, Clone, Copy)]
pub struct Message<'f> {
    bytes: &'f [u8],
    /// Where it begins in the file, for errors.
    at: usize,
}

/// One field of a message.
#[derive(Debug, Clone, Copy)]
pub struct Field<'f> {
    /// Which.
    pub number: u64,
    value: Value<'f>,
    at: usize,
}

#[derive(Debug, Clone, Copy)]
enum Value<'f> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'f [u8]),
    Fixed32([u8; 4]),
}

impl<'f> Message<'f> {
    /// A whole file.
    pub fn file(bytes: &'f [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The fields in the order they stand.
    pub fn fields(self) -> Fields<'f> {
        Fields { rest: self.bytes, at: self.at }
    }
}

/// The fields of a message; ends after the first error.
#[derive(Debug)]
pub struct Fields<'f> {
    rest: &'f [u8],
    at: usize,
}

impl<'f> Iterator for Fields<'f> {
    type Item = Result<Field<'f>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

impl<'f> Fields<'f> {
    fn field(&mut self) -> Result<Field<'f>> {
        let at = self.at;
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.fixed()?),
            2 => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(self.fixed()?),
            kind => return Err(broken(at, &format!("a field of kind {kind}, which does not exist"))),
        };
        // Of a message in this one, the content begins where this field ends less its length.
        let at = if let Value::Bytes(bytes) = value { self.at - bytes.len() } else { at };
        Ok(Field { number: tag >> 3, value, at })
    }

    fn take(&mut self, length: usize) -> Result<&'f [u8]> {
        let cut = self.rest.split_at_checked(length);
        let (taken, rest) = cut.ok_or_else(|| broken(self.at, "a field that states more bytes than there are"))?;
        (self.rest, self.at) = (rest, self.at + length);
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let at = self.at;
        self.take(N)?.first_chunk::<N>().copied().ok_or_else(|| broken(at, "a number that is cut off"))
    }

    fn varint(&mut self) -> Result<u64> {
        let (mut value, start) = (0u64, self.at);
        for shift in (0..64).step_by(7) {
            let &[byte] = &self.fixed::<1>()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(broken(start, "a number of more than ten bytes"))
    }
}

impl<'f> Field<'f> {
    fn odd<T>(&self) -> Result<T> {
        Err(broken(self.at, &format!("field {} of another kind than it should be", self.number)))
    }

    /// A number: an int, a bool or an enum.
    pub fn int(&self) -> Result<i64> {
        if let Value::Varint(value) = self.value { Ok(value as i64) } else { self.odd() }
    }

    /// A float.
    pub fn float(&self) -> Result<f32> {
        if let Value::Fixed32(bytes) = self.value { Ok(f32::from_le_bytes(bytes)) } else { self.odd() }
    }

    /// Bytes.
    pub fn bytes(&self) -> Result<&'f [u8]> {
        if let Value::Bytes(bytes) = self.value { Ok(bytes) } else { self.odd() }
    }

    /// A text.
    pub fn text(&self) -> Result<&'f str> {
        std::str::from_utf8(self.bytes()?).or_else(|_| self.odd())
    }

    /// A message.
    pub fn message(&self) -> Result<Message<'f>> {
        Ok(Message { bytes: self.bytes()?, at: self.at })
    }

    /// Appends this part of a list of ints: one, or several packed.
    pub fn ints(&self, list: &mut Vec<i64>) -> Result<()> {
        if let Value::Varint(value) = self.value {
            list.push(value as i64);
            return Ok(());
        }
        let mut packed = Fields { rest: self.bytes()?, at: self.at };
        while !packed.rest.is_empty() {
            list.push(packed.varint()? as i64);
        }
        Ok(())
    }

    /// Appends this part of a list of floats.
    pub fn floats(&self, list: &mut Vec<f32>) -> Result<()> {
        self.words(list, f32::from_le_bytes, |value| if let Value::Fixed32(word) = value { Some(word) } else { None })
    }

    /// Appends this part of a list of doubles.
    pub fn doubles(&self, list: &mut Vec<f64>) -> Result<()> {
        self.words(list, f64::from_le_bytes, |value| if let Value::Fixed64(word) = value { Some(word) } else { None })
    }

    fn words<const N: usize, T>(
        &self,
        list: &mut Vec<T>,
        convert: fn([u8; N]) -> T,
        single: fn(Value<'f>) -> Option<[u8; N]>,
    ) -> Result<()> {
        if let Some(word) = single(self.value) {
            list.push(convert(word));
            return Ok(());
        }
        let (words, rest) = self.bytes()?.as_chunks::<N>();
        list.extend(words.iter().map(|word| convert(*word)));
        if rest.is_empty() { Ok(()) } else { self.odd() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Field 1 = 300, field 2 = "ab", field 3 = packed 1, 2, -1, field 4 = 1.0 (32 bits), field 5 = 2.0 (64 bits).
    fn sample() -> Vec<u8> {
        let mut b = vec![8, 0xac, 2, 0x12, 2, b'a', b'b', 0x1a, 12, 1, 2];
        b.extend([0xff; 9]);
        b.extend([1, 0x25]);
        b.extend(1f32.to_le_bytes());
        b.push(0x29);
        b.extend(2f64.to_le_bytes());
        b
    }

    #[test]
    fn every_kind_is_read() {
        let bytes = sample();
        let fields: Vec<Field<'_>> = Message::file(&bytes).fields().collect::<Result<_>>().unwrap();
        assert_eq!(fields.iter().map(|f| f.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!((fields[0].int().unwrap(), fields[1].text().unwrap()), (300, "ab"));
        let (mut ints, mut floats, mut doubles) = (vec![], vec![], vec![]);
        fields[2].ints(&mut ints).unwrap();
        fields[3].floats(&mut floats).unwrap();
        fields[4].doubles(&mut doubles).unwrap();
        assert_eq!((ints, floats, doubles), (vec![1, 2, -1], vec![1.0], vec![2.0]));
        assert!(fields[0].bytes().is_err() && fields[1].float().is_err() && fields[4].int().is_err());
    }

    #[test]
    fn damage_is_an_error_with_its_place() {
        let whole = sample();
        let ends: Vec<usize> = vec![0, 3, 7, 21, 26, 35];
        for cut in 0..whole.len() {
            let broken = Message::file(&whole[..cut]).fields().any(|field| field.is_err());
            assert_eq!(broken, !ends.contains(&cut), "cut at {cut}");
        }
        for bytes in
            [&[0x0b][..], &[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], &[0x12, 255, 255, 255, 255, 15]]
        {
            let error = Message::file(bytes).fields().find_map(Result::err).unwrap();
            assert!(error.message.contains("at byte"), "{error}");
        }
    }
}
