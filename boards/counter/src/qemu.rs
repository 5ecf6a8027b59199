//! What is needed of QEMU's plugin interface, version 1 (`include/qemu/qemu-plugin.h`, in every QEMU from 4.2 to 8.1).

use std::ffi::{c_char, c_int, c_uint, c_void};

/// Version of the interface that this plugin speaks.
#[unsafe(no_mangle)]
pub static qemu_plugin_version: c_int = 1;

/// This plugin, to QEMU.
pub type Id = u64;

/// What QEMU says of itself: the beginning of `qemu_info_t`.
#[repr(C)]
pub struct Info {
    pub target_name: *const c_char,
}

/// A translated block, while it is being translated.
#[repr(C)]
pub struct Block([u8; 0]);

/// One instruction of it.
#[repr(C)]
pub struct Instruction([u8; 0]);

/// `QEMU_PLUGIN_INLINE_ADD_U64`.
pub const ADD_U64: c_int = 0;
/// `QEMU_PLUGIN_CB_NO_REGS`.
pub const NO_REGISTERS: c_int = 0;

/// Called when a block or an instruction runs: processor, and what was given at registration.
pub type Executed = unsafe extern "C" fn(c_uint, *mut c_void);

unsafe extern "C" {
    pub fn qemu_plugin_register_vcpu_tb_trans_cb(id: Id, callback: unsafe extern "C" fn(Id, *mut Block));
    pub fn qemu_plugin_register_vcpu_tb_exec_cb(block: *mut Block, callback: Executed, flags: c_int, data: *mut c_void);
    pub fn qemu_plugin_register_vcpu_insn_exec_cb(
        instruction: *mut Instruction,
        callback: Executed,
        flags: c_int,
        data: *mut c_void,
    );
    pub fn qemu_plugin_register_vcpu_insn_exec_inline(
        instruction: *mut Instruction,
        operation: c_int,
        counter: *mut c_void,
        operand: u64,
    );
    pub fn qemu_plugin_tb_n_insns(block: *const Block) -> usize;
    pub fn qemu_plugin_tb_get_insn(block: *const Block, index: usize) -> *mut Instruction;
    pub fn qemu_plugin_insn_vaddr(instruction: *const Instruction) -> u64;
    pub fn qemu_plugin_insn_size(instruction: *const Instruction) -> usize;
    pub fn qemu_plugin_insn_data(instruction: *const Instruction) -> *const c_void;
}

/// The arguments that stood after the plugin's name, as QEMU hands them over.
pub type Arguments = *const *const c_char;
