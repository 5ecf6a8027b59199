//! A PWM channel whose duty cycle the host reads from shared memory.

use core::convert::Infallible;

use ackermann_firmware::servo::PERIOD_US;
use embedded_hal::pwm::{ErrorType, SetDutyCycle};

use crate::shared::Registers;

/// Counts per microsecond of the servo period.
const COUNTS_PER_US: u32 = 3;

/// One channel.
#[derive(Debug)]
pub struct Pwm {
    registers: Registers,
    offset: usize,
}

impl Pwm {
    /// The channel whose duty register is at `offset`.
    pub const fn new(registers: Registers, offset: usize) -> Self {
        Self { registers, offset }
    }
}

impl ErrorType for Pwm {
    type Error = Infallible;
}

impl SetDutyCycle for Pwm {
    fn max_duty_cycle(&self) -> u16 {
        (PERIOD_US * COUNTS_PER_US) as u16
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), Infallible> {
        self.registers.store(self.offset, u32::from(duty));
        Ok(())
    }
}
