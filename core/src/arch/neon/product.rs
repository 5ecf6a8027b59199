//! Columns times groups of four channels ([`crate::arch::mve::product`] says how both lie).
//!
//! SMULL multiplies eight bytes with eight, SMLAL2 adds the products of the other eight, SADALP adds the pairs to four sums:
//! three instructions for 16 products. Two products fit in 16 bits if they are not both (-128)^2, which the operator's
//! narrow flag promises; without it the products are added one by one.

#![allow(unsafe_code)]

use core::arch::aarch64::*;

use super::cpu::{load, load4, numbers};
use crate::arch::mve::product::{BLOCK, Columns, Weights4};
use crate::blob::{Activation, Channel};

/// What all blocks of one call share.
struct Job<'a> {
    columns: Columns<'a>,
    /// Blocks of one column.
    depth: usize,
    weights: *const i8,
    channels: &'a [[Channel; 4]],
    activation: Activation,
    output: *mut i8,
    /// Bytes of output from one column to the next.
    stride: usize,
}

/// As [`crate::arch::mve::product::requantized`], which has checked that all fits together.
pub fn requantized(
    columns: Columns<'_>,
    [depth, stride]: [usize; 2],
    weights: &[Weights4],
    channels: &[[Channel; 4]],
    narrow: bool,
    activation: Activation,
    output: &mut [i8],
) {
    let weights = weights.as_ptr().cast();
    let job = Job { columns, depth, weights, channels, activation, output: output.as_mut_ptr(), stride };
    if narrow { job.run::<true>() } else { job.run::<false>() }
}

/// Whether no weight is -128.
pub fn is_narrow(weights: &[i8]) -> bool {
    let (weights, rest) = weights.as_chunks::<{ 4 * BLOCK }>();
    let mut least = [zero_bytes(); 4];
    for block in weights {
        // SAFETY: 64 bytes.
        let four = unsafe { load4(block.as_ptr()) };
        for (least, weights) in least.iter_mut().zip(four) {
            // SAFETY: arithmetic on registers.
            *least = unsafe { vminq_s8(*least, weights) };
        }
    }
    let [a, b, c, d] = least;
    // SAFETY: arithmetic on registers.
    let least = unsafe { vminvq_s8(vminq_s8(vminq_s8(a, b), vminq_s8(c, d))) };
    least > i8::MIN && !rest.contains(&i8::MIN)
}

/// Sums, without bias, of one column and four channels.
pub fn sums(column: &[i8], weights: &[Weights4]) -> [i32; 4] {
    let columns = Columns { bytes: column, step: 0, count: 1 };
    let (output, activation) = (core::ptr::null_mut(), Activation::NONE);
    let weights_at = weights.as_ptr().cast();
    let job = Job { columns, depth: weights.len(), weights: weights_at, channels: &[], activation, output, stride: 0 };
    let [[sums]] = job.sums::<1, 1, false>(0, 0);
    // SAFETY: both are four numbers.
    unsafe { core::mem::transmute(sums) }
}

impl Job<'_> {
    #[inline(always)]
    fn run<const NARROW: bool>(&self) {
        let mut column = 0;
        while column + 4 <= self.columns.count {
            for group in 0..self.channels.len() {
                self.block::<4, 1, NARROW>(column, group);
            }
            column += 4;
        }
        while column + 2 <= self.columns.count {
            self.row::<2, NARROW>(column);
            column += 2;
        }
        if column < self.columns.count {
            self.row::<1, NARROW>(column);
        }
    }

    /// `C` columns and all groups, two at a time.
    #[inline(always)]
    fn row<const C: usize, const NARROW: bool>(&self, column: usize) {
        let mut group = 0;
        while group + 2 <= self.channels.len() {
            self.block::<C, 2, NARROW>(column, group);
            group += 2;
        }
        if group < self.channels.len() {
            self.block::<C, 1, NARROW>(column, group);
        }
    }

    /// `C` columns and `G` groups.
    #[inline(always)]
    fn block<const C: usize, const G: usize, const NARROW: bool>(&self, column: usize, group: usize) {
        let sums = self.sums::<C, G, NARROW>(column, group);
        for g in 0..G {
            let Some(channels) = self.channels.get(group + g) else { return };
            let requantize = Requantize::new(channels);
            for (c, sums) in sums.iter().enumerate() {
                let bytes = requantize.bytes(sums[g], self.activation);
                let to = self.output.wrapping_add((column + c) * self.stride + (group + g) * 4);
                // SAFETY: each column and group has four bytes in the output.
                unsafe {
                    core::arch::asm!("str {:s}, [{}]", in(vreg) bytes, in(reg) to, options(nostack, preserves_flags))
                };
            }
        }
    }

    /// Sums of each column with the channels of each group.
    #[inline(always)]
    fn sums<const C: usize, const G: usize, const NARROW: bool>(
        &self,
        column: usize,
        group: usize,
    ) -> [[int32x4_t; G]; C] {
        let bytes: [*const i8; C] =
            core::array::from_fn(|c| self.columns.bytes.as_ptr().wrapping_add((column + c) * self.columns.step));
        let mut weights: [*const i8; G] =
            core::array::from_fn(|g| self.weights.wrapping_add((group + g) * self.depth * 4 * BLOCK));
        let mut sums = [[[zero(); 4]; G]; C];
        for at in (0..self.depth * BLOCK).step_by(BLOCK) {
            // SAFETY: columns and groups have `depth` blocks each.
            let x: [int8x16_t; C] = core::array::from_fn(|c| unsafe { load(bytes[c].wrapping_add(at)) });
            for g in 0..G {
                // SAFETY: as above.
                let w = unsafe { load4(weights[g]) };
                weights[g] = weights[g].wrapping_add(4 * BLOCK);
                for c in 0..C {
                    for (sum, w) in sums[c][g].iter_mut().zip(w) {
                        *sum = add_products::<NARROW>(*sum, x[c], w);
                    }
                }
            }
        }
        sums.map(|groups| groups.map(|[a, b, c, d]| across(a, b, c, d)))
    }
}

