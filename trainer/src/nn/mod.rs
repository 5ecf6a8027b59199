//! Networks and the layers they are written in.
