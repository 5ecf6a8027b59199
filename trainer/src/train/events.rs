//! TensorBoard's event files: a run's curves as they grow, `tensorboard --logdir RUNS`.
//!
//! A file is a sequence of records: length (u64, little-endian), its checksum, the message, its checksum; checksums are
//! CRC-32C, turned and offset ("masked"). The messages are protocol buffers of TensorFlow's `event.proto` and
//! `summary.proto`, of which three kinds are needed.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{Error, Result};

/// What the names of event files begin with; TensorBoard looks for it.
const STEM: &str = "events.out.tfevents";
/// The version of the format that every file begins with.
const VERSION: &str = "brain.Event:2";

/// The event file of a session of training, made with its first scalars.
#[derive(Debug)]
pub struct Events {
    dir: PathBuf,
    /// The first step of a resumed run: TensorBoard forgets it and later ones of sessions before.
    resumed: Option<u64>,
    file: Option<(PathBuf, BufWriter<File>)>,
}

impl Events {
    /// Events of a run in `dir`: a new one, whose predecessors' files are removed, or one `resumed` whose first step is given.
    pub fn new(dir: &Path, resumed: Option<u64>) -> Result<Self> {
        if resumed.is_none() {
            remove_old(dir)?;
        }
        Ok(Self { dir: dir.to_path_buf(), resumed, file: None })
    }

    /// Writes scalars of a step by name; those that are `None` or not finite are left out.
    pub fn scalars(&mut self, step: u64, values: &[(&str, Option<f64>)]) -> Result<()> {
        let finite = values.iter().filter_map(|&(name, value)| Some((name, value.filter(|v| v.is_finite())? as f32)));
        self.write(&summary(now(), step, finite))
    }

    /// Hands what was written to the system.
    pub fn flush(&mut self) -> Result<()> {
        match &mut self.file {
            Some((path, file)) => file.flush().map_err(|e| Error::writing(path, &e)),
            None => Ok(()),
        }
    }

    fn write(&mut self, event: &[u8]) -> Result<()> {
        let (path, file) = match &mut self.file {
            Some(open) => open,
            none => none.insert(open(&self.dir, self.resumed)?),
        };
        file.write_all(&record(event)).map_err(|e| Error::writing(path, &e))
    }
}

/// A new file with what each begins with.
fn open(dir: &Path, resumed: Option<u64>) -> Result<(PathBuf, BufWriter<File>)> {
    let seconds = now();
    let mut number = 0;
    let (path, mut file) = loop {
        let path = dir.join(format!("{STEM}.{:010}.{}.{number}", seconds as u64, std::process::id()));
        match File::create_new(&path) {
            Ok(file) => break (path, BufWriter::new(file)),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(e) => return Err(Error::writing(&path, &e)),
        }
    };
    let start = resumed.map(|step| record(&session_start(seconds, step)));
    let begin = [record(&version(seconds)), start.unwrap_or_default()].concat();
    file.write_all(&begin).map_err(|e| Error::writing(&path, &e))?;
    Ok((path, file))
}

fn remove_old(dir: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(STEM)) {
            fs::remove_file(&path).map_err(|e| Error::writing(&path, &e))?;
        }
    }
    Ok(())
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

fn record(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    let checksums = [masked(&length), masked(message)].map(u32::to_le_bytes);
    [&length[..], &checksums[0], message, &checksums[1]].concat()
}

fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// `Event { wall_time = 1, file_version = 3 }`.
fn version(time: f64) -> Vec<u8> {
    let mut event = Message::default();
    event.double(1, time).bytes(3, VERSION.as_bytes());
    event.0
}

/// `Event { wall_time = 1, step = 2, session_log = 7: SessionLog { status = 1: START } }`.
fn session_start(time: f64, step: u64) -> Vec<u8> {
    let (mut event, mut log) = (Message::default(), Message::default());
    log.number(1, 1);
    event.double(1, time).number(2, step).bytes(7, &log.0);
    event.0
}

/// `Event { wall_time = 1, step = 2, summary = 5: Summary { value = 1: Value { tag = 1, simple_value = 2 } ... } }`.
fn summary<'a>(time: f64, step: u64, values: impl Iterator<Item = (&'a str, f32)>) -> Vec<u8> {
    let (mut event, mut summary) = (Message::default(), Message::default());
    for (tag, value) in values {
        let mut field = Message::default();
        field.bytes(1, tag.as_bytes()).float(2, value);
        summary.bytes(1, &field.0);
    }
    event.double(1, time).number(2, step).bytes(5, &summary.0);
    event.0
}

/// A protocol-buffer message being written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) -> &mut Self {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    /// Field `field` of wire type 0.
    fn number(&mut self, field: u64, value: u64) -> &mut Self {
        self.varint(field << 3).varint(value)
    }

    fn double(&mut self, field: u64, value: f64) -> &mut Self {
        self.varint(field << 3 | 1).0.extend(value.to_le_bytes());
        self
    }

    fn float(&mut self, field: u64, value: f32) -> &mut Self {
        self.varint(field << 3 | 5).0.extend(value.to_le_bytes());
        self
    }

    fn bytes(&mut self, field: u64, value: &[u8]) -> &mut Self {
        self.varint(field << 3 | 2).varint(value.len() as u64).0.extend(value);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Made with TensorBoard 2.21: `RecordWriter(file).write(event.SerializeToString())`, with
    /// `Event(wall_time=1.5, file_version="brain.Event:2")`, `Event(wall_time=2, step=300, session_log=SessionLog(status=START))`,
    /// `Event(wall_time=2.5, step=301, summary=Summary(value=[Value(tag="loss/train", simple_value=0.25), Value(tag="lr", ...)]))`.
    #[test]
    fn records_are_the_bytes_that_tensorboard_writes() {
        let expected = [
            "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c",
            "100000000000000095fbfe1809000000000000004010ac023a0208011292da01",
            "2c00000000000000f4aecc4509000000000000044010ad022a1e0a110a0a6c6f73732f747261696e150000803e0a090a026c72156f12833aaae92b28",
        ];
        let scalars = [("loss/train", 0.25), ("lr", 0.001)];
        let found = [version(1.5), session_start(2.0, 300), summary(2.5, 301, scalars.into_iter())];
        assert_eq!(found.map(|event| hex(&record(&event))), expected);
    }

    fn files(dir: &Path) -> Vec<Vec<u8>> {
        let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.iter().map(|path| fs::read(path).unwrap()).collect()
    }

    #[test]
    fn a_session_has_its_own_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut events = Events::new(dir.path(), None).unwrap();
        assert!(files(dir.path()).is_empty(), "nothing before the first scalar");
        for (step, value) in [(1, Some(0.5)), (2, Some(f64::NAN)), (3, None)] {
            events.scalars(step, &[("loss/val", value)]).unwrap();
        }
        events.flush().unwrap();
        Events::new(dir.path(), Some(3)).unwrap().scalars(4, &[("loss/val", Some(0.25))]).unwrap();
        let found = files(dir.path());
        assert_eq!(found.len(), 2);
        let mentions = |bytes: &[u8]| bytes.windows(8).filter(|window| window == b"loss/val").count();
        assert_eq!([mentions(&found[0]), mentions(&found[1])], [1, 1]);
        Events::new(dir.path(), None).unwrap();
        assert!(files(dir.path()).is_empty(), "a new run in an old one's place begins with nothing");
    }
}
