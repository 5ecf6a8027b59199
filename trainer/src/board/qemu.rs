//! A board in QEMU: a child process, a file of shared memory, and the certainty that neither outlives us.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ackermann_firmware::link::Transport;

use super::counts::{self, Interval};
use super::image::Image;
use super::logs::log_decoder;
use super::registry::{Board, Machine, Support};
use super::shared::SharedMemory;
use crate::{Error, ErrorKind, Result};

/// In the folder of a board: what the plugin counted.
const COUNTS: &str = "counts";

/// How long a board may take to start, real time.
const START: Duration = Duration::from_secs(30);

/// Runs QEMU as a child of a shell that ends it as soon as our end of the pipe closes, however we end.
const GUARD: &str = r#"exec 3<&0
"$@" </dev/null 3<&- & emulator=$!
{ cat <&3 >/dev/null; kill $emulator 2>/dev/null; } >/dev/null 2>&1 &
wait $emulator"#;

/// What becomes of a board's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logs {
    /// Nobody reads it.
    Off,
    /// Lines on standard error.
    Show,
    /// Kept, see [`Qemu::finish`].
    Keep,
}

/// A running board.
#[derive(Debug)]
pub struct Qemu {
    name: &'static str,
    child: Child,
    folder: PathBuf,
    memory: SharedMemory,
    decoder: Option<Child>,
    reader: Option<JoinHandle<String>>,
}

impl Qemu {
    /// Boots `image` on `board` and waits until it is ready.
    pub fn start(board: &Board, image: &Image, logs: Logs) -> Result<Self> {
        Self::launch(board, image, logs, None)
    }

    /// The same with `counter`, the plugin that counts instructions: see [`Self::counts`].
    pub fn start_counting(board: &Board, image: &Image, counter: &Path) -> Result<Self> {
        Self::launch(board, image, Logs::Off, Some(counter))
    }

    fn launch(board: &Board, image: &Image, logs: Logs, counter: Option<&Path>) -> Result<Self> {
        let machine = require_qemu(board)?;
        let decoder = if logs == Logs::Off { None } else { Some(log_decoder()?) };
        let folder = new_folder()?;
        let file = folder.join("memory");
        let memory = SharedMemory::create(&file, machine.link_bytes).inspect_err(|_| remove(&folder))?;
        let plugin = counter.map(|library| format!("{},out={}", option(library), option(&folder.join(COUNTS))));
        let started = spawn(board.name, machine, &image.elf, &file, logs != Logs::Off, plugin.as_deref());
        let child = started.inspect_err(|_| remove(&folder))?;
        let mut qemu = Self { name: board.name, child, folder, memory, decoder: None, reader: None };
        if let (Some(decoder), Some(stdout)) = (decoder, qemu.child.stdout.take()) {
            qemu.attach(&decoder, &image.elf, stdout, logs)?;
        }
        qemu.wait_until_ready()?;
        Ok(qemu)
    }

