//! What tools ask of a board: runs that steer nothing.

use embedded_hal::pwm::SetDutyCycle;
use heapless::Vec;

use super::Pilot;
use crate::clock::Clock;
use crate::link::{Answer, Bench, OUTPUT_PIECE, Output, Ran, Status, Transport};
use crate::network::Network;

impl<T: Transport, S: SetDutyCycle, P: SetDutyCycle, C: Clock> Pilot<T, S, P, C> {
    /// Runs the model once whole and once observed, on zeros (its instructions do not depend on the picture).
    pub(in crate::control) fn bench(&mut self, sequence: u32, network: Option<&mut Network<'_>>) {
        let mut bench = Bench { status: Status::NoModel, total: 0, operators: Vec::new() };
        if let Some(network) = network {
            bench.status = Status::Ok;
            network.input_mut().fill(0);
            bench.total = self.run(network);
            network.input_mut().fill(0);
            let mut last = self.clock.ticks();
            network.run_observed(|_| {
                let now = self.clock.ticks();
                // A model has at most as many operators as there is room for.
                let _ = bench.operators.push(now.wrapping_sub(last));
                last = self.clock.ticks();
            });
        }
        self.answer(sequence, &Answer::Bench(bench));
    }

    /// Takes the piece `(offset, bytes)` of an input, and runs the model once the input is complete.
    pub(in crate::control) fn ran(
        &mut self,
        sequence: u32,
        network: Option<&mut Network<'_>>,
        reset: bool,
        (offset, bytes): (u32, &[u8]),
    ) {
        let mut ran = Ran { status: Status::NoModel, ticks: 0 };
        if let Some(network) = network {
            if reset {
                network.reset();
            }
            ran.status = match network.store(offset, bytes) {
                Ok(true) => {
                    ran.ticks = self.run(network);
                    Status::Ok
                }
                Ok(false) => Status::InputIncomplete,
                Err(status) => status,
            };
        }
        self.answer(sequence, &Answer::Ran(ran));
    }

    /// Answers `Output`.
    pub(in crate::control) fn output(&mut self, sequence: u32, network: Option<&Network<'_>>, offset: u32) {
        let mut output = Output { status: Status::NoModel, total: 0, bytes: &[] };
        if let Some(network) = network {
            let (total, rest) = network.output_bytes(offset as usize);
            let bytes = rest.get(..OUTPUT_PIECE).unwrap_or(rest);
            output = Output { status: Status::Ok, total: total as u32, bytes };
        }
        self.answer(sequence, &Answer::Output(output));
    }
}
