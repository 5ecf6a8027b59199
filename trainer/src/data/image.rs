//! JPEG and PNG bytes to an RGB frame, or to the pixels that a network takes.

use std::io::Cursor;

use ackermann_firmware::preprocess::{MAX_SIDE, Preprocess, Size};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::options::Window;
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

/// Decodes a JPEG or PNG, cuts `window` out of it and resizes that to `target`: into `out` as RGB, or as grey where there is room for that only.
///
/// # Errors
/// Says in words what is wrong with the bytes.
pub(super) fn decode_resized(
    bytes: &[u8],
    window: Option<Window>,
    target: Size,
    scratch: &mut Vec<u32>,
    out: &mut [u8],
) -> Result<(), String> {
    let frame = decode_image(bytes)?;
    let size = Size::new(frame.height, frame.width);
    let sized = |error| format!("has {} x {} pixels: {error}", size.width, size.height);
    let plan = Preprocess::new(size, window.map(|window| window.0.crop(size)), target).map_err(sized)?;
    scratch.resize(plan.scratch_len(), 0);
    if out.len() == target.rgb_len() {
        return plan.to_u8(&frame.rgb, scratch, out).map_err(sized);
    }
    let mut rgb = vec![0; target.rgb_len()];
    plan.to_u8(&frame.rgb, scratch, &mut rgb).map_err(sized)?;
    out.iter_mut().zip(rgb.as_chunks::<3>().0).for_each(|(grey, rgb)| *grey = luma(*rgb));
    Ok(())
}

/// Brightness of a pixel by ITU-R BT.601.
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue) + 500) / 1000) as u8
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
