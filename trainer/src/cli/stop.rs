//! Ctrl-C: the first asks the running work to save and stop, the second ends the process.

use super::Output;
use crate::error::{Error, ErrorKind, Result};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// Installs the handler for SIGINT.
pub fn install(output: Output) -> Result<()> {
    ctrlc::set_handler(move || {
        if STOP.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        if !output.json() {
            let _ = writeln!(std::io::stderr(), "\nstopping: saving what is done (Ctrl-C again to stop at once)");
        }
    })
    .map_err(|error| Error::new(ErrorKind::Internal, "signal handler", error))
}

/// The flag that long work looks at.
pub fn flag() -> &'static AtomicBool {
    &STOP
}
