//! What the tests of the whole program share: the real binary, an object store, and a proxy that breaks connections.

pub mod binary;
pub mod fault_proxy;
pub mod memory;
pub mod seaweed;
