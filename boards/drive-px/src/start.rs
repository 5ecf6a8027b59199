//! From the first instruction to `main`: stack, zeroed variables, translation table, caches, NEON.

use core::arch::global_asm;

use crate::stack::PAINT;

/// Level-1 translation table, identity, one block per GiB: devices, RAM, and nothing.
#[repr(C, align(4096))]
struct Table([u64; 4]);

/// A block; Access flag, inner shareable.
const BLOCK: u64 = 1 | 1 << 10 | 3 << 8;
/// Attribute 1 of [`MAIR`], never executed.
const DEVICE: u64 = 1 << 2 | 1 << 53 | 1 << 54;
/// Attribute 0: write-back cacheable memory, attribute 1: device memory without any reordering.
const MAIR: u64 = 0x00ff;
/// 32 address bits from level 1, table walks through the caches, inner shareable, 4 KiB granule, no upper half.
const TCR: u64 = 32 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23;
/// The bits that read as one, instruction and data cache, MMU.
const SCTLR: u64 = 0x30d0_0800 | 1 << 12 | 1 << 2 | 1;

static TABLE: Table = Table([BLOCK | DEVICE, 0x4000_0000 | BLOCK, 0, 0]);

global_asm!(
    ".section .text.start, \"ax\"
     .global _start
     _start:
     msr daifset, #0xf
     mov x0, #(3 << 20)
     msr cpacr_el1, x0
     ldr x0, =vectors
     msr vbar_el1, x0
     ldr x0, ={mair}
     msr mair_el1, x0
     ldr x0, ={tcr}
     msr tcr_el1, x0
     adrp x0, {table}
     add x0, x0, :lo12:{table}
     msr ttbr0_el1, x0
     tlbi vmalle1
     ic iallu
     dsb sy
     isb
     ldr x0, ={sctlr}
     msr sctlr_el1, x0
     isb
     ldr x0, =__bss_start
     ldr x1, =__bss_end
     1: cmp x0, x1
     b.hs 2f
     stp xzr, xzr, [x0], #16
     b 1b
     2: ldr x0, =_stack_end
     ldr x1, =_stack_start
     mov sp, x1
     ldr x2, ={paint}
     3: stp x2, x2, [x0], #16
     cmp x0, x1
     b.lo 3b
     bl {main}",
    mair = const MAIR,
    tcr = const TCR,
    table = sym TABLE,
    sctlr = const SCTLR,
    paint = const PAINT,
    main = sym enter,
);

/// Where the assembly ends.
extern "C" fn enter() -> ! {
    crate::main()
}
