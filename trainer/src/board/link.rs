//! A client of the link: asks a board and waits for the answer, but not for ever.

use std::time::{Duration, Instant};

use ackermann_firmware::link::{
    Answer, Bench, Inbox, Info, MAX_BODY, PROTOCOL_VERSION, Pong, Reply, Request, Status, Transport, encode,
    max_encoded,
};

use crate::{Error, ErrorKind, Frame, Result};

/// How long an answer may take, real time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of a blob in one message.
const PIECE: usize = 64 * 1024;

/// Who a board is and what it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// Protocol version of its firmware.
    pub version: u16,
    /// `Ok`, or why it has no model.
    pub status: Status,
    /// Bytes of the longest message body that it takes.
    pub max_body: usize,
    /// Bytes of its model slot.
    pub slot_bytes: usize,
    /// Rows, columns, channels of the network's input; zeros without a model.
    pub input: [u16; 3],
    /// Its name.
    pub board: String,
    /// The model's name, or the name of the error why there is none.
    pub model: String,
}

/// What a board said to a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOutcome {
    /// `Ok`: the model runs.
    pub status: Status,
    /// The name of the loader's error, or empty.
    pub reason: String,
}

/// What a board made of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOutcome {
    /// Ticks of the board's counter that the run took.
    pub ticks: u32,
    /// The bytes of the output tensors, one after another.
    pub output: Vec<u8>,
}

/// The client.
pub struct Link {
    transport: Box<dyn Transport + Send>,
    inbox: Inbox<'static>,
    name: String,
    sequence: u32,
    body: Vec<u8>,
    max_body: usize,
}

impl Link {
    /// Waits for the board's greeting and checks that it speaks our version.
    pub fn open(transport: Box<dyn Transport + Send>, name: &str) -> Result<(Self, Greeting)> {
        // One small buffer per link, which lives as long as the program: links are few.
        let inbox = Inbox::new(Box::leak(vec![0; MAX_BODY + 64].into_boxed_slice()));
        let mut link = Self { transport, inbox, name: name.into(), sequence: 0, body: Vec::new(), max_body: MAX_BODY };
        let kind = link.wait_for(0)?;
        let greeting = match link.read(kind)? {
            Answer::Hello(hello) => greeting(&hello),
            other => return Err(unexpected(&link.name, &other)),
        };
        if greeting.version != PROTOCOL_VERSION {
            let message = format!("speaks protocol version {}, this program {PROTOCOL_VERSION}", greeting.version);
            return Err(Error::new(ErrorKind::Link, name, message));
        }
        link.max_body = greeting.max_body;
        Ok((link, greeting))
    }

    /// Who are you? Frames may start anew after it.
    pub fn hello(&mut self) -> Result<Greeting> {
        match self.ask(&Request::Hello)? {
            Answer::Hello(hello) => Ok(greeting(&hello)),
            other => Err(unexpected("board", &other)),
        }
    }

    /// Tells the time, microseconds.
    pub fn tick(&mut self, time_us: u64) -> Result<Pong> {
        match self.ask(&Request::Tick { time_us })? {
            Answer::Pong(pong) => Ok(pong),
            other => Err(unexpected("board", &other)),
        }
    }

    /// Sends a frame taken at `time_us`. A frame that was not steered by is no error: its reply says why.
    pub fn frame(&mut self, time_us: u64, frame: &Frame) -> Result<Reply> {
        let request = self.frame_request(time_us, frame)?;
        match self.ask(&request)? {
            Answer::Reply(reply) => Ok(reply),
            other => Err(unexpected("board", &other)),
        }
    }

