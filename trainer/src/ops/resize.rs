//! What resized images share: each pixel of the result is a mixture of some pixels of the image.

use super::misfit;
use crate::Result;
use crate::graph::{Real, Shape};

/// Batch, height, width, channels.
pub fn image(x: &Shape) -> Result<[usize; 4]> {
    let found: Option<[usize; 4]> = x.dims().try_into().ok();
    found.filter(|shape| !shape.contains(&0)).ok_or_else(|| misfit(format!("takes images (NHWC), was given shape {x}")))
}

/// Mixes each pixel of `out` from images `x`, which have this many pixels of `channels`: `sources` has, for each pixel of a result, pixels of an image
/// with their shares.
pub fn mix<T: Real, const N: usize>(
    x: &[T],
    out: &mut [T],
    [pixels, channels]: [usize; 2],
    sources: impl Iterator<Item = [(usize, f64); N]> + Clone,
) {
    let mut results = out.chunks_exact_mut(channels);
    for image in x.chunks_exact(pixels * channels) {
        for (sources, result) in sources.clone().zip(&mut results) {
            for (c, y) in result.iter_mut().enumerate() {
                let part = |(at, share): (usize, f64)| image[at * channels + c].to_f64() * share;
                *y = T::of(sources.map(part).iter().sum());
            }
        }
    }
}

/// The transpose of [`mix`]: divides each pixel of `dy` over those of `dx` that it would be mixed of.
pub fn spread<T: Real, const N: usize>(
    dy: &[T],
    dx: &mut [T],
    [pixels, channels]: [usize; 2],
    sources: impl Iterator<Item = [(usize, f64); N]> + Clone,
) {
    dx.fill(T::ZERO);
    let mut results = dy.chunks_exact(channels);
    for image in dx.chunks_exact_mut(pixels * channels) {
        for (sources, result) in sources.clone().zip(&mut results) {
            for (at, share) in sources {
                let x = &mut image[at * channels..][..channels];
                x.iter_mut().zip(result).for_each(|(x, &d)| *x += d * T::of(share));
            }
        }
    }
}
