//! The fuzzer's seeds, replayed: on every toolchain, in every run of the tests.

use std::path::{Path, PathBuf};

use ackermann_tests::fuzz::{TARGETS, seeds};

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target)
}

/// What the generator makes now, and what is committed: earlier results of it (with `ACKERMANN_WRITE_SEEDS` set they are made anew),
/// foreign files that the trainer's tests make, and inputs that once broke a promise (`found_*`).
fn all(target: &str) -> Vec<Vec<u8>> {
    let (folder, made) = (folder(target), seeds::of(target));
    if std::env::var_os("ACKERMANN_WRITE_SEEDS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        made.iter().for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes).unwrap());
    }
    let committed = std::fs::read_dir(folder).unwrap().flatten().map(|entry| std::fs::read(entry.path()).unwrap());
    let all: Vec<Vec<u8>> = made.into_iter().map(|(_, bytes)| bytes).chain(committed).collect();
    assert!(!all.is_empty(), "{target} has no seeds");
    all
}

#[test]
fn every_seed_is_taken() {
    for (target, run) in TARGETS {
        all(target).iter().for_each(|bytes| run(bytes));
    }
}

/// Every seed with bytes changed, and cut at many places.
#[test]
fn every_seed_is_taken_damaged() {
    for (target, run) in TARGETS {
        // Blobs are damaged byte by byte in tests/loader.rs.
        let step = if *target == "loader" { 31 } else { 3 };
        for bytes in all(target) {
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
