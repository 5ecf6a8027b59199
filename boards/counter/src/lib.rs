//! A QEMU plugin that counts how often each instruction of a board's program runs, from one mark to the next.
//!
//! A mark is a hint instruction that does nothing ([`is_mark`]). At each, what was counted since the one before is appended to the
//! file that the argument `out=` names: u32 number of entries, then per instruction that ran u64 address, u64 how often, u64 how often
//! a jump followed; little-endian. QEMU emulates all processors in one thread here (`-icount`), so no two callbacks meet.
// QEMU speaks C; each call carries its argument.
#![allow(unsafe_code)]

mod qemu;

use std::collections::BTreeMap;
use std::ffi::{CStr, c_int, c_uint, c_void};
use std::fs::File;
use std::io::Write;
use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering::Relaxed};

use qemu::{Arguments, Block, Id, Info, Instruction};

/// One instruction of the program. Lives as long as QEMU.
struct Counter {
    runs: AtomicU64,
    jumps: AtomicU64,
}

/// A block that QEMU translated: where it begins, where it goes on if its last instruction does not jump.
struct Piece {
    start: u64,
    end: u64,
    last: &'static Counter,
}

static COUNTERS: Mutex<BTreeMap<u64, &'static Counter>> = Mutex::new(BTreeMap::new());
static OUT: Mutex<Option<File>> = Mutex::new(None);
/// Whether instructions are those of Thumb, else of A64.
static THUMB: AtomicBool = AtomicBool::new(false);
/// The block that ran before.
static BEFORE: AtomicPtr<Piece> = AtomicPtr::new(null_mut());

/// Called once by QEMU. Not 0 is a failure.
///
/// # Safety
/// `info` and `arguments`, which are `count` C strings, are what QEMU promises.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qemu_plugin_install(id: Id, info: *const Info, count: c_int, arguments: Arguments) -> c_int {
    let text = |index| {
        // SAFETY: by this function's contract there are `count` pointers to C strings.
        let argument = unsafe { CStr::from_ptr(*arguments.add(index)) };
        argument.to_str().ok()?.strip_prefix("out=")
    };
    let file = (0..count as usize).find_map(text).and_then(|path| File::create(path).ok());
    let (Some(file), Ok(mut out)) = (file, OUT.lock()) else { return 1 };
    *out = Some(file);
    // SAFETY: by this function's contract there is such a structure, and a C string in it.
    let target = unsafe { CStr::from_ptr((*info).target_name) };
    THUMB.store(target == c"arm", Relaxed);
    // SAFETY: `id` is what QEMU just gave us, and the callback has the type that it wants.
    unsafe { qemu::qemu_plugin_register_vcpu_tb_trans_cb(id, translated) };
    0
}

unsafe extern "C" fn translated(_: Id, block: *mut Block) {
    // SAFETY: QEMU hands over a block that is valid during this call.
    let length = unsafe { qemu::qemu_plugin_tb_n_insns(block) };
    let (mut start, mut end) = (None, None);
    for index in 0..length {
        // SAFETY: the block is valid and `index` below its length; the instruction is valid during this call.
        let (instruction, address) = unsafe {
            let instruction = qemu::qemu_plugin_tb_get_insn(block, index);
            (instruction, qemu::qemu_plugin_insn_vaddr(instruction))
        };
        let code = code(instruction);
        let Some(counter) = counter(address) else { return };
        let runs = (&raw const counter.runs).cast_mut().cast();
        // SAFETY: the counter is never freed, and its atomic may be written through a shared reference.
        unsafe { qemu::qemu_plugin_register_vcpu_insn_exec_inline(instruction, qemu::ADD_U64, runs, 1) };
        if is_mark(code) {
            // SAFETY: the callback has the type that QEMU wants and looks at no argument.
            unsafe {
                qemu::qemu_plugin_register_vcpu_insn_exec_cb(instruction, marked, qemu::NO_REGISTERS, null_mut())
            };
        }
        start.get_or_insert(address);
        end = Some((address + code.len() as u64, counter));
    }
    if let (Some(start), Some((end, last))) = (start, end) {
        let piece = Box::into_raw(Box::new(Piece { start, end, last }));
        // SAFETY: the piece is never freed.
        unsafe { qemu::qemu_plugin_register_vcpu_tb_exec_cb(block, entered, qemu::NO_REGISTERS, piece.cast()) };
    }
}

/// The counter of the instruction at `address`.
fn counter(address: u64) -> Option<&'static Counter> {
    let fresh = || &*Box::leak(Box::new(Counter { runs: AtomicU64::new(0), jumps: AtomicU64::new(0) }));
    Some(COUNTERS.lock().ok()?.entry(address).or_insert_with(fresh))
}

/// The bytes of an instruction that is being translated. QEMU looks ahead at the end of a page, and gives a short instruction there the
/// first half of the next one too.
fn code<'a>(instruction: *const Instruction) -> &'a [u8] {
    // SAFETY: the instruction is valid while its block is translated, and its data are as long as QEMU says.
    let bytes = unsafe {
        let data = qemu::qemu_plugin_insn_data(instruction).cast::<u8>();
        std::slice::from_raw_parts(data, qemu::qemu_plugin_insn_size(instruction))
    };
    match bytes {
        // Long ones begin with 11101, 11110 or 11111.
        [first @ .., _, _] if THUMB.load(Relaxed) && first.last().is_some_and(|high| high >> 3 < 0b11101) => first,
        _ => bytes,
    }
}

/// Whether an instruction is a mark: `hint #15` in Thumb, `hint #127` in A64; both are reserved and do nothing.
fn is_mark(code: &[u8]) -> bool {
    matches!(code, [0xf0, 0xbf] | [0xff, 0x2f, 0x03, 0xd5])
}

/// A block begins: whether the one before jumped here or ran on.
unsafe extern "C" fn entered(_: c_uint, piece: *mut c_void) {
    let before = BEFORE.swap(piece.cast(), Relaxed);
    // SAFETY: both are null or what `translated` made and nobody frees.
    if let (Some(before), Some(now)) = unsafe { (before.as_ref(), piece.cast::<Piece>().as_ref()) }
        && before.end != now.start
    {
        before.last.jumps.fetch_add(1, Relaxed);
    }
}

/// Writes what was counted since the last mark, and counts anew.
unsafe extern "C" fn marked(_: c_uint, _: *mut c_void) {
    let (Ok(counters), Ok(mut out)) = (COUNTERS.lock(), OUT.lock()) else { return };
    let mut bytes = vec![0; 4];
    let mut entries = 0u32;
    for (address, counter) in &*counters {
        let (runs, jumps) = (counter.runs.swap(0, Relaxed), counter.jumps.swap(0, Relaxed));
        if runs > 0 {
            entries += 1;
            [*address, runs, jumps].iter().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
        }
    }
    bytes[..4].copy_from_slice(&entries.to_le_bytes());
    if out.as_mut().is_some_and(|file| file.write_all(&bytes).is_err()) {
        // A file that ends early says enough: nobody takes it for whole.
        *out = None;
    }
}
