//! MPS2 AN386: Cortex-M4F, 4 MiB of flash, 4 MiB of RAM, 16 MiB of PSRAM that QEMU shares with the host.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod target {
    ackermann_mps2::board!(name: "mps2-an386", shared: 0x2100_0000, tick_picos: 40_000);
}

#[cfg(not(target_os = "none"))]
fn main() {
    println!(
        "this is firmware: `ackermann flash model.ackm --board mps2-an386` builds it for its target and starts it"
    );
}
