//! MPS2 AN505: Cortex-M33, secure state throughout, 4 MiB of flash, 4 MiB of RAM, 16 MiB of PSRAM that QEMU shares with the host.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod target {
    ackermann_mps2::board!(name: "mps2-an505", shared: 0x8000_0000, tick_picos: 50_000);
}

#[cfg(not(target_os = "none"))]
fn main() {
    println!(
        "this is firmware: `ackermann flash model.ackm --board mps2-an505` builds it for its target and starts it"
    );
}
