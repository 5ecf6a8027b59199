//! Build script of every board: embeds the model that `ACKERMANN_MODEL` names, and links for the target.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    println!("cargo:rerun-if-env-changed=ACKERMANN_MODEL");
    println!("cargo:rerun-if-changed=../build.rs");
    let blob = match env::var_os("ACKERMANN_MODEL") {
        Some(path) => {
            println!("cargo:rerun-if-changed={}", path.display());
            fs::read(&path).unwrap_or_else(|error| panic!("the model {} cannot be read: {error}", path.display()))
        }
        // Without a model the board starts, says so, and waits for one over the link.
        None => Vec::new(),
    };
    fs::write(out.join("model.ackm"), blob).expect("OUT_DIR is writable");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        // Where memory is; and, where no runtime crate brings it, the whole linker script.
        for script in ["memory.x", "link.x"].into_iter().filter(|script| Path::new(script).is_file()) {
            println!("cargo:rerun-if-changed={script}");
            fs::copy(script, out.join(script)).expect("OUT_DIR is writable");
        }
        println!("cargo:rustc-link-search={}", out.display());
        println!("cargo:rustc-link-arg-bins=-Tlink.x");
        println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
        println!("cargo:rustc-link-arg-bins=--nmagic");
    }
}
