//! What the tests of the whole program share: the real binary, object stores, a
//! service that grants roles, a proxy that breaks connections, and a running server.

pub mod binary;
pub mod browser;
pub mod fault_proxy;
pub mod load;
pub mod memory;
pub mod ministack;
pub mod objects;
pub mod seaweed;
pub mod server;