#[inline(always)]
fn zero_bytes() -> int8x16_t {
    // SAFETY: arithmetic on registers.
    unsafe { vdupq_n_s8(0) }
}

#[inline(always)]
fn zero() -> int32x4_t {
    numbers([0; 4])
}

/// Sixteen products, four to each lane.
#[inline(always)]
fn add_products<const NARROW: bool>(sum: int32x4_t, x: int8x16_t, w: int8x16_t) -> int32x4_t {
    // SAFETY: arithmetic on registers; every AArch64 processor has it.
    unsafe {
        let low = vmull_s8(vget_low_s8(x), vget_low_s8(w));
        if NARROW {
            vpadalq_s16(sum, vmlal_high_s8(low, x, w))
        } else {
            vpadalq_s16(vpadalq_s16(sum, low), vmull_high_s8(x, w))
        }
    }
}

/// The sum of each vector's lanes.
#[inline(always)]
fn across(a: int32x4_t, b: int32x4_t, c: int32x4_t, d: int32x4_t) -> int32x4_t {
    // SAFETY: arithmetic on registers.
    unsafe { vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d)) }
}

/// The short requantization of four channels.
pub(super) struct Requantize {
    bias: int32x4_t,
    multiplier: int32x4_t,
    rounding: int32x4_t,
    shift: int32x4_t,
}

impl Requantize {
    #[inline(always)]
    pub fn new(channels: &[Channel; 4]) -> Self {
        let (bias, multiplier, rounding, shift);
        // SAFETY: reads four records of four numbers, which LD4 takes apart.
        unsafe {
            core::arch::asm!("ld4 {{v16.4s, v17.4s, v18.4s, v19.4s}}, [{}]", in(reg) channels.as_ptr(),
                out("v16") bias, out("v17") multiplier, out("v18") rounding, out("v19") shift,
                options(pure, readonly, nostack, preserves_flags));
        }
        Self { bias, multiplier, rounding, shift }
    }

    /// Not yet saturated. SQRDMULH is SMMLAR of the doubled sum without its last term: it saturates only for MIN * MIN, and
    /// |sum| < 2^29.
    #[inline(always)]
    pub fn scaled(&self, sums: int32x4_t) -> int32x4_t {
        // SAFETY: arithmetic on registers.
        unsafe {
            let sums = vaddq_s32(sums, self.bias);
            let rounding = vsraq_n_s32::<31>(self.rounding, sums);
            vshlq_s32(vaddq_s32(vqrdmulhq_s32(sums, self.multiplier), rounding), self.shift)
        }
    }

    /// Four bytes, in the first lanes.
    #[inline(always)]
    fn bytes(&self, sums: int32x4_t, activation: Activation) -> int8x8_t {
        // SAFETY: arithmetic on registers.
        unsafe {
            let values = vqmovn_s32(self.scaled(sums));
            let bytes = vqmovn_s16(vcombine_s16(values, values));
            vmax_s8(vmin_s8(bytes, vdup_n_s8(activation.max)), vdup_n_s8(activation.min))
        }
    }
}
