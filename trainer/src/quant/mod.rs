//! From a trained float graph to an int8 blob: observe, fold, lower, plan memory, write.
