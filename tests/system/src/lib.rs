//! What the tests of the whole program share: the real binary, object stores, a
//! service that grants roles, and a proxy that breaks connections.

pub mod binary;
pub mod fault_proxy;
pub mod memory;
pub mod ministack;
pub mod objects;
pub mod seaweed;
