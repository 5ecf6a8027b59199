//! Proof by linking that nothing in the core can panic, whatever the blob and the input are.
//!
//! `cargo build --profile firmware -p ackermann-no-panic --target thumbv7em-none-eabihf` loads a blob and runs it with every
//! version of the kernels. The panic handler calls a function that does not exist: if the optimizer leaves one path to a
//! panic, the link fails with its name. On a host this is an empty program.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod target {
    use core::hint::black_box;

    use ackermann_core::ops::{Dsp, Portable, Reference};
    use ackermann_core::{Arena, Model, Session};

    #[allow(unsafe_code)]
    mod linked {
        unsafe extern "C" {
            fn there_is_a_panic_path_in_ackermann_core() -> !;
        }

        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
            // SAFETY: never runs: the function does not exist, so a program that needs it does not link.
            unsafe { there_is_a_panic_path_in_ackermann_core() }
        }

        // SAFETY: the linker's entry point; nothing else has this name.
        #[unsafe(no_mangle)]
        extern "C" fn _start() -> ! {
            super::load_and_run();
            loop {
                core::hint::spin_loop();
            }
        }
    }

    fn load_and_run() {
        let mut arena = Arena([0; 64]);
        // The optimizer must not know what is in the blob, nor how long blob and arena are.
        let blob: &[u8] = black_box(&[]);
        let Ok(model) = Model::load(blob) else { return };
        let Ok(mut session) = Session::new(model, black_box(&mut arena.0[..])) else { return };
        if let Some(input) = session.input_mut(black_box(0)) {
            input.fill(black_box(1));
        }
        session.run_observed(|index| {
            black_box(index);
        });
        session.run_with::<Reference>(|_, output| {
            black_box(output);
        });
        session.run_with::<Portable>(|_, _| ());
        session.run_with::<Dsp>(|_, _| ());
        black_box(session.output(black_box(0)));
        black_box(model.metadata().get(black_box("network.name")));
        black_box(model.verify_weights()).ok();
        black_box((model.macs(), model.tensor_name(black_box(0)), model.signature()));
    }
}

#[cfg(not(target_os = "none"))]
fn main() {}
