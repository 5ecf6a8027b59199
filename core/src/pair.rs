//! Two inputs and the output of an operator that works element by element: an input may be the very bytes of the output.

/// Bytes that are copied at a time where slices must lie apart.
const PIECE: usize = 256;

/// Inputs and output, all equally long.
#[derive(Debug)]
pub struct Pair<'a> {
    /// The inputs, where they lie apart from the output.
    apart: [Option<&'a [i8]>; 2],
    written: &'a mut [i8],
}

impl<'a> Pair<'a> {
    /// `None` among the inputs stands for the bytes of the output; no pair where lengths differ.
    pub fn new(apart: [Option<&'a [i8]>; 2], written: &'a mut [i8]) -> Option<Self> {
        let fits = apart.iter().flatten().all(|input| input.len() == written.len());
        fits.then_some(Self { apart, written })
    }

    /// What is written.
    pub fn output(&mut self) -> &mut [i8] {
        self.written
    }

    /// Calls `f` with both inputs and the output, or with some of them at a time: then what would be overwritten is a copy.
    #[inline]
    pub fn pieces(&mut self, mut f: impl FnMut([&[i8]; 2], &mut [i8])) {
        let whole = self.apart.iter().all(Option::is_some);
        let piece = if whole { self.written.len().max(1) } else { PIECE };
        let mut copy = [0; PIECE];
        for (index, output) in self.written.chunks_mut(piece).enumerate() {
            let start = index * piece;
            if !whole {
                copy.iter_mut().zip(&*output).for_each(|(to, from)| *to = *from);
            }
            let input = |apart: Option<&'a [i8]>| match apart {
                Some(all) => all.get(start..).and_then(|rest| rest.get(..output.len())),
                None => copy.get(..output.len()),
            };
            if let [Some(a), Some(b)] = self.apart.map(input) {
                f([a, b], output);
            }
        }
    }

    /// Where the inputs and the output begin, and how many bytes each has: for loops that read an element before they write it.
    #[cfg(any(simd_dsp, simd_mve))]
    pub(crate) fn pointers(&mut self) -> ([*const i8; 2], *mut i8, usize) {
        let (output, count) = (self.written.as_mut_ptr(), self.written.len());
        (self.apart.map(|apart| apart.map_or(output.cast_const(), <[i8]>::as_ptr)), output, count)
    }
}
