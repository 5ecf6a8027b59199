//! The boards that the program knows.

use crate::{Error, ErrorKind, Result};

/// The name of the board that is no board: the firmware inside of this process.
pub const HOST: &str = "host";

/// How far a board's support was carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Boots and is tested in QEMU.
    Qemu,
    /// Compiles; nobody has run it.
    BuildsOnly,
}

impl Support {
    /// The words of the tables.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Qemu => "run in QEMU",
            Self::BuildsOnly => "builds only",
        }
    }
}

/// A board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Board {
    /// Its name, which is its package's and, in QEMU, its machine's.
    pub name: &'static str,
    /// Its processor.
    pub cpu: &'static str,
    /// Rust target.
    pub target: &'static str,
    /// `-C target-cpu`.
    pub target_cpu: &'static str,
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

const MPS2: Board = Board {
    name: "",
    cpu: "",
    target: "thumbv7em-none-eabihf",
    target_cpu: "",
    flash_bytes: 4 << 20,
    ram_bytes: 4 << 20,
    firmware_ram_bytes: (1 << 20) + (256 << 10) + (64 << 10),
    support: Support::Qemu,
};

/// All boards.
pub const BOARDS: [Board; 2] = [
    Board { name: "mps2-an386", cpu: "Cortex-M4F", target_cpu: "cortex-m4", ..MPS2 },
    Board { name: "mps2-an500", cpu: "Cortex-M7", target_cpu: "cortex-m7", ..MPS2 },
];

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
