//! `weir`, the one binary. Everything is in the library, where tests reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    weir_server::cli::main()
}
