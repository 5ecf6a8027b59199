//! The inner loops of convolutions, written once for every instruction set and both number types.
//!
//! A convolution is a product of its image's windows with its filters. The windows overlap in memory and are read where they are
//! ([`correlate`], [`outer`]): nothing is unfolded. Sums are formed in an order that does not depend on the number of threads, but on the width of
//! the machine's vectors.

mod columns;
mod correlate;
mod dispatch;
mod outer;
mod pack;
mod pad;
mod rows;

pub use columns::{Columns, VECTORS};
pub use correlate::{Axis, Correlate, Places, Windows};
pub use dispatch::dispatch;
pub use outer::{BLOCK, Outer, room};
pub use pack::{Pack, Unpack};
pub use pad::Margins;
pub use rows::{pack_matrix, packed_elements, rows_times};
