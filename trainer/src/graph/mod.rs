//! One graph for training, quantizing and exporting; gradients are nodes of the same graph.
