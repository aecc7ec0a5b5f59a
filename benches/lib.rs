//! Benchmarks of weir: each checks its answer before it is timed.
//!
//! `cargo bench -p weir-benches` measures the stages (`engine.rs`) and the compiler (`compile.rs`); the binary `compare`
//! measures the whole job beside other tools, on the same data and with the same rows. `README.md` says how to run them
//! and what the figures mean.

pub mod data;
pub mod job;
pub mod rows;
