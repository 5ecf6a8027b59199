//! A JPEG file without a JPEG encoder; the tests of the command line use it too.

/// A flat grey baseline JPEG, three components, 4:4:4: one DC difference per component at the first block, zeros after.
/// Quantization is 1, so the DC coefficient is 8 * (grey - 128).
pub fn jpeg(height: u16, width: u16, grey: u8) -> Vec<u8> {
    let mut out = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    out.extend([1; 64]);
    let ([h1, h0], [w1, w0]) = (height.to_be_bytes(), width.to_be_bytes());
    out.extend([0xff, 0xc0, 0, 17, 8, h1, h0, w1, w0, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    // DC: categories 0 to 11, four bits each. AC: end of block alone, one bit.
    out.extend([0xff, 0xc4, 0, 31, 0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend(0..12);
    out.extend([0xff, 0xc4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0]);
    let dc = 8 * (i32::from(grey) - 128);
    let category = 32 - dc.unsigned_abs().leading_zeros();
    let value = if dc < 0 { dc - 1 + (1 << category) } else { dc };
    let mut bits: Vec<bool> = Vec::new();
    let mut put = |value: i32, count: u32| bits.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
    for block in 0..height.div_ceil(8) * width.div_ceil(8) * 3 {
        match block {
            0 => (put(category as i32, 4), put(value, category)),
            _ => (put(0, 4), ()),
        };
        put(0, 1);
    }
    bits.resize(bits.len().next_multiple_of(8), true);
    for byte in bits.chunks(8).map(|eight| eight.iter().fold(0u8, |byte, &bit| byte << 1 | u8::from(bit))) {
        out.push(byte);
        if byte == 0xff {
            out.push(0);
        }
    }
    out.extend([0xff, 0xd9]);
    out
}
