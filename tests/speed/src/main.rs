//! Microseconds of one inference on this machine, best of many, with each instruction set that it has: `ackermann-speed model.ackm..`
//!
//! Prints a line per blob and instruction set, separated by tabs: path, kernels, microseconds. `scripts/compare-litert` reads it.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use ackermann_core::blob::{AlignedBytes, Layout, repack};
use ackermann_core::ops::{Kernels, Portable};
use ackermann_core::{Model, Session};

/// Runs that are timed together take about so long.
const SAMPLE: Duration = Duration::from_millis(4);
/// Of so many samples the best counts.
const SAMPLES: usize = 100;

fn main() -> ExitCode {
    let mut outcome = ExitCode::SUCCESS;
    for path in std::env::args().skip(1) {
        if let Err(error) = report(&path) {
            eprintln!("{path}: {error}");
            outcome = ExitCode::from(2);
        }
    }
    outcome
}

fn report(path: &str) -> Result<(), String> {
    let blob = std::fs::read(path).map_err(|error| error.to_string())?;
    #[cfg(target_arch = "x86_64")]
    {
        use ackermann_core::arch::x86::Isa;
        use ackermann_core::ops::{Avx2, Vnni};
        if Isa::vnni().is_some() {
            println!("{path}\tVNNI\t{:.2}", best::<Vnni>(&blob, Layout::X86)?);
        }
        if Isa::avx2().is_some() {
            println!("{path}\tAVX2\t{:.2}", best::<Avx2>(&blob, Layout::X86)?);
        }
    }
    #[cfg(target_arch = "aarch64")]
    println!("{path}\tNEON\t{:.2}", best::<ackermann_core::ops::Neon>(&blob, Layout::Helium)?);
    println!("{path}\tportable\t{:.2}", best::<Portable>(&blob, Layout::Natural)?);
    Ok(())
}

/// Microseconds of one run.
fn best<K: Kernels>(blob: &[u8], layout: Layout) -> Result<f64, String> {
    let blob = repack(blob, layout).map_err(|error| error.to_string())?;
    let model = Model::load(&blob).map_err(|error| error.to_string())?;
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    let mut session = Session::new(model, &mut arena).map_err(|error| error.to_string())?;
    for (i, value) in session.input_mut(0).into_iter().flatten().enumerate() {
        *value = (i * 37 % 251) as i8;
    }
    let mut time = |runs: u32| {
        let start = Instant::now();
        (0..runs).for_each(|_| session.run_with::<K>(|_, _| ()));
        start.elapsed() / runs
    };
    let first = time(3).max(Duration::from_nanos(100));
    let runs = (SAMPLE.as_nanos() / first.as_nanos()).clamp(1, 10_000) as u32;
    let best = (0..SAMPLES).map(|_| time(runs)).min().unwrap_or(first);
    Ok(best.as_nanos() as f64 / 1e3)
}
