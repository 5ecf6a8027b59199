//! Naked functions do not see the target's CPU: the assembler takes the triple's, which is without MVE.

macro_rules! cpu {
    () => {
        ".cpu cortex-m55
         "
    };
}

pub(super) use cpu;
