//! Time, as the control loop needs it: when things happen, and how long the network took.

/// A board's time.
pub trait Clock {
    /// Length of a tick, picoseconds.
    const TICK_PICOS: u32;

    /// Microseconds since start-up; never runs backwards.
    fn now_us(&mut self) -> u64;

    /// A counter of ticks for measuring runs; wraps.
    fn ticks(&mut self) -> u32;

    /// The host's clock moved on by `elapsed_us`. A simulated board lives in the host's time and follows; a board with a timer of
    /// its own does nothing.
    fn advance(&mut self, elapsed_us: u64) {
        let _ = elapsed_us;
    }
}

/// Microseconds in `ticks` of `tick_picos`.
pub(crate) const fn ticks_to_us(ticks: u32, tick_picos: u32) -> u64 {
    ticks as u64 * tick_picos as u64 / 1_000_000
}
