//! The pilot: what the requests do to the car.

mod tools;

use embedded_hal::pwm::SetDutyCycle;
use heapless::{Deque, Vec};

use super::gate::Gate;
use super::safety::Safety;
use super::{Config, Event, Events, Phase};
use crate::clock::{Clock, ticks_to_us};
use crate::link::{
    Answer, Hello, Info, LinkError, Loaded, MAX_BODY, MAX_OUTPUTS, PROTOCOL_VERSION, Pong, Reply, Status, Transport,
    encode, max_encoded,
};
use crate::network::{Network, Refusal};
use crate::preprocess::{Preprocess, Size, scratch_len};
use crate::servo::{Degrees, Geometry, NEUTRAL_US, Steering, set_pulse};

/// Columns of the widest network input.
const MAX_WIDTH: usize = 256;

/// Bytes of answers that may wait for the transport.
const OUTBOX: usize = 2 * max_encoded(MAX_BODY);

/// What a board brings.
#[derive(Debug)]
pub struct Board<T, S, P, C> {
    /// Its name.
    pub name: &'static str,
    /// The link.
    pub transport: T,
    /// PWM of the steering servo.
    pub servo: S,
    /// PWM of the throttle.
    pub throttle: P,
    /// Time.
    pub clock: C,
    /// Deepest stack so far, bytes.
    pub stack_bytes: fn() -> u32,
    /// Bytes of the model slot.
    pub slot_bytes: u32,
    /// Bytes of arena.
    pub arena_room: u32,
}

/// A camera frame as it came over the link.
#[derive(Debug, Clone, Copy)]
pub(super) struct Picture<'a> {
    pub time_us: u64,
    pub height: u16,
    pub width: u16,
    pub rgb: &'a [u8],
}

/// The car, and the record of how it went.
#[derive(Debug)]
pub struct Pilot<T, S, P, C> {
    config: Config,
    name: &'static str,
    transport: T,
    steering: Steering<S>,
    throttle: P,
    clock: C,
    stack_bytes: fn() -> u32,
    slot_bytes: u32,
    arena_room: u32,
    gate: Gate,
    safety: Safety,
    events: Events,
    outbox: Deque<u8, OUTBOX>,
    scratch: [u32; scratch_len(MAX_WIDTH)],
    limit: Degrees,
    throttle_duty: u16,
    init_ticks: u32,
    last_good_us: u64,
    /// When the wheels were last turned towards the middle, or need not be.
    centred_us: u64,
    last_frame_us: Option<u64>,
    frames: u32,
    dropped: u32,
}

impl<T: Transport, S: SetDutyCycle, P: SetDutyCycle, C: Clock> Pilot<T, S, P, C> {
    /// Wheels straight, throttle neutral. Inlined, so that the large value is made where it stays.
    #[inline(always)]
    pub(super) fn new(config: Config, board: Board<T, S, P, C>) -> Self {
        let limit = Geometry::max_centre(&config.geometry);
        let mut pilot = Self {
            config,
            name: board.name,
            transport: board.transport,
            steering: Steering::new(board.servo, limit, config.slew_deg_per_s),
            throttle: board.throttle,
            clock: board.clock,
            stack_bytes: board.stack_bytes,
            slot_bytes: board.slot_bytes,
            arena_room: board.arena_room,
            gate: Gate::new(),
            safety: Safety::new(),
            events: Events::default(),
            outbox: Deque::new(),
            scratch: [0; scratch_len(MAX_WIDTH)],
            limit,
            throttle_duty: 0,
            init_ticks: 0,
            last_good_us: 0,
            centred_us: 0,
            last_frame_us: None,
            frames: 0,
            dropped: 0,
        };
        if pilot.steering.approach(Degrees::ZERO, 0).is_err() {
            pilot.fault(Status::ServoFailed);
        }
        pilot.cut_throttle();
        pilot
    }

    /// Lets time pass: notices silence, and moves the wheels in the safe state.
    pub(super) fn tick(&mut self) {
        let now = self.clock.now_us();
        if self.safety.phase() == Phase::Driving && now.saturating_sub(self.last_good_us) > self.config.silence_us {
            self.fault(Status::Silence);
        }
        self.safety.tick(now, self.config.centre_after_us);
        let elapsed = now.saturating_sub(self.centred_us);
        self.centred_us = now;
        let away = self.steering.angle() != Degrees::ZERO;
        if self.safety.phase() == Phase::Centring && away && self.steering.approach(Degrees::ZERO, elapsed).is_err() {
            self.fault(Status::ServoFailed);
        }
    }

