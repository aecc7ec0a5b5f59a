//! Everything that touches the world: where bytes come from, where events go, and the command line.
//!
//! ```text
//! source ──chunks──▶ pipeline (Framer, Workers) ──batches──▶ store, or NDJSON
//! ```
//!
//! Top-down: [`cli`] reads the arguments, [`pipeline`] moves the data, [`source`] gives the bytes of
//! objects, [`store`] keeps the events.
#![forbid(unsafe_code)]

pub mod cli;
mod console;
mod control;
mod demo;
mod lsp;
pub mod pipeline;
pub mod pull;
mod server;
pub mod source;
pub mod store;
pub mod vault;
