//! How the columns of a product are shared out among vectors.

use pulp::Simd;

use crate::graph::Real;

/// Numbers of the widest vector.
pub const MOST_LANES: usize = 16;

/// Vectors of a group of columns that suit most products.
pub const VECTORS: usize = 4;

/// Groups of columns that one pass of a kernel computes: as many whole vectors as there are registers for.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    /// Columns.
    pub count: usize,
    /// Columns on wide vectors; the others on half as wide ones.
    wide: usize,
    /// Most vectors of a group.
    vectors: usize,
}

/// One group.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// First column.
    pub first: usize,
    /// Vectors, 1 to 4.
    pub vectors: usize,
    /// Columns that are stored.
    pub columns: usize,
}

impl Columns {
    /// Shares out `count` columns in groups of at most `vectors` vectors.
    #[inline(always)]
    pub fn new<T: Real, S: Simd, H: Simd>(count: usize, vectors: usize) -> Self {
        let (lanes, half) = (T::lanes::<S>(), T::lanes::<H>());
        let rest = count % lanes;
        let wide = if half < lanes && rest > 0 && rest <= half { count - rest } else { count };
        Self { count, wide, vectors }
    }

    /// Columns of a packed row, with those that fill up vectors: never more than this.
    pub fn padded(count: usize) -> usize {
        count.next_multiple_of(MOST_LANES)
    }

    /// All groups, each with the numbers of its vectors.
    #[inline(always)]
    pub fn all<T: Real, S: Simd, H: Simd>(self) -> impl Iterator<Item = (Group, usize)> {
        let wide = self.wide::<T, S>().map(|g| (g, g.vectors * T::lanes::<S>()));
        wide.chain(self.rest::<T, H>().map(|g| (g, g.vectors * T::lanes::<H>())))
    }

    /// The groups on wide vectors.
    #[inline(always)]
    pub fn wide<T: Real, S: Simd>(self) -> impl Iterator<Item = Group> {
        self.groups::<T, S>(0, self.wide)
    }

    /// The groups on half as wide ones.
    #[inline(always)]
    pub fn rest<T: Real, H: Simd>(self) -> impl Iterator<Item = Group> {
        self.groups::<T, H>(self.wide, self.count)
    }

    #[inline(always)]
    fn groups<T: Real, S: Simd>(self, first: usize, end: usize) -> impl Iterator<Item = Group> {
        let lanes = T::lanes::<S>();
        let most = if S::REGISTER_COUNT >= 32 { self.vectors } else { self.vectors.min(3) };
        let mut first = first;
        std::iter::from_fn(move || {
            let left = (end - first).div_ceil(lanes);
            // Groups of about equal size: 5 vectors are 3 and 2, not 4 and 1.
            let vectors = left.div_ceil(left.div_ceil(most).max(1));
            let group = Group { first, vectors, columns: (end - first).min(vectors * lanes) };
            first += group.columns;
            (vectors > 0).then_some(group)
        })
    }
}
