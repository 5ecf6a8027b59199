use super::*;

/// The quick look accepts nothing that the thorough one refuses, at every edge of every field, and all that is usual.
#[test]
fn a_bounded_channel_is_what_the_thorough_check_accepts() {
    let mut accepted = 0;
    let beside = |good, channel| [[good, channel], [channel, good]];
    // All of them but under Miri, which is slow.
    let every = if cfg!(miri) { 4 } else { 1 };
    for zero_point in [-128, -1, 0, 127].into_iter().step_by(every) {
        for taps in [1, 27, 1152, 32_767, 32_768, 1 << 20].into_iter().step_by(every) {
            for shift in [-31, -23, -22, -9, -1, 0, 1, 30, 31, i32::MIN, i32::MAX] {
                let good = Channel {
                    multiplier: 1,
                    shift: -9,
                    rounding: quantized::rounding_constant(-9, zero_point),
                    bias: 0,
                };
                let exact = quantized::rounding_constant(shift.clamp(-31, 31), zero_point);
                let edge = (BOUND - quantized::sum_bound(0, taps)) as i32;
                for bias in [0, edge, -edge, edge - 1, 1 - edge, edge / 2, -edge / 2, i32::MIN, i32::MAX] {
                    for (multiplier, rounding) in [(0, exact), (i32::MAX, exact), (-1, exact), (1, exact ^ 1), (1, 0)] {
                        let channel = Channel { bias, multiplier, rounding, shift };
                        let thorough = verify_channel(&channel, taps, zero_point, true, 0).is_ok();
                        // As many bits as below the bound are usual, in all biases together.
                        let usual = thorough && bias.unsigned_abs() < (edge as u32 / 2).next_power_of_two();
                        let check = |layout, channels: [[Channel; 2]; 2]| {
                            for pair in channels {
                                let quick = are_bounded(layout, &[pair], taps, zero_point);
                                assert!(thorough || !quick, "{pair:?}, {taps} taps");
                                assert!(quick || !usual, "{pair:?}, {taps} taps");
                            }
                        };
                        check(Layout::Natural, beside(good, channel));
                        let wide = Channel { bias: bias.wrapping_mul(2), shift: shift.wrapping_neg(), ..channel };
                        if wide.bias / 2 == bias {
                            check(Layout::DspWide, beside(Channel { shift: 9, ..good }, wide));
                        }
                        accepted += usize::from(thorough);
                    }
                }
            }
        }
    }
    assert!(accepted > 200 / every.pow(2), "only {accepted} accepted");
}
