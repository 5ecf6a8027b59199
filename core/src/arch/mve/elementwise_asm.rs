//! The loops as assembly. Slices are checked to fit together by [`super::elementwise`], the only caller.
#![allow(unsafe_code)]

use core::arch::asm;

use crate::blob::Activation;

pub fn clamp(values: &mut [i8], activation: Activation) {
    // SAFETY: reads and writes as many bytes as the slice has, predicated.
    unsafe {
        asm!(
            "vdup.8 q1, {min}
             vdup.8 q2, {max}
             wlstp.8 lr, {count}, 2f
             1: vldrb.u8 q0, [{y}]
             vmax.s8 q0, q0, q1
             vmin.s8 q0, q0, q2
             vstrb.8 q0, [{y}], #16
             letp lr, 1b
             2:",
            y = inout(reg) values.as_mut_ptr() => _,
            count = in(reg) values.len(),
            min = in(reg) i32::from(activation.min),
            max = in(reg) i32::from(activation.max),
            out("lr") _, out("q0") _, out("q1") _, out("q2") _,
            options(nostack)
        )
    }
}
