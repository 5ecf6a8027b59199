//! Time on an emulated board: the host's, as the link tells it, for what happens; the performance monitor for how long the network takes.
//!
//! Counter 0 of the monitor counts retired instructions: with QEMU's `-icount shift=0` each is 1 ns.

use core::arch::asm;

use ackermann_firmware::Clock;

/// The architecture's number of the event "instruction retired".
const INSTRUCTION_RETIRED: u64 = 0x08;

/// The host's clock and counter 0.
#[derive(Debug)]
pub struct HostClock {
    now_us: u64,
}

impl HostClock {
    /// Starts the counter.
    pub fn start() -> Self {
        // SAFETY: sets up a counter of the performance monitor, which nothing else uses: event, enable, then the whole unit.
        unsafe {
            asm!("msr pmevtyper0_el0, {event}", "msr pmcntenset_el0, {one}", "msr pmcr_el0, {one}", "isb",
                event = in(reg) INSTRUCTION_RETIRED, one = in(reg) 1u64, options(nomem, nostack, preserves_flags))
        };
        Self { now_us: 0 }
    }
}

impl Clock for HostClock {
    const TICK_PICOS: u32 = 1_000;

    fn now_us(&mut self) -> u64 {
        self.now_us
    }

    fn ticks(&mut self) -> u32 {
        let count: u64;
        // SAFETY: reads counter 0, between two marks of the plugin that counts instructions (`boards/counter`): a reserved hint, which
        // does nothing. Not `nomem`, so that the work that is measured stays between two readings.
        unsafe {
            asm!("hint #127", "isb", "mrs {}, pmevcntr0_el0", "hint #127", out(reg) count,
                options(nostack, preserves_flags))
        };
        count as u32
    }

    fn advance(&mut self, elapsed_us: u64) {
        self.now_us = self.now_us.saturating_add(elapsed_us);
    }
}
