//! Splitting work over threads so that the result does not depend on how many there are.

use rayon::prelude::*;

/// Pieces a batch is split into, whatever the number of threads.
pub const CHUNKS: usize = 8;

/// Elements below which a loop is not worth a second thread.
const SERIAL: usize = 32 * 1024;

/// Elements of one piece of an element-wise loop.
const PIECE: usize = 16 * 1024;

/// Items of each piece when `items` are split into [`CHUNKS`] of equal length (the last ones shorter or missing).
pub fn per_chunk(items: usize) -> usize {
    items.div_ceil(CHUNKS).max(1)
}

/// `out[i] = f(a[i])`.
pub fn map<T: Send + Sync + Copy>(a: &[T], out: &mut [T], f: impl Fn(T) -> T + Sync + Send) {
    let piece = |out: &mut [T], a: &[T]| {
        vectorized(
            #[inline(always)]
            || out.iter_mut().zip(a).for_each(|(o, &a)| *o = f(a)),
        );
    };
    if out.len() < SERIAL {
        return piece(out, a);
    }
    out.par_chunks_mut(PIECE).zip(a.par_chunks(PIECE)).for_each(|(out, a)| piece(out, a));
}

/// `values[i] = f(values[i])`.
pub fn update<T: Send + Sync + Copy>(values: &mut [T], f: impl Fn(T) -> T + Sync + Send) {
    let piece = |values: &mut [T]| {
        vectorized(
            #[inline(always)]
            || values.iter_mut().for_each(|v| *v = f(*v)),
        );
    };
    if values.len() < SERIAL {
        return piece(values);
    }
    values.par_chunks_mut(PIECE).for_each(piece);
}

/// `values[i] = f(values[i], b[i])`.
pub fn update2<T: Send + Sync + Copy>(values: &mut [T], b: &[T], f: impl Fn(T, T) -> T + Sync + Send) {
    let piece = |values: &mut [T], b: &[T]| {
        vectorized(
            #[inline(always)]
            || values.iter_mut().zip(b).for_each(|(v, &b)| *v = f(*v, b)),
        );
    };
    if values.len() < SERIAL {
        return piece(values, b);
    }
    values.par_chunks_mut(PIECE).zip(b.par_chunks(PIECE)).for_each(|(values, b)| piece(values, b));
}

/// `out[i] = f(a[i], b[i])`.
pub fn map2<T: Send + Sync + Copy>(a: &[T], b: &[T], out: &mut [T], f: impl Fn(T, T) -> T + Sync + Send) {
    let piece = |out: &mut [T], a: &[T], b: &[T]| {
        vectorized(
            #[inline(always)]
            || out.iter_mut().zip(a.iter().zip(b)).for_each(|(o, (&a, &b))| *o = f(a, b)),
        );
    };
    if out.len() < SERIAL {
        return piece(out, a, b);
    }
    let inputs = a.par_chunks(PIECE).zip(b.par_chunks(PIECE));
    out.par_chunks_mut(PIECE).zip(inputs).for_each(|(out, (a, b))| piece(out, a, b));
}

/// `f` of each row of `length` elements of `a` and of `out`.
pub fn rows<T: Send + Sync>(a: &[T], out: &mut [T], length: usize, f: impl Fn(&[T], &mut [T]) + Sync + Send) {
    let length = length.max(1);
    let piece = |out: &mut [T], a: &[T]| {
        a.chunks_exact(length).zip(out.chunks_exact_mut(length)).for_each(|(a, out)| f(a, out));
    };
    if out.len() < SERIAL {
        return piece(out, a);
    }
    let many = PIECE.div_ceil(length) * length;
    out.par_chunks_mut(many).zip(a.par_chunks(many)).for_each(|(out, a)| piece(out, a));
}

/// `f` of each row of `length` elements of `a`, `b` and `out`.
pub fn rows2<T: Send + Sync>(
    a: &[T],
    b: &[T],
    out: &mut [T],
    length: usize,
    f: impl Fn(&[T], &[T], &mut [T]) + Sync + Send,
) {
    let length = length.max(1);
    let piece = |out: &mut [T], a: &[T], b: &[T]| {
        let inputs = a.chunks_exact(length).zip(b.chunks_exact(length));
        inputs.zip(out.chunks_exact_mut(length)).for_each(|((a, b), out)| f(a, b, out));
    };
    if out.len() < SERIAL {
        return piece(out, a, b);
    }
    let many = PIECE.div_ceil(length) * length;
    let inputs = a.par_chunks(many).zip(b.par_chunks(many));
    out.par_chunks_mut(many).zip(inputs).for_each(|(out, (a, b))| piece(out, a, b));
}

/// Runs `f` as compiled for the widest vectors of this machine. Mark the closure, and what its loops call, `#[inline(always)]`.
#[inline(always)]
pub fn vectorized<R>(f: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(f)
}
