//! Ctrl-C: the first asks the running work to save and stop, another ends the process at once; but while there is something
//! to save, an impatient second one does not lose it.

use super::Output;
use crate::error::{Error, ErrorKind, Result};
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);
/// Works under way that save when they are stopped.
static SAVING: AtomicUsize = AtomicUsize::new(0);

/// Installs the handler for SIGINT.
pub fn install(output: Output) -> Result<()> {
    let mut presses = 0;
    ctrlc::set_handler(move || {
        presses += 1;
        STOP.store(true, Ordering::SeqCst);
        let message = match (presses, SAVING.load(Ordering::SeqCst) > 0) {
            (1, _) => "\nstopping: saving what is done",
            (2, true) => "\nstill saving; a third Ctrl-C ends at once and loses what is not yet saved",
            _ => std::process::exit(130),
        };
        if !output.json() {
            let _ = writeln!(std::io::stderr(), "{message}");
        }
    })
    .map_err(|error| Error::new(ErrorKind::Internal, "signal handler", error))
}

/// The flag that long work looks at.
pub fn flag() -> &'static AtomicBool {
    &STOP
}

/// While this lives, a second Ctrl-C waits for what the first one asked for.
pub struct Saving(());

/// Begins work that saves when it is stopped.
pub fn saving() -> Saving {
    SAVING.fetch_add(1, Ordering::SeqCst);
    Saving(())
}

impl Drop for Saving {
    fn drop(&mut self) {
        SAVING.fetch_sub(1, Ordering::SeqCst);
    }
}
