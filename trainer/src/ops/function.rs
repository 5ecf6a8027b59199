//! Functions of one number: values, slopes, and the slopes as graphs.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use super::{Clamp, Mask, Reciprocal};
use crate::Result;
use crate::graph::{Graph, NodeId, Real};

/// A function of one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// `clamp(slope x + offset, 0, 1)`.
    HardSigmoid {
        /// Factor.
        slope: f64,
        /// Summand.
        offset: f64,
    },
    /// `x clamp(x / 6 + 1/2, 0, 1)` (Howard et al. 2019).
    HardSwish,
    /// `x / (1 + e^-x)`, also called swish.
    Silu,
    /// `x Phi(x)` in its tanh form (Hendrycks and Gimpel 2016).
    GeluTanh,
    /// `x Phi(x)`, with the normal distribution itself (Hendrycks and Gimpel 2016).
    Gelu,
    /// The error function, `2 / sqrt(pi)` times the integral of `e^-t^2` from 0 to `x`.
    Erf,
    /// `x` above zero, `slope x` below.
    LeakyRelu {
        /// Slope below zero.
        slope: f64,
    },
    /// `ln(1 + e^x)`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// `e^x`.
    Exp,
    /// Natural logarithm.
    Log,
    /// Square root.
    Sqrt,
    /// `|x|`.
    Abs,
    /// `x^2`.
    Square,
    /// `x^exponent`; for whole exponents `x` may be negative.
    Power {
        /// The exponent.
        exponent: f64,
    },
}

impl Function {
    /// Its value at `x`.
    pub fn value(self, x: f64) -> f64 {
        match self {
            Self::Sigmoid => x.logistic(),
            Self::HardSigmoid { slope, offset } => (slope * x + offset).clamp(0.0, 1.0),
            Self::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Self::Silu => x * x.logistic(),
            Self::GeluTanh => x * (2.0 * gelu_argument(x)).logistic(),
            Self::Gelu => x * normal_share(x),
            Self::Erf => libm::erf(x),
            Self::LeakyRelu { slope } => {
                if x > 0.0 {
                    x
                } else {
                    slope * x
                }
            }
            Self::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Self::Softsign => x / (1.0 + x.abs()),
            Self::Exp => x.exp(),
            Self::Log => x.ln(),
            Self::Sqrt => x.sqrt(),
            Self::Abs => x.abs(),
            Self::Square => x * x,
            Self::Power { exponent } => x.powf(exponent),
        }
    }

    /// Its derivative at `x`.
    pub fn slope(self, x: f64) -> f64 {
        let bell = |x: f64| x.logistic() * (1.0 - x.logistic());
        match self {
            Self::Sigmoid => bell(x),
            Self::HardSigmoid { slope, offset } if (0.0..1.0).contains(&(slope * x + offset)) => slope,
            Self::HardSigmoid { .. } => 0.0,
            Self::HardSwish if x.abs() < 3.0 => x / 3.0 + 0.5,
            Self::HardSwish => f64::from(u8::from(x > 0.0)),
            Self::Silu => x.logistic() + x * bell(x),
            Self::GeluTanh => {
                let inner = 2.0 * gelu_argument(x);
                inner.logistic() + x * bell(inner) * 2.0 * GELU * (1.0 + 3.0 * CUBIC * x * x)
            }
            Self::Gelu => normal_share(x) + x * (-0.5 * x * x).exp() * FRAC_1_SQRT_2 * 0.5 * FRAC_2_SQRT_PI,
            Self::Erf => FRAC_2_SQRT_PI * (-x * x).exp(),
            Self::LeakyRelu { slope } => {
                if x > 0.0 {
                    1.0
                } else {
                    slope
                }
            }
            Self::Softplus => x.logistic(),
            Self::Softsign => (1.0 + x.abs()).powi(-2),
            Self::Exp => x.exp(),
            Self::Log => 1.0 / x,
            Self::Sqrt => 0.5 / x.sqrt(),
            Self::Abs if x == 0.0 => 0.0,
            Self::Abs => x.signum(),
            Self::Square => 2.0 * x,
            Self::Power { exponent } => exponent * x.powf(exponent - 1.0),
        }
    }

