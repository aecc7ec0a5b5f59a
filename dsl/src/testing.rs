//! The `test` blocks of a program.
