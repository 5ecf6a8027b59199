//! The blob: the file that carries a network from the trainer to a board. `docs/blob-format.md` is normative.