    fn attach(&mut self, decoder: &Path, elf: &Path, stdout: ChildStdout, logs: Logs) -> Result<()> {
        let mut command = Command::new(decoder);
        command.arg(elf).stdin(stdout);
        command.stdout(if logs == Logs::Keep { Stdio::piped() } else { Stdio::from(std::io::stderr()) });
        let mut child = command.spawn().map_err(|error| {
            Error::new(ErrorKind::Tool, decoder.display(), format!("the log decoder cannot be started: {error}"))
        })?;
        self.reader = child.stdout.take().map(|mut lines| {
            std::thread::spawn(move || {
                let mut text = String::new();
                // What was read until an error is all there is.
                let _ = lines.read_to_string(&mut text);
                text
            })
        });
        self.decoder = Some(child);
        Ok(())
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let start = Instant::now();
        while !self.memory.is_ready() {
            if let Ok(Some(status)) = self.child.try_wait() {
                let message = format!("QEMU ended before the firmware was ready ({status})");
                return Err(Error::new(ErrorKind::Tool, self.name, message));
            }
            if start.elapsed() > START {
                let message = format!("the firmware was not ready after {} s", START.as_secs());
                return Err(Error::new(ErrorKind::Link, self.name, message));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// A link of its own, while this keeps the board alive. The two must not be used for talking at the same time.
    pub fn link(&self) -> Result<SharedMemory> {
        SharedMemory::open(&self.folder.join("memory"))
    }

    /// The board's link and registers.
    pub const fn memory(&self) -> &SharedMemory {
        &self.memory
    }

    /// What ran between the marks that the program has passed so far; nothing if nobody counts.
    pub fn counts(&self) -> Result<Vec<Interval>> {
        let file = self.folder.join(COUNTS);
        if file.is_file() { counts::read(&file) } else { Ok(Vec::new()) }
    }

    /// Ends the board; returns its log if it was kept.
    pub fn finish(mut self) -> String {
        self.stop();
        self.reader.take().and_then(|reader| reader.join().ok()).unwrap_or_default()
    }

    fn stop(&mut self) {
        // Closing the pipe makes the shell end QEMU.
        drop(self.child.stdin.take());
        // Errors here mean that they ended already.
        let _ = self.child.wait();
        if let Some(mut decoder) = self.decoder.take() {
            let _ = decoder.wait();
        }
        remove(&self.folder);
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Transport for Qemu {
    fn read(&mut self, buffer: &mut [u8]) -> usize {
        self.memory.read(buffer)
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        self.memory.write(bytes)
    }

    fn idle(&mut self) {
        self.memory.idle();
    }
}

fn spawn(name: &str, machine: &Machine, elf: &Path, memory: &Path, logs: bool, plugin: Option<&str>) -> Result<Child> {
    Command::new("sh")
        .args(["-c", GUARD, "sh", machine.program])
        .args(machine.options)
        .args(["-object", &backend(memory, machine.link_bytes)])
        .args(plugin.iter().flat_map(|plugin| ["-plugin", plugin]))
        // One instruction is one nanosecond of virtual time.
        .args(["-icount", "shift=0"])
        // No network card: its boot ROM is a package of its own.
        .args(["-display", "none", "-monitor", "none", "-serial", "none", "-nic", "none"])
        .args(["-semihosting-config", "enable=on,target=native", "-kernel"])
        .arg(elf)
        .stdin(Stdio::piped())
        .stdout(if logs { Stdio::piped() } else { Stdio::null() })
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| Error::new(ErrorKind::Tool, name, format!("QEMU cannot be started: {error}")))
}

fn backend(memory: &Path, bytes: u64) -> String {
    format!("memory-backend-file,id=link,share=on,mem-path={},size={bytes}", option(memory))
}

/// A path among QEMU's options, where a comma is written twice.
fn option(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

/// How `board` is emulated, if it is, and its emulator is installed.
pub(super) fn require_qemu(board: &Board) -> Result<&Machine> {
    let Support::Qemu(machine) = &board.support else {
        let message = format!(
            "is not emulated here: build package {0} for {1} and write it with `probe-rs run`",
            board.name, board.target
        );
        return Err(Error::new(ErrorKind::Tool, board.name, message));
    };
    let program = machine.program;
    let version = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    match version {
        Ok(status) if status.success() => Ok(machine),
        _ => {
            let message = format!(
                "needs `{program}`, which is not here: install it (Debian, Ubuntu: `sudo apt-get install \
                 qemu-system-arm`; macOS: `brew install qemu`)"
            );
            Err(Error::new(ErrorKind::Tool, board.name, message))
        }
    }
}

/// A folder of our own, in memory where the system has such a place.
fn new_folder() -> Result<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let shm = PathBuf::from("/dev/shm");
    let base = if shm.is_dir() { shm } else { std::env::temp_dir() };
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = base.join(format!("ackermann-{}-{count}", std::process::id()));
    // Left behind by a process of the same number that was killed.
    remove(&folder);
    std::fs::create_dir(&folder).map_err(|error| Error::writing(&folder, &error))?;
    Ok(folder)
}

fn remove(folder: &Path) {
    // Nothing depends on it being gone.
    let _ = std::fs::remove_dir_all(folder);
}
