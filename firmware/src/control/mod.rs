//! The control loop: one request at a time, and nothing ever waits.
//!
//! A frame passes `check, preprocess, run, decode, plausibility, limits, servo`; whatever fails on the way is named in the answer and
//! leads to the safe state: throttle neutral, wheels held, then centred. The next good frame leads out of it.

mod config;
mod events;
mod gate;
mod pilot;
mod safety;

use embedded_hal::pwm::SetDutyCycle;

pub use config::Config;
pub use events::{Event, Events};
use pilot::Picture;
pub use pilot::{Board, Pilot};
pub use safety::{Phase, Safety};

use crate::clock::Clock;
use crate::link::{Inbox, Request, Status, Transport};
use crate::network::{Network, Refusal};
use crate::serve::Slot;

/// What a request may use while it is served.
#[derive(Debug)]
pub enum Stage<'s, 'm> {
    /// A model runs.
    Ready(&'s mut Network<'m>),
    /// None does.
    Empty(Refusal),
    /// One arrives.
    Loading(&'s mut Slot<'m>),
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing had arrived.
    Idle,
    /// A message was answered.
    Served,
    /// A blob begins to arrive: come back with [`Stage::Loading`].
    Upload,
    /// The slot holds a whole blob; the request with this sequence number waits for its answer.
    Complete(u32),
    /// The blob will not come: go back to the model before.
    Rejected,
    /// Another request came before the blob was complete: go back to the model before, which will serve it.
    Abandoned,
}

/// The loop over its inbox and its pilot.
#[derive(Debug)]
pub struct ControlLoop<'b, T, S, P, C> {
    inbox: Inbox<'b>,
    pilot: Pilot<T, S, P, C>,
}

impl<'b, T: Transport, S: SetDutyCycle, P: SetDutyCycle, C: Clock> ControlLoop<'b, T, S, P, C> {
    /// A loop at rest. `buffer` must hold the largest message. Inlined, so that the large value is made where it stays.
    #[inline(always)]
    pub fn new(config: Config, board: Board<T, S, P, C>, buffer: &'b mut [u8]) -> Self {
        Self { inbox: Inbox::new(buffer), pilot: Pilot::new(config, board) }
    }

    /// Serves at most one message; never waits.
    pub fn step(&mut self, stage: Stage<'_, '_>) -> Step {
        self.pilot.tick();
        let max_body = self.inbox.capacity();
        let outcome = match self.inbox.poll(self.pilot.transport_mut()) {
            None => {
                self.pilot.idle();
                return Step::Idle;
            }
            Some(Err(error)) => {
                self.pilot.unreadable(error);
                Step::Served
            }
            Some(Ok(packet)) => match Request::read(packet.kind, packet.body) {
                Err(status) => {
                    self.pilot.refuse(packet.sequence, status);
                    Step::Served
                }
                Ok(request) => serve_request(&mut self.pilot, packet.sequence, request, stage, max_body),
            },
        };
        if matches!(outcome, Step::Upload | Step::Abandoned) {
            self.inbox.keep();
        }
        outcome
    }

    /// Tells the host unasked that the board is ready, and with what model.
    pub fn announce(&mut self, network: Result<&Network<'_>, Refusal>) {
        let max_body = self.inbox.capacity();
        self.pilot.hello(0, network, max_body);
    }

    /// The pilot, to look at.
    pub const fn pilot(&self) -> &Pilot<T, S, P, C> {
        &self.pilot
    }

    pub(crate) const fn pilot_mut(&mut self) -> &mut Pilot<T, S, P, C> {
        &mut self.pilot
    }
}

fn serve_request<T: Transport, S: SetDutyCycle, P: SetDutyCycle, C: Clock>(
    pilot: &mut Pilot<T, S, P, C>,
    sequence: u32,
    request: Request<'_>,
    stage: Stage<'_, '_>,
    max_body: usize,
) -> Step {
    let mut network = match (request, stage) {
        (Request::Load { total, offset, bytes }, Stage::Loading(slot)) => {
            return store(pilot, sequence, slot, (total, offset, bytes));
        }
        (Request::Load { .. }, _) => {
            pilot.fault(Status::NoModel);
            return Step::Upload;
        }
        (Request::Tick { time_us }, _) => {
            pilot.pong(sequence, time_us);
            return Step::Served;
        }
        (_, Stage::Loading(_)) => return Step::Abandoned,
        (_, Stage::Ready(network)) => Ok(network),
        (_, Stage::Empty(refusal)) => Err(refusal),
    };
    match request {
        Request::Hello => pilot.hello(sequence, network.as_deref().map_err(|refusal| *refusal), max_body),
        Request::Info => pilot.info(sequence, network.as_deref().ok()),
        Request::Bench => pilot.bench(sequence, network.as_deref_mut().ok()),
        Request::Frame { time_us, height, width, rgb } => {
            pilot.frame(sequence, Picture { time_us, height, width, rgb }, network.ok());
        }
        Request::Run { reset, offset, bytes } => pilot.ran(sequence, network.ok(), reset, (offset, bytes)),
        Request::Output { offset } => pilot.output(sequence, network.as_deref().ok(), offset),
        Request::Tick { .. } | Request::Load { .. } => {}
    }
    Step::Served
}

fn store<T: Transport, S: SetDutyCycle, P: SetDutyCycle, C: Clock>(
    pilot: &mut Pilot<T, S, P, C>,
    sequence: u32,
    slot: &mut Slot<'_>,
    (total, offset, bytes): (u32, u32, &[u8]),
) -> Step {
    match slot.store(total, offset, bytes) {
        Ok(()) if slot.is_complete() => Step::Complete(sequence),
        Ok(()) => {
            pilot.loaded(sequence, Status::BlobIncomplete, slot.stored(), "");
            Step::Served
        }
        Err(status) => {
            pilot.loaded(sequence, status, slot.stored(), "");
            Step::Rejected
        }
    }
}

#[cfg(test)]
mod tests;
