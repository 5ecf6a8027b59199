//! What to try next: at random, or by TPE (Bergstra et al. 2011).

use std::convert::Infallible;

use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Domain, Space};
use crate::{Error, ErrorKind, Result};

/// Trials at random before TPE has something to learn from.
const STARTUP: usize = 10;

/// Values of trial `trial` drawn at random.
pub fn random(space: &Space, seed: u64, trial: usize) -> Vec<String> {
    let mut rng = generator(seed, trial);
    space.0.iter().map(|parameter| uniform(&parameter.domain, &mut rng)).collect()
}

/// Values of trial `trial` where good results are denser than bad ones; `seen` are the trials before it, values and cost
/// (lower is better, infinite for one that failed). The first ones are random.
pub fn tpe(space: &Space, seed: u64, trial: usize, seen: &[(&[String], f64)]) -> Result<Vec<String>> {
    if trial < STARTUP {
        return Ok(random(space, seed, trial));
    }
    let mut rng = Bridge(generator(seed, trial));
    let mut values = Vec::with_capacity(space.0.len());
    for (column, parameter) in space.0.iter().enumerate() {
        let seen = seen.iter().filter_map(|(row, cost)| Some((parameter.domain.coordinate(row.get(column)?)?, *cost)));
        let broken = |e: &dyn std::fmt::Display| Error::new(ErrorKind::Internal, &parameter.name, e);
        values.push(denser(&parameter.domain, seen, &mut rng).map_err(|e| broken(&e))?);
    }
    Ok(values)
}

type Failure = Box<dyn std::error::Error>;

fn denser(
    domain: &Domain,
    seen: impl Iterator<Item = (f64, f64)>,
    rng: &mut Bridge,
) -> std::result::Result<String, Failure> {
    let (low, high) = domain.bounds();
    let density = match domain {
        Domain::Choice(_) => tpe::histogram_estimator(),
        _ => tpe::parzen_estimator(),
    };
    let mut optimizer = tpe::TpeOptimizer::new(density, tpe::range(low, high)?);
    // The upper bound itself is outside of the range.
    let last = high - (high - low) * 1e-9;
    for (at, cost) in seen {
        optimizer.tell(at.min(last), cost)?;
    }
    Ok(domain.value(optimizer.ask(rng)?))
}

fn uniform(domain: &Domain, rng: &mut ChaCha8Rng) -> String {
    let (low, high) = domain.bounds();
    domain.value(rng.random_range(low..high))
}

fn generator(seed: u64, trial: usize) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(trial as u64).to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// Our generator behind the newer interface that `tpe` draws from.
struct Bridge(ChaCha8Rng);

impl rand_core::TryRng for Bridge {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> std::result::Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }

    fn try_next_u64(&mut self) -> std::result::Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> std::result::Result<(), Infallible> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}