    /// Appends its derivative at `x` to a graph, in operators that can be differentiated again.
    pub(super) fn slope_of(self, graph: &mut Graph, x: NodeId) -> Result<NodeId> {
        let shape = graph.shape(x).clone();
        match self {
            Self::Sigmoid => logistic_of(graph, x).map(|[_, slope]| slope),
            Self::HardSigmoid { slope, offset } => {
                let (line, slope) = (graph.affine(x, slope, offset)?, graph.full(slope, shape)?);
                graph.push(Mask { low: 0.0, high: 1.0 }, &[line, slope])
            }
            Self::HardSwish => {
                let (line, sixth) = (graph.affine(x, 1.0 / 6.0, 0.5)?, graph.affine(x, 1.0 / 6.0, 0.0)?);
                let gate = graph.push(Clamp { low: 0.0, high: 1.0 }, &[line])?;
                let inside = graph.push(Mask { low: 0.0, high: 1.0 }, &[line, sixth])?;
                graph.add(gate, inside)
            }
            Self::Silu => {
                let [gate, slope] = logistic_of(graph, x)?;
                let product = graph.mul(x, slope)?;
                graph.add(gate, product)
            }
            Self::GeluTanh => {
                let square = graph.square(x)?;
                let bend = graph.affine(square, 2.0 * GELU * CUBIC, 2.0 * GELU)?;
                let inner = graph.mul(x, bend)?;
                let [gate, slope] = logistic_of(graph, inner)?;
                let inner_slope = graph.affine(square, 6.0 * GELU * CUBIC, 2.0 * GELU)?;
                let slope = graph.mul(slope, inner_slope)?;
                let product = graph.mul(x, slope)?;
                graph.add(gate, product)
            }
            Self::Gelu => {
                // Phi(x) + x phi(x), by the error function at x / sqrt(2).
                let z = graph.affine(x, FRAC_1_SQRT_2, 0.0)?;
                let (erf, density) = (graph.apply(Self::Erf, z)?, Self::Erf.slope_of(graph, z)?);
                let (share, density) = (graph.affine(erf, 0.5, 0.5)?, graph.affine(density, 0.5 * FRAC_1_SQRT_2, 0.0)?);
                let product = graph.mul(x, density)?;
                graph.add(share, product)
            }
            Self::Erf => {
                let square = graph.square(x)?;
                let exponent = graph.neg(square)?;
                let power = graph.apply(Self::Exp, exponent)?;
                graph.affine(power, FRAC_2_SQRT_PI, 0.0)
            }
            Self::LeakyRelu { slope } => {
                let more = graph.full(1.0 - slope, shape)?;
                let above = graph.where_positive(x, more)?;
                graph.affine(above, 1.0, slope)
            }
            Self::Softplus => graph.apply(Self::Sigmoid, x),
            Self::Softsign => {
                let magnitude = graph.apply(Self::Abs, x)?;
                let shifted = graph.affine(magnitude, 1.0, 1.0)?;
                graph.apply(Self::Power { exponent: -2.0 }, shifted)
            }
            Self::Exp => graph.apply(Self::Exp, x),
            Self::Log => graph.push(Reciprocal, &[x]),
            Self::Sqrt => Self::Power { exponent: 0.5 }.slope_of(graph, x),
            Self::Abs => {
                let (one, opposite) = (graph.full(1.0, shape)?, graph.neg(x)?);
                let (above, below) = (graph.where_positive(x, one)?, graph.where_positive(opposite, one)?);
                graph.sub(above, below)
            }
            Self::Square => graph.affine(x, 2.0, 0.0),
            Self::Power { exponent: 1.0 } => graph.full(1.0, shape),
            Self::Power { exponent } => {
                let power = graph.apply(Self::Power { exponent: exponent - 1.0 }, x)?;
                graph.affine(power, exponent, 0.0)
            }
        }
    }
}

/// `sqrt(2 / pi)`.
const GELU: f64 = 0.797_884_560_802_865_4;
const CUBIC: f64 = 0.044_715;

fn gelu_argument(x: f64) -> f64 {
    GELU * (x + CUBIC * x.powi(3))
}

/// Share of a normal distribution below `x`.
fn normal_share(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// The logistic function and its slope.
fn logistic_of(graph: &mut Graph, x: NodeId) -> Result<[NodeId; 2]> {
    let gate = graph.apply(Function::Sigmoid, x)?;
    let square = graph.square(gate)?;
    Ok([gate, graph.sub(gate, square)?])
}
