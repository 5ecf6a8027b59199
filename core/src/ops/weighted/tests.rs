use super::*;

/// The quick look and the thorough one agree, at every edge of every field.
#[test]
fn a_bounded_channel_is_what_the_thorough_check_accepts() {
    let mut accepted = 0;
    let beside = |good, channel| [[good, channel], [channel, good]];
    for zero_point in [-128, -1, 0, 127] {
        for taps in [1, 27, 1152, 32_767, 32_768, 1 << 20] {
            for shift in [-31, -23, -22, -9, -1, 0, 1, 30, 31, i32::MIN, i32::MAX] {
                let good = Channel {
                    multiplier: 1,
                    shift: -9,
                    rounding: quantized::rounding_constant(-9, zero_point),
                    bias: 0,
                };
                let exact = quantized::rounding_constant(shift.clamp(-31, 31), zero_point);
                let edge = (BOUND - quantized::sum_bound(0, taps)) as i32;
                for bias in [0, edge, -edge, edge - 1, 1 - edge, i32::MIN, i32::MAX] {
                    for (multiplier, rounding) in [(0, exact), (i32::MAX, exact), (-1, exact), (1, exact ^ 1), (1, 0)] {
                        let channel = Channel { bias, multiplier, rounding, shift };
                        let thorough = verify_channel(&channel, taps, zero_point, true, 0).is_ok();
                        assert_eq!(
                            beside(good, channel).map(|pair| are_bounded(Layout::Natural, &[pair], taps, zero_point)),
                            [thorough; 2],
                            "{channel:?}, {taps} taps"
                        );
                        let wide = Channel { bias: bias.wrapping_mul(2), shift: shift.wrapping_neg(), ..channel };
                        if wide.bias / 2 == bias {
                            let good = Channel { shift: 9, ..good };
                            let found =
                                beside(good, wide).map(|pair| are_bounded(Layout::DspWide, &[pair], taps, zero_point));
                            assert_eq!(found, [thorough; 2], "{wide:?}");
                        }
                        accepted += usize::from(thorough);
                    }
                }
            }
        }
    }
    assert!(accepted > 200, "only {accepted} accepted");
}
