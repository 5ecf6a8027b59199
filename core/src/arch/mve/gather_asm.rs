//! The copies as assembly. Slices are checked to fit together by [`super::gather`], the only caller.
#![allow(unsafe_code)]

use core::arch::asm;

pub fn rows(source: &[i8], line: usize, row: usize, rows: usize, column: &mut [i8]) {
    // What the last step of a row goes beyond its end, which nothing is read or written for.
    let beyond = row.wrapping_neg() & 15;
    // SAFETY: the caller has checked that `source` holds `row` (> 0) bytes at each of `rows` (> 0) multiples of `line`, and
    // `column` all of them; loads and stores are predicated to the bytes of the row.
    unsafe {
        asm!(
            "1: dlstp.8 lr, {row}
             2: vldrb.8 q0, [{x}], #16
             vstrb.8 q0, [{y}], #16
             letp lr, 2b
             add {x}, {x}, {skip}
             sub {y}, {y}, {beyond}
             subs {rows}, {rows}, #1
             bne 1b",
            x = inout(reg) source.as_ptr() => _,
            y = inout(reg) column.as_mut_ptr() => _,
            rows = inout(reg) rows => _,
            row = in(reg) row,
            skip = in(reg) line.wrapping_sub(row.wrapping_add(beyond)),
            beyond = in(reg) beyond,
            out("lr") _, out("q0") _,
            options(nostack)
        )
    }
}

pub fn short_rows(source: &[i8], line: usize, row: usize, rows: usize, column: &mut [i8]) {
    // SAFETY: the caller has checked that 16 bytes can be read at each of `rows` (> 0) multiples of `line`, and written at each
    // multiple of `row`.
    unsafe {
        asm!(
            "dls lr, {rows}
             1: vldrb.8 q0, [{x}]
             add {x}, {x}, {line}
             vstrb.8 q0, [{y}]
             add {y}, {y}, {row}
             le lr, 1b",
            x = inout(reg) source.as_ptr() => _,
            y = inout(reg) column.as_mut_ptr() => _,
            rows = in(reg) rows,
            line = in(reg) line,
            row = in(reg) row,
            out("lr") _, out("q0") _,
            options(nostack)
        )
    }
}

pub fn copy(source: &[i8], to: &mut [i8]) {
    // SAFETY: reads and writes as many bytes as both slices have, predicated.
    unsafe {
        asm!(
            "wlstp.8 lr, {count}, 2f
             1: vldrb.8 q0, [{x}], #16
             vstrb.8 q0, [{y}], #16
             letp lr, 1b
             2:",
            x = inout(reg) source.as_ptr() => _,
            y = inout(reg) to.as_mut_ptr() => _,
            count = in(reg) source.len().min(to.len()),
            out("lr") _, out("q0") _,
            options(nostack)
        )
    }
}

pub fn fill(to: &mut [i8], value: i8) {
    // SAFETY: writes as many bytes as the slice has, predicated.
    unsafe {
        asm!(
            "vdup.8 q0, {value}
             wlstp.8 lr, {count}, 2f
             1: vstrb.8 q0, [{y}], #16
             letp lr, 1b
             2:",
            y = inout(reg) to.as_mut_ptr() => _,
            count = in(reg) to.len(),
            value = in(reg) i32::from(value),
            out("lr") _, out("q0") _,
            options(nostack)
        )
    }
}
