//! Benchmarks of weir: each checks its answer before it is timed.
//!
//! `cargo bench -p weir-benches` runs `engine.rs`: compiling, framing, and the whole way from bytes to OCSF, for records
//! of about 1.6 kB. The programs in `programs/` map the same audit records from NDJSON, a JSON array and CSV.
