//! Asks the assembler which instruction sets the target has (cfg `simd_dsp`, `simd_mve`), and tells Armv8-M apart (cfg `armv8m`).
//!
//! Stable Rust does not show `target_feature = "dsp"`, and the target's name does not tell (`-C target-cpu` can change it),
//! so a probe is compiled: the way heapless finds LDREX.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(simd_dsp)");
    println!("cargo::rustc-check-cfg=cfg(simd_mve)");
    println!("cargo::rustc-check-cfg=cfg(armv8m)");
    println!("cargo::rustc-check-cfg=cfg(force_portable)");
    if env::var("TARGET").is_ok_and(|target| target.starts_with("thumbv8m")) {
        println!("cargo::rustc-cfg=armv8m");
    }
    let arm = env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "arm");
    let forced = env::var_os("CARGO_CFG_FORCE_PORTABLE").is_some();
    for (cfg, instruction) in [("simd_dsp", "smlad r0, r1, r2, r3"), ("simd_mve", "vmladava.s8 r0, q0, q1")] {
        if arm && !forced && assembles(instruction) == Some(true) {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
}

/// Whether `instruction` compiles for the target, with the caller's flags; `None` when that cannot be found out.
fn assembles(instruction: &str) -> Option<bool> {
    let folder = PathBuf::from(env::var_os("OUT_DIR")?);
    let source = folder.join("probe.rs");
    let text =
        format!("#![no_std]\npub fn probe() {{ unsafe {{ core::arch::asm!({instruction:?}, out(\"r0\") _) }} }}\n");
    fs::write(&source, text).ok()?;
    let mut rustc = Command::new(env::var_os("RUSTC")?);
    rustc.args(["--crate-type=lib", "--emit=obj", "--edition=2024", "-o"]).arg(folder.join("probe.o")).arg(&source);
    rustc.arg("--target").arg(env::var_os("TARGET")?);
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    rustc.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
    Some(rustc.stderr(Stdio::null()).status().ok()?.success())
}
