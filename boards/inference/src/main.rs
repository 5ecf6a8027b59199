//! Nothing but a network: load, write the input, run, read the output, for ever. Its size is what inference costs on a Cortex-M,
//! start-up included: what others mean when they state the code of a network.
#![cfg_attr(all(target_os = "none", target_arch = "arm"), no_std, no_main)]

#[cfg(all(target_os = "none", target_arch = "arm"))]
mod target {
    // The arena is a static that is taken once.
    #![allow(unsafe_code)]

    use ackermann_core::blob::arena_bytes;
    use ackermann_core::{Arena, Model, Session};

    #[repr(C, align(16))]
    struct Aligned<B: ?Sized>(B);

    static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/model.ackm")));
    static mut ARENA: Arena<{ arena_bytes(&MODEL.0) }> = Arena::new();

    /// No interrupt but one, which is never enabled: how many there are is the chip's affair.
    // SAFETY: the section and the name are what the linker script of cortex-m-rt expects; a vector is a function's address.
    #[unsafe(link_section = ".vector_table.interrupts")]
    #[unsafe(no_mangle)]
    static __INTERRUPTS: [extern "C" fn(); 1] = [interrupt];

    extern "C" fn interrupt() {}

    #[cortex_m_rt::entry]
    fn main() -> ! {
        // SAFETY: named only here, in a function that runs once.
        let arena = unsafe { (&raw mut ARENA).as_mut() };
        // The model, hidden from the compiler: it must not check it when it builds.
        if let Ok(model) = Model::load(core::hint::black_box(&MODEL.0))
            && let Some(arena) = arena
            && let Ok(mut session) = Session::new(model, &mut arena.0)
        {
            loop {
                core::hint::black_box(session.input_mut(0));
                session.run();
                core::hint::black_box(session.output(0));
            }
        }
        loop {
            core::hint::spin_loop();
        }
    }

    // Nothing in the core can panic; the linker would name this symbol if it could.
    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        loop {
            core::hint::spin_loop();
        }
    }
}

#[cfg(not(all(target_os = "none", target_arch = "arm")))]
fn main() {
    println!("this is for a Cortex-M: `ackermann bench` builds it and states its size");
}
