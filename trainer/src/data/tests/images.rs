use super::{jpeg, png};
use crate::data::decode_image;

#[test]
fn flat_jpegs_decode_to_their_grey() {
    for grey in [0, 1, 100, 127, 128, 129, 200, 255] {
        let frame = decode_image(&jpeg(16, 24, grey)).unwrap();
        assert_eq!((frame.height, frame.width), (16, 24));
        assert!(frame.rgb.iter().all(|byte| byte.abs_diff(grey) <= 1), "{grey}: {:?}", &frame.rgb[..9]);
    }
}

#[test]
fn pngs_of_every_colour_type_become_rgb() {
    let rgb = decode_image(&png(1, 2, png::ColorType::Rgb, &[1, 2, 3, 4, 5, 6])).unwrap();
    assert_eq!(rgb.rgb, [1, 2, 3, 4, 5, 6]);
    let rgba = decode_image(&png(1, 2, png::ColorType::Rgba, &[1, 2, 3, 0, 4, 5, 6, 9])).unwrap();
    assert_eq!(rgba, rgb);
    let grey = decode_image(&png(2, 1, png::ColorType::Grayscale, &[7, 8])).unwrap();
    assert_eq!(grey.rgb, [7, 7, 7, 8, 8, 8]);
    let grey_alpha = decode_image(&png(2, 1, png::ColorType::GrayscaleAlpha, &[7, 0, 8, 0])).unwrap();
    assert_eq!(grey_alpha, grey);
}

#[test]
fn damaged_images_are_refused() {
    let whole = jpeg(16, 24, 90);
    for bytes in [&[][..], b"GIF89a", &whole[..40], &whole[..whole.len() - 4]] {
        assert!(decode_image(bytes).is_err(), "{} bytes", bytes.len());
    }
    let whole = png(4, 4, png::ColorType::Grayscale, &[5; 16]);
    assert!(decode_image(&whole[..whole.len() - 20]).is_err());
    for cut in 0..whole.len() {
        let _ = decode_image(&whole[..cut]);
    }
}

#[test]
fn images_too_large_are_refused_before_memory_is_asked_for() {
    let mut huge = jpeg(16, 24, 90);
    let at = huge.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    huge[at + 5..at + 9].fill(0xff);
    assert!(decode_image(&huge).is_err());
}
