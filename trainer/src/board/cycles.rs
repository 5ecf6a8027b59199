//! Cycles of a Cortex-M4, estimated: Arm's documented cycles of each instruction times how often it ran. `docs/cycles.md` has the
//! rules and their source, and says what they leave out.

use std::collections::BTreeMap;

use super::counts::Interval;
use super::thumb::{Instruction, Kind, decode};

/// Cycles of refilling the pipeline after a jump; Arm says 1 to 3.
const REFILL: u64 = 2;

/// The program's code: bytes by address.
pub type Code = BTreeMap<u64, Vec<u8>>;

/// Cycles of what ran, or `None` if something ran that is not in `code`.
pub fn estimate(code: &Code, interval: &Interval) -> Option<u64> {
    let mut cycles = 0;
    let mut before: Option<(u64, u64, Instruction)> = None;
    for (&address, count) in interval {
        let instruction = fetch(code, address)?;
        cycles += instruction.cycles * count.runs + REFILL * count.jumps;
        if let Some((next, passed, previous)) = before
            && next == address
        {
            let together = passed.min(count.runs);
            cycles = (cycles + together * stall(&previous, &instruction)) - together * saving(&previous, &instruction);
        }
        before = Some((address + instruction.bytes, count.runs.saturating_sub(count.jumps), instruction));
    }
    Some(cycles)
}

fn fetch(code: &Code, address: u64) -> Option<Instruction> {
    let (start, bytes) = code.range(..=address).next_back()?;
    let rest = bytes.get((address - start) as usize..)?;
    let half = |at: usize| rest.get(at..)?.first_chunk().map(|chunk| u16::from_le_bytes(*chunk));
    Some(decode(half(0)?, half(2).unwrap_or(0)))
}

/// A load or store waits for the register bank when its address was computed just before.
fn stall(before: &Instruction, now: &Instruction) -> u64 {
    u64::from(before.kind == Kind::Computes && now.kind.is_memory() && before.result & now.address != 0)
}

/// A load or store right after a load whose result is not its address overlaps with it. A store that takes one cycle saves none.
fn saving(before: &Instruction, now: &Instruction) -> u64 {
    let single = matches!(now.kind, Kind::Load | Kind::Store) && now.cycles > 1;
    u64::from(before.kind == Kind::Load && single && before.result & now.address == 0)
}

#[cfg(test)]
mod tests {
    use super::super::counts::Count;
    use super::*;

    /// Cycles of a straight run of instructions, each given as halfwords.
    fn cycles(halfwords: &[u16]) -> u64 {
        let bytes: Vec<u8> = halfwords.iter().flat_map(|half| half.to_le_bytes()).collect();
        let code = Code::from([(0x100, bytes)]);
        let mut interval = Interval::new();
        let mut address = 0x100;
        while let Some(instruction) = fetch(&code, address) {
            interval.insert(address, Count { runs: 1, jumps: 0 });
            address += instruction.bytes;
        }
        estimate(&code, &interval).unwrap()
    }

    #[test]
    fn the_manuals_examples_come_out() {
        let (ldr_r0_r1, ldr_r1_r2) = (0x6808, 0x6811);
        assert_eq!(cycles(&[ldr_r0_r1, ldr_r1_r2]), 3);
        // LDR R0,[R1,R2]; STR R0,[R3,#20].
        assert_eq!(cycles(&[0x5888, 0x6158]), 3);
        // LDR R0,[R1,R2]; STR R1,[R3,R2].
        assert_eq!(cycles(&[0x5888, 0x5099]), 3);
        // LDR R0,[R1,R5]; LDR R1,[R2]; LDR R2,[R3,#4].
        assert_eq!(cycles(&[0x5948, ldr_r1_r2, 0x685a]), 4);
        // The second address is the first's result.
        assert_eq!(cycles(&[ldr_r1_r2, ldr_r0_r1]), 4);
        // ADDS R1,#4; LDR R0,[R1]: a cycle more, for want of a forwarding path.
        assert_eq!(cycles(&[0x3104, ldr_r0_r1]), 4);
        // Nothing overlaps with a store before it.
        assert_eq!(cycles(&[0x6158, ldr_r0_r1]), 3);
    }

    #[test]
    fn jumps_refill_the_pipeline() {
        // SUBS R0,#1; BNE to it.
        let code = Code::from([(0x100, vec![0x01, 0x38, 0xfd, 0xd1])]);
        let ten = Interval::from([(0x100, Count { runs: 10, jumps: 0 }), (0x102, Count { runs: 10, jumps: 9 })]);
        assert_eq!(estimate(&code, &ten), Some(20 + 9 * REFILL));
        assert_eq!(estimate(&code, &Interval::from([(0x200, Count::default())])), None);
    }
}
