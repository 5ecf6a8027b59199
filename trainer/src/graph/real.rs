//! The number types a graph runs in: `f32` to train, `f64` to check gradients.

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use super::{Lanes, functions};

/// A floating-point type the executor can run in.
pub trait Real:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + Sum
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Lanes
    + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The nearest value to `value`.
    fn of(value: f64) -> Self;
    /// This value as `f64`, exactly.
    fn to_f64(self) -> f64;
    /// Square root.
    fn sqrt(self) -> Self;
    /// e to the power of this value.
    fn exp(self) -> Self;
    /// e to the power of this value, less 1.
    fn exp_m1(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// Natural logarithm of this value and 1.
    fn ln_1p(self) -> Self;
    /// This value to the power of another.
    fn powf(self, exponent: Self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// `1 / (1 + e^-x)`.
    fn logistic(self) -> Self;
    /// Arc tangent, radians.
    fn atan(self) -> Self;
    /// Magnitude.
    fn abs(self) -> Self;
}

macro_rules! real {
    ($t:ty, $tanh:path, $logistic:path) => {
        impl Real for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;

            fn of(value: f64) -> Self {
                value as $t
            }

            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            fn sqrt(self) -> Self {
                <$t>::sqrt(self)
            }

            fn exp(self) -> Self {
                <$t>::exp(self)
            }

            fn exp_m1(self) -> Self {
                <$t>::exp_m1(self)
            }

            fn ln(self) -> Self {
                <$t>::ln(self)
            }

            fn ln_1p(self) -> Self {
                <$t>::ln_1p(self)
            }

            fn powf(self, exponent: Self) -> Self {
                <$t>::powf(self, exponent)
            }

            #[inline(always)]
            fn tanh(self) -> Self {
                $tanh(self)
            }

            #[inline(always)]
            fn logistic(self) -> Self {
                $logistic(self)
            }

            fn atan(self) -> Self {
                <$t>::atan(self)
            }

            fn abs(self) -> Self {
                <$t>::abs(self)
            }
        }
    };
}

real!(f32, functions::tanh, functions::logistic);
real!(f64, f64::tanh, functions::logistic_f64);
