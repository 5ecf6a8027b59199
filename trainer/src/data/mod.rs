//! Recorded driving: readers for the formats people have, labels, resizing, augmentation, batches.
