//! Paths through frames whose classes spell a sequence of labels: the sums of connectionist temporal classification (Graves et al. 2006),
//! in logarithms, so that they neither overflow nor vanish.

use crate::graph::Real;
use crate::ops::one_hot::class;

/// The logarithm of a probability: a number, or a number with its derivative in some direction.
pub trait Score: Copy {
    /// Of a number that is constant.
    fn of(value: f64) -> Self;
    /// The number alone.
    fn value(self) -> f64;
    /// `self + other`.
    fn plus(self, other: Self) -> Self;
    /// `-self`.
    fn negative(self) -> Self;
    /// `ln(sum of e^part)`.
    fn joined(parts: impl Iterator<Item = Self> + Clone) -> Self;
    /// `e^self`.
    fn exp(self) -> Self;
}

impl Score for f64 {
    fn of(value: f64) -> Self {
        value
    }

    fn value(self) -> f64 {
        self
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }

    fn negative(self) -> Self {
        -self
    }

    fn joined(parts: impl Iterator<Item = Self> + Clone) -> Self {
        let largest = parts.clone().fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY {
            largest
        } else {
            largest + parts.map(|part| (part - largest).exp()).sum::<f64>().ln()
        }
    }

    fn exp(self) -> Self {
        self.exp()
    }
}

/// A number and its derivative in some direction (forward-mode differentiation).
#[derive(Debug, Clone, Copy)]
pub struct Dual {
    /// The number.
    pub value: f64,
    /// Its derivative; 0 where the number is infinite.
    pub slope: f64,
}

impl Score for Dual {
    fn of(value: f64) -> Self {
        Self { value, slope: 0.0 }
    }

    fn value(self) -> f64 {
        self.value
    }

    fn plus(self, other: Self) -> Self {
        Self { value: self.value + other.value, slope: self.slope + other.slope }
    }

    fn negative(self) -> Self {
        Self { value: -self.value, slope: -self.slope }
    }

    fn joined(parts: impl Iterator<Item = Self> + Clone) -> Self {
        let value = f64::joined(parts.clone().map(|part| part.value));
        let share = |part: Self| if part.value == f64::NEG_INFINITY { 0.0 } else { (part.value - value).exp() };
        Self { value, slope: parts.map(|part| share(part) * part.slope).sum() }
    }

    fn exp(self) -> Self {
        let value = self.value.exp();
        Self { value, slope: value * self.slope }
    }
}

/// All paths of one sequence of labels.
#[derive(Debug)]
pub struct Paths {
    /// The class of each state: the labels with a blank before, between and behind.
    states: Vec<usize>,
    /// Frames that a path goes through.
    frames: usize,
}

impl Paths {
    /// Of the labels before the first number that is none of `classes`.
    pub fn new<T: Real>(labels: &[T], frames: usize, classes: usize, blank: usize) -> Self {
        let labels = labels.iter().map_while(|label| class(*label, classes));
        let states = [blank].into_iter().chain(labels.flat_map(|label| [label, blank])).collect();
        Self { states, frames }
    }

    /// Whether a path may go to this state past the blank before it: from another label.
    fn skips(&self, state: usize) -> bool {
        state >= 2 && state % 2 == 1 && self.states[state] != self.states[state - 2]
    }

    /// Whether a path may end in this state.
    fn is_last(&self, state: usize) -> bool {
        state + 2 >= self.states.len()
    }

    /// Of all ways from the first frame to each state in each frame, that frame included.
    fn ways_to<S: Score>(&self, y: &impl Fn(usize, usize) -> S) -> Vec<S> {
        let count = self.states.len();
        let mut ways = vec![S::of(f64::NEG_INFINITY); self.frames * count];
        for frame in 0..self.frames {
            for state in 0..count {
                let before = |steps: usize| ways[(frame - 1) * count + state - steps];
                let all = if frame == 0 {
                    S::of(if state < 2 { 0.0 } else { f64::NEG_INFINITY })
                } else {
                    let steps = if self.skips(state) { 3 } else { (state + 1).min(2) };
                    S::joined((0..steps).map(before))
                };
                ways[frame * count + state] = all.plus(y(frame, self.states[state]));
            }
        }
        ways
    }

    /// Of all ways from each state in each frame to the end, that frame excluded.
    fn ways_from<S: Score>(&self, y: &impl Fn(usize, usize) -> S) -> Vec<S> {
        let count = self.states.len();
        let mut ways = vec![S::of(f64::NEG_INFINITY); self.frames * count];
        for frame in (0..self.frames).rev() {
            for state in 0..count {
                let after = |steps: usize| {
                    let next = state + steps;
                    ways[(frame + 1) * count + next].plus(y(frame + 1, self.states[next]))
                };
                ways[frame * count + state] = if frame + 1 == self.frames {
                    S::of(if self.is_last(state) { 0.0 } else { f64::NEG_INFINITY })
                } else {
                    let skips = state + 2 < count && self.skips(state + 2);
                    let steps = if skips { 3 } else { (count - state).min(2) };
                    S::joined((0..steps).map(after))
                };
            }
        }
        ways
    }

    fn joined<S: Score>(&self, ways: &[S]) -> S {
        match ways.chunks_exact(self.states.len()).last() {
            Some(last) => S::joined(last.iter().copied().skip(self.states.len().saturating_sub(2))),
            // No frame: the one path is empty.
            None => S::of(if self.states.len() == 1 { 0.0 } else { f64::NEG_INFINITY }),
        }
    }

    /// The logarithm of the sum of all paths' probabilities, from `y(frame, class)`, those of the classes.
    pub fn total<S: Score>(&self, y: impl Fn(usize, usize) -> S) -> S {
        self.joined(&self.ways_to(&y))
    }

    /// Calls `visit(frame, class, share)` with the share of the paths that pass a state of this class, once for each state and frame; not at
    /// all where there is no path.
    pub fn passages<S: Score>(&self, y: impl Fn(usize, usize) -> S, mut visit: impl FnMut(usize, usize, S)) {
        let (to, from) = (self.ways_to(&y), self.ways_from(&y));
        let total = self.joined(&to);
        if total.value() == f64::NEG_INFINITY {
            return;
        }
        for (at, (to, from)) in to.iter().zip(&from).enumerate() {
            let (frame, state) = (at / self.states.len(), at % self.states.len());
            visit(frame, self.states[state], to.plus(*from).plus(total.negative()).exp());
        }
    }
}
