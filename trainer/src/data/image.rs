//! JPEG and PNG bytes to an RGB frame.

use std::io::Cursor;

use ackermann_firmware::preprocess::MAX_SIDE;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::Frame;

/// Decodes a JPEG or PNG of at most 4096 x 4096 pixels; grey becomes RGB, transparency is ignored.
///
/// # Errors
/// Says in words what is wrong with the bytes.
pub fn decode_image(bytes: &[u8]) -> Result<Frame, String> {
    match bytes {
        [] => Err("is empty".into()),
        [0xff, 0xd8, ..] => decode_jpeg(bytes),
        [0x89, b'P', b'N', b'G', ..] => decode_png(bytes),
        _ => Err("is neither JPEG nor PNG".into()),
    }
}

fn decode_jpeg(bytes: &[u8]) -> Result<Frame, String> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let rgb = decoder.decode().map_err(|error| {
        // The decoder's messages may run over several lines.
        let words: Vec<String> = format!("{error:?}").split_whitespace().map(String::from).collect();
        format!("is not a readable JPEG: {}", words.join(" "))
    })?;
    let info = decoder.info().ok_or("is a JPEG without a frame")?;
    checked(usize::from(info.height), usize::from(info.width), rgb)
}

fn decode_png(bytes: &[u8]) -> Result<Frame, String> {
    let wrong = |error: png::DecodingError| format!("is not a readable PNG: {error}");
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(wrong)?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(format!("has {width} x {height} pixels, more than {MAX_SIDE} a side"));
    }
    let mut pixels = vec![0; reader.output_buffer_size().ok_or("is a PNG of impossible size")?];
    let info = reader.next_frame(&mut pixels).map_err(wrong)?;
    pixels.truncate(info.buffer_size());
    let rgb = match info.color_type.samples() {
        3 => pixels,
        4 => pixels.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect(),
        channels => pixels.chunks_exact(channels).flat_map(|p| [p[0]; 3]).collect(),
    };
    checked(height, width, rgb)
}

fn checked(height: usize, width: usize, rgb: Vec<u8>) -> Result<Frame, String> {
    if rgb.len() == height * width * 3 {
        Ok(Frame { height, width, rgb })
    } else {
        Err(format!("decodes to {} bytes, not {width} x {height} x 3", rgb.len()))
    }
}
