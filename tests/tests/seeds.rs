//! The fuzzer's seeds, replayed: on every toolchain, in every run of the tests.

use std::path::{Path, PathBuf};

use ackermann_tests::fuzz::{TARGETS, seeds};

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target)
}

/// What is committed is what the generator makes (with `ACKERMANN_WRITE_SEEDS` set it is written), beside inputs that once broke a
/// promise, which are named `found_*`. Seeds of foreign files are made by the trainer's tests, which have the writers.
#[test]
fn seeds_are_those_that_the_generator_makes() {
    for (target, _) in TARGETS {
        let folder = folder(target);
        if std::env::var_os("ACKERMANN_WRITE_SEEDS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            seeds::of(target).iter().for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes).unwrap());
        }
        for (name, bytes) in seeds::of(target) {
            let committed = std::fs::read(folder.join(&name)).unwrap_or_default();
            assert!(committed == bytes, "{target}/{name} is stale: run with ACKERMANN_WRITE_SEEDS=1");
        }
    }
}

#[test]
fn every_seed_is_taken() {
    for (target, run) in TARGETS {
        let mut count = 0;
        for entry in std::fs::read_dir(folder(target)).unwrap().flatten() {
            println!("{}", entry.path().display());
            run(&std::fs::read(entry.path()).unwrap());
            count += 1;
        }
        assert!(count > 0, "{target} has no seeds");
    }
}

/// Every seed with bytes changed, and cut at many places.
#[test]
fn every_seed_is_taken_damaged() {
    for (target, run) in TARGETS {
        // Blobs are damaged byte by byte in tests/loader.rs.
        let step = if *target == "loader" { 31 } else { 3 };
        for entry in std::fs::read_dir(folder(target)).unwrap().flatten() {
            let bytes = std::fs::read(entry.path()).unwrap();
            for at in (0..bytes.len()).step_by(step) {
                run(&bytes[..at]);
                for change in [0x81, 0xff] {
                    let mut damaged = bytes.clone();
                    damaged[at] ^= change;
                    run(&damaged);
                }
            }
        }
    }
}
