//! Cases that every implementation of an operator must pass, callable from host tests and from boards.
