//! The server.

pub mod source;
pub mod store;
