//! What must not happen is reported and ends the emulator, so that the host hears of it at once.

use core::arch::{asm, global_asm};

// The vector table: sixteen entries of 128 bytes. Nothing here unmasks interrupts, so whichever is taken, it is a fault.
global_asm!(
    ".section .text.vectors, \"ax\"
     .balign 2048
     .global vectors
     vectors:
     .rept 16
     .balign 128
     b {fault}
     .endr",
    fault = sym fault,
);

/// Tells what was taken and where.
extern "C" fn fault() -> ! {
    let (cause, address, place): (u64, u64, u64);
    // SAFETY: reads three system registers that exist at EL1.
    unsafe {
        asm!("mrs {}, esr_el1", "mrs {}, far_el1", "mrs {}, elr_el1", out(reg) cause, out(reg) address, out(reg) place,
            options(nomem, nostack, preserves_flags))
    };
    defmt::error!("exception at {=u64:x}: syndrome {=u64:x}, address {=u64:x}", place, cause, address);
    semihosting::process::exit(1)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    defmt::error!("panic");
    semihosting::process::exit(1)
}

/// One core, and interrupts are never unmasked: every section is critical already.
struct Alone;

critical_section::set_impl!(Alone);

// SAFETY: nothing can come between, see `Alone`.
unsafe impl critical_section::Impl for Alone {
    unsafe fn acquire() {}
    unsafe fn release((): ()) {}
}
