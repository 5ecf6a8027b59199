use super::*;
use proptest::prelude::*;

/// Area average in exact rationals, straight from the definition: units of `1 / (W * H)` of a source pixel.
fn oracle(source: Size, frame: &[u8], crop: Crop, target: Size) -> Vec<u8> {
    let overlap = |a: usize, a_len: usize, b: usize, b_len: usize| {
        ((a + a_len).min(b + b_len) as u64).saturating_sub(a.max(b) as u64)
    };
    let (w, h) = (crop.size.width, crop.size.height);
    let mut out = Vec::new();
    for oy in 0..target.height {
        for ox in 0..target.width {
            for channel in 0..3 {
                let mut sum = 0;
                for y in 0..h {
                    let wy = overlap(y * target.height, target.height, oy * h, h);
                    for x in 0..w {
                        let wx = overlap(x * target.width, target.width, ox * w, w);
                        let at = ((crop.top + y) * source.width + crop.left + x) * 3 + channel;
                        sum += wy * wx * u64::from(frame[at]);
                    }
                }
                let n = (w * h) as u64;
                out.push(((2 * sum + n) / (2 * n)) as u8);
            }
        }
    }
    out
}

fn picture(size: Size, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..size.rgb_len()).map(|_| byte()).collect()
}

fn resize(source: Size, frame: &[u8], crop: Option<Crop>, target: Size) -> Vec<u8> {
    let plan = Preprocess::new(source, crop, target).unwrap();
    let mut scratch = vec![0; plan.scratch_len()];
    let mut bytes = vec![0; target.rgb_len()];
    plan.to_u8(frame, &mut scratch, &mut bytes).unwrap();
    let mut tensor = vec![0i8; target.rgb_len()];
    plan.to_i8(frame, &mut scratch, &mut tensor).unwrap();
    assert!(bytes.iter().zip(&tensor).all(|(&b, &t)| i16::from(t) == i16::from(b) - 128));
    bytes
}

proptest! {
    #[test]
    fn equals_the_rational_average(
        (sh, sw) in (1usize..24, 1usize..24),
        (th, tw) in (1usize..24, 1usize..24),
        cut in prop::array::uniform4(0usize..24),
        seed: u32,
    ) {
        let source = Size::new(sh, sw);
        let (top, left) = (cut[0] % sh, cut[1] % sw);
        let size = Size::new(1 + cut[2] % (sh - top), 1 + cut[3] % (sw - left));
        let crop = Crop { top, left, size };
        let frame = picture(source, seed);
        let target = Size::new(th, tw);
        prop_assert_eq!(resize(source, &frame, Some(crop), target), oracle(source, &frame, crop, target));
    }

    #[test]
    fn a_flat_picture_stays_flat(sh in 1usize..80, sw in 1usize..80, th in 1usize..40, tw in 1usize..40, value: u8) {
        let source = Size::new(sh, sw);
        let out = resize(source, &vec![value; source.rgb_len()], None, Size::new(th, tw));
        prop_assert!(out.iter().all(|&byte| byte == value));
    }
}

#[test]
fn equal_sizes_copy() {
    let size = Size::new(9, 13);
    let frame = picture(size, 5);
    assert_eq!(resize(size, &frame, None, size), frame);
}

#[test]
fn a_crop_of_the_target_size_is_cut_out() {
    let source = Size::new(4, 5);
    let frame: Vec<u8> = (0..60).collect();
    let crop = Crop { top: 1, left: 2, size: Size::new(2, 2) };
    assert_eq!(resize(source, &frame, Some(crop), crop.size), [21, 22, 23, 24, 25, 26, 36, 37, 38, 39, 40, 41]);
}

#[test]
fn halves_round_up() {
    let frame = [0, 0, 0, 1, 3, 255];
    assert_eq!(resize(Size::new(1, 2), &frame, None, Size::new(1, 1)), [1, 2, 128]);
}

#[test]
fn camera_sizes_equal_the_rational_average() {
    for (source, top, rows, target) in
        [(Size::new(120, 160), 40, 80, Size::new(32, 96)), (Size::new(160, 320), 60, 75, Size::new(66, 200))]
    {
        let crop = Crop { top, left: 0, size: Size::new(rows, source.width) };
        let frame = picture(source, 77);
        assert_eq!(resize(source, &frame, Some(crop), target), oracle(source, &frame, crop, target));
    }
}

#[test]
fn the_largest_frame_does_not_overflow() {
    let source = Size::new(MAX_SIDE, MAX_SIDE);
    let frame = vec![255; source.rgb_len()];
    let plan = Preprocess::new(source, None, Size::new(3, 7)).unwrap();
    let mut out = vec![0; plan.target().rgb_len()];
    plan.to_u8(&frame, &mut vec![0; plan.scratch_len()], &mut out).unwrap();
    assert!(out.iter().all(|&byte| byte == 255));
}

#[test]
fn wrong_sizes_are_named() {
    use PreprocessError::*;
    let (ok, target) = (Size::new(8, 8), Size::new(4, 4));
    let crop = |top, left, height, width| Some(Crop { top, left, size: Size::new(height, width) });
    let plan = |source, crop, target| Preprocess::new(source, crop, target).map(|_| ());
    assert_eq!(plan(Size::new(0, 8), None, target), Err(SourceSize));
    assert_eq!(plan(Size::new(8, MAX_SIDE + 1), None, target), Err(SourceSize));
    assert_eq!(plan(ok, None, Size::new(4, 0)), Err(TargetSize));
    assert_eq!(plan(ok, crop(0, 0, 0, 3), target), Err(CropOutside));
    assert_eq!(plan(ok, crop(1, 0, 8, 8), target), Err(CropOutside));
    assert_eq!(plan(ok, crop(usize::MAX, 0, 8, 8), target), Err(CropOutside));
    assert_eq!(plan(ok, crop(0, 5, 8, 4), target), Err(CropOutside));

    let plan = Preprocess::new(ok, None, target).unwrap();
    let (frame, mut scratch, mut out) = ([0; 192], [0; 24], [0i8; 48]);
    assert_eq!(plan.to_i8(&frame[1..], &mut scratch, &mut out), Err(FrameLength));
    assert_eq!(plan.to_i8(&frame, &mut scratch, &mut out[1..]), Err(OutputLength));
    assert_eq!(plan.to_i8(&frame, &mut scratch[1..], &mut out), Err(ScratchLength));
    assert_eq!(plan.to_i8(&frame, &mut scratch, &mut out), Ok(()));
}

#[test]
fn windows_are_read_as_written_and_cut_what_they_say() {
    for text in ["40..119", "0..0", "40..119,10..149"] {
        assert_eq!(Window::parse(text).unwrap().to_string(), text);
    }
    for wrong in ["", "40", "40..", "..3", "5..4", "1..2,", "1..2,3..4,5..6", "-1..3", "0..65536", "1...2"] {
        assert_eq!(Window::parse(wrong), None, "{wrong}");
    }
    let crop = |text| Window::parse(text).unwrap().crop(Size::new(120, 160));
    assert_eq!(crop("40..119"), Crop { top: 40, left: 0, size: Size::new(80, 160) });
    assert_eq!(crop("0..9, 5..14"), Crop { top: 0, left: 5, size: Size::new(10, 10) });
    let outside = crop("100..120");
    assert!(Preprocess::new(Size::new(120, 160), Some(outside), Size::new(8, 8)).is_err());
}
