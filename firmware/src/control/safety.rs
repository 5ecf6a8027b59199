//! Driving or not: the safe state and how it deepens.

use crate::link::Status;

/// What the car is doing. In every phase but `Driving` the throttle is neutral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Phase {
    /// Steering by the network.
    Driving = 0,
    /// Safe state: the wheels stay as they are.
    Holding = 1,
    /// Safe state: the wheels return to the middle.
    Centring = 2,
}

impl Phase {
    /// The phase with this number.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Driving),
            1 => Some(Self::Holding),
            2 => Some(Self::Centring),
            _ => None,
        }
    }

    /// The number on the wire.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// The state machine: any fault leads to `Holding`, time to `Centring`, a good frame back to `Driving`.
#[derive(Debug)]
pub struct Safety {
    phase: Phase,
    cause: Status,
    since_us: u64,
    entries: u32,
}

impl Safety {
    /// At rest until the first good frame.
    pub(super) const fn new() -> Self {
        Self { phase: Phase::Centring, cause: Status::Starting, since_us: 0, entries: 0 }
    }

    /// A good frame was steered by. True if that ended the safe state.
    pub fn recover(&mut self) -> bool {
        let left = self.phase != Phase::Driving;
        self.phase = Phase::Driving;
        self.cause = Status::Ok;
        left
    }

    /// Something went wrong. True if that began the safe state.
    pub fn fault(&mut self, cause: Status, now_us: u64) -> bool {
        self.cause = cause;
        let entered = self.phase == Phase::Driving;
        if entered {
            self.phase = Phase::Holding;
            self.since_us = now_us;
            self.entries = self.entries.saturating_add(1);
        }
        entered
    }

    /// Lets time pass: after `centre_after_us` of holding, the wheels return.
    pub fn tick(&mut self, now_us: u64, centre_after_us: u64) {
        if self.phase == Phase::Holding && now_us.saturating_sub(self.since_us) >= centre_after_us {
            self.phase = Phase::Centring;
        }
    }

    /// What the car is doing.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Why it is not driving; `Ok` while it is.
    pub const fn cause(&self) -> Status {
        self.cause
    }

    /// How often the safe state was entered since start-up.
    pub const fn entries(&self) -> u32 {
        self.entries
    }
}
