//! Slices in parts of one length: what `chunks_exact` does, but without its panic at length 0, and without the division by which it
//! counts its parts: where that is not inlined, the compiler no longer sees that the length is not 0.

/// The parts of a slice; what is left over is not seen.
#[derive(Debug, Clone)]
pub(crate) struct Parts<'a, T> {
    rest: &'a [T],
    length: usize,
}

/// [`Parts`], to be written.
#[derive(Debug)]
pub(crate) struct PartsMut<'a, T> {
    rest: &'a mut [T],
    length: usize,
}

/// The consecutive parts of `length` elements (images, rows, channels' weights), of 1 where that is 0.
#[inline(always)]
pub(crate) fn parts<T>(all: &[T], length: usize) -> Parts<'_, T> {
    Parts { rest: all, length: length.max(1) }
}

/// [`parts`], to be written.
#[inline(always)]
pub(crate) fn parts_mut<T>(all: &mut [T], length: usize) -> PartsMut<'_, T> {
    PartsMut { rest: all, length: length.max(1) }
}

impl<'a, T> Iterator for Parts<'a, T> {
    type Item = &'a [T];

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let (first, rest) = self.rest.split_at_checked(self.length)?;
        self.rest = rest;
        Some(first)
    }

    #[inline]
    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        self.rest = self.rest.get(n.saturating_mul(self.length)..).unwrap_or(&[]);
        self.next()
    }
}

impl<'a, T> Parts<'a, T> {
    /// What is left.
    #[inline(always)]
    pub fn into_remainder(self) -> &'a [T] {
        self.rest
    }
}

impl<'a, T> PartsMut<'a, T> {
    /// What is left.
    #[inline(always)]
    pub fn into_remainder(self) -> &'a mut [T] {
        self.rest
    }
}

impl<'a, T> Iterator for PartsMut<'a, T> {
    type Item = &'a mut [T];

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.length > self.rest.len() {
            return None;
        }
        let (first, rest) = core::mem::take(&mut self.rest).split_at_mut_checked(self.length)?;
        self.rest = rest;
        Some(first)
    }

    #[inline]
    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        self.rest = core::mem::take(&mut self.rest).get_mut(n.saturating_mul(self.length)..).unwrap_or(&mut []);
        self.next()
    }
}
