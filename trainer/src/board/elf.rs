//! Sizes of a firmware image, from the section table of its ELF file (32 or 64 bits, little-endian).

use std::path::Path;

use crate::{Error, ErrorKind, Result};

/// Bytes of an image by where they end up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    /// Vectors, code and constants, the built-in model among them.
    pub flash: usize,
    /// Variables with a first value (their values take flash as well).
    pub data: usize,
    /// Variables that start as zeros, and the arena.
    pub bss: usize,
}

/// Reads the sizes of the ELF file at `path`.
pub fn sizes(path: &Path) -> Result<Sizes> {
    let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
    parse(&bytes)
        .ok_or_else(|| Error::new(ErrorKind::Tool, path.display(), "is not the ELF file that cargo should build"))
}

const ALLOCATED: u32 = 2;
const WRITABLE: u32 = 1;
const WITHOUT_BYTES: u32 = 8;

/// Where numbers are: in the header the section table's offset and its entries' size (their count follows), in an entry its size.
/// Of 64-bit numbers the lower half is read: no image has 4 GiB.
struct Places {
    table: usize,
    entry: usize,
    size: usize,
}

const ELF32: Places = Places { table: 32, entry: 46, size: 20 };
const ELF64: Places = Places { table: 40, entry: 58, size: 32 };

fn parse(elf: &[u8]) -> Option<Sizes> {
    let places = if elf.starts_with(b"\x7fELF\x01\x01") {
        &ELF32
    } else if elf.starts_with(b"\x7fELF\x02\x01") {
        &ELF64
    } else {
        return None;
    };
    let table = word(elf, places.table)? as usize;
    let entry = half(elf, places.entry)? as usize;
    let count = half(elf, places.entry + 2)? as usize;
    let mut sizes = Sizes::default();
    for index in 0..count {
        let section = elf.get(table + index * entry..)?;
        let (kind, flags, size) = (word(section, 4)?, word(section, 8)?, word(section, places.size)? as usize);
        // Sections that the program does not load (debug information, log strings) take no memory.
        match (flags & ALLOCATED != 0, flags & WRITABLE != 0, kind == WITHOUT_BYTES) {
            (true, true, true) => sizes.bss += size,
            (true, true, false) => sizes.data += size,
            (true, false, _) => sizes.flash += size,
            _ => {}
        }
    }
    sizes.flash += sizes.data;
    Some(sizes)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|chunk| u16::from_le_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(kind: u32, flags: u32, size: u32) -> [u8; 40] {
        let mut bytes = [0; 40];
        bytes[4..8].copy_from_slice(&kind.to_le_bytes());
        bytes[8..12].copy_from_slice(&flags.to_le_bytes());
        bytes[20..24].copy_from_slice(&size.to_le_bytes());
        bytes
    }

    #[test]
    fn sections_are_added_up_by_kind() {
        let mut elf = vec![0; 52];
        elf[..6].copy_from_slice(b"\x7fELF\x01\x01");
        elf[32] = 52;
        elf[46] = 40;
        elf[48] = 5;
        for bytes in
            [section(1, 6, 1000), section(1, 2, 500), section(1, 3, 20), section(8, 3, 4096), section(1, 0, 9999)]
        {
            elf.extend_from_slice(&bytes);
        }
        assert_eq!(parse(&elf), Some(Sizes { flash: 1520, data: 20, bss: 4096 }));
        assert_eq!(parse(&elf[..elf.len() - 60]), None);
        assert_eq!(parse(b"\x7fELF"), None);
    }

    #[test]
    fn files_of_64_bits_are_read_as_well() {
        let mut elf = vec![0; 64 + 2 * 64];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (elf[40], elf[58], elf[60]) = (64, 64, 2);
        for (index, (kind, flags, size)) in [(1, 6, 200), (8, 3, 100)].into_iter().enumerate() {
            let at = 64 + 64 * index;
            (elf[at + 4], elf[at + 8], elf[at + 32]) = (kind, flags, size);
        }
        assert_eq!(parse(&elf), Some(Sizes { flash: 200, data: 0, bss: 100 }));
    }
}
