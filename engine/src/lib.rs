//! The engine: applies a compiled plan to chunks of bytes. No IO, no clock, no async.
//!
//! ```text
//!              sequential                                parallel: one worker a core, nothing shared
//!  chunks ──▶ framer ──▶ RecordBlock ──▶ sound ──▶ project ──▶ statements ──▶ eval ──▶ emit ──▶ Batch
//!             where records            is it a     text of     which events   values   columns   events
//!             begin and end            record?     the wanted                          and OCSF  and rejects
//!                                                  values                              JSON
//! ```
//!
//! That is what is meant. Records with which nothing is wrong take a shorter way to the same: an index ([`simd`]) in place
//! of the walk over their text, and a flat program in place of the walk over the plan.
//!
//! What comes out depends on the bytes of the object and on the plan: not on how the bytes were cut into chunks, nor on
//! how many workers there are. A record that cannot be mapped is data ([`batch::Reject`]), and never an error.

pub mod batch;
pub mod block;
pub mod builtins;
pub mod cidr;
mod civil;
pub mod code;
pub mod constant;
pub mod convert;
pub mod decimal;
mod duration;
mod emit;
mod eval;
pub mod frame;
pub mod framer;
pub mod input;
pub mod output;
pub mod pattern;
pub mod plan;
mod program;
mod project;
pub mod raw;
pub mod read;
mod refusal;
mod rows;
pub mod secrets;
#[expect(unsafe_code, reason = "instructions of the machine; each block says why it is sound")]
pub mod simd;
pub mod sound;
mod statements;
pub mod suggest;
pub mod tally;
#[cfg(test)]
mod testing;
pub mod time_format;
pub mod types;
pub mod value;
pub mod worker;