    /// Steers by a frame, or says why not.
    pub(super) fn frame(&mut self, sequence: u32, picture: Picture<'_>, network: Option<&mut Network<'_>>) {
        self.advance(picture.time_us);
        let (mut ticks, mut outputs) = (0, Vec::new());
        let driven = self.drive(sequence, picture, network, &mut ticks, &mut outputs);
        let status = driven.err().unwrap_or(Status::Ok);
        if status == Status::Ok {
            self.good_frame();
        } else {
            self.drop_message(status);
        }
        let reply = Reply {
            status,
            phase: self.safety.phase(),
            steering: self.steering.angle(),
            servo_duty: self.steering.duty(),
            throttle_duty: self.throttle_duty,
            ticks,
            outputs,
        };
        self.answer(sequence, &Answer::Reply(reply));
    }

    fn drive(
        &mut self,
        sequence: u32,
        picture: Picture<'_>,
        network: Option<&mut Network<'_>>,
        ticks: &mut u32,
        outputs: &mut Vec<u8, MAX_OUTPUTS>,
    ) -> Result<(), Status> {
        self.gate.admit(sequence, picture.time_us, &self.config)?;
        let elapsed = self.frame_interval();
        let network = network.ok_or(Status::NoModel)?;
        self.see(picture, network)?;
        *ticks = self.run(network);
        // What is beyond the room of a reply is left out.
        network.output().iter().map_while(|&raw| outputs.push(raw as u8).ok()).for_each(drop);
        if ticks_to_us(*ticks, C::TICK_PICOS) > self.config.deadline_us {
            return Err(Status::DeadlineMissed);
        }
        let angle = network.steering()?;
        if angle.saturating_abs() > self.limit.saturating_mul_int(2) {
            return Err(Status::Implausible);
        }
        self.steering.approach(angle, elapsed).map_err(|_| Status::ServoFailed)?;
        self.throttle_duty = set_pulse(&mut self.throttle, self.config.cruise_us).map_err(|_| Status::ServoFailed)?;
        Ok(())
    }

    /// From the picture to the network's input.
    fn see(&mut self, picture: Picture<'_>, network: &mut Network<'_>) -> Result<(), Status> {
        let [rows, columns, 3] = network.input_shape().map(usize::from) else { return Err(Status::NotSteering) };
        let frame = Size::new(usize::from(picture.height), usize::from(picture.width));
        let crop = network.crop().map(|window| window.crop(frame));
        let plan = Preprocess::new(frame, crop, Size::new(rows, columns)).map_err(|_| Status::WrongSize)?;
        plan.to_i8(picture.rgb, &mut self.scratch, network.input_mut()).map_err(|_| Status::WrongSize)?;
        self.gate.moving(network.input_mut(), &self.config)
    }

    fn run(&mut self, network: &mut Network<'_>) -> u32 {
        let start = self.clock.ticks();
        network.run();
        self.clock.ticks().wrapping_sub(start)
    }

    /// Time since the frame before, as far as the slew limit may count it.
    fn frame_interval(&mut self) -> u64 {
        let now = self.clock.now_us();
        let elapsed = self.last_frame_us.map_or(self.config.frame_us, |last| now.saturating_sub(last));
        self.last_frame_us = Some(now);
        elapsed.min(3 * self.config.frame_us)
    }

    /// Follows the host's clock, and lets that time pass.
    fn advance(&mut self, time_us: u64) {
        let elapsed = self.gate.advance(time_us);
        self.clock.advance(elapsed);
        self.tick();
    }

    /// Answers a `Tick`.
    pub(super) fn pong(&mut self, sequence: u32, time_us: u64) {
        self.advance(time_us);
        let pong = Pong {
            time_us: self.clock.now_us(),
            phase: self.safety.phase(),
            cause: self.safety.cause(),
            steering: self.steering.angle(),
            servo_duty: self.steering.duty(),
            throttle_duty: self.throttle_duty,
            safe_entries: self.safety.entries(),
        };
        self.answer(sequence, &Answer::Pong(pong));
    }

    /// Says who the board is and what it runs; frames may start anew after it.
    pub(super) fn hello(&mut self, sequence: u32, network: Result<&Network<'_>, Refusal>, max_body: usize) {
        self.gate = Gate::new();
        let (status, input, model) = match &network {
            Ok(network) => (Status::Ok, network.input_shape(), network.name()),
            Err(refusal) => (refusal.status(), [0; 3], refusal.name()),
        };
        let hello = Hello {
            version: PROTOCOL_VERSION,
            status,
            max_body: max_body as u32,
            slot_bytes: self.slot_bytes,
            input,
            board: self.name,
            model,
        };
        self.answer(sequence, &Answer::Hello(hello));
    }

