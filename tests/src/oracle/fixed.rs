//! gemmlowp's fixed-point numbers, of any width.

/// A fixed-point number of `W` bits, `raw * 2^(integer bits - (W - 1))`, computed as gemmlowp's `FixedPoint` describes it.
#[derive(Clone, Copy)]
pub struct Fixed<const W: i32> {
    pub raw: i128,
    pub bits: i32,
}

/// `numerator / 2^exponent` to nearest, ties away from zero.
pub fn nearest(numerator: i128, exponent: i32) -> i128 {
    let (divisor, half) = (1i128 << exponent, (1i128 << exponent) / 2);
    numerator.signum() * ((numerator.abs() + half) / divisor)
}

impl<const W: i32> Fixed<W> {
    pub fn new(raw: i128, bits: i32) -> Self {
        let most = 1i128 << (W - 1);
        Self { raw: raw.clamp(-most, most - 1), bits }
    }

    /// A real number that gemmlowp gives with 32 bits.
    fn constant(real: f64, bits: i32) -> Self {
        let wide = (real * 2f64.powi(31 - bits)).round() as i128;
        Self::new(nearest(wide, 32 - W), bits)
    }

    /// Products of raws round to nearest with ties upwards.
    pub fn times(self, other: Self) -> Self {
        let one = 1i128 << (W - 1);
        Self::new((self.raw * other.raw + one / 2).div_euclid(one), self.bits + other.bits)
    }

    pub fn plus(self, other: Self) -> Self {
        assert_eq!(self.bits, other.bits);
        Self::new(self.raw + other.raw, self.bits)
    }

    /// The same number with other integer bits.
    pub fn rescaled(self, bits: i32) -> Self {
        let exponent = self.bits - bits;
        Self::new(if exponent < 0 { nearest(self.raw, -exponent) } else { self.raw << exponent }, bits)
    }

    /// Half, a quarter, ... of it.
    pub fn over(self, exponent: i32) -> Self {
        Self::new(nearest(self.raw, exponent), self.bits)
    }
}

/// e^x: the part below a quarter by a series around -1/8, each further bit by a factor e^-(2^k).
pub fn exponential<const W: i32>(x: Fixed<W>) -> Fixed<W> {
    if x.raw == 0 {
        return Fixed::new(1 << (W - 1), 0);
    }
    let one = W - 1 - x.bits;
    if x.bits > 5 && x.raw < -(32i128 << one) {
        return Fixed::new(0, 0);
    }
    let quarter = 1i128 << (one - 2);
    let low = x.raw.rem_euclid(quarter) - quarter;
    let z = Fixed::new(low, x.bits).rescaled(0).plus(Fixed::new(1 << (W - 4), 0));
    let (second, third) = (z.times(z), z.times(z).times(z));
    let fourth = second.times(second).over(2);
    let tail = fourth.plus(third).times(Fixed::constant(1.0 / 3.0, 0)).plus(second).over(1);
    let centre = Fixed::constant((-0.125f64).exp(), 0);
    let mut result = centre.plus(centre.times(z.plus(tail)));
    for power in (-2..=4).filter(|power| *power < x.bits) {
        if (low - x.raw) >> (one + power) & 1 == 1 {
            result = result.times(Fixed::constant((-(2f64.powi(power))).exp(), 0));
        }
    }
    result
}

/// 2 / (1 + x) by Newton's method, two integer bits.
pub fn two_over_one_plus<const W: i32>(x: Fixed<W>) -> Fixed<W> {
    let half = Fixed::new((x.raw + (1 << (W - 1))) / 2, 0);
    let mut y = Fixed::constant(48.0 / 17.0, 2).plus(half.times(Fixed::constant(-32.0 / 17.0, 2)));
    for _ in 0..3 {
        let error = Fixed::new((1 << (W - 3)) - half.times(y).raw, 2);
        y = y.plus(y.times(error).rescaled(2));
    }
    y
}

/// 1 / (1 + x).
pub fn one_over_one_plus<const W: i32>(x: Fixed<W>) -> Fixed<W> {
    two_over_one_plus(x).with_bits(1).rescaled(0)
}

impl<const W: i32> Fixed<W> {
    /// The same raw number, read otherwise.
    pub fn with_bits(self, bits: i32) -> Self {
        Self::new(self.raw, bits)
    }
}
