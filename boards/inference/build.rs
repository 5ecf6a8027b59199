//! Embeds the model that `ACKERMANN_MODEL` names, and links for any Cortex-M.

use std::path::PathBuf;
use std::{env, fs};

/// Large enough for every network; only sizes are looked at.
const MEMORY: &str = "MEMORY { FLASH : ORIGIN = 0x00000000, LENGTH = 4M\n RAM : ORIGIN = 0x20000000, LENGTH = 4M }\n";

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    println!("cargo:rerun-if-env-changed=ACKERMANN_MODEL");
    println!("cargo:rerun-if-changed=build.rs");
    let blob = env::var_os("ACKERMANN_MODEL").map(|path| {
        println!("cargo:rerun-if-changed={}", path.display());
        fs::read(&path).unwrap_or_else(|error| panic!("the model {} cannot be read: {error}", path.display()))
    });
    fs::write(out.join("model.ackm"), blob.unwrap_or_default()).expect("OUT_DIR is writable");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        fs::write(out.join("memory.x"), MEMORY).expect("OUT_DIR is writable");
        fs::write(out.join("device.x"), "").expect("OUT_DIR is writable");
        println!("cargo:rustc-link-search={}", out.display());
        println!("cargo:rustc-link-arg-bins=-Tlink.x");
        println!("cargo:rustc-link-arg-bins=--nmagic");
    }
}
