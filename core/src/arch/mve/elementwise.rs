//! Loops over elements.

use crate::blob::Activation;

/// Clamps all `values`.
#[inline]
pub fn clamp(values: &mut [i8], activation: Activation) {
    #[cfg(simd_mve)]
    super::elementwise_asm::clamp(values, activation);
    #[cfg(not(simd_mve))]
    values.iter_mut().for_each(|value| *value = activation.clamp(i32::from(*value)));
}
