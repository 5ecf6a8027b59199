//! The `ackermann` command; everything is in the library.

fn main() -> std::process::ExitCode {
    ackermann_trainer::cli::main()
}
