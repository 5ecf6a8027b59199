//! Thumb-2 instructions as a Cortex-M4 counts their cycles: not what they compute, only how long they take, what they address by and
//! which registers they write. Encodings: Armv7-M Architecture Reference Manual (Arm DDI 0403), chapter A5.

/// What follows may depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Computes its result from registers.
    Computes,
    /// Loads one register.
    Load,
    /// Stores one register.
    Store,
    /// Loads or stores several.
    Several,
    /// Branches, hints, system instructions.
    Other,
}

impl Kind {
    /// Whether it addresses memory.
    pub const fn is_memory(self) -> bool {
        matches!(self, Self::Load | Self::Store | Self::Several)
    }
}

/// An instruction's timing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Length, 2 or 4.
    pub bytes: u64,
    /// Cycles, without refill, stall and overlap.
    pub cycles: u64,
    /// What it is.
    pub kind: Kind,
    /// Registers that its address comes from, a bit each.
    pub address: u16,
    /// Registers that it writes, a bit each.
    pub result: u16,
}

/// Arm says 2 to 12 for a division; the most.
const DIVISION: u64 = 12;
/// Floating-point division and square root.
const FLOAT_DIVISION: u64 = 14;

const fn new(kind: Kind, cycles: u64, address: u16, result: u16) -> Instruction {
    Instruction { bytes: 2, cycles, kind, address, result }
}

const fn computes(register: u16) -> Instruction {
    new(Kind::Computes, 1, 0, bit(register))
}

const fn load(address: u16, register: u16) -> Instruction {
    new(Kind::Load, 2, address, bit(register))
}

const fn other(cycles: u64) -> Instruction {
    new(Kind::Other, cycles, 0, 0)
}

/// One cycle and one for each register.
const fn several(address: u16, registers: u32) -> Instruction {
    new(Kind::Several, 1 + registers as u64, address, 0)
}

const fn bit(register: u16) -> u16 {
    1 << (register & 15)
}

/// Bits `low` to `low + 3` of a halfword, a register.
const fn register(half: u16, low: u32) -> u16 {
    half >> low & 15
}

/// Three bits, one of the low registers.
const fn low(half: u16, at: u32) -> u16 {
    half >> at & 7
}

/// The instruction that begins with `first`; `second` matters if it is a long one.
pub fn decode(first: u16, second: u16) -> Instruction {
    match first >> 11 {
        0b11101..=0b11111 => Instruction { bytes: 4, ..long(first, second) },
        _ => short(first),
    }
}

fn short(half: u16) -> Instruction {
    match half >> 12 {
        0b0000 | 0b0001 => computes(low(half, 0)),
        // Comparisons write nothing.
        0b0010 if half >> 11 == 0b00101 => other(1),
        0b0010 | 0b0011 | 0b1010 => computes(low(half, 8)),
        0b0100 if half >> 11 == 0b01001 => load(bit(15), low(half, 8)),
        0b0100 => match half >> 8 {
            0b0100_0100 | 0b0100_0110 => computes(half >> 4 & 8 | low(half, 0)),
            0b0100_0101 | 0b0100_0111 => other(1),
            _ if matches!(half >> 6 & 15, 0b1000 | 0b1010 | 0b1011) => other(1),
            _ => computes(low(half, 0)),
        },
        0b0101 => {
            let address = bit(low(half, 3)) | bit(low(half, 6));
            if half >> 9 & 7 < 3 { new(Kind::Store, 2, address, 0) } else { load(address, low(half, 0)) }
        }
        0b0110..=0b1000 if half >> 11 & 1 == 0 => new(Kind::Store, 1, bit(low(half, 3)), 0),
        0b0110..=0b1000 => load(bit(low(half, 3)), low(half, 0)),
        0b1001 if half >> 11 & 1 == 0 => new(Kind::Store, 1, bit(13), 0),
        0b1001 => load(bit(13), low(half, 8)),
        0b1011 => miscellaneous(half),
        0b1100 => several(bit(low(half, 8)), (half & 0xff).count_ones()),
        _ => other(1),
    }
}

/// The group of push, pop, extensions, hints and compare-and-branch.
fn miscellaneous(half: u16) -> Instruction {
    match half >> 8 & 15 {
        0b0000 => computes(13),
        0b0010 | 0b1010 => computes(low(half, 0)),
        0b0100 | 0b0101 | 0b1100 | 0b1101 => several(bit(13), (half & 0x1ff).count_ones()),
        _ => other(1),
    }
}

fn long(first: u16, second: u16) -> Instruction {
    match first >> 9 {
        0b111_0100 if first & 0x40 == 0 => several(bit(register(first, 0)), second.count_ones()),
        0b111_0100 => exclusive_or_dual(first, second),
        0b111_0110 | 0b111_0111 => float(first, second),
        0b111_0101 => computed(second),
        0b111_1100 => load_or_store(first, second),
        0b111_1101 if first & 0xffd0 == 0xfb90 => new(Kind::Computes, DIVISION, 0, bit(register(second, 8))),
        0b111_1101 if first & 0xff80 == 0xfb80 => {
            new(Kind::Computes, 1, 0, bit(register(second, 8)) | bit(register(second, 12)))
        }
        0b111_1101 => computed(second),
        0b111_1110 | 0b111_1111 => other(1),
        _ if second >> 15 == 0 => computed(second),
        // Moves to and from special registers.
        _ if first & 0xffc0 == 0xf380 || first & 0xffe0 == 0xf3e0 => other(2),
        _ => other(1),
    }
}

