//! The operators of the graph, one file each: shape, forward, gradient, lowering to int8.
