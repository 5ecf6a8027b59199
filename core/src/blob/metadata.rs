//! Keys and values that travel with a network.

/// The keys that have a meaning here; others may be added freely.
pub mod keys {
    /// Name of the network, for people.
    pub const NETWORK: &str = "network.name";
    /// Runs that a sample takes where samples are sequences: the steps that the network was trained on at a time, in decimal.
    pub const STEPS: &str = "network.steps";
    /// Part of the camera frame that the network looks at, for example `40..119` (rows) or `40..119,10..149` (rows, columns),
    /// ends included; without it the whole frame.
    pub const INPUT_CROP: &str = "input.crop";
    /// What the output is, for example `steering`.
    pub const OUTPUT: &str = "output.name";
    /// Unit of the dequantized output, for example `normalized`.
    pub const OUTPUT_UNIT: &str = "output.unit";
    /// Wheel angle in degrees of an output of 1.0, in decimal.
    pub const FULL_SCALE_DEG: &str = "output.full_scale_deg";
    /// Digest of the data the network was trained on.
    pub const DATA_DIGEST: &str = "provenance.data";
    /// Digest of the training configuration.
    pub const CONFIG_DIGEST: &str = "provenance.config";
    /// Prefix of names of tensors: `tensor.3`.
    pub const TENSOR: &str = "tensor.";
    /// Prefix of names of operators: `operator.0`.
    pub const OPERATOR: &str = "operator.";
}

/// Iterates over `(key, value)`; ends at the first entry that is cut or not UTF-8 (a loaded model has none).
#[derive(Debug, Clone, Copy)]
pub struct Metadata<'m> {
    pub(crate) rest: &'m [u8],
}

impl<'m> Metadata<'m> {
    /// The value of `key`, if it is there.
    pub fn get(mut self, key: &str) -> Option<&'m str> {
        while let Some((k, value)) = self.entry() {
            if k == key.as_bytes() {
                return core::str::from_utf8(value).ok();
            }
        }
        None
    }

    /// Whether all bytes are well-formed entries.
    pub(crate) fn is_well_formed(mut self) -> bool {
        // Lengths included, most metadata are ASCII: then no entry needs a look.
        let (head, words, tail) = bytemuck::pod_align_to::<u8, u32>(self.rest);
        let ascii = words.iter().fold(0, |all, word| all | word) & 0x8080_8080 == 0;
        let ascii = ascii && head.is_ascii() && tail.is_ascii();
        let is_text = |bytes| ascii || is_utf8(bytes);
        while let Some((key, value)) = self.entry() {
            if !is_text(key) || !is_text(value) {
                return false;
            }
        }
        self.rest.is_empty()
    }

    /// The next key and value; nothing where they are cut.
    fn entry(&mut self) -> Option<(&'m [u8], &'m [u8])> {
        let (&[k0, k1, v0, v1], rest) = self.rest.split_first_chunk::<4>()?;
        let (key, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([k0, k1])))?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([v0, v1])))?;
        self.rest = rest;
        Some((key, value))
    }
}

/// Whether the bytes are UTF-8 (RFC 3629): what `core::str::from_utf8` accepts, in a quarter of its code.
fn is_utf8(text: &[u8]) -> bool {
    let mut bytes = text.iter();
    while let Some(first) = bytes.next() {
        let (others, least, most) = match first {
            0..=0x7f => continue,
            0xc2..=0xdf => (0, 0x80, 0xbf),
            0xe0 => (1, 0xa0, 0xbf),
            0xed => (1, 0x80, 0x9f),
            0xe1..=0xef => (1, 0x80, 0xbf),
            0xf0 => (2, 0x90, 0xbf),
            0xf1..=0xf3 => (2, 0x80, 0xbf),
            0xf4 => (2, 0x80, 0x8f),
            _ => return false,
        };
        let second = bytes.next().is_some_and(|byte| (least..=most).contains(byte));
        if !second || !(0..others).all(|_| bytes.next().is_some_and(|byte| byte >> 6 == 0b10)) {
            return false;
        }
    }
    true
}

impl<'m> Iterator for Metadata<'m> {
    type Item = (&'m str, &'m str);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.entry()?;
        Some((core::str::from_utf8(key).ok()?, core::str::from_utf8(value).ok()?))
    }
}

#[cfg(test)]
mod tests;
