//! The engine: applies a compiled plan to chunks of bytes. No IO, no clock, no async.

pub mod block;
pub mod code;
pub mod framer;
pub mod input;
