//! What the Cortex-M boards of QEMU have in common; a board's package adds its name and its addresses.
#![cfg_attr(target_os = "none", no_std)]
#![cfg(target_os = "none")]
// The stack is measured and faults are caught here; each access carries its argument.
#![allow(unsafe_code)]

pub mod clock;
pub mod stack;

pub use ackermann_emulated as emulated;

/// The entry point of a board: embeds the model, sets aside memory, and runs.
#[macro_export]
macro_rules! board {
    (name: $name:literal, shared: $shared:literal, tick_picos: $tick:literal) => {
        #[cortex_m_rt::entry]
        fn main() -> ! {
            let clock = $crate::clock::HostClock::<$tick>::start();
            $crate::emulated::run($name, $shared, clock, $crate::stack::high_water, $crate::emulated::memory!())
        }
    };
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    defmt::error!("panic");
    loop {
        cortex_m::asm::bkpt();
    }
}

#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    defmt::error!("hard fault at {=u32:x}", frame.pc());
    loop {
        cortex_m::asm::nop();
    }
}
