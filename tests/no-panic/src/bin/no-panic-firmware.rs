//! The same proof for the firmware: link, control loop, model slots and preprocessing, over drivers of which nothing is known.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod target {
    use core::hint::black_box;

    use ackermann_firmware::control::Board;
    use ackermann_firmware::link::Transport;
    use ackermann_firmware::{Clock, Config, ControlLoop, serve};
    use embedded_hal::pwm::{ErrorKind, ErrorType, SetDutyCycle};

    #[allow(unsafe_code)]
    mod linked {
        unsafe extern "C" {
            fn there_is_a_panic_path_in_ackermann_firmware() -> !;
        }

        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
            // SAFETY: never runs: the function does not exist, so a program that needs it does not link.
            unsafe { there_is_a_panic_path_in_ackermann_firmware() }
        }

        // SAFETY: the linker's entry point; nothing else has this name.
        #[unsafe(no_mangle)]
        extern "C" fn _start() -> ! {
            super::run();
            loop {
                core::hint::spin_loop();
            }
        }
    }

    /// A driver that could do anything.
    struct Unknown;

    impl Transport for Unknown {
        fn read(&mut self, buffer: &mut [u8]) -> usize {
            buffer.fill(black_box(1));
            black_box(buffer.len())
        }

        fn write(&mut self, bytes: &[u8]) -> usize {
            black_box(black_box(bytes).len())
        }

        fn is_open(&self) -> bool {
            black_box(true)
        }
    }

    impl Clock for Unknown {
        const TICK_PICOS: u32 = 40_000;

        fn now_us(&mut self) -> u64 {
            black_box(1)
        }

        fn ticks(&mut self) -> u32 {
            black_box(1)
        }

        fn advance(&mut self, elapsed_us: u64) {
            black_box(elapsed_us);
        }
    }

    impl ErrorType for Unknown {
        type Error = ErrorKind;
    }

    impl SetDutyCycle for Unknown {
        fn max_duty_cycle(&self) -> u16 {
            black_box(60_000)
        }

        fn set_duty_cycle(&mut self, duty: u16) -> Result<(), ErrorKind> {
            if black_box(duty) == black_box(0) { Err(ErrorKind::Other) } else { Ok(()) }
        }
    }

    fn run() {
        let board = Board {
            name: "unknown",
            transport: Unknown,
            servo: Unknown,
            throttle: Unknown,
            clock: Unknown,
            stack_bytes: || black_box(0),
            slot_bytes: black_box(0),
            arena_room: black_box(0),
        };
        let (mut inbox, mut slot, mut arena) = ([0; 64], [0; 64], [0; 64]);
        let mut control = ControlLoop::new(black_box(Config::default()), board, black_box(&mut inbox[..]));
        serve(&mut control, black_box(&[]), black_box(&mut slot[..]), black_box(&mut arena[..]));
    }
}

#[cfg(not(target_os = "none"))]
fn main() {}
