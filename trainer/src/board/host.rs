//! The board that is no board: the firmware's own loop in a thread of this process, byte for byte what a board answers.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use ackermann_core::blob::{AlignedBytes, arena_bytes};
use ackermann_firmware::control::Board;
use ackermann_firmware::link::Transport;
use ackermann_firmware::servo::PERIOD_US;
use ackermann_firmware::{Clock, Config, ControlLoop, serve};
use embedded_hal::pwm::{ErrorType, SetDutyCycle};

use super::HOST;

/// Bytes of the largest message: a frame of 1280 x 720 pixels fits.
const INBOX_BYTES: usize = 4 << 20;
/// Bytes of the model slot.
const SLOT_BYTES: usize = 4 << 20;
/// Bytes of arena even if the built-in model needs less.
const MIN_ARENA_BYTES: usize = 1 << 20;

/// One end of a pair of byte channels.
#[derive(Debug)]
pub struct Port {
    incoming: Receiver<Vec<u8>>,
    outgoing: Sender<Vec<u8>>,
    waiting: VecDeque<u8>,
    open: bool,
}

/// The two ends.
fn ports() -> (Port, Port) {
    let ((to_a, from_b), (to_b, from_a)) = (channel(), channel());
    let port = |incoming, outgoing| Port { incoming, outgoing, waiting: VecDeque::new(), open: true };
    (port(from_b, to_b), port(from_a, to_a))
}

impl Transport for Port {
    fn read(&mut self, buffer: &mut [u8]) -> usize {
        while let Ok(bytes) = self.incoming.try_recv() {
            self.waiting.extend(bytes);
        }
        let length = buffer.len().min(self.waiting.len());
        for (slot, byte) in buffer.iter_mut().zip(self.waiting.drain(..length)) {
            *slot = byte;
        }
        length
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        self.open &= self.outgoing.send(bytes.to_vec()).is_ok();
        bytes.len()
    }

    fn idle(&mut self) {
        match self.incoming.recv_timeout(Duration::from_millis(100)) {
            Ok(bytes) => self.waiting.extend(bytes),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.open = false,
        }
    }

    fn is_open(&self) -> bool {
        self.open
    }
}

/// The host's time as the link tells it; runs take no time, so that what a drive does never depends on the machine.
#[derive(Debug)]
struct LinkClock(u64);

impl Clock for LinkClock {
    const TICK_PICOS: u32 = 0;

    fn now_us(&mut self) -> u64 {
        self.0
    }

    fn ticks(&mut self) -> u32 {
        0
    }

    fn advance(&mut self, elapsed_us: u64) {
        self.0 = self.0.saturating_add(elapsed_us);
    }
}

/// A PWM that nothing hangs on, with the resolution of the emulated boards.
#[derive(Debug)]
struct NoServo;

impl ErrorType for NoServo {
    type Error = Infallible;
}

impl SetDutyCycle for NoServo {
    fn max_duty_cycle(&self) -> u16 {
        (3 * PERIOD_US) as u16
    }

    fn set_duty_cycle(&mut self, _: u16) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Starts the firmware with `blob` built in; it ends when the returned port is dropped.
pub fn start(blob: &[u8]) -> Port {
    let (near, far) = ports();
    let model = AlignedBytes::copy_of(blob);
    std::thread::spawn(move || firmware(far, &model));
    near
}

fn firmware(port: Port, model: &[u8]) {
    let mut arena = AlignedBytes::zeroed(arena_bytes(model).max(MIN_ARENA_BYTES));
    let mut slot = AlignedBytes::zeroed(SLOT_BYTES);
    let mut inbox = vec![0; INBOX_BYTES];
    let board = Board {
        name: HOST,
        transport: port,
        servo: NoServo,
        throttle: NoServo,
        clock: LinkClock(0),
        stack_bytes: || 0,
        slot_bytes: slot.len() as u32,
        arena_room: arena.len() as u32,
    };
    let mut control = ControlLoop::new(Config::default(), board, &mut inbox);
    serve(&mut control, model, &mut slot, &mut arena);
}
