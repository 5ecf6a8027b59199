//! Time on an emulated board: the host's for what happens, SysTick for how long the network takes.
//!
//! The emulated processor's own time runs faster or slower than the host's from one moment to the next, so timeouts against it would
//! mean nothing. The link tells the host's time with every frame and tick, and the board lives in it. SysTick under `-icount shift=0`
//! counts instructions: one is 1 ns, and the board says how many are a tick.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

use ackermann_firmware::Clock;
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;

/// SysTick counts down from here and then interrupts.
const RELOAD: u32 = 0x00ff_ffff;

/// How often SysTick came round.
static ROUNDS: AtomicU32 = AtomicU32::new(0);

#[cortex_m_rt::exception]
fn SysTick() {
    ROUNDS.store(ROUNDS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// Does nothing; the plugin that counts instructions (`boards/counter`) knows it.
fn mark() {
    // SAFETY: a reserved hint, which the architecture defines to do nothing. Not `nomem`, so that measured work stays on its side.
    unsafe { asm!("hint #15", options(nostack, preserves_flags)) };
}

/// The host's clock and SysTick.
#[derive(Debug)]
pub struct HostClock<const TICK_PICOS: u32> {
    now_us: u64,
}

impl<const TICK_PICOS: u32> HostClock<TICK_PICOS> {
    /// Starts SysTick.
    pub fn start() -> Self {
        if let Some(peripherals) = cortex_m::Peripherals::take() {
            let mut systick = peripherals.SYST;
            systick.set_clock_source(SystClkSource::Core);
            systick.set_reload(RELOAD);
            systick.clear_current();
            systick.enable_interrupt();
            systick.enable_counter();
        }
        Self { now_us: 0 }
    }
}

impl<const TICK_PICOS: u32> Clock for HostClock<TICK_PICOS> {
    const TICK_PICOS: u32 = TICK_PICOS;

    fn now_us(&mut self) -> u64 {
        self.now_us
    }

    fn ticks(&mut self) -> u32 {
        mark();
        let ticks = loop {
            let before = ROUNDS.load(Ordering::Relaxed);
            let ticks = RELOAD - SYST::get_current();
            // Between the two reads the counter may have come round.
            if ROUNDS.load(Ordering::Relaxed) == before {
                break before.wrapping_shl(24).wrapping_add(ticks);
            }
        };
        mark();
        ticks
    }

    fn advance(&mut self, elapsed_us: u64) {
        self.now_us = self.now_us.saturating_add(elapsed_us);
    }
}
