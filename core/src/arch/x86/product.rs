//! The product behind convolution and fully connected: bytes of the input under each output pixel times the weights of all
//! channels, requantized.
//!
//! Weights come in groups of 16 channels ([`Layout::X86`](crate::blob::Layout)): 64 bytes of sums, then 64 bytes for each
//! four taps, channel by channel.

use super::{Isa, Level, avx2, vnni};
use crate::blob::x86::{BLOCK, GROUP};
use crate::ops::Weighted;

/// The inputs of all output pixels, where they lie: pixel (y, x) reads `rows` runs of `4 * quads` bytes, `line` bytes apart,
/// from `y * steps[0] + x * steps[1]` on.
#[derive(Debug, Clone, Copy)]
pub struct Patches<'a> {
    /// What the runs are part of.
    pub bytes: &'a [i8],
    /// Height and width of the output.
    pub count: [usize; 2],
    /// Bytes from one output row, and from one output pixel, to the next.
    pub steps: [usize; 2],
    /// Runs of one pixel.
    pub rows: usize,
    /// Bytes from one run to the next.
    pub line: usize,
    /// Length of a run, in fours.
    pub quads: usize,
    /// Whether the bytes are unsigned already, 128 more than the numbers they stand for ([`Isa::flip`]).
    pub flipped: bool,
}

impl Patches<'_> {
    /// Whether all runs lie inside of `bytes`.
    fn inside(&self) -> bool {
        let last = |count: usize, step: usize| count.checked_sub(1)?.checked_mul(step);
        let end = || {
            let [y, x] = [last(self.count[0], self.steps[0])?, last(self.count[1], self.steps[1])?];
            let run = last(self.rows, self.line)?.checked_add(self.quads.checked_mul(4)?)?;
            y.checked_add(x)?.checked_add(run)
        };
        end().is_some_and(|end| end <= self.bytes.len())
    }

    /// Bytes of weights of one group.
    pub(super) fn group_bytes(&self) -> usize {
        BLOCK * (1 + self.rows * self.quads)
    }
}

/// All output pixels of `patches`, one after the other in `output`. Does nothing when the slices do not fit together.
pub fn run(isa: Isa, patches: &Patches<'_>, weighted: &Weighted<'_>, zero_point: i32, output: &mut [i8]) {
    let channels = weighted.channels.len();
    let groups = channels.div_ceil(GROUP);
    let fits = patches.inside()
        && groups.checked_mul(patches.group_bytes()).is_some_and(|bytes| bytes <= weighted.weights.len())
        && patches.count[0].checked_mul(patches.count[1]).and_then(|pixels| pixels.checked_mul(channels))
            == Some(output.len());
    if !fits {
        return;
    }
    let job = Job { patches, weighted, zero_point };
    match isa.0 {
        // SAFETY: an `Isa` of this level exists only where the CPU has the instructions; all that is read and written lies
        // within the slices, checked above.
        #[allow(unsafe_code)]
        Level::Vnni => unsafe { vnni::product::run(&job, output) },
        // SAFETY: as above.
        #[allow(unsafe_code)]
        Level::Avx2 => unsafe { avx2::product::run(&job, output) },
    }
}

/// A product whose parts fit together.
pub(super) struct Job<'a> {
    pub patches: &'a Patches<'a>,
    pub weighted: &'a Weighted<'a>,
    pub zero_point: i32,
}

/// Where the pixels begin, one after the other.
pub(super) struct Places<'a> {
    patches: &'a Patches<'a>,
    x: usize,
    row: usize,
    next: usize,
}

impl<'a> Places<'a> {
    pub fn new(patches: &'a Patches<'a>) -> Self {
        Self { patches, x: 0, row: 0, next: 0 }
    }

    /// The next pixel's first byte.
    #[inline(always)]
    pub fn next(&mut self) -> usize {
        let here = self.next;
        self.x += 1;
        self.next = here.wrapping_add(self.patches.steps[1]);
        if self.x == self.patches.count[1] {
            self.x = 0;
            self.row = self.row.wrapping_add(self.patches.steps[0]);
            self.next = self.row;
        }
        here
    }
}
