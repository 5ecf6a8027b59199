//! RMSProp (Hinton, lecture 6e of "Neural Networks for Machine Learning", 2012; centred: Graves 2013), as PyTorch's `RMSprop`.
//!
//! `s = alpha s + (1 - alpha) g^2`; `d = g / (sqrt(s) + epsilon)`; centred, `s` is less the square of the running mean
//! `m = alpha m + (1 - alpha) g`. Then `p -= rate d`, or with momentum `v = momentum v + d`, `p -= rate v`.

use super::slope::Slope;

/// Numbers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub slope: Slope,
    pub rate: f32,
    pub alpha: f32,
    /// `1 - alpha`, rounded once.
    pub beta: f32,
    pub epsilon: f32,
    pub momentum: f32,
}

/// Updates `p`; `mean` is empty unless centred, `velocity` is empty unless there is momentum.
pub fn update(p: &mut [f32], g: &[f32], square: &mut [f32], mean: &mut [f32], velocity: &mut [f32], step: Step) {
    let Step { slope, rate, alpha, beta, epsilon, momentum } = step;
    for (at, ((p, &g), s)) in p.iter_mut().zip(g).zip(square).enumerate() {
        let g = slope.at(g, *p);
        *s = alpha * *s + beta * g * g;
        let variance = mean.get_mut(at).map_or(*s, |m| {
            *m += beta * (g - *m);
            *s - *m * *m
        });
        let direction = g / (variance.sqrt() + epsilon);
        *p -= rate
            * velocity.get_mut(at).map_or(direction, |v| {
                *v = momentum * *v + direction;
                *v
            });
    }
}
