//! What the tests, the fuzz targets and the benches share: the reference evaluator, the ways to run a program over an
//! input, generated inputs, and the tools that come from outside.

pub mod case;
pub mod chunk;
pub mod documents;
pub mod generate;
pub mod golden;
pub mod hostile;
pub mod outcome;
pub mod programs;
pub mod python;
pub mod readers;
pub mod records;
pub mod reference;