/// Data processing; without a result (a comparison) register 15 stands for it.
fn computed(second: u16) -> Instruction {
    match register(second, 8) {
        15 => other(1),
        result => computes(result),
    }
}

fn exclusive_or_dual(first: u16, second: u16) -> Instruction {
    let address = bit(register(first, 0));
    let table = first & 0xfff0 == 0xe8d0 && second & 0xffe0 == 0xf000;
    match (table, first & 0x0120 == 0) {
        // With the refill that every jump costs, 6 as the manual says.
        (true, _) => new(Kind::Several, 4, address | bit(register(second, 0)), 0),
        (_, true) => load(address, register(second, 12)),
        (_, false) => several(address, 2),
    }
}

fn load_or_store(first: u16, second: u16) -> Instruction {
    let indexed = first & 0x80 == 0 && second & 0x0fc0 == 0 && register(first, 0) != 15;
    let index = if indexed { bit(register(second, 0)) } else { 0 };
    let address = bit(register(first, 0)) | index;
    match (first & 0x10 != 0, register(second, 12)) {
        // A prefetch hint, which does nothing here.
        (true, 15) if first & 0x60 != 0x40 => other(1),
        // With the refill, 5.
        (true, 15) => new(Kind::Several, 3, address, 0),
        (true, target) => load(address, target),
        (false, _) => new(Kind::Store, if indexed { 2 } else { 1 }, address, 0),
    }
}

fn float(first: u16, second: u16) -> Instruction {
    let address = bit(register(first, 0));
    let double = second >> 8 & 1 == 1;
    let words = if double { 2 } else { 1 };
    if first >> 9 == 0b111_0110 {
        return match first & 0x0120 {
            _ if first & 0x01e0 == 0x0040 => other(2),
            0x0100 => several(address, words),
            _ => several(address, u32::from(second & 0xff)),
        };
    }
    match (second & 0x10, first & 0xb0) {
        (0x10, _) => other(1),
        (_, 0x80) => other(FLOAT_DIVISION),
        (_, 0x00 | 0x10 | 0x90 | 0xa0) => other(3),
        (_, 0xb0) if first & 15 == 1 && second & 0xc0 == 0xc0 => other(FLOAT_DIVISION),
        _ => other(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_are_those_of_the_manual() {
        let cases: [(u16, u16, u64, Kind); 23] = [
            (0x4348, 0, 1, Kind::Computes),       // muls r0, r1
            (0xfb01, 0x2003, 1, Kind::Computes),  // mla r0, r1, r3, r2
            (0xfb21, 0x2003, 1, Kind::Computes),  // smlad r0, r1, r3, r2
            (0xfb51, 0xf013, 1, Kind::Computes),  // smmulr r0, r1, r3
            (0xfbc1, 0x0203, 1, Kind::Computes),  // smlal r0, r2, r1, r3
            (0xfb91, 0xf0f3, 12, Kind::Computes), // sdiv r0, r1, r3
            (0xfbb1, 0xf0f3, 12, Kind::Computes), // udiv r0, r1, r3
            (0xe8b0, 0x01fe, 9, Kind::Several),   // ldm.w r0!, {r1-r8}
            (0xc8fe, 0, 8, Kind::Several),        // ldmia r0!, {r1-r7}
            (0xb5f0, 0, 6, Kind::Several),        // push {r4-r7, lr}
            (0xe9d0, 0x1200, 3, Kind::Several),   // ldrd r1, r2, [r0]
            (0xf850, 0x1b04, 2, Kind::Load),      // ldr r1, [r0], #4
            (0xf910, 0x1002, 2, Kind::Load),      // ldrsb.w r1, [r0, r2]
            (0xf8c0, 0x1004, 1, Kind::Store),     // str.w r1, [r0, #4]
            (0xf800, 0x1002, 2, Kind::Store),     // strb.w r1, [r0, r2]
            (0xf800, 0x1b01, 1, Kind::Store),     // strb r1, [r0], #1
            (0xf322, 0x0107, 1, Kind::Computes),  // ssat r1, #8, r2, asr #0
            (0xfa2f, 0xf182, 1, Kind::Computes),  // sxtb16 r1, r2
            (0xe8df, 0xf000, 4, Kind::Several),   // tbb [pc, r0]
            (0xf8dd, 0xf01c, 3, Kind::Several),   // ldr.w pc, [sp, #28]
            (0xee10, 0x0a10, 1, Kind::Other),     // vmov r0, s0
            (0xed2d, 0x8b04, 5, Kind::Several),   // vpush {d8, d9}
            (0xee80, 0x0a20, 14, Kind::Other),    // vdiv.f32 s0, s0, s1
        ];
        for (first, second, cycles, kind) in cases {
            let instruction = decode(first, second);
            assert_eq!((instruction.cycles, instruction.kind), (cycles, kind), "{first:04x} {second:04x}");
            assert_eq!(instruction.bytes, if first >> 11 >= 0b11101 { 4 } else { 2 }, "{first:04x}");
        }
    }
}
