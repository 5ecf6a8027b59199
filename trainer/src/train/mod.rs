//! The training run: epochs, checkpoints, resume.
