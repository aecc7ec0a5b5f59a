//! The engine: applies a compiled plan to chunks of bytes. No IO, no clock, no async.

pub mod batch;
pub mod block;
pub mod builtins;
mod civil;
pub mod code;
pub mod convert;
pub mod decimal;
pub mod frame;
pub mod framer;
pub mod input;
pub mod plan;
pub mod read;
pub mod sound;
pub mod time_format;
pub mod types;
pub mod value;
