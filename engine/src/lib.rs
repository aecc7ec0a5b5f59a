//! The engine: applies a compiled plan to chunks of bytes. No IO, no clock, no async.

pub mod batch;
pub mod block;
pub mod builtins;
mod civil;
pub mod code;
pub mod convert;
pub mod decimal;
mod emit;
mod eval;
pub mod frame;
pub mod framer;
pub mod input;
pub mod output;
pub mod plan;
mod project;
pub mod raw;
pub mod read;
mod refusal;
pub mod sound;
mod statements;
#[cfg(test)]
mod testing;
pub mod time_format;
pub mod types;
pub mod value;
pub mod worker;
