//! How often a tensor takes which values, and the ranges that follow: percentile, least squared error, least divergence.

/// Bins of a histogram.
const BINS: usize = 2048;
/// Steps between the smallest and the largest int8 value.
const STEPS: f64 = 255.0;
/// Bins between two candidates of a first, coarse search.
const COARSE: usize = 32;
/// Bins that the narrowest range of the search for the least divergence has (Migacz 2017).
const NARROWEST: usize = 128;

/// Counts of values in equal bins between the smallest and the largest, 0 included.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    low: f64,
    width: f64,
    /// Values other than 0, which is exact in every range.
    counts: Vec<u64>,
    zeros: u64,
}

impl Histogram {
    /// Empty, for values in `low..=high` and 0, which is in every range.
    pub fn new(low: f32, high: f32) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let width = (f64::from(high) - f64::from(low)).max(f64::from(f32::MIN_POSITIVE)) / BINS as f64;
        Self { low: f64::from(low), width, counts: vec![0; BINS], zeros: 0 }
    }

    /// Counts `values`.
    pub fn add(&mut self, values: &[f32]) {
        let (low, inverse) = (self.low as f32, (1.0 / self.width) as f32);
        for &value in values {
            if value == 0.0 {
                self.zeros += 1;
            } else {
                self.counts[(((value - low) * inverse) as usize).min(BINS - 1)] += 1;
            }
        }
    }

    fn edge(&self, bin: usize) -> f64 {
        self.low + self.width * bin as f64
    }

    /// The bin of 0.
    fn zero(&self) -> usize {
        ((-self.low / self.width) as usize).min(BINS)
    }

    fn range(&self, first: usize, end: usize) -> (f32, f32) {
        (self.edge(first) as f32, self.edge(end) as f32)
    }

    /// The range with `inside` percent of all values in it, as many left out at either end.
    pub fn percentile(&self, inside: f32) -> (f32, f32) {
        let zero = self.zero().min(BINS - 1);
        let count = |bin: usize| self.counts[bin] + if bin == zero { self.zeros } else { 0 };
        let total = self.counts.iter().sum::<u64>() + self.zeros;
        let outside = (total as f64 * f64::from(100.0 - inside.clamp(50.0, 100.0)) / 200.0) as u64;
        let tail = |bins: &mut dyn Iterator<Item = usize>| {
            let mut sum = 0;
            let within = |bin: &usize| {
                sum += count(*bin);
                sum <= outside
            };
            bins.take_while(within).count()
        };
        self.range(tail(&mut (0..BINS)), BINS - tail(&mut (0..BINS).rev()))
    }

    /// The range whose expected squared error is least: that of values outside, which are cut off, and `step^2 / 12` of
    /// those inside, which are rounded.
    pub fn least_squares(&self) -> (f32, f32) {
        let moments = self.moments();
        let mut best = (f64::INFINITY, 0, BINS);
        let mut search = |firsts: &mut dyn Iterator<Item = usize>, ends: &[usize]| {
            for first in firsts {
                for &end in ends.iter().filter(|end| **end > first) {
                    let error = self.squared_error(&moments, first, end);
                    if error < best.0 {
                        best = (error, first, end);
                    }
                }
            }
            best
        };
        let ends: Vec<usize> = (COARSE..=BINS).step_by(COARSE).collect();
        let (_, first, end) = search(&mut (0..BINS).step_by(COARSE), &ends);
        let around = |bin: usize| bin.saturating_sub(COARSE)..=(bin + COARSE).min(BINS);
        let (_, first, end) = search(&mut around(first), &around(end).collect::<Vec<_>>());
        self.range(first, end)
    }

    /// Count, sum and sum of squares of the values below each bin's edge.
    fn moments(&self) -> Vec<[f64; 3]> {
        let mut sums = vec![[0.0; 3]];
        for (bin, count) in self.counts.iter().enumerate() {
            let (count, value, last) = (*count as f64, self.edge(bin) + self.width / 2.0, sums[bin]);
            sums.push([last[0] + count, last[1] + count * value, last[2] + count * value * value]);
        }
        sums
    }

    fn squared_error(&self, moments: &[[f64; 3]], first: usize, end: usize) -> f64 {
        // 0 is in every range.
        if first > self.zero() || end < self.zero() {
            return f64::INFINITY;
        }
        let (low, high) = (self.edge(first).min(0.0), self.edge(end).max(0.0));
        let part = |from: usize, to: usize| [0, 1, 2].map(|power| moments[to][power] - moments[from][power]);
        let cut = |[count, sum, squares]: [f64; 3], at: f64| squares - 2.0 * at * sum + at * at * count;
        let step = (high - low) / STEPS;
        cut(part(0, first), low) + cut(part(end, BINS), high) + part(first, end)[0] * step * step / 12.0
    }

    /// The range whose 8-bit distribution tells least from the whole one (Kullback and Leibler's divergence), as TensorRT
    /// calibrates (Migacz 2017): magnitudes up to a threshold, those beyond counted at it.
    pub fn least_divergence(&self) -> (f32, f32) {
        let magnitudes = self.magnitudes();
        let high = self.edge(BINS).max(0.0);
        let threshold = |bins: usize| bins as f64 * self.width;
        let range = |bins: usize| (self.low.max(-threshold(bins)), high.min(threshold(bins)));
        let mut beyond: Vec<u64> =
            magnitudes.iter().rev().scan(0, |sum, count| Some(std::mem::replace(sum, *sum + count))).collect();
        beyond.reverse();
        let narrowest = NARROWEST.min(magnitudes.len());
        let candidates = (narrowest..=magnitudes.len()).step_by(8).chain([magnitudes.len()]);
        let measured = candidates.map(|bins| {
            let (low, high) = range(bins);
            // Steps on the longer side of zero: 127 where both sides are as long, 255 where there is one.
            let steps = (STEPS * threshold(bins) / (high - low).max(self.width)).round().clamp(1.0, STEPS) as usize;
            (divergence(&magnitudes[..bins], beyond[bins - 1], steps), bins)
        });
        let best = measured.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(magnitudes.len(), |(_, bins)| bins);
        let (low, high) = range(best);
        (low as f32, high as f32)
    }

    /// Counts of magnitudes, in bins as wide as those of the values.
    fn magnitudes(&self) -> Vec<u64> {
        let largest = self.edge(BINS).abs().max(self.low.abs());
        let mut magnitudes = vec![0; (largest / self.width).ceil() as usize];
        let last = magnitudes.len() - 1;
        for (bin, count) in self.counts.iter().enumerate() {
            let middle = (self.edge(bin) + self.width / 2.0).abs();
            magnitudes[((middle / self.width) as usize).min(last)] += count;
        }
        magnitudes
    }
}

