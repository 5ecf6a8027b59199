//! The last things that happened, for a reader after the fact.

use heapless::Deque;

use crate::link::Status;

/// One thing that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Event {
    /// The safe state began.
    Safe(Status),
    /// The safe state ended.
    Driving,
    /// A frame was not steered by, or a message could not be read.
    Dropped(Status),
    /// An answer found no room and was not sent.
    AnswerLost,
    /// A model is ready.
    Model,
    /// There is no model.
    NoModel(Status),
}

/// The newest 32 events with their times in microseconds, oldest first.
#[derive(Debug, Default)]
pub struct Events(Deque<(u64, Event), 32>);

impl Events {
    /// Adds an event; the oldest makes room.
    pub fn push(&mut self, now_us: u64, event: Event) {
        #[cfg(feature = "defmt")]
        defmt::info!("{=u64} us: {}", now_us, event);
        if self.0.is_full() {
            self.0.pop_front();
        }
        // There is room now.
        let _ = self.0.push_back((now_us, event));
    }

    /// The events, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Event)> + '_ {
        self.0.iter().copied()
    }
}
