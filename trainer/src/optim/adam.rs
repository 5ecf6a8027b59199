//! Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019), as PyTorch's `Adam` and `AdamW`.
//!
//! `m = beta1 m + (1 - beta1) g`; `v = beta2 v + (1 - beta2) g^2`; at step `t`
//! `p -= rate / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + epsilon)`. AdamW first shrinks `p` by `rate decay p`, apart from
//! the gradient (decoupled decay), where Adam adds `decay p` to it.

use super::slope::Slope;

/// Numbers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub slope: Slope,
    /// `rate / (1 - beta1^t)`.
    pub rate: f32,
    /// `1 - rate decay` of decoupled weight decay; 1 for none.
    pub shrink: f32,
    /// `1 - beta1`, rounded once.
    pub alpha1: f32,
    pub beta2: f32,
    /// `1 - beta2`, rounded once.
    pub alpha2: f32,
    /// `sqrt(1 - beta2^t)`.
    pub correction: f32,
    pub epsilon: f32,
}

impl Step {
    /// Step `t` (from 1) of Adam with `[beta1, beta2]`; `decoupled` is AdamW's decay.
    pub fn new(slope: Slope, rate: f64, betas: [f64; 2], epsilon: f64, decoupled: f64, t: u64) -> Self {
        let [beta1, beta2] = betas;
        Self {
            slope,
            rate: (rate / (1.0 - beta1.powf(t as f64))) as f32,
            shrink: (1.0 - rate * decoupled) as f32,
            alpha1: (1.0 - beta1) as f32,
            beta2: beta2 as f32,
            alpha2: (1.0 - beta2) as f32,
            correction: (1.0 - beta2.powf(t as f64)).sqrt() as f32,
            epsilon: epsilon as f32,
        }
    }
}

/// Updates `p` and its moments.
pub fn update(p: &mut [f32], g: &[f32], first: &mut [f32], second: &mut [f32], step: Step) {
    let Step { slope, rate, shrink, alpha1, beta2, alpha2, correction, epsilon } = step;
    for (((p, &g), m), v) in p.iter_mut().zip(g).zip(first).zip(second) {
        let g = slope.at(g, *p);
        *m += alpha1 * (g - *m);
        *v = beta2 * *v + alpha2 * g * g;
        *p = shrink * *p - rate * *m / (v.sqrt() / correction + epsilon);
    }
}
