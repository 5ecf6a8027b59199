//! Sizes of a firmware image, from the section table of its ELF file (32 or 64 bits, little-endian).

use std::collections::BTreeMap;
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

/// The code and constants of the ELF file at `path`: bytes by address.
pub fn code(path: &Path) -> Result<BTreeMap<u64, Vec<u8>>> {
    let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
    let sections = sections(&bytes).unwrap_or_default();
    let kept = sections.iter().filter(|section| section.flags & ALLOCATED != 0 && section.kind != WITHOUT_BYTES);
    let content = kept.filter_map(|section| {
        Some((section.address as u64, bytes.get(section.offset..)?.get(..section.size)?.to_vec()))
    });
    Ok(content.collect())
}

const ALLOCATED: u32 = 2;
const WRITABLE: u32 = 1;
const WITHOUT_BYTES: u32 = 8;

/// Where numbers are: in the header the section table's offset and its entries' size (their count follows), in an entry its address,
/// offset and size. Of 64-bit numbers the lower half is read: no image has 4 GiB.
struct Places {
    table: usize,
    entry: usize,
    address: usize,
    offset: usize,
    size: usize,
}

const ELF32: Places = Places { table: 32, entry: 46, address: 12, offset: 16, size: 20 };
const ELF64: Places = Places { table: 40, entry: 58, address: 16, offset: 24, size: 32 };

/// An entry of the section table.
struct Section {
    kind: u32,
    flags: u32,
    address: usize,
    offset: usize,
    size: usize,
}

fn sections(elf: &[u8]) -> Option<Vec<Section>> {
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
    let section = |index: usize| {
        let bytes = elf.get(table + index * entry..)?;
        let at = |place| word(bytes, place).map(|word| word as usize);
        let (address, offset, size) = (at(places.address)?, at(places.offset)?, at(places.size)?);
        Some(Section { kind: word(bytes, 4)?, flags: word(bytes, 8)?, address, offset, size })
    };
    (0..count).map(section).collect()
}

fn parse(elf: &[u8]) -> Option<Sizes> {
    let mut sizes = Sizes::default();
    for Section { kind, flags, size, .. } in sections(elf)? {
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
