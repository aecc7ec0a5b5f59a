//! Test support.

pub mod python;
