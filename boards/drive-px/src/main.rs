//! The Drive PX class: a Cortex-A57 without operating system, MMU, caches and NEON on. In QEMU: machine `virt`, one core, 48 MiB of RAM
//! and, behind them, 16 MiB that the host shares.
#![cfg_attr(target_os = "none", no_std, no_main)]
// Start-up, system registers and fault reports need `unsafe`; each block carries its argument.
#![cfg_attr(target_os = "none", allow(unsafe_code))]

#[cfg(target_os = "none")]
mod clock;
#[cfg(target_os = "none")]
mod fault;
#[cfg(target_os = "none")]
mod stack;
#[cfg(target_os = "none")]
mod start;

/// Start-up ends here, with MMU, caches and NEON on.
#[cfg(target_os = "none")]
fn main() -> ! {
    let clock = clock::HostClock::start();
    ackermann_emulated::run("drive-px", 0x4300_0000, clock, stack::high_water, ackermann_emulated::memory!())
}

#[cfg(not(target_os = "none"))]
fn main() {
    println!("this is firmware: `ackermann flash model.ackm --board drive-px` builds it for its target and starts it");
}
