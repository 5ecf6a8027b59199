//! MPS3 AN547: Cortex-M55, secure state throughout, 512 KiB of flash, 4 MiB of RAM, DDR that QEMU shares with the host.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod target {
    ackermann_mps2::board!(name: "mps3-an547", shared: 0x6000_0000, tick_picos: 31_250);
}

#[cfg(not(target_os = "none"))]
fn main() {
    println!(
        "this is firmware: `ackermann flash model.ackm --board mps3-an547` builds it for its target and starts it"
    );
}
