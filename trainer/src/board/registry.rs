//! The boards that the program knows.

use ackermann_core::blob::{Layout, Target};

use crate::{Error, ErrorKind, Result};

/// The name of the board that is no board: the firmware inside of this process.
pub const HOST: &str = "host";

/// How QEMU is told to be a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// The emulator.
    pub program: &'static str,
    /// Machine and processor; the memory called `link` is the one that it shares with the host.
    pub options: &'static [&'static str],
    /// Bytes of that memory.
    pub link_bytes: u64,
}

/// How far a board's support was carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Boots and is tested in QEMU.
    Qemu(Machine),
    /// Compiles; nobody has run it.
    BuildsOnly,
}

impl Support {
    /// The words of the tables.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Qemu(_) => "run in QEMU",
            Self::BuildsOnly => "builds only",
        }
    }
}

/// A board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Board {
    /// Its name, which is its package's.
    pub name: &'static str,
    /// Its processor.
    pub cpu: &'static str,
    /// Rust target.
    pub target: &'static str,
    /// `-C target-cpu`.
    pub target_cpu: &'static str,
    /// The orders of weights that its kernels want, best first.
    pub layouts: &'static [Layout],
    /// Bytes of flash: code, constants and the built-in model.
    pub flash_bytes: usize,
    /// Bytes of RAM: arena, buffers and stack.
    pub ram_bytes: usize,
    /// What of the RAM the firmware wants for itself, bytes: link buffers, model slot and stack.
    pub firmware_ram_bytes: usize,
    /// Whether it runs here.
    pub support: Support,
}

impl Board {
    /// Bytes of arena that a model may ask for at most.
    pub fn arena_room(&self) -> usize {
        self.ram_bytes.saturating_sub(self.firmware_ram_bytes)
    }

    /// Bytes of flash that a blob may take at most.
    pub fn blob_room(&self) -> usize {
        self.flash_bytes.saturating_sub(FIRMWARE_FLASH_BYTES)
    }

    /// What blobs are packed for.
    pub fn blob_target(&self) -> Target {
        Target { layouts: self.layouts, bytes: self.blob_room() }
    }

    /// Why a network does not fit, if it does not.
    pub fn obstacle(&self, blob_bytes: usize, arena_bytes: usize) -> Option<String> {
        if blob_bytes > self.blob_room() {
            Some(format!("the blob has {blob_bytes} bytes, the flash has room for {}", self.blob_room()))
        } else if arena_bytes > self.arena_room() {
            Some(format!("the arena has {arena_bytes} bytes, the RAM has room for {}", self.arena_room()))
        } else {
            None
        }
    }
}

/// Flash set aside for the firmware itself, bytes.
const FIRMWARE_FLASH_BYTES: usize = 96 << 10;

/// What the MPS2 boards have in common.
const fn mps2(
    name: &'static str,
    cpu: &'static str,
    target_cpu: &'static str,
    options: &'static [&'static str],
) -> Board {
    Board {
        name,
        cpu,
        target: "thumbv7em-none-eabihf",
        target_cpu,
        layouts: &[Layout::DspWide, Layout::Dsp],
        flash_bytes: 4 << 20,
        ram_bytes: 4 << 20,
        firmware_ram_bytes: (1 << 20) + (256 << 10) + (64 << 10),
        support: Support::Qemu(Machine { program: "qemu-system-arm", options, link_bytes: 16 << 20 }),
    }
}

/// All boards.
pub const BOARDS: [Board; 5] = [
    mps2("mps2-an386", "Cortex-M4F", "cortex-m4", &["-M", "mps2-an386,memory-backend=link"]),
    mps2("mps2-an500", "Cortex-M7", "cortex-m7", &["-M", "mps2-an500,memory-backend=link"]),
    Board {
        target: "thumbv8m.main-none-eabihf",
        ..mps2("mps2-an505", "Cortex-M33", "cortex-m33", &["-M", "mps2-an505,memory-backend=link"])
    },
    AN547,
    DRIVE_PX,
];

/// Half a megabyte of code memory; what the machine shares with the host is its DDR, all of it.
const AN547: Board = Board {
    target: "thumbv8m.main-none-eabihf",
    layouts: &[Layout::Helium],
    flash_bytes: 512 << 10,
    support: Support::Qemu(Machine {
        program: "qemu-system-arm",
        options: &["-M", "mps3-an547,memory-backend=link"],
        link_bytes: 2 << 30,
    }),
    ..mps2("mps3-an547", "Cortex-M55", "cortex-m55", &[])
};

/// The Drive PX class. Its RAM holds the image as well; half of it counts as flash.
const DRIVE_PX: Board = Board {
    name: "drive-px",
    cpu: "Cortex-A57",
    target: "aarch64-unknown-none",
    target_cpu: "cortex-a57",
    layouts: &[Layout::Helium],
    flash_bytes: 24 << 20,
    ram_bytes: 24 << 20,
    firmware_ram_bytes: (1 << 20) + (512 << 10),
    support: Support::Qemu(Machine {
        program: "qemu-system-aarch64",
        options: &[
            "-M",
            "virt",
            "-cpu",
            "cortex-a57",
            "-m",
            "64M",
            "-object",
            "memory-backend-ram,id=ram,size=48M",
            "-numa",
            "node,memdev=ram",
            "-numa",
            "node,memdev=link",
        ],
        link_bytes: 16 << 20,
    }),
};

/// The board called `name`.
pub fn board(name: &str) -> Result<&'static Board> {
    BOARDS.iter().find(|board| board.name == name).ok_or_else(|| {
        let names: Vec<_> = BOARDS.iter().map(|board| board.name).collect();
        Error::new(
            ErrorKind::UnknownBoard,
            name,
            format!("there is no such board; there are {}, {}", HOST, names.join(", ")),
        )
    })
}
