//! Stochastic gradient descent with momentum (Sutskever et al. 2013, in the form of PyTorch's `SGD` without dampening).
//!
//! `v = momentum v + g`; `p -= rate v`, with Nesterov's momentum `p -= rate (g + momentum v)`.

use super::slope::Slope;

/// Without momentum: `p -= rate g`.
pub fn plain(p: &mut [f32], g: &[f32], slope: Slope, rate: f32) {
    for (p, &g) in p.iter_mut().zip(g) {
        *p -= rate * slope.at(g, *p);
    }
}

/// With momentum `velocity`, looking ahead if `nesterov`.
pub fn with_momentum(
    p: &mut [f32],
    g: &[f32],
    velocity: &mut [f32],
    slope: Slope,
    rate: f32,
    momentum: f32,
    nesterov: bool,
) {
    for ((p, &g), v) in p.iter_mut().zip(g).zip(velocity) {
        let g = slope.at(g, *p);
        *v = momentum * *v + g;
        *p -= rate * if nesterov { g + momentum * *v } else { *v };
    }
}