    /// The request that sends `frame`, if the board can take it.
    pub fn frame_request<'f>(&self, time_us: u64, frame: &'f Frame) -> Result<Request<'f>> {
        let side = |length: usize| u16::try_from(length).ok();
        let room = self.max_body.saturating_sub(12);
        match (side(frame.height), side(frame.width)) {
            (Some(height), Some(width)) if frame.rgb.len() <= room => {
                Ok(Request::Frame { time_us, height, width, rgb: &frame.rgb })
            }
            _ => {
                let size = format!("{} x {}", frame.height, frame.width);
                let message = format!("a frame of {size} pixels is too large for the board, which takes {room} bytes");
                Err(Error::new(ErrorKind::DoesNotFit, &self.name, message))
            }
        }
    }

    /// What was measured so far.
    pub fn info(&mut self) -> Result<Info> {
        match self.ask(&Request::Info)? {
            Answer::Info(info) => Ok(info),
            other => Err(unexpected("board", &other)),
        }
    }

    /// Runs the model and counts ticks.
    pub fn bench(&mut self) -> Result<Bench> {
        match self.ask(&Request::Bench)? {
            Answer::Bench(bench) => Ok(bench),
            other => Err(unexpected("board", &other)),
        }
    }

    /// Puts a blob into the board's model slot, piece by piece, up to the first refusal.
    pub fn load(&mut self, blob: &[u8]) -> Result<LoadOutcome> {
        let piece = PIECE.min(self.max_body.saturating_sub(8)).max(1);
        let total = u32::try_from(blob.len())
            .map_err(|_| Error::new(ErrorKind::DoesNotFit, &self.name, "the blob has more than 4 GiB"))?;
        let mut offset = 0;
        loop {
            let bytes = blob.get(offset..blob.len().min(offset + piece)).unwrap_or(&[]);
            match self.ask(&Request::Load { total, offset: offset as u32, bytes })? {
                Answer::Loaded(loaded) if loaded.status == Status::BlobIncomplete => offset += bytes.len(),
                Answer::Loaded(loaded) => {
                    return Ok(LoadOutcome { status: loaded.status, reason: loaded.reason.into() });
                }
                other => return Err(unexpected("board", &other)),
            }
        }
    }

    /// Runs the model once on `input`, the bytes of its input tensors one after another; with `reset` its states forget before.
    ///
    /// # Errors
    /// A board without a model, an input of another size, a link that fails.
    pub fn run(&mut self, input: &[u8], reset: bool) -> Result<RunOutcome> {
        let ticks = self.send_input(input, reset)?;
        let mut output = Vec::new();
        loop {
            match self.ask(&Request::Output { offset: output.len() as u32 })? {
                Answer::Output(answer) => {
                    output.extend_from_slice(answer.bytes);
                    if answer.bytes.is_empty() || output.len() >= answer.total as usize {
                        return Ok(RunOutcome { ticks, output });
                    }
                }
                other => return Err(unexpected("board", &other)),
            }
        }
    }

    /// Sends an input piece by piece; the ticks of the run that its last piece begins.
    fn send_input(&mut self, input: &[u8], reset: bool) -> Result<u32> {
        let piece = PIECE.min(self.max_body.saturating_sub(5)).max(1);
        let mut pieces = input.chunks(piece).zip((0u32..).step_by(piece)).peekable();
        while let Some((bytes, offset)) = pieces.next() {
            let ran = match self.ask(&Request::Run { reset: reset && offset == 0, offset, bytes })? {
                Answer::Ran(ran) => ran,
                other => return Err(unexpected("board", &other)),
            };
            match ran.status {
                Status::Ok if pieces.peek().is_none() => return Ok(ran.ticks),
                Status::InputIncomplete if pieces.peek().is_some() => {}
                Status::Ok | Status::InputIncomplete | Status::InputOutOfOrder => break,
                refusal => return Err(Error::new(ErrorKind::Link, &self.name, refusal.describe())),
            }
        }
        let message = format!("{} bytes are no input of the network", input.len());
        Err(Error::new(ErrorKind::Shape, &self.name, message))
    }

    /// Sends a request and waits for its answer.
    pub fn ask(&mut self, request: &Request<'_>) -> Result<Answer<'_>> {
        let (sequence, wire) = self.seal(request);
        self.send_raw(&wire)?;
        let kind = self.wait_for(sequence)?;
        self.read(kind)
    }

    /// The bytes of a request with the next sequence number, and that number.
    pub fn seal(&mut self, request: &Request<'_>) -> (u32, Vec<u8>) {
        self.sequence = self.sequence.wrapping_add(1).max(1);
        let (head, bulk) = request.parts();
        let mut wire = vec![0; max_encoded(head.len() + bulk.len())];
        let length = encode(request.kind(), self.sequence, &[&head, bulk], &mut wire).unwrap_or(0);
        wire.truncate(length);
        (self.sequence, wire)
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, wire: &[u8]) -> Result<()> {
        let start = Instant::now();
        let mut rest = wire;
        while !rest.is_empty() {
            let sent = self.transport.write(rest);
            rest = rest.get(sent..).unwrap_or(&[]);
            if sent == 0 {
                self.be_patient(start, "takes no more bytes")?;
            }
        }
        Ok(())
    }

    /// Waits for the answer to a message that the board could not read, and returns what it says about it.
    pub fn complaint(&mut self) -> Result<Status> {
        let kind = self.wait_for(0)?;
        match self.read(kind)? {
            Answer::Error(status) => Ok(status),
            other => Err(unexpected("board", &other)),
        }
    }

    /// Collects messages until one answers `sequence`; an error without a number answers anything. Returns its kind.
    fn wait_for(&mut self, sequence: u32) -> Result<u8> {
        let start = Instant::now();
        loop {
            match self.inbox.poll(&mut *self.transport) {
                Some(Ok(packet)) if packet.sequence == sequence || (packet.sequence == 0 && packet.kind == 0xff) => {
                    self.body.clear();
                    self.body.extend_from_slice(packet.body);
                    return Ok(packet.kind);
                }
                // An answer to something else, or a damaged one: the answer that we wait for may still come.
                Some(_) => {}
                None => self.be_patient(start, "does not answer")?,
            }
        }
    }

    fn be_patient(&mut self, start: Instant, what: &str) -> Result<()> {
        if start.elapsed() > PATIENCE || !self.transport.is_open() {
            let message = format!("{what} (waited {} s)", start.elapsed().as_secs());
            return Err(Error::new(ErrorKind::Link, &self.name, message));
        }
        self.transport.idle();
        Ok(())
    }

    fn read(&self, kind: u8) -> Result<Answer<'_>> {
        Answer::read(kind, &self.body).ok_or_else(|| {
            Error::new(
                ErrorKind::Link,
                &self.name,
                format!("sent a message of kind {kind} that docs/link.md does not know"),
            )
        })
    }
}

fn greeting(hello: &ackermann_firmware::link::Hello<'_>) -> Greeting {
    Greeting {
        version: hello.version,
        status: hello.status,
        max_body: hello.max_body as usize,
        slot_bytes: hello.slot_bytes as usize,
        input: hello.input,
        board: hello.board.into(),
        model: hello.model.into(),
    }
}

fn unexpected(name: &str, answer: &Answer<'_>) -> Error {
    let message = match answer {
        Answer::Error(status) => format!("refused the message: {}", status.describe()),
        other => format!("sent an answer of kind {:#x} that does not belong to the question", other.kind()),
    };
    Error::new(ErrorKind::Link, name, message)
}
