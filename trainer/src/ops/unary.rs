//! Functions of one number that need no operator of their own: in int8 each is a table.

use super::{Io, Operator, chunks, exactly, same};
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;
use crate::{Error, Result};

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
    Gelu,
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
}

impl Function {
    /// Its value at `x`.
    pub fn value(self, x: f64) -> f64 {
        match self {
            Self::Sigmoid => sigmoid(x),
            Self::HardSigmoid { slope, offset } => (slope * x + offset).clamp(0.0, 1.0),
            Self::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Self::Silu => x * sigmoid(x),
            Self::Gelu => x * sigmoid(2.0 * gelu_argument(x)),
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
        }
    }

    /// Its derivative at `x`.
    pub fn slope(self, x: f64) -> f64 {
        let logistic = |x: f64| sigmoid(x) * (1.0 - sigmoid(x));
        match self {
            Self::Sigmoid => logistic(x),
            Self::HardSigmoid { slope, offset } if (0.0..1.0).contains(&(slope * x + offset)) => slope,
            Self::HardSigmoid { .. } => 0.0,
            Self::HardSwish if x.abs() < 3.0 => x / 3.0 + 0.5,
            Self::HardSwish => f64::from(u8::from(x > 0.0)),
            Self::Silu => sigmoid(x) + x * logistic(x),
            Self::Gelu => {
                let inner = 2.0 * gelu_argument(x);
                sigmoid(inner) + x * logistic(inner) * 2.0 * GELU * (1.0 + 3.0 * CUBIC * x * x)
            }
            Self::LeakyRelu { slope } => {
                if x > 0.0 {
                    1.0
                } else {
                    slope
                }
            }
            Self::Softplus => sigmoid(x),
            Self::Softsign => (1.0 + x.abs()).powi(-2),
            Self::Exp => x.exp(),
            Self::Log => 1.0 / x,
            Self::Sqrt => 0.5 / x.sqrt(),
            Self::Abs => x.signum(),
            Self::Square => 2.0 * x,
        }
    }
}

/// `sqrt(2 / pi)`.
const GELU: f64 = 0.797_884_560_802_865_4;
const CUBIC: f64 = 0.044_715;

fn gelu_argument(x: f64) -> f64 {
    GELU * (x + CUBIC * x.powi(3))
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `y = function(x)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Unary {
    /// The function.
    pub function: Function,
}

/// Inputs `x, v`: `v` times the slope of the function at `x`.
#[derive(Debug, Clone, PartialEq)]
pub struct UnaryGrad {
    /// The function.
    pub function: Function,
}

impl Operator for Unary {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        exactly(inputs).map(|[x]| x.clone())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        chunks::map(io.inputs[0].data, io.output, |x| T::of(self.function.value(x.to_f64())));
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let x = graph.node(node).inputs[0];
        Ok(vec![Some(graph.push(UnaryGrad { function: self.function }, &[x, upstream])?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let function = self.function;
        lowering.function(move |x| function.value(f64::from(x)) as f32)
    }
}

impl Operator for UnaryGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        same(inputs)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let slope = |x: T, v: T| v * T::of(self.function.slope(x.to_f64()));
        chunks::map2(io.inputs[0].data, io.inputs[1].data, io.output, slope);
    }

    fn gradient(&self, _graph: &mut Graph, _node: NodeId, _upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Err(Error::usage("UnaryGrad", "this function has no second derivative here; use tanh or elu"))
    }
}
