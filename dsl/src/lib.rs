//! The weir compiler: text to diagnostics and an engine plan.
#![forbid(unsafe_code)]

pub mod ast;
pub mod diagnostic;
pub mod hir;
pub mod lex;
pub mod ocsf;
pub mod parse;
pub mod source;
