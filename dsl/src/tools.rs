//! What helps to write and to keep programs: all of it starts from a sample of the log, or from another program.
//!
//! - [`sample`]: bytes of unknown layout to records
//! - [`infer`]: which paths a sample has, and what stands there
//! - [`init`]: a first program for a sample
//! - [`coverage`]: what a program makes of a sample, line by line
//! - [`diff`]: which events change between two versions of a program
//! - [`migrate`]: older mappings, and programs of another OCSF version, to programs
//!
//! A sample comes from somebody else: everything that is kept of it is bounded, and nothing in it can stop a tool.

pub mod coverage;
pub mod diff;
pub mod infer;
pub mod init;

pub mod json;
pub mod migrate;
pub mod reads;
pub mod sample;
pub mod write;