    /// Answers `Info`.
    pub(super) fn info(&mut self, sequence: u32, network: Option<&Network<'_>>) {
        let info = Info {
            arena_bytes: network.map_or(0, |network| network.arena_bytes() as u32),
            arena_room: self.arena_room,
            stack_bytes: (self.stack_bytes)(),
            init_ticks: self.init_ticks,
            tick_picos: C::TICK_PICOS,
            frames: self.frames,
            dropped: self.dropped,
        };
        self.answer(sequence, &Answer::Info(info));
    }

    /// Answers a `Load`.
    pub(crate) fn loaded(&mut self, sequence: u32, status: Status, stored: usize, reason: &str) {
        self.answer(sequence, &Answer::Loaded(Loaded { status, stored: stored as u32, reason }));
    }

    /// Opens a blob that arrived intact and notes how long that took.
    pub(crate) fn open<'m>(
        &mut self,
        blob: Result<&'m [u8], Refusal>,
        arena: &'m mut [u8],
    ) -> Result<Network<'m>, Refusal> {
        let start = self.clock.ticks();
        let opened = blob.and_then(|blob| Network::open(blob, arena));
        self.init_ticks = self.clock.ticks().wrapping_sub(start);
        let event = opened.as_ref().map_or_else(|refusal| Event::NoModel(refusal.status()), |_| Event::Model);
        self.note(event);
        opened
    }

    /// A message that could not be read.
    pub(super) fn unreadable(&mut self, error: LinkError) {
        self.refuse(0, error.into());
    }

    /// A message that arrived whole and means nothing.
    pub(super) fn refuse(&mut self, sequence: u32, status: Status) {
        self.drop_message(status);
        self.answer(sequence, &Answer::Error(status));
    }

    fn good_frame(&mut self) {
        self.frames = self.frames.wrapping_add(1);
        self.last_good_us = self.clock.now_us();
        if self.safety.recover() {
            self.note(Event::Driving);
        }
    }

    fn drop_message(&mut self, status: Status) {
        self.dropped = self.dropped.wrapping_add(1);
        self.note(Event::Dropped(status));
        self.fault(status);
    }

    /// Enters the safe state.
    pub(crate) fn fault(&mut self, status: Status) {
        let now = self.clock.now_us();
        if self.safety.fault(status, now) {
            self.note(Event::Safe(status));
        }
        self.cut_throttle();
    }

    fn cut_throttle(&mut self) {
        match set_pulse(&mut self.throttle, NEUTRAL_US) {
            Ok(duty) => self.throttle_duty = duty,
            Err(_) => self.note(Event::Dropped(Status::ServoFailed)),
        }
    }

    fn note(&mut self, event: Event) {
        let now = self.clock.now_us();
        self.events.push(now, event);
    }

    fn answer(&mut self, sequence: u32, answer: &Answer<'_>) {
        let mut body = Vec::<u8, MAX_BODY>::new();
        let mut wire = [0; max_encoded(MAX_BODY)];
        let written = answer.write(&mut body).and_then(|()| encode(answer.kind(), sequence, &[&body], &mut wire));
        let sent = written.and_then(|length| self.post(wire.get(..length)?));
        if sent.is_none() {
            self.note(Event::AnswerLost);
        }
        self.flush();
    }

    /// Puts a whole answer into the outbox, or nothing.
    fn post(&mut self, wire: &[u8]) -> Option<()> {
        if wire.len() > self.outbox.capacity() - self.outbox.len() {
            return None;
        }
        wire.iter().try_for_each(|&byte| self.outbox.push_back(byte).ok())
    }

    /// Gives the transport what it takes of the answers.
    pub(super) fn flush(&mut self) {
        loop {
            let (next, _) = self.outbox.as_slices();
            let sent = self.transport.write(next).min(next.len());
            if sent == 0 {
                return;
            }
            for _ in 0..sent {
                self.outbox.pop_front();
            }
        }
    }

    /// Nothing to do.
    pub(super) fn idle(&mut self) {
        self.flush();
        self.transport.idle();
    }

    pub(super) const fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// The link.
    pub const fn transport(&self) -> &T {
        &self.transport
    }

    /// Driving or not, why, and how often not.
    pub const fn safety(&self) -> &Safety {
        &self.safety
    }

    /// What happened last.
    pub const fn events(&self) -> &Events {
        &self.events
    }

    /// The wheels.
    pub const fn steering(&self) -> &Steering<S> {
        &self.steering
    }
}
