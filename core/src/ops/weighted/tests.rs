use super::*;

/// The quick look and the thorough one agree, at every edge of every field.
#[test]
fn a_bounded_channel_is_what_the_thorough_check_accepts() {
    let mut accepted = 0;
    for zero_point in [-128, -1, 0, 127] {
        for taps in [1, 27, 1152, 32_767, 32_768, 1 << 20] {
            for shift in [-31, -23, -22, -9, -1, 0, 1, 30, 31, i32::MIN, i32::MAX] {
                let exact = quantized::rounding_constant(shift.clamp(-31, 31), zero_point);
                let edge = (BOUND - quantized::sum_bound(0, taps)) as i32;
                for bias in [0, edge, -edge, edge - 1, 1 - edge, i32::MIN, i32::MAX] {
                    for (multiplier, rounding) in [(0, exact), (i32::MAX, exact), (-1, exact), (1, exact ^ 1), (1, 0)] {
                        let channel = Channel { bias, multiplier, rounding, shift };
                        let thorough = verify_channel(&channel, taps, zero_point, true, 0).is_ok();
                        assert_eq!(
                            are_bounded(Layout::Natural, &[channel], taps, zero_point),
                            thorough,
                            "{channel:?}, {taps} taps"
                        );
                        let wide = Channel { bias: bias.wrapping_mul(2), shift: shift.wrapping_neg(), ..channel };
                        if wide.bias / 2 == bias {
                            assert_eq!(are_bounded(Layout::DspWide, &[wide], taps, zero_point), thorough, "{wide:?}");
                        }
                        accepted += usize::from(thorough);
                    }
                }
            }
        }
    }
    assert!(accepted > 200, "only {accepted} accepted");
}
