//! Networks from foreign files.