/// Divergence of the counts in `inside`, with `beyond` more in the last bin, from what is left of them in `steps` steps. Steps have the counts of
/// what they hold alone: a threshold that leaves nearly everything beyond it would else look perfect.
fn divergence(inside: &[u64], beyond: u64, steps: usize) -> f64 {
    /// What stands for no probability, else a single value far out would decide.
    const NOTHING: f64 = 1e-4;
    let all = (inside.iter().sum::<u64>() + beyond).max(1) as f64;
    let last = inside.len() - 1;
    let mut sum = 0.0;
    for step in 0..steps {
        let (first, end) = (step * inside.len() / steps, (step + 1) * inside.len() / steps);
        let bins = &inside[first..end];
        let filled = bins.iter().filter(|count| **count > 0).count().max(1) as f64;
        let mean = bins.iter().sum::<u64>() as f64 / filled;
        for (bin, count) in (first..).zip(bins) {
            let p = (count + if bin == last { beyond } else { 0 }) as f64 / all;
            let q = if *count > 0 { mean / all } else { NOTHING };
            if p > 0.0 {
                sum += p * (p / q).ln();
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::quant::Quantization;

    /// A bell with a few values far out.
    fn values() -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut values: Vec<f32> =
            (0..40_000).map(|_| (0..12).map(|_| rng.random_range(-0.5f32..0.5)).sum::<f32>()).collect();
        values.extend([-20.0, 15.0, 19.0]);
        values
    }

    fn histogram(values: &[f32]) -> Histogram {
        let ends = values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), x| (l.min(*x), h.max(*x)));
        let mut histogram = Histogram::new(ends.0, ends.1);
        histogram.add(values);
        histogram
    }

    fn error(values: &[f32], (low, high): (f32, f32)) -> f64 {
        let quantization = Quantization::of_range(low, high);
        values.iter().map(|x| f64::from(x - quantization.dequantize(quantization.quantize(*x))).powi(2)).sum()
    }

    #[test]
    fn least_squares_beats_every_other_range_tried() {
        // On both sides of zero, on one, and most of it on one.
        let shares = [1.0, 0.0, 0.1, 3.0];
        for values in shares.map(|share| values().iter().map(|x| if *x < 0.0 { x * share } else { *x }).collect()) {
            let values: Vec<f32> = values;
            let chosen = histogram(&values).least_squares();
            let found = error(&values, chosen);
            for share in (2..=40).map(|part| part as f32 / 40.0) {
                for low in [-60.0 * share, -20.0 * share, -2.0 * share, 0.0] {
                    let other = (low, 19.0 * share);
                    assert!(found <= 1.03 * error(&values, other), "{chosen:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn every_observer_cuts_what_is_far_out_and_keeps_the_bell() {
        let histogram = histogram(&values());
        // Three values that far out weigh as much in squares as the rounding of all others.
        for ((low, high), most) in
            [(histogram.least_squares(), 19.0), (histogram.least_divergence(), 6.0), (histogram.percentile(99.9), 6.0)]
        {
            assert!(-most < low && low < -2.0 && 2.0 < high && high < most, "{low} {high}");
        }
    }

    #[test]
    fn a_gap_around_zero_does_not_cut_everything_off() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let values: Vec<f32> = (0..20_000).map(|_| rng.random_range(1.36f32..2.65)).collect();
        let (low, high) = histogram(&values).least_divergence();
        assert!(low == 0.0 && high > 2.6, "{low} {high}");
    }

    #[test]
    fn divergence_is_zero_where_nothing_is_lost_and_grows_with_what_is() {
        let even = vec![5; 256];
        assert!(divergence(&even, 0, 128).abs() < 1e-12);
        let (few, many) = (divergence(&even, 10, 128), divergence(&even, 100, 128));
        assert!(0.0 < few && few < many);
        let odd: Vec<u64> = (0..256).map(|bin| 1 + bin % 2 * 9).collect();
        assert!(divergence(&odd, 0, 128) > 0.1);
    }

    #[test]
    fn zeros_are_in_the_percentile_only() {
        let mut values = vec![0.0; 1000];
        values.extend((1..=1000).map(|x| x as f32 / 1000.0));
        let histogram = histogram(&values);
        assert_eq!(histogram.zeros, 1000);
        let (low, high) = histogram.percentile(90.0);
        assert!(low == 0.0 && (high - 0.9).abs() < 0.01, "{low} {high}");
    }
}
