//! Successive halving (Jamieson and Talwalkar 2016; the rungs of one bracket of Hyperband, Li et al. 2018): all trials train
//! for a few epochs, the best share of them goes on for longer, and so on up to all epochs.

/// A step of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// Trials that train.
    pub trials: usize,
    /// Epochs after which they are compared, those before included.
    pub epochs: usize,
}

/// Rungs of `trials` trials of at most `epochs` epochs of which one in `eta` (at least 2) goes on each time.
pub fn rungs(trials: usize, epochs: usize, eta: usize) -> Vec<Rung> {
    let (eta, mut steps) = (eta.max(2), vec![1usize]);
    // Powers of eta, as long as at least one trial and one epoch are left.
    while let Some(next) = steps.last().and_then(|last| last.checked_mul(eta)).filter(|&n| n <= trials && n <= epochs) {
        steps.push(next);
    }
    let rung = |(&few, &long): (&usize, &usize)| Rung { trials: trials / few, epochs: epochs.div_ceil(long) };
    steps.iter().zip(steps.iter().rev()).map(rung).collect()
}

/// The `count` best of `(trial, cost)`, in the order of their numbers; of equals the earlier one. Those without a finite cost
/// never go on.
pub fn promoted(mut results: Vec<(usize, f64)>, count: usize) -> Vec<usize> {
    results.retain(|(_, cost)| cost.is_finite());
    results.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let mut best: Vec<usize> = results.into_iter().take(count).map(|(trial, _)| trial).collect();
    best.sort_unstable();
    best
}
