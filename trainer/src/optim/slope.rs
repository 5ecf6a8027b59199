//! What happens to a gradient before any rule sees it.

/// Clipping and coupled weight decay of one step: `g' = scale clamp(g, -limit, limit) + decay p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// Bound on the value of each gradient; infinite for none.
    pub limit: f32,
    /// Factor of clipping by norm; 1 for none.
    pub scale: f32,
    /// Coupled weight decay (an L2 penalty); 0 for none.
    pub decay: f32,
}

impl Slope {
    /// The gradient as it came.
    #[cfg(test)]
    pub const PLAIN: Self = Self { limit: f32::INFINITY, scale: 1.0, decay: 0.0 };

    /// The slope at a parameter `p` of gradient `g`. NaN stays NaN.
    #[inline(always)]
    pub fn at(self, g: f32, p: f32) -> f32 {
        g.clamp(-self.limit, self.limit) * self.scale + self.decay * p
    }
}
